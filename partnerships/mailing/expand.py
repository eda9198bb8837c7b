"""Due plans become items in deliveries: rows first, mail later."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.mailing.catch_up import CatchUp
from partnerships.mailing.envelopes import CATCH_UP_AFTER, Envelope, Item, MailCount, is_late, pack
from partnerships.mailing.holding import hold, is_held, reason_of_pause
from partnerships.models import (
    Delivery,
    DeliveryEvent,
    ReminderItem,
    ReminderMark,
    ReminderPlan,
    ReminderRule,
    Sweep,
)
from partnerships.models.reasons import Reason
from partnerships.reminders.recipients import Directory
from partnerships.reminders.reconcile import closing, withdrawn_items
from partnerships.reminders.rule_set import RuleSet
from partnerships.reminders.unanswered import is_unanswered, mark_told, signs_for
from partnerships.statuses import DeliveryStatus, PlanStatus

logger = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]

BATCH = 200
ASK_AGAIN_AFTER = dt.timedelta(hours=1)
WRITTEN = ("status", "reason", "next_attempt_at")


@dataclass(frozen=True)
class Expansion:
    plans: int  # looked at
    deliveries: int  # made


def expand_due(
    *, now: dt.datetime, clock: Clock, batch: int = BATCH, expires_until: dt.datetime | None = None
) -> Expansion:
    """Makes the items and deliveries of up to ``batch`` plans due at ``now``, in one transaction.

    A plan is expanded once: its row is locked here and leaves the due ones in the same commit; the unique key of the
    items would refuse a second time. A plan whose milestone changed is closed, one past its expiry is missed, one
    that nobody can be told about waits for an hour; none of these stops the others.

    A plan that expired after ``expires_until`` is left alone: the clock jumped, and the next run will know better.
    """
    with transaction.atomic():
        due = _of_whole_acts(due_plans(now))
        if expires_until is not None:
            due = due.filter(Q(expires_at__gt=now) | Q(expires_at__lte=expires_until))
        plans = list(_with_context(due).select_for_update(skip_locked=True, of=("self",))[:batch])
        if not plans:
            return Expansion(0, 0)
        rule_set = RuleSet.load()
        live = [plan for plan in _without_closed(plans, rule_set, now) if not _is_missed(plan, now)]
        deliveries = _make_deliveries(live, rule_set, now=now, at=clock()) if live else 0
        ReminderPlan.objects.bulk_update(plans, WRITTEN)
    return Expansion(len(plans), deliveries)


def due_plans(now: dt.datetime) -> QuerySet[ReminderPlan]:
    return ReminderPlan.objects.filter(status=PlanStatus.PLANNED, next_attempt_at__lte=now)


def _of_whole_acts(plans: QuerySet[ReminderPlan]) -> QuerySet[ReminderPlan]:
    """Leave out the plans of an act that is still being planned: its mails are counted when all are known."""
    marked = ReminderMark.objects.exclude(act="").values("act")
    swept = Sweep.objects.filter(is_finished=False).exclude(act="").values("act")
    return plans.filter(Q(act="") | ~Q(act__in=marked) & ~Q(act__in=swept))


def _with_context(plans: QuerySet[ReminderPlan]) -> QuerySet[ReminderPlan]:
    return plans.select_related("milestone__agreement", "rule").order_by("next_attempt_at", "pk")


def _without_closed(plans: list[ReminderPlan], rule_set: RuleSet, now: dt.datetime) -> list[ReminderPlan]:
    """Closes the plans that are out of step (their milestone's mark is still to be read); returns the others."""
    signs, current = signs_for(plans), []
    for plan in plans:
        if is_current(rule_set, plan, signs, now):
            current.append(plan)
        else:
            plan.status, plan.reason = closing(rule_set, plan.milestone, plan)
    return current


def is_current(rule_set: RuleSet, plan: ReminderPlan, signs: Mapping[int, dt.datetime], now: dt.datetime) -> bool:
    """The plan announces what its milestone and its rule say now; ``signs`` as of ``answers.signs_for``."""
    if not rule_set.is_current(plan, now):
        return False
    waits = plan.rule.direction == ReminderRule.Direction.UNANSWERED and not plan.wakes_on
    return not waits or is_unanswered(plan, signs)


def _is_missed(plan: ReminderPlan, now: dt.datetime) -> bool:
    if plan.expires_at > now:
        return False
    plan.status, plan.reason = PlanStatus.MISSED, Reason.EXPIRED
    return True


def _make_deliveries(plans: Sequence[ReminderPlan], rule_set: RuleSet, *, now: dt.datetime, at: dt.datetime) -> int:
    """Each item in its envelope: one per person and milestone, however many rules speak at once, or the digest.

    Who has something newer about a milestone gets no late item. Returns how many envelopes are new.
    """
    catch_up = CatchUp(plans, rule_set=rule_set, now=now)
    directory = Directory.load([*plans, *catch_up.plans], now=at, units=rule_set.units)
    generations = _next_generations(plans)
    mailed = {plan for (plan, _person), generation in generations.items() if not generation}
    items = []
    for plan in plans:
        audience = directory.recipients(plan)
        recipients = catch_up.still_needing(plan, audience, directory)
        _record(plan, is_told=bool(audience), at=at)
        for recipient in recipients:
            generation = generations.get((plan.pk, recipient.code), 1)
            if generation:
                items.append(Item(plan, recipient, generation))
        if audience and not recipients and plan.pk not in mailed:
            plan.status, plan.reason = PlanStatus.SUPERSEDED, Reason.NEWER_REMINDER
    envelopes = pack(items, now=now, at=at)
    _hold_new(envelopes, rule_set, now=now, at=at)
    made = write(envelopes, at=at)
    _settle_withdrawn([plan for plan in plans if plan.status == PlanStatus.EXPANDED], generations)
    return made


def _settle_withdrawn(expanded: Sequence[ReminderPlan], generations: dict[tuple[int, str], int]) -> None:
    """Who lost an item and gets no new one is not of the audience any more: else the plan would come back each day."""
    known = {plan for plan, _person in generations}
    again = [plan for plan in expanded if plan.pk in known]
    if again:
        withdrawn_items().filter(plan__in=again).update(cancel_reason=Reason.WRONG_PERSON)


def _record(plan: ReminderPlan, *, is_told: bool, at: dt.datetime) -> None:
    if is_told:
        plan.status, plan.reason = PlanStatus.EXPANDED, ""
    else:
        plan.reason, plan.next_attempt_at = Reason.NOBODY_TO_TELL, at + ASK_AGAIN_AFTER


def _next_generations(plans: Sequence[ReminderPlan]) -> dict[tuple[int, str], int]:
    """(plan, code of the reader) -> the generation a new item would have; 0 where one is on its way or was sent."""
    found: dict[tuple[int, str], int] = {}
    for item in ReminderItem.objects.filter(plan__in=plans).order_by("generation"):
        reader = (item.plan_id, item.reader_code)
        is_living = item.cancelled_at is None or found.get(reader) == 0
        found[reader] = 0 if is_living else item.generation + 1
    return found


def _hold_new(envelopes: Sequence[Envelope], rule_set: RuleSet, *, now: dt.datetime, at: dt.datetime) -> None:
    """Hold the new mails: all of them during a pause, else those that only acts with too many mails ask for.

    A mail that also carries another reminder would have gone anyway, so it goes.
    """
    new = [one for one in envelopes if one.delivery._state.adding and one.delivery.status == DeliveryStatus.QUEUED]
    paused = reason_of_pause() if new else ""
    acts = {_act(item.plan, now) for envelope in new for item in envelope.items}
    floods = set() if paused else {act for act in acts if act and _makes_too_many(act, rule_set, now=now, at=at)}
    for envelope in new:
        if paused or all(_act(item.plan, now) in floods for item in envelope.items):
            hold(envelope.delivery, paused or Reason.TOO_MANY_AT_ONCE, at)


def _act(plan: ReminderPlan, now: dt.datetime) -> str:
    """Return the act that made the plan; "" for a late one, because what catches up is never held."""
    return "" if is_late(plan, now) else plan.act


def _makes_too_many(act: str, rule_set: RuleSet, *, now: dt.datetime, at: dt.datetime) -> bool:
    """Say whether the act's mails have to wait: it has some that wait for their release, or too many today.

    Counted over the whole day and not over this batch: else the first batches of a flood would leave. Where they are
    not too many the day's plans lose the act, so that no later batch counts again.
    """
    limit = settings.REMINDERS_HOLD_ABOVE
    if not limit:
        return False
    zone = timezone.get_default_timezone()
    day_ends = dt.datetime.combine(timezone.localdate(now, zone) + dt.timedelta(days=1), dt.time(), zone)
    plans = ReminderPlan.objects.filter(act=act, status=PlanStatus.PLANNED, send_at__gte=now - CATCH_UP_AFTER)
    today = plans.filter(next_attempt_at__lt=day_ends, expires_at__gt=now)
    # Counted first: what another process makes into mail meanwhile is then seen by one of the two questions.
    if _mails_of(today, rule_set, limit, now=now, at=at) > limit or is_held(act):
        logger.warning("Held: one act makes more than %s mails", limit)
        return True
    ours = list(today.select_for_update(skip_locked=True).values_list("pk", flat=True))
    ReminderPlan.objects.filter(pk__in=ours).update(act="")
    return False


def _mails_of(
    plans: QuerySet[ReminderPlan], rule_set: RuleSet, enough: int, *, now: dt.datetime, at: dt.datetime
) -> int:
    """Return how many mails ``plans`` will make; stop counting above ``enough``."""
    count, rest, last = MailCount.begin(), _with_context(plans).order_by("pk"), 0
    while count.total <= enough and (batch := list(rest.filter(pk__gt=last)[:BATCH])):
        last = batch[-1].pk
        signs = signs_for(batch)
        current = [plan for plan in batch if is_current(rule_set, plan, signs, now)]
        directory = Directory.load(current, now=at, units=rule_set.units)
        count.add([Item(plan, one, 1) for plan in current for one in directory.recipients(plan)], now)
    return count.total


def write(envelopes: Sequence[Envelope], *, at: dt.datetime) -> int:
    """Writes the new envelopes and all items; returns how many envelopes are new."""
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
        DeliveryEvent(delivery=delivery, at=at, to_status=delivery.status, reason=delivery.reason) for delivery in new
    )
    told = [delivery.pk for delivery in new if delivery.status != DeliveryStatus.QUEUED]
    if told:
        mark_told(told)  # kept to the feed, or held
    return len(new)


def _queue_by_due_date(envelope: Envelope) -> None:
    """The soonest due date in it is its place among what waits; one that waited already may move up."""
    delivery, soonest = envelope.delivery, min(item.plan.due_on for item in envelope.items)
    if delivery._state.adding:
        delivery.due_on = soonest
    elif soonest < delivery.due_on:
        delivery.due_on = soonest
        delivery.save(update_fields=["due_on"])
