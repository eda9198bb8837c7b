"""A reminder to get in touch names the partners' people, with what its reader may see, and the security log says so."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    ContactFactory,
    ContactNoteFactory,
    EnterpriseFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.deliver import deliver_due
from partnerships.mailing.message import Written, write
from partnerships.mailing.rule_preview import preview
from partnerships.models import Contact, Delivery, Milestone, ReminderItem, ReminderRule, SecurityEvent, User
from tests.reminders.conftest import MovableClock
from tests.reminders.test_message import part
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
Kind = SecurityEvent.Kind


@dataclass
class Partner:
    """An enterprise that two units hold: ours, with an agreement to keep in touch about, and another."""

    organization: Any
    unit: Any
    other: Any
    owner: User

    def person(self, name: str, **more: Any) -> Contact:
        return ContactFactory(**{"organization": self.organization, "name": name, "unit": self.unit, **more})


@pytest.fixture
def partner(db: None) -> Partner:
    unit, other = UnitFactory(), UnitFactory()
    organization = EnterpriseFactory(name="Harbor Works")
    for holder in (unit, other):
        OrganizationUnitFactory(organization=organization, unit=holder)
    return Partner(organization, unit, other, UserFactory(coordinator_in=unit))


@pytest.fixture
def rule(db: None) -> ReminderRule:
    return ReminderRuleFactory(offset=7, milestone_kind="next_contact")


@pytest.fixture
def milestone(rule: ReminderRule, partner: Partner) -> Milestone:
    agreement = AgreementFactory(
        unit=partner.unit, coordinator=partner.owner, signed=True, parties=[partner.organization]
    )
    return MilestoneFactory(
        agreement=agreement,
        kind="next_contact",
        derived_key="next_contact",
        owner=partner.owner,
        due_on=dt.date(2026, 3, 12),
    )


def mail_to(reader: User, *milestones: Milestone) -> Written:
    items = [ReminderItem(plan=ReminderPlanFactory(milestone=row), why="owner") for row in milestones]
    return write(Delivery(person=reader, message_id="<x@example.org>"), items, MovableClock(NOON))


def told() -> list[tuple[User | None, str, str]]:
    events = SecurityEvent.objects.filter(kind=Kind.CONTACTS_MAILED).order_by("pk")
    return [(event.user, event.about, event.detail) for event in events]


@pytest.mark.parametrize(("is_office", "statements"), [(False, 29), (True, 27)])
def test_the_mail_has_name_number_and_who_was_reached_last_for_a_few_statements_more(
    is_office: bool,
    statements: int,
    partner: Partner,
    milestone: Milestone,
    queue: Callable[[], None],
    clock: MovableClock,
    smtp_sink: SmtpSink,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    User.objects.filter(pk=partner.owner.pk).update(is_staff=is_office)
    partner.person("An Li", position="Director", phone="0575-1", email="an@harbor.example", wechat="anli")
    second = partner.person("Bai Yun", phone="0575-2")
    ContactNoteFactory(agreement=milestone.agreement, contact=second, happened_on=DAY)
    queue()

    with django_assert_num_queries(statements):
        deliver_due(clock, limit=1, is_stopping=lambda: False)

    [received], mail = smtp_sink.received, Delivery.objects.get()
    assert received.content.encode() == bytes(mail.message or b"")
    text = received.text().replace("\r\n", "\n")
    assert "- An Li · Director · Harbor Works\n  0575-1 · an@harbor.example · WeChat anli\n" in text
    assert text.index("Bai Yun") < text.index("last reached on March 2, 2026") < text.index("An Li")
    for link in ('href="tel:0575-1"', 'href="mailto:an@harbor.example"'):
        assert link in received.text("html")
    assert told() == [(partner.owner, "Harbor Works", mail.get_absolute_url())]


def test_it_tells_what_its_reader_may_see_and_no_more_than_those_who_may_read_it_in_the_log(
    partner: Partner, milestone: Milestone
) -> None:
    ours = partner.person("An Li", phone="0575-1")
    theirs = partner.person("Bai Yun", phone="0575-2", unit=partner.other)
    shared = partner.person("Cao Hong", phone="0575-3", unit=partner.other, is_shared=True)
    below = partner.person("Dai Min", phone="0575-4", unit=UnitFactory(parent=partner.unit))
    office, viewer = UserFactory(staff=True), UserFactory(viewer_in=partner.unit)

    def seen(reader: User) -> list[list[bool]]:
        mail = mail_to(reader, milestone)
        bodies = [part(mail, "plain"), part(mail, "html")]
        people = (ours, theirs, shared, below)
        return [[all(words in body for body in bodies) for words in (one.name, one.phone)] for one in people]

    assert seen(partner.owner) == [[True, True], [True, False], [True, True], [True, True]]
    assert seen(viewer) == [[True, False]] * 4
    # The office sees each number, but coordinators of the unit may read its mails in the log.
    assert seen(office) == seen(partner.owner)


def test_a_note_that_the_reader_may_not_see_does_not_say_when_somebody_was_reached(
    partner: Partner, milestone: Milestone
) -> None:
    contact = partner.person("An Li")
    ContactNoteFactory(agreement=AgreementFactory(unit=partner.other), contact=contact, happened_on=DAY)

    # The office sees the note, but coordinators of the unit may read its mails in the log.
    for reader in (partner.owner, UserFactory(staff=True)):
        text = part(mail_to(reader, milestone), "plain")
        assert ("An Li" in text, "last reached" in text) == (True, False)


def test_a_line_of_a_digest_names_two_and_other_milestones_nobody(partner: Partner, milestone: Milestone) -> None:
    for name in ("An Li", "Bai Yun", "Cao Hong"):
        partner.person(name)
    other = MilestoneFactory(agreement=milestone.agreement, owner=partner.owner, title="Report")

    mail = mail_to(partner.owner, milestone, other)

    for body in (part(mail, "plain"), part(mail, "html")):
        assert [body.count(name) for name in ("An Li", "Bai Yun", "Cao Hong")] == [1, 1, 0]
    assert [contact.name for contact in mail.disclosed] == ["An Li", "Bai Yun"]
    assert "An Li" not in part(mail_to(partner.owner, other), "plain")


def test_the_same_bytes_sent_again_are_noted_once(
    partner: Partner, milestone: Milestone, queue: Callable[[], None], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    partner.person("An Li")
    queue()
    smtp_sink.script({"at": "DATA", "reply": "451 Later", "times": 1})
    deliver_due(clock, limit=1, is_stopping=lambda: False)
    Contact.objects.update(name="Somebody else")
    clock.forward(minutes=2)
    deliver_due(clock, limit=1, is_stopping=lambda: False)

    assert "An Li" in smtp_sink.received[-1].text()
    assert len(told()) == 1


def test_a_colleague_who_reads_the_mail_is_noted_as_having_seen_the_numbers(
    partner: Partner, milestone: Milestone, queue: Callable[[], None], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    partner.person("An Li")
    queue()
    deliver_due(clock, limit=1, is_stopping=lambda: False)
    mail, colleague = Delivery.objects.get(), UserFactory(lead_in=partner.unit)

    for reader in (partner.owner, colleague):
        client = Client()
        client.force_login(reader)
        assert "An Li" in client.get(mail.get_absolute_url()).text

    viewed = SecurityEvent.objects.filter(kind=Kind.CONTACTS_VIEWED)
    assert [(event.user, event.about) for event in viewed] == [(colleague, "Harbor Works")]


def test_the_preview_of_a_rule_names_nobody(partner: Partner, milestone: Milestone, rule: ReminderRule) -> None:
    partner.person("An Li")

    wording = preview(rule, user=UserFactory(lead_in=partner.unit), now=NOON).wording

    assert wording is not None
    assert "An Li" not in wording.text
