"""Consistency checks of the pipeline's rows. They read whole tables, so they are for an operator and not for a tick."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.models import (
    Agreement,
    ComponentHeartbeat,
    Delivery,
    DeliveryEvent,
    Milestone,
    ReminderItem,
    ReminderMark,
    ReminderPlan,
)
from partnerships.models.reasons import ON_PURPOSE
from partnerships.models.reminders import reader_code
from partnerships.operations.heartbeat import HEARTBEAT, SILENT_AFTER
from partnerships.reminders.reconcile import NOT_SENT_IN_TIME, withdrawn_items
from partnerships.reminders.rule_set import RuleSet
from partnerships.reminders.schedule import Moment
from partnerships.reminders.unanswered import unanswered
from partnerships.statuses import AgreementStatus, DeliveryStatus, PlanStatus

TICK = dt.timedelta(seconds=60)
BATCH = 1000
AUDIT = "audit"  # the heartbeat of the last check; its note is the number of breaches
SIGNED = (AgreementStatus.SIGNED, AgreementStatus.SUSPENDED)
GIVEN_UP = (PlanStatus.CANCELLED, PlanStatus.SUPERSEDED)


def audit(*, real_now: dt.datetime) -> list[str]:
    """Return a sentence for each inconsistency; empty when there is none."""
    silence = list(_silence(real_now))
    overdue = [] if silence else _overdue_plans(real_now)  # while nothing runs, every due plan is overdue
    items = (*_expanded_without_item(), *_duplicate_items(), *_addresses_mailed_twice())
    ends = _wrong_ends(real_now)
    mails = (*_leases(real_now), *_empty(), *_sent_twice(), *_differing_from_log())
    return [*silence, *_plans(real_now), *overdue, *items, *mails, *ends]


def audit_and_note(*, real_now: dt.datetime) -> list[str]:
    """Run ``audit`` and keep the number of breaches for the system status page."""
    breaches = audit(real_now=real_now)
    note = str(len(breaches)) if breaches else ""
    ComponentHeartbeat.objects.update_or_create(name=AUDIT, defaults={"at": real_now, "note": note})
    return breaches


def _silence(real_now: dt.datetime) -> Iterator[str]:
    last = ComponentHeartbeat.objects.filter(name=HEARTBEAT).first()
    if last is None:
        yield _("The reminders have never run.")
    elif abs(real_now - last.at) > SILENT_AFTER:
        yield _("The reminders have not run since %(time)s.") % {"time": last.at.isoformat(timespec="seconds")}


def _plans(real_now: dt.datetime) -> Iterator[str]:
    """Check that each open milestone has a plan for each of its rules, and for the end of its snooze.

    A plan that was given up on purpose counts: the milestone was snoozed, or a newer reminder replaced it.
    """
    rule_set = RuleSet.load()
    # A marked milestone is still to be reconciled.
    marked = Exists(ReminderMark.objects.filter(milestone=OuterRef("pk")))
    last = 0
    pending = Milestone.objects.pending().filter(~marked).select_related("agreement").order_by("pk")
    while batch := list(pending.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        waited_for = unanswered(rule_set, batch)
        wanted = {milestone.pk: rule_set.wanted(milestone, waited_for.get(milestone.pk)) for milestone in batch}
        yield from _missing_plans(rule_set, wanted, batch)
        yield from _missed_ahead_of_time(wanted, batch, real_now)
        yield from _readers_left_out(wanted, batch)


def _missing_plans(
    rule_set: RuleSet, wanted: dict[int, dict[int, Moment]], milestones: list[Milestone]
) -> Iterator[str]:
    planned: dict[tuple[int, dt.date], set[int]] = defaultdict(set)
    snoozes: set[tuple[int, dt.date, dt.date]] = set()
    appeared: dict[tuple[int, int], set[int]] = defaultdict(set)
    plans = ReminderPlan.objects.filter(milestone__in=milestones)
    plans = plans.filter(~Q(status__in=GIVEN_UP) | Q(reason__in=ON_PURPOSE))
    columns = ("milestone_id", "due_on", "rule_id", "wakes_on", "appearance")
    for pk, due_on, rule, wakes_on, appearance in plans.values_list(*columns):
        if appearance is not None:
            appeared[pk, appearance].add(rule)
        elif wakes_on:
            snoozes.add((pk, due_on, wakes_on))
        else:
            planned[pk, due_on].add(rule)
    for milestone in milestones:
        for rule in sorted(wanted[milestone.pk].keys() - planned[milestone.pk, milestone.due_on]):
            yield _("Milestone %(milestone)s has no plan by rule %(rule)s.") % {"milestone": milestone.pk, "rule": rule}
        for rule in sorted(rule_set.appearing(milestone) - appeared[milestone.pk, milestone.appearance]):
            words = _("Milestone %(milestone)s has no plan by rule %(rule)s for the people it waits for.")
            yield words % {"milestone": milestone.pk, "rule": rule}
        if rule_set.snooze_end(milestone) and (milestone.pk, milestone.due_on, milestone.snoozed_until) not in snoozes:
            yield _("Milestone %(milestone)s has no plan for the end of its snooze.") % {"milestone": milestone.pk}


def _missed_ahead_of_time(
    wanted: dict[int, dict[int, Moment]], milestones: list[Milestone], real_now: dt.datetime
) -> Iterator[str]:
    """Name plans that were given up while the clock was wrong; the next sweep plans them again."""
    due_on = {milestone.pk: milestone.due_on for milestone in milestones}
    passed = ReminderPlan.objects.filter(milestone__in=milestones, status__in=NOT_SENT_IN_TIME, send_at__gt=real_now)
    for plan in passed.order_by("pk"):
        if plan.due_on == due_on[plan.milestone_id] and (plan.wakes_on or plan.rule_id in wanted[plan.milestone_id]):
            words = {"plan": plan.pk, "status": plan.get_status_display()}
            yield _("The status of plan %(plan)s is %(status)s, but its time is still to come.") % words


def _readers_left_out(wanted: dict[int, dict[int, Moment]], milestones: list[Milestone]) -> Iterator[str]:
    """Name readers whose reminder was withdrawn and should be sent after all, although others have it."""
    due_on = {milestone.pk: milestone.due_on for milestone in milestones}
    items = withdrawn_items().filter(plan__milestone__in=milestones, plan__status=PlanStatus.EXPANDED)
    for item in items.select_related("plan").order_by("pk"):
        plan = item.plan
        if plan.due_on == due_on[plan.milestone_id] and plan.rule_id in wanted[plan.milestone_id]:
            yield _("Plan %(plan)s was taken back from person %(person)s and holds again.") % {
                "plan": plan.pk,
                "person": item.person_id or item.reader_code,
            }


def _overdue_plans(real_now: dt.datetime) -> Iterator[str]:
    overdue = ReminderPlan.objects.filter(status=PlanStatus.PLANNED, next_attempt_at__lt=real_now - 2 * TICK)
    for pk in overdue.order_by("pk").values_list("pk", flat=True):
        yield _("Plan %(plan)s is due and was not made into mail.") % {"plan": pk}


def _expanded_without_item() -> Iterator[str]:
    valid = ReminderItem.objects.filter(plan=OuterRef("pk"), cancelled_at=None)
    for pk in ReminderPlan.objects.filter(~Exists(valid), status=PlanStatus.EXPANDED).values_list("pk", flat=True):
        yield _("Plan %(plan)s counts as mailed, but nobody has its reminder.") % {"plan": pk}


def _duplicate_items() -> Iterator[str]:
    """Name readers with two reminders of a plan; all generations but the last should be closed."""
    valid = ReminderItem.objects.filter(cancelled_at=None).order_by().values("plan", "person", "contact")
    doubled = valid.annotate(count=Count("pk")).filter(count__gt=1)
    for plan, person, contact, count in doubled.values_list("plan", "person", "contact", "count"):
        words = {"person": person or reader_code(person, contact), "plan": plan, "count": count}
        yield _("Person %(person)s has the reminder of plan %(plan)s %(count)s times.") % words


def _addresses_mailed_twice() -> Iterator[str]:
    """Name addresses to which a plan was sent twice, for two contacts who share it."""
    sent = ReminderItem.objects.filter(cancelled_at=None, contact__isnull=False).exclude(delivery__address="")
    doubled = sent.order_by().values("plan", mailbox=Lower("delivery__address")).annotate(count=Count("contact"))
    for plan, address, count in doubled.filter(count__gt=1).values_list("plan", "mailbox", "count"):
        words = {"plan": plan, "address": address, "count": count}
        yield _("The reminder of plan %(plan)s was written to %(address)s %(count)s times.") % words


def _leases(real_now: dt.datetime) -> Iterator[str]:
    held = Delivery.objects.filter(status__in=(DeliveryStatus.CLAIMED, DeliveryStatus.HANDING))
    for pk in held.filter(lease_until__lt=real_now - TICK).order_by("pk").values_list("pk", flat=True):
        yield _("Delivery %(delivery)s is held past its lease.") % {"delivery": pk}


def _empty() -> Iterator[str]:
    valid = ReminderItem.objects.filter(delivery=OuterRef("pk"), cancelled_at=None)
    ended = Delivery.objects.exclude(status__in=(DeliveryStatus.CANCELLED, DeliveryStatus.SKIPPED))
    ended = ended.filter(kind__in=Delivery.OF_REMINDERS)
    for pk in ended.filter(~Exists(valid)).order_by("pk").values_list("pk", flat=True):
        yield _("Delivery %(delivery)s carries no reminder.") % {"delivery": pk}


def _sent_twice() -> Iterator[str]:
    sent = DeliveryEvent.objects.filter(to_status=DeliveryStatus.SENT).order_by().values("delivery")
    for pk in sent.annotate(count=Count("pk")).filter(count__gt=1).values_list("delivery", flat=True):
        yield _("Delivery %(delivery)s was sent more than once.") % {"delivery": pk}


def _differing_from_log() -> Iterator[str]:
    """Name deliveries whose status is not that of the last event of their log."""
    last = DeliveryEvent.objects.filter(delivery=OuterRef("pk")).order_by("-pk").values("to_status")[:1]
    rows = Delivery.objects.annotate(logged=Subquery(last)).exclude(logged=F("status"))
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        yield _("Delivery %(delivery)s is not where its log left it.") % {"delivery": pk}


def _wrong_ends(real_now: dt.datetime) -> Iterator[str]:
    """Name agreements that are not stored with the end of their running period, nor with that of yesterday's."""
    today, last = timezone.localdate(real_now), 0
    yesterday = today - dt.timedelta(days=1)  # the daily sweep may not have come to it yet
    signed = Agreement.objects.filter(status__in=SIGNED).prefetch_related("terms").order_by("pk")
    while batch := list(signed.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        for row in batch:
            if row.current_ends_on not in {row.end_of_period(today), row.end_of_period(yesterday)}:
                yield _("Agreement %(agreement)s is not stored with the end of its running period.") % {
                    "agreement": row.pk
                }
