import datetime as dt
from typing import Any

import pytest

from partnerships.factories import AgreementFactory, MilestoneFactory
from partnerships.models import ComponentHeartbeat, Milestone, ReminderMark, ReminderPlan, ReminderRule, Sweep
from partnerships.operations.audit import audit
from partnerships.operations.run import RunReport, run_once
from partnerships.reminders.clock import Clock
from partnerships.tasks import tick
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

DUE = dt.datetime(2026, 3, 5, 0, 1, tzinfo=dt.UTC)


def test_one_run_carries_a_mark_to_the_reader(milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock) -> None:
    run_once(clock)
    clock.at = DUE

    assert run_once(clock) == RunReport(
        reconciled=1,  # the daily sweep
        expanded=1,
        queued=1,
        deliveries={"sent": 1},
    )

    assert [mail.recipients for mail in smtp_sink.received] == [[milestone.owner.email]]
    assert ComponentHeartbeat.objects.get(name="reminders").at == DUE
    assert audit(real_now=clock.at) == []


def test_further_runs_send_nothing_more(milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock) -> None:
    run_once(clock)
    clock.at = DUE
    for _tick in range(3):
        run_once(clock)
        clock.forward(minutes=1)

    assert len(smtp_sink.received) == 1


def test_looking_ahead_sends_early_and_dates_by_the_real_time(
    milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    """The plan is made although its time lies before `due_at`."""
    assert run_once(Clock(DUE, clock.read)).deliveries == {"sent": 1}

    [mail] = smtp_sink.received
    assert mail.message["Date"].datetime == clock.at
    assert "in 7 days" in mail.subject


def test_a_day_without_ticks_loses_nothing(milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock) -> None:
    run_once(clock)
    clock.at = DUE + dt.timedelta(days=1)

    assert run_once(clock).deliveries == {"sent": 1}


def test_many_edits_of_one_milestone_do_not_hold_up_the_others(rule: ReminderRule, clock: MovableClock) -> None:
    busy, quiet = MilestoneFactory(), MilestoneFactory()
    ReminderMark.objects.bulk_create(ReminderMark(milestone=busy) for _edit in range(250))
    ReminderMark.objects.filter(milestone=quiet).delete()
    ReminderMark.objects.create(milestone=quiet)

    run_once(clock)

    assert ReminderMark.objects.count() == 0
    assert ReminderPlan.objects.filter(milestone=quiet).count() == 1


def test_a_run_that_is_asked_to_stop_begins_nothing(
    milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    assert run_once(Clock(DUE, clock.read), is_stopping=lambda: True) == RunReport()

    assert smtp_sink.received == []


def test_a_run_stops_claiming_after_four_minutes(
    milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    MilestoneFactory.create_batch(2, due_on=milestone.due_on)
    run_once(clock)

    class Slow(MovableClock):
        """Each reading of it takes eleven seconds."""

        def read(self) -> dt.datetime:
            return self.forward(seconds=11)

    assert run_once(Clock(DUE, Slow(DUE).read)).deliveries == {"sent": 1}
    assert run_once(Clock(DUE, clock.read)).deliveries == {"sent": 2}


def test_the_task_is_one_run_in_the_present(milestone: Milestone, smtp_sink: SmtpSink, time_machine: Any) -> None:
    time_machine.move_to(dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC), tick=False)
    assert tick()["reconciled"] == 2  # once for its mark and once by the first sweep
    time_machine.move_to(DUE, tick=False)

    assert tick() == {
        # The two milestones that the sweep derived for the agreement, and the daily sweep of all three.
        "reconciled": 5,
        "expanded": 1,
        "queued": 1,
        "rescued": 0,
        "deliveries": {"sent": 1},
        "relay_trouble": "",
    }


def test_a_tick_updates_derived_milestones(rule: ReminderRule, smtp_sink: SmtpSink) -> None:
    agreement = AgreementFactory(signed=True)

    tick()

    assert sorted(agreement.milestones.values_list("derived_key", flat=True)) == ["decision_date:1", "next_contact"]
    assert Sweep.objects.filter(name="derived dates").exists()
