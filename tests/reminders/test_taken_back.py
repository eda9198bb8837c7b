"""One of several readers lost the reminder before it left: they get it again, and the others get no second one."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import MilestoneFactory, ReminderRuleFactory, UserFactory
from partnerships.mailing.claim import claim_next
from partnerships.mailing.delivery_writes import advance
from partnerships.models import Delivery, Milestone, ReminderItem, ReminderPlan, Role, UnitMembership, User
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.clock import Clock
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.statuses import DeliveryStatus
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

MOVED = {"due_on": dt.date(2026, 6, 1)}
CLOSED = {"status": "met", "met_on": dt.date(2026, 3, 5)}


@pytest.fixture
def milestone(db: None) -> Milestone:
    ReminderRuleFactory(offset=7, audience="lead")
    return MilestoneFactory(due_on=dt.date(2026, 3, 12))


@pytest.fixture
def bob(milestone: Milestone, smtp_sink: SmtpSink, queue: Callable[[], None], clock: MovableClock) -> User:
    """A lead whose mail was put off for a minute, while Alice has hers."""
    UserFactory(lead_in=milestone.unit, email="alice@example.org")
    bob = UserFactory(lead_in=milestone.unit, email="bob@example.org")
    smtp_sink.script({"at": "RCPT", "reply": "451 Later", "to": bob.email})
    queue()
    run_once(clock)
    smtp_sink.script()
    clock.forward(minutes=1)
    return bob


def edit(milestone: Milestone, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(milestone, name, value)
    milestone.save()


def readers(sink: SmtpSink) -> list[list[str]]:
    return [mail.recipients for mail in sink.received]


@pytest.mark.parametrize("change", [MOVED, CLOSED])
def test_a_change_and_its_reversal_lose_and_double_nothing(
    bob: User, milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock, change: dict
) -> None:
    edit(milestone, change)
    assert run_once(clock).deliveries == {"cancelled": 1}
    edit(milestone, {"due_on": dt.date(2026, 3, 12), "status": "open", "met_on": None})

    for _tick in range(3):
        run_once(Clock(clock.forward(minutes=1), clock.read))

    assert readers(smtp_sink) == [["alice@example.org"], ["bob@example.org"]]
    assert audit(real_now=clock.at) == []


def test_an_edit_reversed_before_the_item_was_withdrawn_loses_nobody(
    bob: User, milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    """A claim read the moved date, and committed after the date was moved back and that mark was read."""
    Milestone.objects.update(**MOVED)
    claim_next(clock)
    Milestone.objects.update(due_on=dt.date(2026, 3, 12))

    run_once(Clock(clock.forward(minutes=1), clock.read))

    assert readers(smtp_sink) == [["alice@example.org"], ["bob@example.org"]]


def test_a_date_moved_back_a_day_late_marks_the_item_as_expired(
    bob: User, milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    edit(milestone, MOVED)
    run_once(clock)
    clock.forward(days=1)
    edit(milestone, {"due_on": dt.date(2026, 3, 12)})

    run_once(clock)

    assert ReminderItem.objects.get(person=bob).cancel_reason == Reason.EXPIRED
    assert ReminderPlan.objects.get(due_on=milestone.due_on).status == "expanded"
    assert (readers(smtp_sink), audit(real_now=clock.at)) == ([["alice@example.org"]], [])


def test_a_former_lead_does_not_bring_the_plan_back_for_ever(
    bob: User, milestone: Milestone, clock: MovableClock
) -> None:
    edit(milestone, MOVED)
    run_once(clock)
    UnitMembership.objects.filter(user=bob, role=Role.LEAD).delete()
    edit(milestone, {"due_on": dt.date(2026, 3, 12)})
    run_once(clock)
    milestone.save()

    assert run_once(clock).expanded == 0
    assert ReminderItem.objects.get(person=bob).cancel_reason == Reason.WRONG_PERSON


def test_the_audit_names_the_reader_who_was_left_out(bob: User, clock: MovableClock) -> None:
    ReminderItem.objects.filter(person=bob).update(cancelled_at=clock.at, cancel_reason=Reason.DUE_DATE_MOVED)
    assert advance(Delivery.objects.get(person=bob), DeliveryStatus.CANCELLED, at=clock.at)
    plan = ReminderPlan.objects.get()

    assert audit(real_now=clock.at) == [f"Plan {plan.pk} was taken back from person {bob.pk} and holds again."]

    milestone = plan.milestone
    milestone.save()
    reconcile_marked(real_now=clock.at)
    assert audit(real_now=clock.at) == []
