"""Each mail leaves at its minute, through the whole pipeline, with clocks, calendars and due dates that change."""

import datetime as dt
from collections.abc import Callable

import pytest

from partnerships.factories import (
    AgreementFactory,
    CalendarDayFactory,
    MilestoneFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import Agreement, Milestone, MilestoneKind, ReminderPlan
from partnerships.operations.run import run_once
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.workflows.derivation import derive_milestones
from partnerships.workflows.terms import renew_agreement
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink
from tests.together import run_together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

MINUTE = dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("zone", "rule", "due_on", "expected"),
    [
        # The clocks go forward: half past two does not exist, and becomes half past three.
        ("Europe/Berlin", {"offset": 0, "send_time": dt.time(2, 30)}, "2026-03-29", "2026-03-29T01:30+00:00"),
        ("America/New_York", {"offset": 0, "send_time": dt.time(2, 30)}, "2026-03-08", "2026-03-08T07:30+00:00"),
        # The clocks go back: of two half past twos (half past ones) it is the first.
        ("Europe/Berlin", {"offset": 0, "send_time": dt.time(2, 30)}, "2026-10-25", "2026-10-25T00:30+00:00"),
        ("America/New_York", {"offset": 0, "send_time": dt.time(1, 30)}, "2026-11-01", "2026-11-01T05:30+00:00"),
        # The same hour of the day on both sides of a change.
        ("Europe/Berlin", {"offset": 2}, "2026-03-30", "2026-03-28T07:00+00:00"),
        ("Europe/Berlin", {"offset": 1}, "2026-03-30", "2026-03-29T06:00+00:00"),
        # The leap day.
        ("Asia/Shanghai", {"offset": 1}, "2028-03-01", "2028-02-29T00:00+00:00"),
        ("Asia/Shanghai", {"offset": 12, "offset_unit": "months"}, "2028-02-29", "2027-02-28T00:00+00:00"),
        # The 31st.
        ("Asia/Shanghai", {"offset": 1, "offset_unit": "months"}, "2026-05-31", "2026-04-30T00:00+00:00"),
        ("Asia/Shanghai", {"offset": 3, "offset_unit": "months"}, "2026-12-31", "2026-09-30T00:00+00:00"),
        # Over the year's end, and away from a weekend.
        ("Asia/Shanghai", {"offset": 7}, "2027-01-03", "2026-12-27T00:00+00:00"),
        ("Asia/Shanghai", {"offset": 7, "shift": "previous"}, "2027-01-03", "2026-12-25T00:00+00:00"),
        ("Asia/Shanghai", {"offset": 2, "direction": "after"}, "2026-12-31", "2027-01-02T00:00+00:00"),
        ("Asia/Shanghai", {"offset": 2, "direction": "after", "shift": "next"}, "2026-12-31", "2027-01-04T00:00+00:00"),
    ],
)
def test_a_mail_leaves_at_its_minute_and_not_before(
    zone: str, rule: dict[str, object], due_on: str, expected: str, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    ReminderRuleFactory(**rule)
    agreement = AgreementFactory(signed=True, unit=UnitFactory(time_zone=zone))
    MilestoneFactory(agreement=agreement, due_on=dt.date.fromisoformat(due_on))
    run_once(clock)

    clock.at = dt.datetime.fromisoformat(expected) - MINUTE
    run_once(clock)
    assert smtp_sink.received == []

    clock.forward(minutes=1)
    run_once(clock)
    assert len(smtp_sink.received) == 1


@pytest.mark.parametrize(
    ("moves", "announced"),
    [
        (["2026-03-20"], ["2026-03-12", "2026-03-20"]),  # later: announced anew
        (["2026-03-13"], ["2026-03-12", "2026-03-13"]),
        (["2026-03-10"], ["2026-03-12"]),  # earlier: its time is past, and nobody is told twice in a row
        (["2026-03-20", "2026-03-12"], ["2026-03-12"]),  # there and back before a tick
    ],
)
def test_a_due_date_moved_after_its_mail_went(
    moves: list[str], announced: list[str], milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    run_once(clock)
    clock.at = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    run_once(clock)

    for day in moves:
        milestone.due_on = dt.date.fromisoformat(day)
        milestone.save()
    for _day in range(20):
        run_once(clock)
        clock.forward(days=1)

    assert [day for mail in smtp_sink.received for day in _dates(mail.subject)] == announced


def _dates(subject: str) -> list[str]:
    return [word.strip("()") for word in subject.split() if word.startswith("(20")]


def test_moved_there_and_back_with_ticks_between_it_is_not_announced_again(
    milestone: Milestone, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    run_once(clock)
    clock.at = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    run_once(clock)

    for day in (20, 12):
        milestone.due_on = dt.date(2026, 3, day)
        milestone.save()
        run_once(clock)
        clock.forward(minutes=1)

    assert len(smtp_sink.received) == 1


def test_fifty_agreements_renewed_at_once_have_fifty_plans(clock: MovableClock) -> None:
    ReminderRuleFactory(milestone_kind=MilestoneKind.DECISION_DATE, offset=30)
    staff = UserFactory(staff=True)
    unit = UnitFactory()
    owner = UserFactory(coordinator_in=unit)
    agreements = AgreementFactory.create_batch(50, signed=True, unit=unit, coordinator=owner)
    for agreement in agreements:
        derive_milestones(agreement, actor=staff, on=clock.at.date())
    while reconcile_marked(real_now=clock.at):
        pass

    run_together(*[_renewal(agreement, staff, clock.at.date()) for agreement in agreements])
    while reconcile_marked(real_now=clock.at):
        pass

    ends = {agreement.current_term.ends_on for agreement in Agreement.objects.all()}
    assert ends == {dt.date(2032, 3, 1)}
    plans = ReminderPlan.objects.filter(milestone__kind=MilestoneKind.DECISION_DATE)
    assert (plans.filter(status="planned").count(), plans.filter(status="cancelled").count()) == (50, 50)
    assert set(plans.filter(status="planned").values_list("due_on", flat=True)) == {dt.date(2032, 1, 30)}


def _renewal(agreement: Agreement, staff: object, on: dt.date) -> Callable[[], object]:
    ends_on = dt.date(2032, 3, 1)
    return lambda: renew_agreement(agreement, actor=staff, on=on, ends_on=ends_on)


def test_a_late_calendar_moves_provisional_plans(smtp_sink: SmtpSink, clock: MovableClock) -> None:
    calendar = WorkCalendarFactory(covered_until=dt.date(2026, 12, 31))
    ReminderRuleFactory(offset=7, shift="previous")
    agreement = AgreementFactory(signed=True, unit=UnitFactory(work_calendar=calendar))
    MilestoneFactory(agreement=agreement, due_on=dt.date(2027, 2, 18))  # a week after Thursday the 11th
    run_once(clock)
    plan = ReminderPlan.objects.get()
    assert (plan.is_provisional, plan.send_at) == (True, dt.datetime(2027, 2, 11, tzinfo=dt.UTC))

    for day in range(5, 13):  # the holidays around the new year of 2027, once they are known
        CalendarDayFactory(calendar=calendar, day=dt.date(2027, 2, day))
    calendar.covered_until = dt.date(2027, 12, 31)
    calendar.save()
    run_once(clock)

    plan.refresh_from_db()
    assert (plan.is_provisional, plan.send_at) == (False, dt.datetime(2027, 2, 4, tzinfo=dt.UTC))
    clock.at = plan.send_at
    run_once(clock)
    assert len(smtp_sink.received) == 1
