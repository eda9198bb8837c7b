"""The laws of the pipeline, checked on the rows themselves. Reads whole tables: for an operator, not for a tick."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from partnerships.models import ComponentHeartbeat, Delivery, Milestone, ReminderItem, ReminderMark, ReminderPlan
from partnerships.reminders import reasons
from partnerships.reminders.answers import unanswered
from partnerships.reminders.reconcile import withdrawn_items
from partnerships.reminders.rulebook import Rulebook
from partnerships.reminders.run import HEARTBEAT
from partnerships.reminders.schedule import Moment
from partnerships.statuses import DeliveryStatus, PlanStatus

TICK = dt.timedelta(seconds=60)
SILENT_AFTER = dt.timedelta(minutes=5)
BATCH = 1000
GIVEN_UP = (PlanStatus.CANCELLED, PlanStatus.SUPERSEDED)


def audit(*, now: dt.datetime) -> list[str]:
    """A sentence for each breach; empty when all laws hold."""
    return [*_silence(now), *_plans(), *_overdue_plans(now), *_expanded_without_item(), *_leases(now), *_empty()]


def _silence(now: dt.datetime) -> Iterator[str]:
    last = ComponentHeartbeat.objects.filter(name=HEARTBEAT).first()
    if last is None:
        yield _("The reminders have never run.")
    elif now - last.at > SILENT_AFTER:
        yield _("The reminders have not run since %(time)s.") % {"time": last.at.isoformat(timespec="seconds")}


def _plans() -> Iterator[str]:
    """Every open milestone and every enabled rule for it have a plan for its due date that was not given up.

    Given up on purpose is as good: it was snoozed, or something newer took its place. A snooze has a plan for its end.
    A marked milestone is still to be brought in step.
    """
    book = Rulebook.load()
    marked = Exists(ReminderMark.objects.filter(milestone=OuterRef("pk")))
    last = 0
    pending = Milestone.objects.pending().filter(~marked).select_related("agreement").order_by("pk")
    while batch := list(pending.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        waited_for = unanswered(book, batch)
        wanted = {milestone.pk: book.wanted(milestone, waited_for.get(milestone.pk)) for milestone in batch}
        yield from _missing_plans(book, wanted, batch)
        yield from _readers_left_out(wanted, batch)


def _missing_plans(book: Rulebook, wanted: dict[int, dict[int, Moment]], milestones: list[Milestone]) -> Iterator[str]:
    planned: dict[tuple[int, dt.date], set[int]] = defaultdict(set)
    woken: set[tuple[int, dt.date, dt.date]] = set()
    plans = ReminderPlan.objects.filter(milestone__in=milestones)
    plans = plans.filter(~Q(status__in=GIVEN_UP) | Q(reason__in=reasons.ON_PURPOSE))
    for pk, due_on, rule, wakes_on in plans.values_list("milestone_id", "due_on", "rule_id", "wakes_on"):
        if wakes_on:
            woken.add((pk, due_on, wakes_on))
        else:
            planned[pk, due_on].add(rule)
    for milestone in milestones:
        for rule in sorted(wanted[milestone.pk].keys() - planned[milestone.pk, milestone.due_on]):
            yield _("Milestone %(milestone)s has no plan by rule %(rule)s.") % {"milestone": milestone.pk, "rule": rule}
        if book.wake(milestone) and (milestone.pk, milestone.due_on, milestone.snoozed_until) not in woken:
            yield _("Milestone %(milestone)s has no plan for the end of its snooze.") % {"milestone": milestone.pk}


def _readers_left_out(wanted: dict[int, dict[int, Moment]], milestones: list[Milestone]) -> Iterator[str]:
    """Person by person: that others have the reminder does not help the one it was taken back from."""
    due_on = {milestone.pk: milestone.due_on for milestone in milestones}
    items = withdrawn_items().filter(plan__milestone__in=milestones, plan__status=PlanStatus.EXPANDED)
    for item in items.select_related("plan").order_by("pk"):
        plan = item.plan
        if plan.due_on == due_on[plan.milestone_id] and plan.rule_id in wanted[plan.milestone_id]:
            yield _("Plan %(plan)s was taken back from person %(person)s and holds again.") % {
                "plan": plan.pk,
                "person": item.person_id,
            }


def _overdue_plans(now: dt.datetime) -> Iterator[str]:
    waiting = ReminderPlan.objects.filter(status=PlanStatus.PLANNED, next_attempt_at__lt=now - 2 * TICK)
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        yield _("Plan %(plan)s is due and was not made into mail.") % {"plan": pk}


def _expanded_without_item() -> Iterator[str]:
    living = ReminderItem.objects.filter(plan=OuterRef("pk"), cancelled_at=None)
    for pk in ReminderPlan.objects.filter(~Exists(living), status=PlanStatus.EXPANDED).values_list("pk", flat=True):
        yield _("Plan %(plan)s counts as mailed, but nobody has its reminder.") % {"plan": pk}


def _leases(now: dt.datetime) -> Iterator[str]:
    held = Delivery.objects.filter(status__in=(DeliveryStatus.CLAIMED, DeliveryStatus.HANDING))
    for pk in held.filter(lease_until__lt=now - TICK).order_by("pk").values_list("pk", flat=True):
        yield _("Delivery %(delivery)s is held past its lease.") % {"delivery": pk}


def _empty() -> Iterator[str]:
    living = ReminderItem.objects.filter(delivery=OuterRef("pk"), cancelled_at=None)
    ended = Delivery.objects.exclude(status__in=(DeliveryStatus.CANCELLED, DeliveryStatus.SKIPPED))
    for pk in ended.filter(~Exists(living)).order_by("pk").values_list("pk", flat=True):
        yield _("Delivery %(delivery)s carries no reminder.") % {"delivery": pk}
