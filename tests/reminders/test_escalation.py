"""However a first reminder ends, the leads are notified when nobody acts, so no milestone is forgotten."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from partnerships.acts import one_act
from partnerships.factories import MilestoneFactory, ReminderRuleFactory, UserFactory
from partnerships.mailing.holding import hold_all, lift_hold, release
from partnerships.models import Delivery, Milestone, ReminderPlan, ReminderRule, User
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.explain import explain
from partnerships.statuses import DeliveryStatus
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import DISCONNECT, SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

THURSDAY = dt.datetime(2026, 3, 5, 0, 1, tzinfo=dt.UTC)  # the owner's reminder
NEXT_THURSDAY = dt.datetime(2026, 3, 12, 0, 1, tzinfo=dt.UTC)  # five working days later

Arrange = Callable[["Office"], None]


class Office:
    """A milestone, its owner and lead. A week before the due date the owner is notified, five working days later the lead."""

    def __init__(self, milestone: Milestone, clock: MovableClock, sink: SmtpSink) -> None:
        self.milestone, self.clock, self.sink = milestone, clock, sink
        self.owner = milestone.owner
        self.unit = milestone.unit
        self.lead = UserFactory(name="Lead", lead_in=self.unit, email="lead@example.org")

    def edit_owner(self, **values: Any) -> None:
        owner = User.objects.get(pk=self.owner.pk)
        for name, value in values.items():
            setattr(owner, name, value)
        owner.save()

    def colleague(self) -> User:
        return UserFactory(coordinator_in=self.unit)

    def run(self, at: dt.datetime | None = None) -> None:
        self.clock.at = at or self.clock.at
        run_once(self.clock)

    def mails_to(self, person: User) -> list[str]:
        return [mail.text() for mail in self.sink.received if mail.recipients == [person.email]]


@pytest.fixture
def office(rule: ReminderRule, milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink) -> Office:
    ReminderRuleFactory(offset=5, direction="unanswered", audience="lead")
    found = Office(milestone, clock, smtp_sink)
    found.run()
    return found


def accepted(office: Office) -> None:
    office.run(THURSDAY)


def feed_only(office: Office) -> None:
    office.edit_owner(reminder_mode=User.ReminderMode.FEED)
    office.run(THURSDAY)


def in_a_digest(office: Office) -> None:
    office.edit_owner(reminder_mode=User.ReminderMode.DIGEST, reminder_hour=9, time_zone="Asia/Shanghai")
    office.run(THURSDAY)
    office.run(THURSDAY + dt.timedelta(hours=1))


def no_address_but_a_fallback_person(office: Office) -> None:
    office.unit.fallback_person = office.colleague()
    office.unit.save()
    office.edit_owner(email="")
    office.run(THURSDAY)


def no_address_and_leads_alone(office: Office) -> None:
    office.edit_owner(email="")
    office.run(THURSDAY)


def no_owner(office: Office) -> None:
    Milestone.objects.filter(pk=office.milestone.pk).update(owner=None)
    office.run(THURSDAY)


def owner_away(office: Office) -> None:
    away = {"deputy": office.colleague(), "absent_from": THURSDAY.date(), "absent_until": THURSDAY.date()}
    office.edit_owner(**away)
    office.run(THURSDAY)


def owner_away_since_it_was_queued(office: Office) -> None:
    """The mail to the owner is cancelled at the claim, and the deputy gets it."""
    office.sink.stop()
    office.run(THURSDAY)
    away = {"deputy": office.colleague(), "absent_from": THURSDAY.date(), "absent_until": THURSDAY.date()}
    office.edit_owner(**away)
    office.sink.start()
    for _minute in range(2):
        office.run(office.clock.forward(minutes=1))


def refused_for_good(office: Office) -> None:
    office.sink.script({"at": "RCPT", "reply": "550 No such user", "times": 1})
    office.run(THURSDAY)
    office.run(office.clock.forward(minutes=1))


def never_answered_by_the_server(office: Office) -> None:
    office.sink.script({"at": "DATA", "reply": DISCONNECT, "times": 1, "stored": True})
    office.run(THURSDAY)
    office.run(office.clock.forward(minutes=1))


def held_by_hand(office: Office) -> None:
    clerk = UserFactory(staff=True)
    hold = hold_all(actor=clerk, note="The relay is being moved", now=office.clock.at)
    office.run(THURSDAY)
    lift_hold(hold, actor=clerk, now=office.clock.at)


def held_as_too_many(office: Office) -> None:
    ReminderPlan.objects.all().delete()  # as if it was registered by this act
    with one_act():
        office.milestone.save()
        other = MilestoneFactory(due_on=office.milestone.due_on)
    office.run()
    with override_settings(REMINDERS_HOLD_ABOVE=1):
        office.run(THURSDAY)
    Milestone.objects.filter(pk=other.pk).update(status="met", met_on=THURSDAY.date())


SENT = ("nobody has acted on the reminder of March 5, 2026 to", "was reminded on 2026-03-05 08:0")
ENDS: dict[Arrange, tuple[str, str, str]] = {
    accepted: ("sent", *SENT),
    feed_only: (
        "skipped",
        "has had it in the calendar feed since March 5, 2026",
        "asked for no mail, has had it in My",
    ),
    in_a_digest: ("sent", SENT[0], "was reminded on 2026-03-05 09:0"),
    no_address_but_a_fallback_person: ("sent", *SENT),
    no_address_and_leads_alone: ("sent", *SENT),
    no_owner: ("sent", *SENT),
    owner_away: ("sent", *SENT),
    owner_away_since_it_was_queued: ("sent", *SENT),
    refused_for_good: ("failed", "did not get through, which was found on March 5, 2026", "not to have got through"),
    never_answered_by_the_server: ("uncertain", "did not get through", "not to have got through"),
    held_by_hand: ("held", "has been held since March 5, 2026", "has been held since 2026-03-05 08:0"),
    held_as_too_many: ("held", "has been held since March 5, 2026", "has been held since 2026-03-05 08:0"),
}


def escalation() -> ReminderPlan:
    return ReminderPlan.objects.get(rule__direction="unanswered")


@pytest.mark.parametrize(("end", "expected"), ENDS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_the_leads_are_notified_however_the_first_reminder_ended(
    end: Arrange, expected: tuple[str, str, str], office: Office
) -> None:
    status, because, unless = expected
    end(office)
    office.run(office.clock.forward(minutes=1))

    assert (escalation().unanswered_status, escalation().send_at.date()) == (status, NEXT_THURSDAY.date())
    assert unless in "\n".join(explain(office.milestone, now=office.clock.at))
    assert audit(real_now=office.clock.at) == []
    already = len(office.mails_to(office.lead))

    office.run(NEXT_THURSDAY)
    office.run(office.clock.forward(days=1))

    [mail] = office.mails_to(office.lead)[already:]
    assert because in " ".join(mail.split())
    assert audit(real_now=office.clock.at) == []


@pytest.mark.parametrize("end", [feed_only, refused_for_good, held_by_hand])
def test_any_activity_spares_the_leads_the_mail(
    end: Arrange, office: Office, time_machine: Any, milestone: Milestone
) -> None:
    end(office)
    office.run(office.clock.forward(minutes=1))
    time_machine.move_to(office.clock.forward(days=1), tick=False)
    row = Milestone.objects.get(pk=milestone.pk)
    row.evidence, row._history_user = "Called, the room is ready.", office.owner
    row.save()
    already = len(office.mails_to(office.lead))

    office.run(NEXT_THURSDAY)

    assert office.mails_to(office.lead)[already:] == []
    assert (escalation().status, escalation().reason) == ("cancelled", Reason.ANSWERED)


def test_a_released_mail_counts_from_when_it_was_sent(office: Office) -> None:
    held_by_hand(office)
    office.run(office.clock.forward(days=1))

    release(Delivery.objects.get(), actor=UserFactory(staff=True), now=office.clock.at)
    office.run(office.clock.forward(minutes=1))
    office.run(office.clock.forward(minutes=1))

    assert Delivery.objects.get().status == DeliveryStatus.SENT
    assert (escalation().unanswered_status, escalation().send_at.date()) == ("sent", dt.date(2026, 3, 13))


def nobody_to_tell(office: Office) -> None:
    office.lead.memberships.all().delete()
    office.edit_owner(email="")
    office.run(THURSDAY)


def closed_before(office: Office) -> None:
    row = Milestone.objects.get(pk=office.milestone.pk)
    row.status, row.met_on = "met", THURSDAY.date()
    row.save()
    office.run(THURSDAY)


def down_until_it_had_expired(office: Office) -> None:
    office.run(THURSDAY + dt.timedelta(days=14))


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (nobody_to_tell, Reason.NOBODY_TO_TELL),
        (closed_before, Reason.NOT_PENDING),
        (down_until_it_had_expired, Reason.EXPIRED),
    ],
)
def test_where_no_first_reminder_was_made_the_reason_is_written(end: Arrange, reason: str, office: Office) -> None:
    end(office)
    office.run(office.clock.forward(minutes=1))

    assert Delivery.objects.count() == 0
    assert ReminderPlan.objects.get().reason == reason
    assert str(Reason(reason).label) in "\n".join(explain(office.milestone, now=office.clock.at))
