"""The day of the next reminder about some milestones, before the next run has planned it."""

import datetime as dt
from collections.abc import Sequence

from partnerships.models import Milestone, ReminderPlan
from partnerships.reminders.recipients import Directory
from partnerships.reminders.rule_set import RuleSet


def next_reminder(milestones: Sequence[Milestone], *, now: dt.datetime) -> dt.date | None:
    """Return the day, at the unit, on which the rules remind somebody of a date of ``milestones`` next; None if of none.

    Reminders that wait for an answer are left out, because it depends on people whether they are sent; and so is the news
    to whom something is given, which reminds of no date. Some nine queries, however many milestones there are.
    """
    rule_set = RuleSet.load()
    plans = [plan for milestone in milestones for plan in _coming(rule_set, milestone, now)]
    plans.sort(key=lambda plan: plan.send_at)
    if not plans:
        return None
    directory = Directory.load(plans, now=now, units=rule_set.units)
    for plan in plans:
        if any(not recipient.declines_mail for recipient in directory.recipients(plan)):
            return plan.send_at.astimezone(rule_set.units.zones[plan.milestone.unit_id]).date()
    return None


def _coming(rule_set: RuleSet, milestone: Milestone, now: dt.datetime) -> list[ReminderPlan]:
    """Return the plans that the next run makes, or has made already: those whose time is ahead and outside a snooze."""
    wanted = rule_set.wanted(milestone)
    moments = [(rule, when) for rule, when in wanted.items() if not rule_set.is_snoozed(milestone, when.send_at, now)]
    end = rule_set.snooze_end(milestone)
    return [
        ReminderPlan(milestone=milestone, rule=rule_set.rules[rule], due_on=milestone.due_on, send_at=when.send_at)
        for rule, when in [*moments, *([end] if end else [])]
        if when.send_at > now
    ]
