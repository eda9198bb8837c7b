"""Make due plans into items and deliveries: rows first, mail later."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.mailing.catch_up import CatchUp
from partnerships.mailing.envelopes import CATCH_UP_AFTER, Envelope, Item, MailCount, is_late, pack
from partnerships.mailing.holding import has_held_mails, hold, reason_of_pause
from partnerships.models import (
    Delivery,
    DeliveryEvent,
    ReminderItem,
    ReminderMark,
    ReminderPlan,
    Sweep,
)
from partnerships.models.reasons import Reason
from partnerships.reminders.clock import Clock
from partnerships.reminders.recipients import Directory, Recipient, address_key
from partnerships.reminders.reconcile import closing, withdrawn_items
from partnerships.reminders.rule_set import UNANSWERED, RuleSet
from partnerships.reminders.unanswered import activity_since_reminders, is_unanswered, mark_notified
from partnerships.statuses import DeliveryStatus, PlanStatus

logger = logging.getLogger(__name__)

BATCH = 200
ASK_AGAIN_AFTER = dt.timedelta(hours=1)
WRITTEN = ("status", "reason", "next_attempt_at")


@dataclass(frozen=True)
class Expansion:
    """The plans that one batch handled, and the deliveries it made."""

    plans: int
    deliveries: int


def expand_due(clock: Clock, *, batch: int = BATCH) -> Expansion:
    """Make the items and deliveries of up to ``batch`` due plans, in one transaction.

    A plan is expanded once: its row is locked here and is no longer due in the same commit; the unique key of the
    items would refuse a second time. A plan whose milestone changed is closed, one past its expiry is missed, one
    that nobody can get waits for an hour; none of these stops the others.
    """
    with transaction.atomic():
        due = _of_whole_acts(due_plans(clock.due_at))
        if clock.expires_until is not None:
            due = due.filter(Q(expires_at__gt=clock.due_at) | Q(expires_at__lte=clock.expires_until))
        # Only the plans are locked, so that nobody waits who edits a milestone or a rule.
        plans = list(_with_context(due).select_for_update(skip_locked=True, of=("self",))[:batch])
        if not plans:
            return Expansion(0, 0)
        clock = clock.stopped()
        rule_set = RuleSet.load()
        live = [plan for plan in _without_closed(plans, rule_set, clock) if not _is_missed(plan, clock)]
        deliveries = _make_deliveries(live, rule_set, clock) if live else 0
        ReminderPlan.objects.bulk_update(plans, WRITTEN)
    return Expansion(len(plans), deliveries)


def due_plans(due_at: dt.datetime) -> QuerySet[ReminderPlan]:
    return ReminderPlan.objects.filter(status=PlanStatus.PLANNED, next_attempt_at__lte=due_at)


def _of_whole_acts(plans: QuerySet[ReminderPlan]) -> QuerySet[ReminderPlan]:
    """Leave out the plans of an act that is still being planned: its mails are counted when all are known."""
    marked = ReminderMark.objects.exclude(act="").values("act")
    swept = Sweep.objects.filter(is_finished=False).exclude(act="").values("act")
    return plans.filter(Q(act="") | ~Q(act__in=marked) & ~Q(act__in=swept))


def _with_context(plans: QuerySet[ReminderPlan]) -> QuerySet[ReminderPlan]:
    return plans.select_related("milestone__agreement", "rule").order_by("next_attempt_at", "pk")


def _without_closed(plans: list[ReminderPlan], rule_set: RuleSet, clock: Clock) -> list[ReminderPlan]:
    """Close the plans that are not current any more, because their milestone's mark is still unread; return the others."""
    activity, current = activity_since_reminders(plans), []
    for plan in plans:
        if is_current(rule_set, plan, activity, clock.due_at):
            current.append(plan)
        else:
            plan.status, plan.reason = closing(rule_set, plan.milestone, plan)
    return current


def is_current(rule_set: RuleSet, plan: ReminderPlan, activity: Mapping[int, dt.datetime], due_at: dt.datetime) -> bool:
    """Return whether milestone and rule still ask for the plan; ``activity`` comes from ``activity_since_reminders``."""
    if not rule_set.is_current(plan, due_at):
        return False
    waits = plan.rule.direction == UNANSWERED and not plan.wakes_on
    return not waits or is_unanswered(plan, activity)


def _is_missed(plan: ReminderPlan, clock: Clock) -> bool:
    if plan.expires_at > clock.due_at:
        return False
    plan.status, plan.reason = PlanStatus.MISSED, Reason.EXPIRED
    return True


def _make_deliveries(plans: Sequence[ReminderPlan], rule_set: RuleSet, clock: Clock) -> int:
    """Put each item into an envelope; return how many envelopes are new.

    All rules about a milestone share one envelope per person, or the digest. A reader who has a newer reminder of the
    milestone gets no late item.
    """
    catch_up = CatchUp(plans, rule_set, clock)
    directory = Directory.load([*plans, *catch_up.plans], now=clock.real_now, units=rule_set.units)
    generations = _next_generations(plans)
    mailed = {plan for (plan, _person), generation in generations.items() if not generation}
    items = []
    for plan in plans:
        audience = directory.recipients(plan)
        recipients = catch_up.still_needing(plan, audience, directory)
        _record(plan, has_audience=bool(audience), clock=clock)
        for recipient in recipients:
            generation = generations.get((plan.pk, recipient.code), 1)
            if generation and not _shares_address(plan, recipient, generations):
                items.append(Item(plan, recipient, generation))
        if audience and not recipients and plan.pk not in mailed:
            plan.status, plan.reason = PlanStatus.SUPERSEDED, Reason.NEWER_REMINDER
    envelopes = pack(items, clock)
    _hold_new(envelopes, rule_set, clock)
    made = write(envelopes, real_now=clock.real_now)
    _settle_withdrawn([plan for plan in plans if plan.status == PlanStatus.EXPANDED], generations)
    return made


def _settle_withdrawn(expanded: Sequence[ReminderPlan], generations: dict[tuple[int, str], int]) -> None:
    """Note that a reader whose item was withdrawn is not in the audience any more; else the plan would return each day."""
    known = {plan for plan, _person in generations}
    again = [plan for plan in expanded if plan.pk in known]
    if again:
        withdrawn_items().filter(plan__in=again).update(cancel_reason=Reason.WRONG_PERSON)


def _record(plan: ReminderPlan, *, has_audience: bool, clock: Clock) -> None:
    if has_audience:
        plan.status, plan.reason = PlanStatus.EXPANDED, ""
    else:
        plan.reason, plan.next_attempt_at = Reason.NOBODY_TO_TELL, clock.real_now + ASK_AGAIN_AFTER


def _next_generations(plans: Sequence[ReminderPlan]) -> dict[tuple[int, str], int]:
    """Return (plan, reader code) -> the generation of a new item; 0 if the reader has one that is not cancelled.

    A contact's address counts as a reader as well, because another contact may share it.
    """
    found: dict[tuple[int, str], int] = {}
    items = ReminderItem.objects.filter(plan__in=plans).select_related("contact", "delivery")
    for item in items.order_by("generation"):
        reader = (item.plan_id, item.reader_code)
        is_valid = item.cancelled_at is None or found.get(reader) == 0
        found[reader] = 0 if is_valid else item.generation + 1
        if item.contact is not None and item.cancelled_at is None:
            found[item.plan_id, address_key(item.delivery.address or item.contact.email)] = 0
    return found


def _shares_address(plan: ReminderPlan, recipient: Recipient, generations: Mapping[tuple[int, str], int]) -> bool:
    """Return whether another contact with the same address has the reminder."""
    contact = recipient.contact
    return contact is not None and generations.get((plan.pk, address_key(contact.email))) == 0


def _hold_new(envelopes: Sequence[Envelope], rule_set: RuleSet, clock: Clock) -> None:
    """Hold the new mails: all of them during a pause, else those that only acts with too many mails ask for.

    A mail that also carries another reminder would have gone anyway, so it goes.
    """
    # Only new mails: a digest that was queued before leaves anyway.
    new = [one for one in envelopes if one.delivery._state.adding and one.delivery.status == DeliveryStatus.QUEUED]
    paused = reason_of_pause() if new else ""
    acts = {_act(item.plan, clock) for envelope in new for item in envelope.items}
    excessive = set() if paused else {act for act in acts if act and _makes_too_many(act, rule_set, clock)}
    for envelope in new:
        if paused or all(_act(item.plan, clock) in excessive for item in envelope.items):
            hold(envelope.delivery, paused or Reason.TOO_MANY_AT_ONCE, clock.real_now)


def _act(plan: ReminderPlan, clock: Clock) -> str:
    """Return the act that made the plan; "" for a late one, because a catch-up is never held."""
    return "" if is_late(plan, clock.due_at) else plan.act


def _makes_too_many(act: str, rule_set: RuleSet, clock: Clock) -> bool:
    """Return whether the act has held mails already, or makes more than the limit today.

    If it does not, the day's plans lose the act, so that no later batch counts again.
    """
    limit = settings.REMINDERS_HOLD_ABOVE
    if not limit:
        return False
    zone = timezone.get_default_timezone()
    day_ends = dt.datetime.combine(timezone.localdate(clock.due_at, zone) + dt.timedelta(days=1), dt.time(), zone)
    plans = ReminderPlan.objects.filter(act=act, status=PlanStatus.PLANNED, send_at__gte=clock.due_at - CATCH_UP_AFTER)
    # The whole day and not this batch, else the first batches of a flood would leave.
    today = plans.filter(next_attempt_at__lt=day_ends, expires_at__gt=clock.due_at)
    # Counted first: a mail that another process makes meanwhile is then seen by one of the two questions.
    if _count_mails(today, rule_set, clock, enough=limit) > limit or has_held_mails(act):
        logger.warning("Held: one act makes more than %s mails", limit)
        return True
    # Plans that another expansion has locked keep the act, and it counts them itself.
    ours = list(today.select_for_update(skip_locked=True).values_list("pk", flat=True))
    ReminderPlan.objects.filter(pk__in=ours).update(act="")
    return False


def _count_mails(plans: QuerySet[ReminderPlan], rule_set: RuleSet, clock: Clock, *, enough: int) -> int:
    """Return how many mails ``plans`` will make; stop counting above ``enough``."""
    count, rest, last = MailCount.begin(clock), _with_context(plans).order_by("pk"), 0
    while count.total <= enough and (batch := list(rest.filter(pk__gt=last)[:BATCH])):
        last = batch[-1].pk
        activity = activity_since_reminders(batch)
        current = [plan for plan in batch if is_current(rule_set, plan, activity, clock.due_at)]
        directory = Directory.load(current, now=clock.real_now, units=rule_set.units)
        count.add([Item(plan, one, 1) for plan in current for one in directory.recipients(plan)], clock)
    return count.total


def write(envelopes: Sequence[Envelope], *, real_now: dt.datetime) -> int:
    """Write the new envelopes and all items; return how many envelopes are new."""
    for envelope in envelopes:
        _queue_by_due_date(envelope)
    new = [envelope.delivery for envelope in envelopes if envelope.delivery._state.adding]
    Delivery.objects.bulk_create(new)
    ReminderItem.objects.bulk_create(
        ReminderItem(
            plan=item.plan,
            person=item.recipient.person,
            contact=item.recipient.contact,
            generation=item.generation,
            delivery=envelope.delivery,
            why=item.recipient.why,
        )
        for envelope in envelopes
        for item in envelope.items
    )
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(delivery=delivery, at=real_now, to_status=delivery.status, reason=delivery.reason)
        for delivery in new
    )
    not_mailed = [delivery.pk for delivery in new if delivery.status != DeliveryStatus.QUEUED]
    if not_mailed:  # kept to the feed, or held
        mark_notified(not_mailed)
    return len(new)


def _queue_by_due_date(envelope: Envelope) -> None:
    """Order the envelope among the queued ones by its soonest due date; a digest that was queued may move up."""
    delivery, soonest = envelope.delivery, min(item.plan.due_on for item in envelope.items)
    if delivery._state.adding:
        delivery.due_on = soonest
    elif soonest < delivery.due_on:
        delivery.due_on = soonest
        delivery.save(update_fields=["due_on"])
