"""Which rules speak about a milestone, and when: rules, units and working days, read in four queries."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max

from partnerships.dates import is_weekday
from partnerships.models import (
    CalendarDay,
    Milestone,
    ReminderPlan,
    ReminderRule,
    Unit,
    WorkCalendar,
    workday_tests,
)
from partnerships.models.users import Tree
from partnerships.reminders.schedule import (
    Moment,
    Unanswered,
    WorkingDays,
    moment,
    moment_on,
    moment_unanswered,
)

WEEKDAYS = WorkingDays(is_weekday)
Scope = tuple[str, int | None, int | None]  # kind of milestone, agreement type, agreement


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
        tree = Tree({pk: parent for pk, parent, _zone, _calendar in units})
        return cls(
            rules=ReminderRule.objects.in_bulk(),
            units=tree,
            zones={pk: zone_named(zone) for pk, _parent, zone, _calendar in units},
            working=_working_days(tree, {pk: calendar for pk, _parent, _zone, calendar in units}),
        )

    def wanted(self, milestone: Milestone, unanswered: Unanswered | None = None) -> dict[int, Moment]:
        """Rule id -> moment, for what ought to be announced of ``milestone``; nothing once it is closed.

        ``unanswered``: the reminder of it that rules wait for an answer to; None: there is none.
        """
        if not milestone.is_pending:
            return {}
        found = {rule.pk: self.moment(rule, milestone, unanswered) for rule in self.speaking(milestone)}
        return {pk: when for pk, when in found.items() if when is not None}

    def speaking(self, milestone: Milestone) -> list[ReminderRule]:
        """The enabled rules of its agreement; without any those of its type; without any the general ones.

        ``milestone.agreement`` is asked for its type when there are rules of types.
        """
        for scope in self._scopes(milestone):
            found = [rule for rule in self._filed.get(scope, ()) if self._reaches(rule, milestone)]
            if found:
                return [rule for rule in found if rule.audience != ReminderRule.Audience.NOBODY]
        return []

    def wake(self, milestone: Milestone) -> tuple[int, Moment] | None:
        """The rule that lends hour and audience to the one reminder at the end of a snooze, and its moment.

        The first rule for the owner, else one for somebody of ours, else any, that does not wait for an answer; None
        without a snooze, or when no such rule speaks about the milestone.
        """
        if not milestone.is_pending or milestone.snoozed_until is None:
            return None
        waits = ReminderRule.Direction.UNANSWERED
        rules = [rule for rule in self.speaking(milestone) if rule.direction != waits]
        if not rules:
            return None
        audience = ReminderRule.Audience
        rule = min(rules, key=lambda rule: (rule.audience != audience.OWNER, rule.audience == audience.PARTY, rule.pk))
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
        return any(speaking.pk == rule.pk for speaking in self.speaking(milestone))

    def concerns(self, rule: ReminderRule, milestone: Milestone) -> bool:
        """The rule is for milestones such as this one: switched off, silent or replaced as it may be."""
        return _scope_of(rule) in self._scopes(milestone) and self._reaches(rule, milestone)

    def waits_for_answer(self, milestone: Milestone) -> bool:
        waits = ReminderRule.Direction.UNANSWERED
        return milestone.is_pending and any(rule.direction == waits for rule in self.speaking(milestone))

    def moment(self, rule: ReminderRule, milestone: Milestone, unanswered: Unanswered | None = None) -> Moment | None:
        unit = milestone.unit_id
        zone, working = self.zones[unit], self.working[unit]
        if rule.direction != ReminderRule.Direction.UNANSWERED:
            return moment(rule, milestone.due_on, zone, working)
        return moment_unanswered(rule, milestone.due_on, unanswered, zone, working) if unanswered else None

    def _reaches(self, rule: ReminderRule, milestone: Milestone) -> bool:
        return rule.unit_id is None or rule.unit_id in self.units.with_ancestors(milestone.unit_id)

    def _scopes(self, milestone: Milestone) -> list[Scope]:
        """From its agreement over the agreement's type to the general one."""
        scopes: list[Scope] = [(milestone.kind, None, None)]
        if self.knows_types and milestone.agreement is not None:
            scopes.insert(0, (milestone.kind, milestone.agreement.type_id, None))
        if milestone.agreement_id is not None:
            scopes.insert(0, (milestone.kind, None, milestone.agreement_id))
        return scopes

    @cached_property
    def _filed(self) -> dict[Scope, list[ReminderRule]]:
        filed: dict[Scope, list[ReminderRule]] = defaultdict(list)
        for rule in self.rules.values():
            if rule.is_enabled:
                filed[_scope_of(rule)].append(rule)
        return filed

    @cached_property
    def knows_types(self) -> bool:
        return any(rule.agreement_type_id is not None for rule in self.rules.values())


def _scope_of(rule: ReminderRule) -> Scope:
    return rule.milestone_kind, rule.agreement_type_id, rule.agreement_id


def zone_named(name: str) -> ZoneInfo:
    """The zone, or the site's own when the machine no longer knows the name: better an hour off than not sent."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)


def _working_days(tree: Tree, chosen: dict[int, int | None]) -> dict[int, WorkingDays]:
    """Map each unit to the working days of its ``Unit.effective_calendar``."""
    tests, nearest = workday_tests(), tree.nearest(chosen)
    known = WorkCalendar.objects.values_list("pk", "covered_until")
    calendars = {pk: WorkingDays(tests[pk], covered_until) for pk, covered_until in known}
    return {unit: calendars[nearest[unit]] if unit in nearest else WEEKDAYS for unit in chosen}


def fingerprint() -> str:
    """Return a text that changes with each edit of a rule, a unit or a calendar: each leaves a row of history."""
    counts = []
    for model in (ReminderRule, Unit, CalendarDay, WorkCalendar):
        # The count beside the newest id: of two edits at once, the one with the lower id may be committed later.
        found = model.history.aggregate(count=Count("history_id"), newest=Max("history_id"))
        counts.append(f"{found['count']} {found['newest']}")
    return " ".join(counts)
