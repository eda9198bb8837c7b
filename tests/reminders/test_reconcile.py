import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from partnerships.factories import (
    NOON,
    CalendarDayFactory,
    MilestoneFactory,
    ReminderRuleFactory,
    UnitFactory,
    WorkCalendarFactory,
)
from partnerships.models import Milestone, ReminderMark, ReminderPlan, ReminderRule, Sweep
from partnerships.models.reasons import Reason
from partnerships.reminders.reconcile import _MilestonePlans, note_marks_read, reconcile_marked, sweep
from partnerships.statuses import MilestoneStatus, PlanStatus

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

DAY = dt.timedelta(days=1)


def plans(milestone: Milestone) -> list[tuple[str, str, str]]:
    rows = ReminderPlan.objects.filter(milestone=milestone).order_by("due_on", "send_at")
    return [(plan.due_on.isoformat(), f"{plan.send_at:%m-%d %H:%M}", plan.status) for plan in rows]


def move(milestone: Milestone, due_on: dt.date) -> None:
    milestone.due_on = due_on
    milestone.save()
    reconcile_marked(real_now=NOON)


def test_a_marked_milestone_gets_a_plan_for_each_rule_and_the_mark_goes(milestone: Milestone) -> None:
    ReminderRuleFactory(offset=0)
    ReminderRuleFactory(offset=2, direction="after")
    ReminderRuleFactory(offset=1, milestone_kind="review")
    ReminderRuleFactory(offset=4, is_enabled=False)

    assert reconcile_marked(real_now=NOON) == 1

    assert plans(milestone) == [
        ("2026-03-12", "03-05 00:00", "planned"),
        ("2026-03-12", "03-12 00:00", "planned"),
        ("2026-03-12", "03-14 00:00", "planned"),
    ]
    assert ReminderMark.objects.count() == 0


def test_a_plan_that_the_database_refuses_raises(milestone: Milestone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a duplicate may be ignored. Old code on a newer schema, for example, leaves a required column empty."""
    make_plan = _MilestonePlans._make_plan

    def broken(*args: Any, **more: Any) -> ReminderPlan:
        plan = make_plan(*args, **more)
        plan.time_zone = None
        return plan

    monkeypatch.setattr(_MilestonePlans, "_make_plan", broken)

    with pytest.raises(IntegrityError), transaction.atomic():
        reconcile_marked(real_now=NOON)
    assert ReminderMark.objects.count() == 1


def test_reconciling_again_changes_nothing(milestone: Milestone) -> None:
    reconcile_marked(real_now=NOON)
    before = list(ReminderPlan.objects.values())
    ReminderMark.objects.create(milestone=milestone)

    reconcile_marked(real_now=NOON)

    assert list(ReminderPlan.objects.values()) == before


def test_a_plan_whose_time_is_past_is_not_needed(rule: ReminderRule) -> None:
    milestone = MilestoneFactory(due_on=NOON.date() + 3 * DAY)
    ReminderRuleFactory(offset=0)

    reconcile_marked(real_now=NOON)

    assert plans(milestone) == [("2026-03-05", "02-26 00:00", "not_needed"), ("2026-03-05", "03-05 00:00", "planned")]
    assert ReminderPlan.objects.get(status="not_needed").reason == Reason.NOT_NEEDED


LEFT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)  # when `rule` sends


@pytest.mark.parametrize(
    ("made_at", "read_at", "expected"),
    [
        ([LEFT - DAY], LEFT - 2 * DAY, "planned"),  # entered while nothing ran
        ([LEFT + DAY], LEFT - 2 * DAY, "not_needed"),  # its time had passed
        ([LEFT + DAY, LEFT - DAY], LEFT - 2 * DAY, "planned"),  # edited twice
        ([LEFT - DAY, None], LEFT - 2 * DAY, "planned"),
        ([None], LEFT - 2 * DAY, "not_needed"),
        ([LEFT - DAY], None, "not_needed"),  # a new site
        ([LEFT + 30 * DAY], LEFT - 2 * DAY, "not_needed"),  # a clock set ahead
        ([LEFT - 30 * DAY], LEFT + DAY, "not_needed"),  # a clock set back: a run has read all marks since
        ([LEFT - DAY], LEFT + 30 * DAY, "not_needed"),  # a run by a clock set ahead
    ],
)
@pytest.mark.parametrize("update", [reconcile_marked, sweep])
def test_a_date_counts_as_entered_when_its_edit_was_made(
    update: Callable[..., int],
    milestone: Milestone,
    made_at: list[dt.datetime | None],
    read_at: dt.datetime | None,
    expected: str,
) -> None:
    ReminderMark.objects.all().delete()
    if read_at:
        note_marks_read(real_now=read_at)
    for at in made_at:
        mark = ReminderMark.objects.create(milestone=milestone)
        ReminderMark.objects.filter(pk=mark.pk).update(made_at=at)

    update(real_now=LEFT + 2 * DAY)

    assert plans(milestone) == [("2026-03-12", "03-05 00:00", expected)]


def test_an_import_of_old_milestones_plans_no_mail(rule: ReminderRule) -> None:
    MilestoneFactory.create_batch(3, due_on=dt.date(2020, 1, 1))

    reconcile_marked(real_now=NOON)

    assert set(ReminderPlan.objects.values_list("status", flat=True)) == {"not_needed"}


def test_a_moved_date_makes_a_new_plan_and_moved_back_finds_the_old_one(milestone: Milestone) -> None:
    reconcile_marked(real_now=NOON)
    first = ReminderPlan.objects.get()

    move(milestone, dt.date(2026, 4, 12))
    assert plans(milestone) == [("2026-03-12", "03-05 00:00", "superseded"), ("2026-04-12", "04-05 00:00", "planned")]
    first.refresh_from_db()
    assert first.reason == Reason.DUE_DATE_MOVED

    move(milestone, dt.date(2026, 3, 12))
    assert plans(milestone) == [("2026-03-12", "03-05 00:00", "planned"), ("2026-04-12", "04-05 00:00", "superseded")]


def test_a_sent_reminder_is_not_planned_again_when_the_date_comes_back(milestone: Milestone) -> None:
    reconcile_marked(real_now=NOON)
    ReminderPlan.objects.update(status=PlanStatus.EXPANDED)

    move(milestone, dt.date(2026, 4, 12))
    move(milestone, dt.date(2026, 3, 12))

    assert plans(milestone) == [("2026-03-12", "03-05 00:00", "expanded"), ("2026-04-12", "04-05 00:00", "superseded")]


@pytest.mark.parametrize(
    ("status", "date"), [("met", "met_on"), ("waived", "waived_on"), ("cancelled", "cancelled_on")]
)
def test_a_closed_milestone_is_not_announced(milestone: Milestone, status: str, date: str) -> None:
    reconcile_marked(real_now=NOON)
    milestone.status = status
    setattr(milestone, date, NOON.date())
    milestone.save()

    reconcile_marked(real_now=NOON)

    plan = ReminderPlan.objects.get()
    assert (plan.status, plan.reason) == ("cancelled", Reason.NOT_PENDING)


@pytest.mark.parametrize(
    ("late", "expected"), [(dt.timedelta(hours=23), "planned"), (dt.timedelta(hours=25), "not_needed")]
)
def test_a_reopened_milestone_is_announced_late_within_a_day(
    milestone: Milestone, late: dt.timedelta, expected: str
) -> None:
    reconcile_marked(real_now=NOON)
    ReminderPlan.objects.update(status=PlanStatus.CANCELLED, reason=Reason.NOT_PENDING)
    ReminderMark.objects.create(milestone=milestone)

    reconcile_marked(real_now=ReminderPlan.objects.get().send_at + late)

    assert ReminderPlan.objects.get().status == expected


def test_a_due_plan_is_left_alone_however_late_it_is(milestone: Milestone) -> None:
    reconcile_marked(real_now=NOON)
    ReminderMark.objects.create(milestone=milestone)

    reconcile_marked(real_now=NOON + 5 * DAY)

    assert plans(milestone) == [("2026-03-12", "03-05 00:00", "planned")]


def test_a_rule_switched_off_and_on_reaches_every_milestone(milestone: Milestone, rule: ReminderRule) -> None:
    reconcile_marked(real_now=NOON)
    sweep(real_now=NOON)
    rule.is_enabled = False
    rule.save()
    sweep(real_now=NOON)
    off = ReminderPlan.objects.get()
    rule.is_enabled = True
    rule.save()

    sweep(real_now=NOON)

    assert (off.status, off.reason) == ("cancelled", Reason.RULE_DISABLED)
    assert plans(milestone) == [("2026-03-12", "03-05 00:00", "planned")]


def test_a_new_rule_and_a_new_hour_reach_milestones_nobody_edited(milestone: Milestone, rule: ReminderRule) -> None:
    reconcile_marked(real_now=NOON)
    sweep(real_now=NOON)
    rule.send_time = dt.time(9, 30)
    rule.save()
    ReminderRuleFactory(offset=0)

    sweep(real_now=NOON)

    assert plans(milestone) == [("2026-03-12", "03-05 01:30", "planned"), ("2026-03-12", "03-12 00:00", "planned")]


def test_a_rule_moved_far_into_the_past_floods_nobody(milestone: Milestone, rule: ReminderRule) -> None:
    reconcile_marked(real_now=NOON)
    rule.offset = 30
    rule.save()

    sweep(real_now=NOON)

    assert plans(milestone) == [("2026-03-12", "02-10 00:00", "not_needed")]


def test_the_zone_of_the_unit_and_a_holiday_reach_milestones_nobody_edited(
    milestone: Milestone, rule: ReminderRule
) -> None:
    rule.shift = "previous"
    rule.save()
    milestone.unit.work_calendar = WorkCalendarFactory(covered_until=dt.date(2026, 3, 4))
    milestone.unit.time_zone = "Europe/London"
    milestone.unit.save()
    reconcile_marked(real_now=NOON)
    sweep(real_now=NOON)
    assert plans(milestone) == [("2026-03-12", "03-05 08:00", "planned")]
    assert ReminderPlan.objects.get().is_provisional is True

    CalendarDayFactory(calendar=milestone.unit.work_calendar, day=dt.date(2026, 3, 5), is_workday=False)
    milestone.unit.work_calendar.covered_until = dt.date(2026, 12, 31)
    milestone.unit.work_calendar.save()
    sweep(real_now=NOON)

    assert plans(milestone) == [("2026-03-12", "03-04 08:00", "planned")]
    assert ReminderPlan.objects.get().is_provisional is False


def test_a_rule_of_a_unit_applies_only_to_it_and_the_units_below() -> None:
    college, other = UnitFactory(), UnitFactory()
    department = UnitFactory(parent=college)
    ReminderRuleFactory(offset=7, unit=college)
    due = NOON.date() + 30 * DAY
    for unit in (college, department, other):
        MilestoneFactory(agreement__unit=unit, due_on=due)

    reconcile_marked(real_now=NOON)

    units = ReminderPlan.objects.order_by("pk").values_list("milestone__unit", flat=True)
    assert list(units) == [college.pk, department.pk]


def test_the_sweep_goes_on_where_it_stopped_soonest_due_first(rule: ReminderRule) -> None:
    far, near = (MilestoneFactory(due_on=NOON.date() + days * DAY) for days in (60, 30))
    ReminderMark.objects.all().delete()

    seen = [
        (sweep(real_now=NOON, batch=1), list(ReminderPlan.objects.values_list("milestone", flat=True)))
        for _batch in range(4)
    ]

    assert seen == [(1, [near.pk]), (1, [near.pk, far.pk]), (0, [near.pk, far.pk]), (0, [near.pk, far.pk])]


def test_a_sweep_comes_once_a_day_without_any_change(milestone: Milestone) -> None:
    sweep(real_now=NOON)
    ReminderPlan.objects.all().delete()

    assert sweep(real_now=NOON + dt.timedelta(hours=23)) == 0
    assert sweep(real_now=NOON + dt.timedelta(hours=24)) == 1
    assert plans(milestone) == [("2026-03-12", "03-05 00:00", "planned")]


def test_a_closed_milestone_is_not_swept(milestone: Milestone) -> None:
    milestone.status, milestone.met_on = MilestoneStatus.MET, NOON.date()
    milestone.save()

    assert sweep(real_now=NOON) == 0
    assert Sweep.objects.get().began_at == NOON


@pytest.mark.parametrize("count", [1, 30])
def test_many_milestones_take_as_many_queries_as_one(
    rule: ReminderRule, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    MilestoneFactory.create_batch(count, due_on=dt.date(2026, 3, 12))

    with django_assert_num_queries(12):
        reconcile_marked(real_now=NOON)

    assert ReminderPlan.objects.count() == count
