"""Reminders to the contacts of the party that owes something, who have no account with us."""

import datetime as dt
import email
import email.policy
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import (
    DAY,
    AgreementFactory,
    ContactFactory,
    ContactPositionFactory,
    MilestoneFactory,
    ReminderRuleFactory,
    UserFactory,
)
from partnerships.mailing.claim import claim_next
from partnerships.mailing.expand import expand_due
from partnerships.mailing.message import write
from partnerships.mailing.resend import send_again
from partnerships.models import Contact, Delivery, Milestone, ReminderItem, ReminderMark, ReminderPlan, ReminderRule
from partnerships.models.contact_tokens import mail_token
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.explain import explain
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.workflows.organizations import resume_contact_mail, stop_contact_mail
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def rule(db: None) -> ReminderRule:
    """A rule that notifies the contacts of the party a week before."""
    return ReminderRuleFactory(offset=7, audience="party")


@pytest.fixture
def milestone(rule: ReminderRule) -> Milestone:
    """A milestone that the enterprise of a signed agreement owes, due on 12 March 2026."""
    agreement = AgreementFactory(signed=True, title="Framework with Zhongyi", coordinator__language="en")
    return MilestoneFactory(
        agreement=agreement,
        party=agreement.parties.order_by("pk").last(),
        due_on=dt.date(2026, 3, 12),
        title="Deliver the bearings",
        description="They were late last time.",
        owner=agreement.coordinator,
    )


@pytest.fixture
def contact(milestone: Milestone) -> Contact:
    assert milestone.party is not None
    return ContactFactory(organization=milestone.party.organization, name="Engineer Wang", language="en")


def reminded() -> list[tuple[str, str]]:
    return [(str(item.reader), item.why) for item in ReminderItem.objects.filter(cancelled_at=None).order_by("pk")]


def mail(clock: MovableClock) -> Any:
    claim = claim_next(clock)
    assert claim is not None
    written = write(claim.delivery, claim.items, clock)
    return email.message_from_bytes(written.data, policy=email.policy.default)


def test_contacts_get_mail_in_their_language_with_a_reply_address(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()
    assert reminded() == [("Engineer Wang", "party")]

    message = mail(clock)
    text = message.get_body(("plain",)).get_content()

    assert message["To"] == f"Engineer Wang <{contact.email}>"
    assert milestone.owner is not None
    assert milestone.owner.email in message["Reply-To"]
    assert "Deliver the bearings" in text
    assert "Framework with Zhongyi" in text
    assert "Thursday, March 12, 2026" in text
    assert f"{milestone.party} promised this in the agreement, and you are its contact." in text


def test_its_one_link_stops_the_mails_and_nothing_of_ours_is_in_it(
    contact: Contact, queue: Callable[[], None], clock: MovableClock, settings: Any
) -> None:
    queue()
    message = mail(clock)

    bodies = [message.get_body((kind,)).get_content() for kind in ("plain", "html")]
    page = message["List-Unsubscribe"].strip("<>")
    assert [body.count(settings.SITE_URL) for body in bodies] == [body.count(page) for body in bodies] == [1, 1]
    assert ["late last time" in body for body in bodies] == [False, False]


def test_each_address_gets_one_mail_and_the_audit_is_clean(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    shared = ContactFactory(organization=contact.organization, email=contact.email.upper())
    other = ContactFactory(organization=contact.organization)
    queue()
    run_once(clock)

    assert [item.reader for item in ReminderItem.objects.order_by("pk")] == [contact, other]
    assert sorted(mail.recipients for mail in smtp_sink.received) == sorted([[contact.email], [other.email]])
    assert audit(real_now=clock.at) == []

    # The first has it, so one who shares the address gets none either when the plan is made into mail again.
    contact.is_active = False
    contact.save()
    ReminderPlan.objects.update(status="planned")
    expand_due(clock)

    assert not ReminderItem.objects.filter(contact=shared).exists()
    assert audit(real_now=clock.at) == []


def test_a_contact_with_a_further_position_at_the_party_gets_the_mail(
    contact: Contact, milestone: Milestone, queue: Callable[[], None]
) -> None:
    other = ContactFactory()
    position = ContactPositionFactory(contact=other, organization=contact.organization)
    former = ContactPositionFactory(contact=ContactFactory(), organization=contact.organization)
    former.until = DAY
    former.save()
    queue()

    assert [item.reader for item in ReminderItem.objects.order_by("contact_id")] == [contact, position.contact]


def test_a_chinese_contact_reads_chinese(contact: Contact, queue: Callable[[], None], clock: MovableClock) -> None:
    contact.language, contact.name = "zh-hans", "王工"
    contact.save()
    queue()

    assert 'lang="zh-hans"' in mail(clock).get_body(("html",)).get_content()


@pytest.mark.parametrize(
    "change",
    [{"permission": "ask"}, {"is_active": False}, {"email": ""}, {"preferred_channel": "phone"}],
    ids=lambda change: next(iter(change)),
)
def test_contacts_who_must_not_be_mailed_are_left_alone_and_the_owner_is_notified(
    change: dict[str, Any], contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock
) -> None:
    for name, value in change.items():
        setattr(contact, name, value)
    contact.save()
    queue()

    assert reminded() == [(str(milestone.owner), "for-party")]
    assert "may be written to: please ask them." in mail(clock).get_body(("plain",)).get_content().replace("\n", " ")


@pytest.mark.parametrize("case", ["no party", "not signed", "withdrew"])
def test_a_party_that_promised_nothing_is_not_asked(
    case: str, contact: Contact, milestone: Milestone, queue: Callable[[], None]
) -> None:
    match case:
        case "no party":
            Milestone.objects.update(party=None)
        case "not signed":
            milestone.agreement.status = "approved"  # type: ignore[union-attr]
            milestone.agreement.save()  # type: ignore[union-attr]
        case _:
            type(milestone.party).objects.update(acceded_on="2026-01-01", withdrew_on="2026-02-01")  # type: ignore[union-attr]
    queue()

    assert reminded() == [(str(milestone.owner), "for-party")]


def test_a_contact_who_must_not_be_mailed_any_more_is_dropped_at_the_claim(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()
    contact.permission = "ask"
    contact.save()

    claim = claim_next(clock)
    expand_due(clock)

    assert claim is not None
    assert (claim.items, claim.delivery.status) == ([], "cancelled")
    assert reminded() == [(str(milestone.owner), "for-party")]


def test_each_failure_is_reported_once(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()
    ReminderPlan.objects.update(status="planned")
    expand_due(clock)
    ReminderMark.objects.create(milestone=milestone)
    reconcile_marked(real_now=clock.at)
    expand_due(clock)

    assert reminded() == [("Engineer Wang", "party")]


def test_moved_there_and_back_it_comes_to_the_contact_again_not_twice(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()
    for day in (dt.date(2026, 4, 12), dt.date(2026, 3, 12)):
        row = Milestone.objects.get(pk=milestone.pk)
        row.due_on = day
        row.save()
        claim_next(clock)
        reconcile_marked(real_now=clock.at)
    expand_due(clock)

    assert [(item.reader, item.generation) for item in ReminderItem.objects.filter(cancelled_at=None)] == [(contact, 2)]
    assert audit(real_now=clock.at) == ["The reminders have never run."]


def test_a_failed_mail_is_sent_again_to_the_contact(
    contact: Contact, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()
    Delivery.objects.update(status="failed")

    again = send_again(Delivery.objects.get(), actor=UserFactory(staff=True), now=clock.at)

    assert (again.person, again.contact, again.items.get().reader) == (None, contact, contact)


def test_the_explanation_names_the_contact(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()

    assert "To Engineer Wang, contact of the party that owes it" in "\n".join(explain(milestone, now=clock.at))


def test_the_mail_says_how_its_reader_stops_it(
    contact: Contact, queue: Callable[[], None], clock: MovableClock, settings: Any
) -> None:
    settings.SITE_URL = "https://office.example.org"
    queue()

    message = mail(clock)

    address = f"https://office.example.org/mail-preferences/{mail_token(contact)}/"
    assert message["List-Unsubscribe"] == f"<{address}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_our_own_people_have_their_settings_and_no_such_address(
    milestone: Milestone, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()

    assert reminded() == [(str(milestone.owner), "for-party")]
    assert mail(clock)["List-Unsubscribe"] is None


NOT_SENT = "not sent. The contact asked for no mail."


def test_a_contact_who_stopped_mail_gets_none_and_the_owner_asks_the_party(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    stop_contact_mail(contact, on=dt.date(2026, 3, 1))
    reconcile_marked(real_now=clock.at)
    assert NOT_SENT in "\n".join(explain(milestone, now=clock.at))

    queue()
    run_once(clock)

    assert milestone.owner is not None
    assert reminded() == [("Engineer Wang", "party"), (str(milestone.owner), "for-party")]
    assert [one.recipients for one in smtp_sink.received] == [[milestone.owner.email]]
    unsent = Delivery.objects.get(contact=contact)
    assert (unsent.status, unsent.reason_words) == ("skipped", "The contact asked for no mail.")
    assert "The contact asked for no mail." in "\n".join(explain(milestone, now=clock.at))
    assert audit(real_now=clock.at) == []


def test_one_who_stops_it_before_it_leaves_gets_none(
    contact: Contact, milestone: Milestone, queue: Callable[[], None], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    queue()
    stop_contact_mail(contact, on=dt.date(2026, 3, 5))

    run_once(clock)
    run_once(clock)

    assert milestone.owner is not None
    assert [one.recipients for one in smtp_sink.received] == [[milestone.owner.email]]
    assert ReminderItem.objects.get(contact=contact, generation=1).cancel_words == "The contact asked for no mail."
    assert audit(real_now=clock.at) == []


@pytest.mark.parametrize("corrected", ["", "their.own@example.org"])
def test_another_contact_of_the_same_address_gets_none_either(
    corrected: str,
    contact: Contact,
    milestone: Milestone,
    queue: Callable[[], None],
    clock: MovableClock,
    smtp_sink: SmtpSink,
) -> None:
    """A stop counts for the address and so for all who share it; contacts with another address still get their mail."""
    gone = ContactFactory(email=contact.email.upper())
    stop_contact_mail(gone, on=dt.date(2026, 3, 1))
    gone.refresh_from_db()
    gone.email = corrected or gone.email
    gone.save()
    other = ContactFactory(organization=contact.organization)
    queue()
    run_once(clock)

    assert [one.recipients for one in smtp_sink.received] == [[other.email]]
    assert Delivery.objects.get(contact=contact).status == "skipped"


def test_undone_the_mail_comes_again(
    contact: Contact, queue: Callable[[], None], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    stop_contact_mail(contact, on=dt.date(2026, 3, 1))
    resume_contact_mail(contact)
    queue()
    run_once(clock)

    assert [one.recipients for one in smtp_sink.received] == [[contact.email]]
