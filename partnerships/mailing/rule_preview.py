"""Preview what a rule would do before it is saved, computed by the code of the reminders and without a write."""

import datetime as dt
import email
import email.policy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.mailing import message
from partnerships.models import (
    Contact,
    Delivery,
    Milestone,
    ReminderItem,
    ReminderPlan,
    ReminderRule,
    User,
    hide_unseen,
)
from partnerships.reminders.clock import Clock
from partnerships.reminders.recipients import Directory, Recipient
from partnerships.reminders.rule_set import RuleSet
from partnerships.reminders.schedule import Moment, Unanswered
from partnerships.reminders.unanswered import unanswered
from partnerships.statuses import PlanStatus

SHOWN = 50
MONTHS = 12  # months that are counted one by one
READ_AT_MOST = 5000  # milestones; the preview says when the rule reaches more
UNSAVED = 0  # stands for the key a new rule does not have yet
SHIFTED_AT_MOST = dt.timedelta(days=31)
# A reminder this far from its due date may still be the unanswered one.
REMINDED_WITHIN = dt.timedelta(days=400)
DAYS = {"days": 1, "weeks": 7, "months": 31}


@dataclass(frozen=True)
class PreviewLine:
    """A reminder of the preview; ``at`` is in the zone of the milestone's unit. No recipients: nobody can get it.

    ``change`` says how it differs from what the saved rule does; it is empty for a new rule.
    """

    plan: ReminderPlan
    at: dt.datetime
    recipients: list[Recipient]
    change: str = ""

    @property
    def key(self) -> tuple[int, dt.date]:
        return self.plan.milestone_id, self.plan.due_on


@dataclass(frozen=True)
class RuleChange:
    """The effect of changing a saved rule on its coming reminders; ``gone`` are those it would drop."""

    before: int
    new: int
    moved: int
    other_readers: int
    gone: list[PreviewLine]
    more_gone: int

    @property
    def dropped(self) -> int:
        return len(self.gone) + self.more_gone


@dataclass(frozen=True)
class Wording:
    """The first mail of the preview, as its reader would get it."""

    reader: User | Contact
    subject: str
    text: str


@dataclass(frozen=True)
class Preview:
    """The reminders that a rule would make for the open milestones; the last comes on ``until``.

    ``count`` and ``months`` count each recipient, over all reminders and not only the ``lines`` shown.
    ``replaced`` are the rules that this one replaces, with the number of their reminders that fall away.
    ``is_cut``: the rule reaches more milestones than were read, so all numbers are lower bounds.
    """

    until: dt.date | None
    count: int = 0
    without_reader: int = 0
    months: list[tuple[dt.date, int]] = field(default_factory=list)
    later: int = 0  # after these months
    lines: list[PreviewLine] = field(default_factory=list)
    more: int = 0
    replaced: list[tuple[ReminderRule, int]] = field(default_factory=list)
    is_cut: bool = False
    waits: bool = False  # for answers, so reminders that are still to be sent may add to it
    wording: Wording | None = None
    change: RuleChange | None = None  # None for a new rule


def preview(rule: ReminderRule, *, user: User, now: dt.datetime) -> Preview:
    """Return what ``rule``, saved or not, would send about open milestones that ``user`` may see.

    Takes some thirty queries, however many milestones there are.
    """
    before = RuleSet.load()
    after = replace(before, rules={**before.rules, rule.pk or UNSAVED: rule})
    today = timezone.localdate(now)
    milestones = list(_reached(rule, before, user, today)[: READ_AT_MOST + 1])
    is_cut, milestones = len(milestones) > READ_AT_MOST, milestones[:READ_AT_MOST]
    waited_for = {**unanswered(before, milestones), **unanswered(after, milestones)}
    plans = _not_mailed(_plans(rule, after, milestones, waited_for, now))
    lines = _lines(plans, after, now)
    replaced = _replaced(before, after, milestones, waited_for, now)
    change = None
    if rule.pk in before.rules:
        lines, change = _compare(_lines_before(before.rules[rule.pk], before, user, now), lines)
    hide_unseen(milestones, user)  # last: the rules ask for the type of an agreement, seen or not
    by_month = Counter(line.at.date().replace(day=1) for line in lines for _recipient in line.recipients)
    months = sorted(by_month.items())
    return Preview(
        until=lines[-1].at.date() if lines else None,
        count=by_month.total(),
        without_reader=sum(not line.recipients for line in lines),
        months=months[:MONTHS],
        later=sum(count for _month, count in months[MONTHS:]),
        lines=lines[:SHOWN],
        more=max(len(lines) - SHOWN, 0),
        replaced=replaced,
        is_cut=is_cut,
        waits=rule.direction == ReminderRule.Direction.UNANSWERED,
        wording=_wording(lines),
        change=change,
    )


def _lines_before(rule: ReminderRule, rule_set: RuleSet, user: User, now: dt.datetime) -> list[PreviewLine]:
    """Return the coming reminders of the rule as it is saved; its kind and scope may differ from what was typed."""
    milestones = list(_reached(rule, rule_set, user, timezone.localdate(now))[:READ_AT_MOST])
    plans = _not_mailed(_plans(rule, rule_set, milestones, unanswered(rule_set, milestones), now))
    lines = _lines(plans, rule_set, now)
    hide_unseen(milestones, user)
    return lines


def _compare(before: Sequence[PreviewLine], after: Sequence[PreviewLine]) -> tuple[list[PreviewLine], RuleChange]:
    """Return the lines of ``after``, each with what changes, and the numbers."""
    old = {line.key: line for line in before}
    lines, counts = [], Counter[str]()
    for line in after:
        kind, words = _difference(old.get(line.key), line)
        counts[kind] += 1
        lines.append(replace(line, change=words))
    still = {line.key for line in after}
    gone = [line for line in before if line.key not in still]
    change = RuleChange(
        before=len(before),
        new=counts["new"],
        moved=counts["moved"],
        other_readers=counts["other readers"],
        gone=gone[:SHOWN],
        more_gone=max(len(gone) - SHOWN, 0),
    )
    return lines, change


def _difference(old: PreviewLine | None, new: PreviewLine) -> tuple[str, str]:
    """Return the kind of difference between two lines of one milestone, and its words."""
    if old is None:
        return "new", _("new")
    if old.at != new.at:
        return "moved", _("previously %(time)s") % {"time": f"{old.at:%Y-%m-%d %H:%M}"}
    if [one.code for one in old.recipients] != [one.code for one in new.recipients]:
        names = ", ".join(str(one.reader) for one in old.recipients)
        return "other readers", _("previously to %(readers)s") % {"readers": names or _("nobody")}
    return "same", ""


def _reached(rule: ReminderRule, rule_set: RuleSet, user: User, today: dt.date) -> QuerySet[Milestone]:
    """Return the milestones near enough for any rule of the kind, because others may be replaced; soonest due first."""
    same_kind = [other for other in rule_set.rules.values() if other.milestone_kind == rule.milestone_kind]
    reach = max(_reach(each) for each in (rule, *same_kind)) + SHIFTED_AT_MOST
    rows = Milestone.objects.visible_to(user).pending().filter(kind=rule.milestone_kind)
    rows = rows.filter(due_on__gte=today - reach)
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
    """Return whether the reminder would be planned: one whose time is past when a rule comes is not needed."""
    return when.send_at > now


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
    """Return the plans without those that a saved rule has made into mail already."""
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


def _replaced(
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
    """Return the first mail; None when nobody can get it or the address is none."""
    line = next((line for line in lines if line.recipients), None)
    if line is None:
        return None
    first = line.recipients[0]
    delivery = Delivery(person=first.person, contact=first.contact, message_id="<preview@localhost>")
    item = ReminderItem(plan=line.plan, person=first.person, contact=first.contact, why=first.why)
    try:
        # The editor of the rule may not see the numbers that its reader sees.
        written = message.write(delivery, [item], Clock(line.at, lambda: line.at), names_people=False)
    except ValueError:
        return None
    part = email.message_from_bytes(written.data, policy=email.policy.default).get_body(("plain",))
    return Wording(first.reader, written.subject, part.get_content()) if part else None
