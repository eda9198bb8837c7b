"""What a rule would do, worked out before it is saved: by the code that does it, and without a write."""

import datetime as dt
import email
import email.policy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.mailing import message
from partnerships.models import Contact, Delivery, Milestone, ReminderItem, ReminderPlan, ReminderRule, User
from partnerships.reminders.recipients import Directory, Recipient
from partnerships.reminders.rule_set import RuleSet
from partnerships.reminders.schedule import Moment, Unanswered
from partnerships.reminders.unanswered import unanswered
from partnerships.statuses import PlanStatus

PERIOD = dt.timedelta(days=90)
SHOWN = 50
READ_AT_MOST = 5000  # milestones; a rule that reaches more says so
UNSAVED = 0  # stands for the key a new rule does not have yet
SHIFTED_AT_MOST = dt.timedelta(days=31)
# A reminder this far from its due date may still be the one nobody answered.
REMINDED_WITHIN = dt.timedelta(days=400)
DAYS = {"days": 1, "weeks": 7, "months": 31}


@dataclass(frozen=True)
class PreviewLine:
    """A reminder of the preview: when, in the zone of the milestone's unit, about what, and to whom (nobody: nobody can be told)."""

    plan: ReminderPlan
    at: dt.datetime
    recipients: list[Recipient]


@dataclass(frozen=True)
class Wording:
    reader: User | Contact
    subject: str
    text: str


@dataclass(frozen=True)
class Preview:
    """``lines``: the first of all; ``count`` and ``months`` count each person told, over all of them.

    ``silenced``: the rules that say nothing any more where this one speaks, with the reminders that fall away.
    ``is_cut``: it reaches more milestones than were read, so that all numbers are lower bounds.
    """

    until: dt.date
    count: int = 0
    untold: int = 0
    months: list[tuple[dt.date, int]] = field(default_factory=list)
    lines: list[PreviewLine] = field(default_factory=list)
    more: int = 0
    silenced: list[tuple[ReminderRule, int]] = field(default_factory=list)
    is_cut: bool = False
    waits: bool = False  # for answers: what is still to be sent may add to it
    wording: Wording | None = None


def preview(rule: ReminderRule, *, user: User, now: dt.datetime) -> Preview:
    """The reminders ``rule``, saved or not, would make of what is pending today and ``user`` may see, over 90 days.

    Some twenty queries, however many milestones there are.
    """
    before = RuleSet.load()
    after = replace(before, rules={**before.rules, rule.pk or UNSAVED: rule})
    today = timezone.localdate(now)
    milestones = list(_reached(rule, before, user, today)[: READ_AT_MOST + 1])
    is_cut, milestones = len(milestones) > READ_AT_MOST, milestones[:READ_AT_MOST]
    waited_for = {**unanswered(before, milestones), **unanswered(after, milestones)}
    plans = _not_mailed(_plans(rule, after, milestones, waited_for, now))
    lines = _lines(plans, after, now)
    told = Counter(line.at.date().replace(day=1) for line in lines for _recipient in line.recipients)
    return Preview(
        until=today + PERIOD,
        count=told.total(),
        untold=sum(not line.recipients for line in lines),
        months=sorted(told.items()),
        lines=lines[:SHOWN],
        more=max(len(lines) - SHOWN, 0),
        silenced=_silenced(before, after, milestones, waited_for, now),
        is_cut=is_cut,
        waits=rule.direction == ReminderRule.Direction.UNANSWERED,
        wording=_wording(lines),
    )


def _reached(rule: ReminderRule, rule_set: RuleSet, user: User, today: dt.date) -> QuerySet[Milestone]:
    """Soonest due first; wide enough for every rule of the kind, because others may fall silent."""
    kin = [other for other in rule_set.rules.values() if other.milestone_kind == rule.milestone_kind]
    reach = max(_reach(each) for each in (rule, *kin)) + SHIFTED_AT_MOST
    rows = Milestone.objects.visible_to(user).pending().filter(kind=rule.milestone_kind)
    rows = rows.filter(due_on__range=(today - reach, today + PERIOD + reach))
    if rule.agreement_id:
        rows = rows.filter(agreement=rule.agreement_id)
    if rule.agreement_type_id:
        rows = rows.filter(agreement__type=rule.agreement_type_id)
    if rule.unit_id:
        rows = rows.filter(unit__in=rule_set.units.with_descendants([rule.unit_id]))
    return rows.select_related("agreement", "unit", "owner").order_by("due_on", "pk")


def _reach(rule: ReminderRule) -> dt.timedelta:
    if rule.direction == ReminderRule.Direction.UNANSWERED:
        return REMINDED_WITHIN
    return dt.timedelta(days=rule.offset * DAYS[rule.offset_unit])


def _plans(
    rule: ReminderRule,
    rule_set: RuleSet,
    milestones: Iterable[Milestone],
    waited_for: Mapping[int, Unanswered],
    now: dt.datetime,
) -> list[ReminderPlan]:
    plans = []
    for milestone in milestones:
        when = rule_set.wanted(milestone, waited_for.get(milestone.pk)).get(rule.pk)
        if when is not None and _is_ahead(when, now):
            plans.append(_plan(rule, milestone, when))
    return sorted(plans, key=lambda plan: plan.send_at)


def _is_ahead(when: Moment, now: dt.datetime) -> bool:
    """What is past when a rule comes is born missed."""
    return now < when.send_at <= now + PERIOD


def _plan(rule: ReminderRule, milestone: Milestone, when: Moment) -> ReminderPlan:
    unanswered_at = when.unanswered.at if when.unanswered else None
    return ReminderPlan(
        milestone=milestone,
        rule=rule,
        due_on=milestone.due_on,
        send_at=when.send_at,
        is_provisional=when.is_provisional,
        unanswered_at=unanswered_at,
        unanswered_by_id=when.unanswered.person if when.unanswered else None,
        unanswered_status=when.unanswered.status if when.unanswered else "",
    )


def _not_mailed(plans: list[ReminderPlan]) -> list[ReminderPlan]:
    """Without those a rule that is there already has made into mail: a date is announced once."""
    rule = plans[0].rule.pk if plans else None
    if rule is None:
        return plans
    mailed = ReminderPlan.objects.filter(
        rule=rule, status=PlanStatus.EXPANDED, milestone__in=[plan.milestone for plan in plans]
    )
    known = set(mailed.values_list("milestone", "due_on"))
    return [plan for plan in plans if (plan.milestone_id, plan.due_on) not in known]


def _lines(plans: Sequence[ReminderPlan], rule_set: RuleSet, now: dt.datetime) -> list[PreviewLine]:
    directory = Directory.load(plans, now=now, units=rule_set.units)
    return [
        PreviewLine(
            plan, plan.send_at.astimezone(rule_set.units.zones[plan.milestone.unit_id]), directory.recipients(plan)
        )
        for plan in plans
    ]


def _silenced(
    before: RuleSet,
    after: RuleSet,
    milestones: Iterable[Milestone],
    waited_for: Mapping[int, Unanswered],
    now: dt.datetime,
) -> list[tuple[ReminderRule, int]]:
    fallen: Counter[int] = Counter()
    for milestone in milestones:
        wanted = before.wanted(milestone, waited_for.get(milestone.pk))
        still = {rule.pk for rule in after.rules_for(milestone)}
        fallen.update(pk for pk, when in wanted.items() if pk not in still and _is_ahead(when, now))
    return [(before.rules[pk], count) for pk, count in sorted(fallen.items())]


def _wording(lines: Iterable[PreviewLine]) -> Wording | None:
    """The first mail as its reader would get it; None where nobody can be told or the address makes no sense."""
    line = next((line for line in lines if line.recipients), None)
    if line is None:
        return None
    first = line.recipients[0]
    delivery = Delivery(person=first.person, contact=first.contact, message_id="<preview@localhost>")
    item = ReminderItem(plan=line.plan, person=first.person, contact=first.contact, why=first.why)
    try:
        written = message.write(delivery, [item], now=line.at, at=line.at)
    except ValueError:
        return None
    part: Any = email.message_from_bytes(written.data, policy=email.policy.default).get_body(("plain",))
    return Wording(first.reader, written.subject, part.get_content())
