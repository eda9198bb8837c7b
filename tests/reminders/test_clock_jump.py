"""A run while the machine's clock is wrong lets nothing expire, and everything recovers once the clock is right."""

import datetime as dt

import pytest
from django.db import transaction
from django.test import override_settings

from partnerships.factories import DeliveryFactory, MilestoneFactory, ReminderPlanFactory, ReminderRuleFactory
from partnerships.mailing.claim import rescue
from partnerships.mailing.relay import Breaker, is_rate_reached, relay_name
from partnerships.models import Delivery, MailRelay, Milestone, ReminderPlan, ReminderRule, Sweep
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.clock import Clock
from partnerships.workflows.derived_sweep import sweep_derived
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

DAY = dt.timedelta(days=1)


def run(clock: MovableClock) -> None:
    run_once(clock)


def statuses() -> set[str]:
    return set(ReminderPlan.objects.values_list("status", flat=True))


@pytest.fixture
def milestones(rule: ReminderRule, clock: MovableClock) -> list[Milestone]:
    """Due 8 to 19 days ahead, so that their plans expire within 30 days; planned by a run in the present."""
    made = [MilestoneFactory(due_on=clock.at.date() + days * DAY) for days in range(8, 20)]
    run(clock)
    clock.forward(minutes=1)
    return made


def test_one_run_a_month_ahead_expires_nothing(
    milestones: list[Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    clock.forward(days=30)
    run(clock)
    assert "missed" not in statuses()
    clock.forward(days=-30, minutes=1)
    run(clock)

    assert statuses() <= {"planned", "expanded"}
    assert ReminderPlan.objects.filter(status="planned").count() == 12
    assert audit(real_now=clock.at) == []


def test_plans_that_expired_by_a_wrong_clock_are_planned_again(
    milestones: list[Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    """From the second run on a wrong clock cannot be told from an outage."""
    clock.forward(days=400)
    run(clock)
    run_once(Clock(clock.forward(minutes=1), clock.read))
    assert statuses() == {"missed"}
    clock.forward(days=-400)
    assert len([line for line in audit(real_now=clock.at) if "its time is still to come" in line]) == 12
    run(clock)

    assert statuses() == {"planned"}
    assert audit(real_now=clock.at) == []


def test_a_date_entered_by_a_wrong_clock_is_planned_by_the_next_sweep(
    milestones: list[Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    """Its time seemed to be past, so no reminder was planned."""
    clock.forward(days=400)
    MilestoneFactory(due_on=milestones[0].due_on)
    run(clock)
    assert "not_needed" in statuses()
    clock.forward(days=-400)
    assert [line for line in audit(real_now=clock.at) if "its time is still to come" in line]
    run(clock)

    assert "not_needed" not in statuses()
    assert audit(real_now=clock.at) == []


def test_after_a_real_outage_the_second_run_expires(
    milestones: list[Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    clock.forward(days=60)
    run(clock)
    assert statuses() == {"planned"}

    run_once(Clock(clock.forward(minutes=1), clock.read))

    assert statuses() == {"missed"}
    assert smtp_sink.received == []


def test_the_sweeps_begin_again_when_their_last_time_lies_ahead(
    milestones: list[Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    clock.forward(days=400)
    run(clock)
    sweep_derived(now=clock.at)
    clock.forward(days=-400)
    run(clock)
    sweep_derived(now=clock.at)

    assert [sweep.began_at for sweep in Sweep.objects.all()] == [clock.at, clock.at]


def test_a_lease_taken_by_a_wrong_clock_is_rescued(clock: MovableClock) -> None:
    delivery = DeliveryFactory(status="claimed", lease_until=clock.at + 30 * DAY, lease_epoch=1)

    assert rescue(real_now=clock.at) == 1
    delivery.refresh_from_db()
    assert delivery.status == "queued"


def test_a_relay_pause_begun_by_a_wrong_clock_is_over(clock: MovableClock) -> None:
    MailRelay.objects.create(name=relay_name(), failures=1, open_until=clock.at + 30 * DAY, trouble="refused")

    assert Breaker(clock).lets_through()


def test_mails_dated_by_a_wrong_clock_use_up_no_rate(clock: MovableClock) -> None:
    DeliveryFactory(sent=True, handed_at=clock.at + 30 * DAY)

    with override_settings(EMAIL_MAX_PER_MINUTE=1), transaction.atomic():
        assert not is_rate_reached(clock.at)
        Delivery.objects.update(handed_at=clock.at)
        assert is_rate_reached(clock.at)


def test_a_plan_missed_for_a_good_reason_is_no_breach(
    milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    run(clock)
    ReminderPlanFactory(
        milestone=milestone, rule=ReminderRuleFactory(offset=30), status="missed", send_at=clock.at - 5 * DAY
    )

    assert audit(real_now=clock.at) == []
