"""Update the plans after changes of milestones, rules, units and working days.

An edit of a milestone leaves a mark, and marked milestones come first. A change of a rule, a unit or a calendar
concerns many milestones: it starts a sweep of all that are pending, soonest due date first. Once a day a sweep runs
anyway, so that nothing depends on every edit having left its mark.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, prefetch_related_objects

from partnerships.models import ComponentHeartbeat, Milestone, ReminderItem, ReminderMark, ReminderPlan, Sweep
from partnerships.models.reasons import NOT_CURRENT, ON_PURPOSE, Reason
from partnerships.reminders.rule_set import RuleSet, fingerprint
from partnerships.reminders.schedule import USEFUL_FOR, Moment, Unanswered
from partnerships.reminders.unanswered import unanswered
from partnerships.statuses import PlanStatus

BATCH = 200
SWEEP = "reminders"
SWEEP_EVERY = dt.timedelta(hours=24)
MARKS_READ = "reminders.marks"  # the heartbeat dated when no mark was left unread for the last time
# A plan that comes back (date moved there and back, rule off and on) is sent late rather than missed within this time.
GRACE = dt.timedelta(hours=24)
# The time of these plans passed without a mail.
NOT_SENT_IN_TIME = (PlanStatus.MISSED, PlanStatus.NOT_NEEDED)
WRITTEN = (
    "rule",
    "due_on",
    "send_at",
    "time_zone",
    "expires_at",
    "is_provisional",
    "unanswered_at",
    "unanswered_by",
    "unanswered_status",
    "status",
    "reason",
    "next_attempt_at",
    "act",
)


def reconcile_marked(*, real_now: dt.datetime, batch: int = BATCH) -> int:
    """Update the plans of the oldest marks and remove these marks; return how many milestones it read.

    Milestones that somebody is editing are skipped instead of waited for. So there is no deadlock with an edit, and their
    marks stay for the next tick.
    """
    with transaction.atomic():
        marks = list(ReminderMark.objects.select_for_update(skip_locked=True).order_by("pk")[:batch])
        # Read after the marks: each of these edits is committed, so the milestones show it.
        milestones = _locked(Milestone.objects.filter(pk__in={mark.milestone_id for mark in marks}))
        acts = {mark.milestone_id: mark.act for mark in marks if mark.act}
        update_plans(milestones, real_now=real_now, acts=acts, entered_at=_entered_at(marks, real_now))
        done = {milestone.pk for milestone in milestones}
        ReminderMark.objects.filter(pk__in=[mark.pk for mark in marks if mark.milestone_id in done]).delete()
    return len(done)


def note_marks_read(*, real_now: dt.datetime) -> None:
    """Note that all edits made until ``real_now`` have their plans, unless a mark is left.

    Marks that another process is about to remove count as left, because it may fail.
    """
    if not ReminderMark.objects.exists():
        ComponentHeartbeat.objects.bulk_create(
            [ComponentHeartbeat(name=MARKS_READ, at=real_now)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at"],
        )


def _entered_at(marks: Iterable[ReminderMark], real_now: dt.datetime) -> dict[int, dt.datetime]:
    """Return when the milestones of ``marks`` were edited, if that is known and was not just now.

    A plan whose time passed between the edit and this run is late, not unneeded: nothing ran meanwhile. An edit cannot
    be older than the last time at which no mark was left, whatever a wrong clock wrote. Before the first run, and for a
    time from the future, nothing is known: the run itself is then the time of the edit.
    """
    made: dict[int, dt.datetime] = {}
    for mark in marks:
        if mark.made_at is not None:
            made[mark.milestone_id] = min(mark.made_at, made.get(mark.milestone_id, mark.made_at))
    if not made:
        return {}
    read = ComponentHeartbeat.objects.filter(name=MARKS_READ, at__lte=real_now).values_list("at", flat=True).first()
    return {pk: max(made_at, read) for pk, made_at in made.items() if made_at <= real_now} if read else {}


def _locked(milestones: QuerySet[Milestone]) -> list[Milestone]:
    """Lock and return the milestones that nobody else has locked.

    A second reconciler of the same milestone would write what it had read before the first one committed.
    """
    return list(milestones.select_for_update(skip_locked=True, no_key=True).order_by("pk"))


def sweep(*, real_now: dt.datetime, batch: int = BATCH) -> int:
    """Update the plans of the next batch of a sweep that is due or under way; return how many milestones it read."""
    with transaction.atomic():
        # Locked, so that no other process moves the position past milestones that this one still has to commit.
        sweeps = Sweep.objects.select_for_update(skip_locked=True)
        found = sweeps.under_way(
            SWEEP,
            now=real_now,
            fingerprint=fingerprint(),
            is_due=lambda began_at: real_now - began_at >= SWEEP_EVERY,
        )
        if found is None:
            return 0
        rows = list(_milestones_after(found).values_list("due_on", "pk")[:batch])
        milestones = [pk for _day, pk in rows]
        acts = dict.fromkeys(milestones, found.act)
        entered_at = _entered_at(ReminderMark.objects.filter(milestone__in=milestones), real_now)
        locked = _locked(Milestone.objects.filter(pk__in=milestones))
        update_plans(locked, real_now=real_now, acts=acts, entered_at=entered_at)
        # The position moves past milestones that somebody is editing; their edits leave marks.
        if len(rows) == batch:
            last_day, last_pk = rows[-1]
            found.replace_with(found.moved(after_day=last_day, after_pk=last_pk))
        else:
            found.replace_with(found.moved(is_finished=True))
    return len(rows)


def _milestones_after(position: Sweep) -> QuerySet[Milestone]:
    """Return the pending milestones the sweep has not reached yet, soonest due date first."""
    pending = Milestone.objects.pending().order_by("due_on", "pk")
    if position.after_day is None:
        return pending
    after = Q(due_on__gt=position.after_day) | Q(due_on=position.after_day, pk__gt=position.after_pk)
    return pending.filter(after, due_on__gte=position.after_day)  # the second condition serves the index


def update_plans(
    milestones: Iterable[Milestone],
    *,
    real_now: dt.datetime,
    acts: Mapping[int, str],
    entered_at: Mapping[int, dt.datetime],
) -> None:
    """Make, adjust and close the plans of ``milestones``, whose rows the caller has locked; at most fourteen queries.

    ``acts`` names, by milestone, the act that asked for this; ``entered_at`` when it was edited, where that was not just
    now. That time decides whether a new plan comes too late.
    """
    milestones = list(milestones)
    if not milestones:
        return
    rule_set = RuleSet.load()
    plans: dict[int, list[ReminderPlan]] = defaultdict(list)
    # Locked, so that a plan made into mail meanwhile is not written back to what it was.
    known = ReminderPlan.objects.select_for_update(no_key=True).filter(milestone__in=milestones).order_by("pk")
    for plan in known:
        plans[plan.milestone_id].append(plan)
    if rule_set.has_type_rules:
        prefetch_related_objects(milestones, "agreement")
    waited_for = unanswered(rule_set, milestones)
    appeared = _appeared(rule_set, milestones)
    entries = [
        _MilestonePlans(
            rule_set,
            milestone,
            plans[milestone.pk],
            waited_for.get(milestone.pk),
            act=acts.get(milestone.pk, ""),
            has_appeared=milestone.pk in appeared,
            real_now=real_now,
            entered_at=entered_at.get(milestone.pk, real_now),
        )
        for milestone in milestones
    ]
    # A sweep and a mark may plan the same milestone at once; the unique key keeps one of the two plans.
    # SQLite would ignore a NULL in a required column as well, and make no plan. It needs none of this, because its writers
    # come one after another.
    is_shared = connection.vendor == "postgresql"
    new = [plan for entry in entries for plan in entry.missing()]
    ReminderPlan.objects.bulk_create(new, ignore_conflicts=is_shared)
    changed = [plan for entry in entries for plan in entry.changed()]
    mailed = [plan for entry in entries for plan in entry.mailed()]
    changed += _taken_up_again(mailed, acts, {entry.milestone.pk: entry.entered_at for entry in entries})
    if changed:
        ReminderPlan.objects.bulk_update(changed, WRITTEN)


def _appeared(rule_set: RuleSet, milestones: list[Milestone]) -> set[int]:
    """Return the ids of the milestones that an edit has made appear to somebody since their plans were made.

    Rules that speak "when it appears" announce these alone. A sweep, or a rule newer than the edit, announces nothing.
    """
    asked = [milestone.pk for milestone in milestones if rule_set.appearing(milestone)]
    if not asked:
        return set()
    marks = ReminderMark.objects.filter(milestone__in=asked, appearance=F("milestone__appearance"))
    return set(marks.values_list("milestone_id", flat=True))


def _taken_up_again(
    mailed: list[ReminderPlan], acts: Mapping[int, str], entered_at: Mapping[int, dt.datetime]
) -> list[ReminderPlan]:
    """Plan those wanted, mailed plans again whose reminder was withdrawn from a reader; return these plans.

    A reader who has the reminder gets no second one. After the grace period the withdrawn item is marked expired instead.
    """
    if not mailed:
        return []
    lacking = set(withdrawn_items().filter(plan__in=mailed).values_list("plan", flat=True))
    again = [plan for plan in mailed if plan.pk in lacking and plan.send_at > entered_at[plan.milestone_id] - GRACE]
    for plan in again:
        plan.status, plan.reason, plan.next_attempt_at = PlanStatus.PLANNED, "", plan.send_at
        plan.act = acts.get(plan.milestone_id, "")
    late = lacking - {plan.pk for plan in again}
    if late:
        withdrawn_items().filter(plan__in=late).update(cancel_reason=Reason.EXPIRED)
    return again


def withdrawn_items() -> QuerySet[ReminderItem]:
    """Return the items that were withdrawn because their plan was not wanted, and not made anew since."""
    reader = Q(person=OuterRef("person")) | Q(contact=OuterRef("contact"))
    same = ReminderItem.objects.filter(reader, plan=OuterRef("plan"))
    newer = same.filter(generation__gt=OuterRef("generation"))
    return ReminderItem.objects.filter(~Exists(newer), cancelled_at__isnull=False, cancel_reason__in=NOT_CURRENT)


class _MilestonePlans:
    """A milestone, its plans and the plans it should have."""

    def __init__(
        self,
        rule_set: RuleSet,
        milestone: Milestone,
        plans: list[ReminderPlan],
        waited_for: Unanswered | None,
        *,
        act: str,
        has_appeared: bool,
        real_now: dt.datetime,
        entered_at: dt.datetime,
    ) -> None:
        self.has_appeared, self.appearing = has_appeared, rule_set.appearing(milestone)
        self.entered_at = entered_at
        self.rule_set, self.milestone, self.plans, self.act, self.real_now = rule_set, milestone, plans, act, real_now
        self.zone = rule_set.units.zones[milestone.unit_id].key
        self.wanted = rule_set.wanted(milestone, waited_for)
        self.snooze_end = rule_set.snooze_end(milestone)

    def missing(self) -> list[ReminderPlan]:
        dated = [plan for plan in self.plans if plan.appearance is None]
        current = [plan for plan in dated if plan.due_on == self.milestone.due_on]
        planned = {plan.rule_id for plan in current if plan.wakes_on is None}
        new = [self._make_plan(rule, when) for rule, when in self.wanted.items() if rule not in planned]
        if self.snooze_end and self.milestone.snoozed_until not in {plan.wakes_on for plan in current}:
            new.append(self._make_plan(*self.snooze_end, wakes_on=self.milestone.snoozed_until))
        return new + [self._make_appearance(rule) for rule in sorted(self.appearing - self._appeared_by())]

    def _appeared_by(self) -> set[int]:
        """Return the rules that have a plan for the present appearance."""
        return {plan.rule_id for plan in self.plans if plan.appearance == self.milestone.appearance}

    def _make_appearance(self, rule: int) -> ReminderPlan:
        """Return the plan of a rule that speaks when something appears; it is due at once."""
        when = Moment(self.real_now, self.real_now + USEFUL_FOR, is_provisional=False)
        plan = ReminderPlan(milestone=self.milestone, rule_id=rule, due_on=self.milestone.due_on)
        plan.appearance = self.milestone.appearance
        plan.appeared_on = self.real_now.astimezone(self.rule_set.units.zones[self.milestone.unit_id]).date()
        self._put(plan, when, is_too_late=not self.has_appeared)
        return plan

    def _make_plan(self, rule: int, when: Moment, *, wakes_on: dt.date | None = None) -> ReminderPlan:
        """Return a new plan. One whose time was past when its date was entered is not needed.

        So registering old agreements mails nobody, and a date entered while nothing ran is announced late.

        A person asked for the end of a snooze, so its plan is needed until it has expired.
        """
        plan = ReminderPlan(milestone=self.milestone, rule_id=rule, due_on=self.milestone.due_on, wakes_on=wakes_on)
        self._put(plan, when, is_too_late=(when.expires_at if wakes_on else when.send_at) <= self.entered_at)
        if plan.status == PlanStatus.PLANNED and self._is_snoozed(plan, when):
            plan.status, plan.reason = PlanStatus.SUPERSEDED, Reason.SNOOZED
        return plan

    def changed(self) -> list[ReminderPlan]:
        return [plan for plan in self.plans if self._adjust(plan)]

    def mailed(self) -> list[ReminderPlan]:
        """Return the plans that were made into mail and are still wanted."""
        return [plan for plan in self.plans if plan.status == PlanStatus.EXPANDED and self._is_wanted(plan)]

    def _is_wanted(self, plan: ReminderPlan) -> bool:
        if plan.appearance is not None:
            return plan.appearance == self.milestone.appearance and plan.rule_id in self.appearing
        if plan.due_on != self.milestone.due_on:
            return False
        if plan.wakes_on:
            return self.snooze_end is not None and plan.wakes_on == self.milestone.snoozed_until
        return plan.rule_id in self.wanted

    def _is_snoozed(self, plan: ReminderPlan, when: Moment) -> bool:
        return plan.wakes_on is None and self.rule_set.is_snoozed(self.milestone, when.send_at, self.real_now)

    def _moment_of(self, plan: ReminderPlan) -> Moment:
        """Return when a wanted plan should be sent.

        A plan for the end of a snooze takes its time of day from the first rule that addresses the owner.
        """
        if plan.appearance is not None:
            return Moment(plan.send_at, plan.expires_at, is_provisional=False)
        if plan.wakes_on and self.snooze_end:
            plan.rule_id, when = self.snooze_end
            return when
        return self.wanted[plan.rule_id]

    def _adjust(self, plan: ReminderPlan) -> bool:
        """Update the plan and return whether it changed. A plan that was made into mail stays as it is."""
        if plan.status == PlanStatus.EXPANDED:
            return False
        if not self._is_wanted(plan):
            return self._close(plan)
        when = self._moment_of(plan)
        if _is_settled(plan) and when.send_at <= self.real_now:
            return False
        if self._is_snoozed(plan, when):
            return self._silence(plan)
        is_same_day = plan.due_on == self.milestone.due_on  # a plan for an appearance is kept when the due date moves
        if plan.status == PlanStatus.PLANNED and not plan.reason and self._is_at(plan, when) and is_same_day:
            return False
        grace = when.expires_at if plan.wakes_on else when.send_at + GRACE
        self._put(plan, when, is_too_late=grace <= self.entered_at and not self._is_at(plan, when))
        return True

    def _silence(self, plan: ReminderPlan) -> bool:
        if plan.status == PlanStatus.SUPERSEDED and plan.reason == Reason.SNOOZED:
            return False
        plan.status, plan.reason = PlanStatus.SUPERSEDED, Reason.SNOOZED
        return True

    def _is_at(self, plan: ReminderPlan, when: Moment) -> bool:
        known = Moment(plan.send_at, plan.expires_at, plan.is_provisional, _waited_for(plan))
        return plan.status == PlanStatus.PLANNED and known == when

    def _put(self, plan: ReminderPlan, when: Moment, *, is_too_late: bool) -> None:
        if plan.status != PlanStatus.PLANNED or plan.send_at != when.send_at:
            # It makes a mail there would not have been, or not then. For an answer that is missing, no act is to blame.
            plan.act = "" if when.unanswered else self.act
        plan.due_on = self.milestone.due_on
        plan.send_at = plan.next_attempt_at = when.send_at
        plan.expires_at, plan.is_provisional, plan.time_zone = when.expires_at, when.is_provisional, self.zone
        plan.unanswered_at = when.unanswered.at if when.unanswered else None
        plan.unanswered_by_id = when.unanswered.person if when.unanswered else None
        plan.unanswered_status = when.unanswered.status if when.unanswered else ""
        plan.status = PlanStatus.NOT_NEEDED if is_too_late else PlanStatus.PLANNED
        plan.reason = Reason.NOT_NEEDED if is_too_late else ""

    def _close(self, plan: ReminderPlan) -> bool:
        if plan.status != PlanStatus.PLANNED:
            return False
        plan.status, plan.reason = closing(self.rule_set, self.milestone, plan)
        return True


def _waited_for(plan: ReminderPlan) -> Unanswered | None:
    if plan.unanswered_at is None:
        return None
    return Unanswered(plan.unanswered_at, plan.unanswered_by_id or 0, plan.unanswered_status)


def _is_settled(plan: ReminderPlan) -> bool:
    """Return whether the plan was missed, not needed or given up on purpose. It does not come back once its time is past."""
    on_purpose = plan.status == PlanStatus.SUPERSEDED and plan.reason in ON_PURPOSE
    return on_purpose or plan.status in NOT_SENT_IN_TIME


def closing(rule_set: RuleSet, milestone: Milestone, plan: ReminderPlan) -> tuple[PlanStatus, str]:
    """Return the new status of a plan that is no longer wanted, and the reason."""
    if not milestone.is_pending:
        return PlanStatus.CANCELLED, Reason.NOT_PENDING
    if plan.appearance is not None and plan.appearance != milestone.appearance:
        return PlanStatus.SUPERSEDED, Reason.WRONG_PERSON
    if plan.appearance is None and plan.due_on != milestone.due_on:
        return PlanStatus.SUPERSEDED, Reason.DUE_DATE_MOVED
    if plan.wakes_on and plan.wakes_on != milestone.snoozed_until:
        return PlanStatus.SUPERSEDED, Reason.SNOOZE_CHANGED
    why = _closing_reason(rule_set, milestone, plan)
    return (PlanStatus.SUPERSEDED if why == Reason.SNOOZED else PlanStatus.CANCELLED), why


def _closing_reason(rule_set: RuleSet, milestone: Milestone, plan: ReminderPlan) -> str:
    rule = rule_set.rules[plan.rule_id]
    if not rule.is_enabled:
        return Reason.RULE_DISABLED
    if not rule_set.applies(rule, milestone):
        return Reason.RULE_REPLACED if rule_set.is_in_scope(rule, milestone) else Reason.RULE_DOES_NOT_APPLY
    if plan.unanswered_at:
        return Reason.ANSWERED
    return Reason.SNOOZED if milestone.snoozed_until else Reason.RULE_DOES_NOT_APPLY
