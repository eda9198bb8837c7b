"""Which reminder rules apply to a milestone, and when they send."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

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
from partnerships.models.office_day import zone_named
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
Audience = ReminderRule.Audience
UNANSWERED = ReminderRule.Direction.UNANSWERED
APPEARS = ReminderRule.Direction.APPEARS


@dataclass(frozen=True)
class Units(Tree):
    """All units with what reminders need of them, read in one query."""

    zones: Mapping[int, ZoneInfo]
    calendars: Mapping[int, int | None]
    fallbacks: Mapping[int, int | None]  # ids of the fallback people

    @classmethod
    def load(cls) -> Self:
        columns = ("parent_id", "time_zone", "work_calendar_id", "fallback_person_id")
        rows = list(Unit.objects.order_by("pk").values_list("pk", *columns))
        return cls(
            parents={pk: parent for pk, parent, *_rest in rows},
            zones={pk: zone_named(zone) for pk, _parent, zone, *_rest in rows},
            calendars={pk: calendar for pk, _parent, _zone, calendar, _fallback in rows},
            fallbacks={pk: fallback for pk, *_rest, fallback in rows},
        )


@dataclass(frozen=True)
class RuleSet:
    """All rules and units as they are now; ``rules`` includes the disabled ones. Loading takes two queries."""

    rules: dict[int, ReminderRule]
    units: Units

    @classmethod
    def load(cls) -> Self:
        return cls(rules=ReminderRule.objects.in_bulk(), units=Units.load())

    @cached_property
    def working(self) -> dict[int, WorkingDays]:
        """Unit -> its working days. Read on demand, because a claim needs no calendar while it holds its locks."""
        return _working_days_of(self.units)

    def wanted(self, milestone: Milestone, unanswered: Unanswered | None = None) -> dict[int, Moment]:
        """Return rule id -> moment for the reminders ``milestone`` should have; empty once it is closed.

        ``unanswered`` is the reminder that rules wait for an answer to, if there is one.
        """
        if not milestone.is_pending:
            return {}
        found = {rule.pk: self.moment(rule, milestone, unanswered) for rule in self.rules_for(milestone)}
        return {pk: when for pk, when in found.items() if when is not None}

    def appearing(self, milestone: Milestone) -> set[int]:
        """Return the ids of the rules that speak when the milestone appears to whom it waits for; empty once it is closed.

        Appearances are counted from 1. A row from before they were counted has 0, and no rule speaks about it.
        """
        if not milestone.is_pending or not milestone.appearance:
            return set()
        return {rule.pk for rule in self.rules_for(milestone) if rule.direction == APPEARS}

    def rules_for(self, milestone: Milestone) -> list[ReminderRule]:
        """Return the enabled rules of its agreement, else those of the agreement's type, else the general ones."""
        for scope in self._scopes(milestone):
            found = [rule for rule in self._by_scope.get(scope, ()) if self._includes_unit(rule, milestone)]
            if found:
                return [rule for rule in found if rule.audience != Audience.NOBODY]
        return []

    def snooze_end(self, milestone: Milestone) -> tuple[int, Moment] | None:
        """Return the rule and the moment of the reminder at the end of a snooze; None without a snooze or such a rule.

        Time of day and audience come from the first rule for the owner, else from one for other colleagues, else from
        any other. Rules that wait for an answer do not count.
        """
        if not milestone.is_pending or milestone.snoozed_until is None:
            return None
        rules = [rule for rule in self.rules_for(milestone) if rule.direction not in (UNANSWERED, APPEARS)]
        if not rules:
            return None
        rule = min(rules, key=lambda rule: (rule.audience != Audience.OWNER, rule.audience == Audience.PARTY, rule.pk))
        zone = self.units.zones[milestone.unit_id]
        return rule.pk, moment_on(milestone.snoozed_until, rule.send_time, milestone.due_on, zone)

    def is_current(self, plan: ReminderPlan, now: dt.datetime) -> bool:
        """Return whether milestone and rule still ask for the plan, and no snooze delays it."""
        milestone = plan.milestone
        if not milestone.is_pending or not self.applies(plan.rule, milestone):
            return False
        if plan.appearance is None and plan.due_on != milestone.due_on:
            return False
        if plan.appearance is not None and plan.appearance != milestone.appearance:
            return False
        if plan.wakes_on:
            return plan.wakes_on == milestone.snoozed_until
        return not self.is_snoozed(milestone, plan.send_at, now)

    def is_snoozed(self, milestone: Milestone, send_at: dt.datetime, now: dt.datetime) -> bool:
        """Return whether a rule's reminder for ``send_at`` falls into a snooze that is not over."""
        end = self.snooze_end(milestone)
        return end is not None and max(send_at, now) < end[1].send_at

    def applies(self, rule: ReminderRule, milestone: Milestone) -> bool:
        return any(other.pk == rule.pk for other in self.rules_for(milestone))

    def is_in_scope(self, rule: ReminderRule, milestone: Milestone) -> bool:
        """Return whether the rule is for milestones like this one, even if it is disabled or replaced."""
        return _scope_of(rule) in self._scopes(milestone) and self._includes_unit(rule, milestone)

    def waits_for_answer(self, milestone: Milestone) -> bool:
        return milestone.is_pending and any(rule.direction == UNANSWERED for rule in self.rules_for(milestone))

    def moment(self, rule: ReminderRule, milestone: Milestone, unanswered: Unanswered | None = None) -> Moment | None:
        if rule.direction == APPEARS:
            return None  # such a plan follows from no date, see ``appearing``
        zone, working = self.units.zones[milestone.unit_id], self.working[milestone.unit_id]
        if rule.direction != UNANSWERED:
            return moment(rule, milestone.due_on, zone, working)
        return moment_unanswered(rule, milestone.due_on, unanswered, zone, working) if unanswered else None

    def _includes_unit(self, rule: ReminderRule, milestone: Milestone) -> bool:
        return rule.unit_id is None or rule.unit_id in self.units.with_ancestors(milestone.unit_id)

    def _scopes(self, milestone: Milestone) -> list[Scope]:
        """Return the scopes the milestone belongs to: its agreement, the agreement's type, all."""
        scopes: list[Scope] = [(milestone.kind, None, None)]
        # Only rules of types make the agreement worth reading, which may be a query for each milestone.
        if self.has_type_rules and milestone.agreement is not None:
            scopes.insert(0, (milestone.kind, milestone.agreement.type_id, None))
        if milestone.agreement_id is not None:
            scopes.insert(0, (milestone.kind, None, milestone.agreement_id))
        return scopes

    @cached_property
    def _by_scope(self) -> dict[Scope, list[ReminderRule]]:
        found: dict[Scope, list[ReminderRule]] = defaultdict(list)
        for rule in self.rules.values():
            if rule.is_enabled:
                found[_scope_of(rule)].append(rule)
        return found

    @cached_property
    def has_type_rules(self) -> bool:
        return any(rule.agreement_type_id is not None for rule in self.rules.values())


def _scope_of(rule: ReminderRule) -> Scope:
    return rule.milestone_kind, rule.agreement_type_id, rule.agreement_id


def _working_days_of(units: Units) -> dict[int, WorkingDays]:
    """Map each unit to the working days of its ``Unit.effective_calendar``."""
    tests, nearest = workday_tests(), units.nearest(units.calendars)
    known = WorkCalendar.objects.values_list("pk", "covered_until")
    days = {pk: WorkingDays(tests[pk], covered_until) for pk, covered_until in known}
    return {unit: days[nearest[unit]] if unit in nearest else WEEKDAYS for unit in units.parents}


def fingerprint() -> str:
    """Return a text that changes with each edit of a rule, a unit or a calendar: each leaves a row of history."""
    counts = []
    for model in (ReminderRule, Unit, CalendarDay, WorkCalendar):
        # The count beside the newest id: of two edits at once, the one with the lower id may be committed later.
        found = model.history.aggregate(count=Count("history_id"), newest=Max("history_id"))
        counts.append(f"{found['count']} {found['newest']}")
    return " ".join(counts)
