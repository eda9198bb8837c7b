"""Which rules speak about a milestone, and when: rules, units and working days, read in four queries."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Q, Sum

from partnerships.dates import is_weekday
from partnerships.models import CalendarDay, Milestone, ReminderPlan, ReminderRule, Unit, WorkCalendar
from partnerships.models.users import Tree
from partnerships.reminders.schedule import Moment, WorkingDays, moment, moment_on

WEEKDAYS = WorkingDays(is_weekday)


@dataclass(frozen=True)
class Rulebook:
    """As it stood when it was loaded; ``rules`` holds the disabled ones too."""

    rules: dict[int, ReminderRule]
    units: Tree
    zones: dict[int, ZoneInfo]
    working: dict[int, WorkingDays]

    @classmethod
    def load(cls) -> Self:
        units = list(Unit.objects.values_list("pk", "parent_id", "time_zone", "work_calendar_id"))
        calendars = _working_days()
        return cls(
            rules=ReminderRule.objects.in_bulk(),
            units=Tree({pk: parent for pk, parent, _zone, _calendar in units}),
            zones={pk: zone_named(zone) for pk, _parent, zone, _calendar in units},
            working={pk: calendars.get(calendar, WEEKDAYS) for pk, _parent, _zone, calendar in units},
        )

    def wanted(self, milestone: Milestone) -> dict[int, Moment]:
        """Rule id -> moment, for what ought to be announced of ``milestone``; nothing once it is closed."""
        if not milestone.is_pending:
            return {}
        found = {
            rule.pk: self._moment(rule, milestone) for rule in self.rules.values() if self.applies(rule, milestone)
        }
        return {pk: when for pk, when in found.items() if when is not None}

    def wake(self, milestone: Milestone) -> tuple[int, Moment] | None:
        """The rule that lends hour and audience to the one reminder at the end of a snooze, and its moment.

        The first rule for the owner, else any; None without a snooze, or when no rule speaks about the milestone.
        """
        if not milestone.is_pending or milestone.snoozed_until is None:
            return None
        rules = [rule for rule in self.rules.values() if self.applies(rule, milestone)]
        if not rules:
            return None
        rule = min(rules, key=lambda rule: (rule.audience != ReminderRule.Audience.OWNER, rule.pk))
        zone = self.zones[milestone.unit_id]
        return rule.pk, moment_on(milestone.snoozed_until, rule.send_time, milestone.due_on, zone)

    def is_current(self, plan: ReminderPlan, now: dt.datetime) -> bool:
        """The plan announces what its milestone and its rule say now, and is not snoozed away."""
        milestone = plan.milestone
        if not milestone.is_pending or plan.due_on != milestone.due_on or not self.applies(plan.rule, milestone):
            return False
        if plan.wakes_on:
            return plan.wakes_on == milestone.snoozed_until
        return not self.is_silenced(milestone, plan.send_at, now)

    def is_silenced(self, milestone: Milestone, send_at: dt.datetime, now: dt.datetime) -> bool:
        """A reminder of a rule falls into a snooze that is not over."""
        wake = self.wake(milestone)
        return wake is not None and max(send_at, now) < wake[1].send_at

    def applies(self, rule: ReminderRule, milestone: Milestone) -> bool:
        return rule.is_enabled and self.concerns(rule, milestone)

    def concerns(self, rule: ReminderRule, milestone: Milestone) -> bool:
        """The rule is for milestones of this kind in this unit, enabled or not."""
        if rule.milestone_kind != milestone.kind:
            return False
        return rule.unit_id is None or rule.unit_id in self.units.with_ancestors(milestone.unit_id)

    def _moment(self, rule: ReminderRule, milestone: Milestone) -> Moment | None:
        unit = milestone.unit_id
        return moment(rule, milestone.due_on, self.zones[unit], self.working[unit])


def zone_named(name: str) -> ZoneInfo:
    """The zone, or the site's own when the machine no longer knows the name: better an hour off than not sent."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)


def _working_days() -> dict[int | None, WorkingDays]:
    exceptions: dict[int, dict] = defaultdict(dict)
    for calendar, day, is_workday in CalendarDay.objects.values_list("calendar_id", "day", "is_workday"):
        exceptions[calendar][day] = is_workday
    known = WorkCalendar.objects.values_list("pk", "covered_until")
    return {pk: _days_of(exceptions[pk], covered_until) for pk, covered_until in known}


def _days_of(exceptions: dict, covered_until: object) -> WorkingDays:
    return WorkingDays(lambda day: exceptions.get(day, is_weekday(day)), covered_until)  # type: ignore[arg-type]


def fingerprint() -> str:
    """Changes when a rule, a unit or a calendar does; four aggregates over small tables.

    An edit of a calendar that keeps all its sums (a holiday renamed, two days swapped) waits for the daily sweep.
    """
    edits = {"rows": Count("pk"), "last": Max("pk"), "edits": Sum("version")}
    days = {"rows": Count("pk"), "last": Max("pk"), "worked": Count("pk", filter=Q(is_workday=True))}
    calendars = {"rows": Count("pk"), "known": Max("covered_until")}
    parts = [
        ReminderRule.objects.aggregate(**edits),
        Unit.objects.aggregate(**edits),
        CalendarDay.objects.aggregate(**days),
        WorkCalendar.objects.aggregate(**calendars),
    ]
    return " ".join(str(value) for part in parts for value in part.values())
