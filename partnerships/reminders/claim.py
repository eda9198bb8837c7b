"""One delivery is taken by one process: a lease with an epoch, and a second look at what the mail says.

Whoever writes about a delivery afterwards does so by a conditional update that names the epoch of its claim: a process
that slept through its lease finds that it may no longer write.
"""

import datetime as dt
import os
import socket
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from partnerships.models import Delivery, DeliveryEvent, MailHold, ReminderItem, ReminderMark, ReminderPlan, User
from partnerships.reminders import reasons
from partnerships.reminders.expand import Clock, is_current
from partnerships.reminders.notices import still_to_tell
from partnerships.reminders.recipients import Directory
from partnerships.reminders.reconcile import closing
from partnerships.reminders.rulebook import Rulebook
from partnerships.statuses import DeliveryStatus, PlanStatus

# Longer than the slowest hand-over: every answer of the mail server may take EMAIL_TIMEOUT.
LEASE = dt.timedelta(minutes=5)
DEATHS_AT_MOST = 3
WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.RETRY)


@dataclass(frozen=True)
class Claim:
    """A delivery of ours until its lease ends, with the items that still hold, or cancelled because none does."""

    delivery: Delivery
    items: list[ReminderItem]


def has_due(*, now: dt.datetime) -> bool:
    """Nothing is while all mail is held."""
    waiting = Delivery.objects.filter(status__in=WAITING, next_attempt_at__lte=now)
    return not MailHold.objects.in_force().exists() and waiting.exists()


def claim_next(*, now: dt.datetime, clock: Clock) -> Claim | None:
    """The delivery that is due longest, or None; what is locked by others is passed over.

    The lock alone would do on PostgreSQL, and the serialised transactions on SQLite; the conditional update makes
    both the same and counts the epoch.
    """
    with transaction.atomic(durable=True):
        if MailHold.objects.in_force().exists():
            return None
        due = Delivery.objects.filter(status__in=WAITING, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")
        delivery = due.select_for_update(skip_locked=True, of=("self",)).select_related("person").first()
        if delivery is None:
            return None
        at = clock()
        is_ours = advance(
            delivery,
            DeliveryStatus.CLAIMED,
            at=at,
            lease_until=at + LEASE,
            lease_owner=lease_owner(),
            lease_epoch=delivery.lease_epoch + 1,
        )
        if not is_ours:
            return None
        return Claim(delivery, _check_again(delivery, at))


def lease_owner() -> str:
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def advance(
    delivery: Delivery,
    to_status: DeliveryStatus,
    *,
    at: dt.datetime,
    note: str = "",
    actor: User | None = None,
    **fields: Any,
) -> bool:
    """Moves the delivery on from the status and epoch we know it by, with its event; False: it is no longer ours.

    Within the caller's transaction. ``delivery`` is brought in step.
    """
    ours = Delivery.objects.filter(pk=delivery.pk, status=delivery.status, lease_epoch=delivery.lease_epoch)
    if not ours.update(status=to_status, **fields):
        return False
    DeliveryEvent.objects.create(
        delivery=delivery, at=at, from_status=delivery.status, to_status=to_status, note=note, actor=actor
    )
    for name, value in {"status": to_status, **fields}.items():
        setattr(delivery, name, value)
    return True


def _check_again(delivery: Delivery, at: dt.datetime) -> list[ReminderItem]:
    """Cancels the items that no longer hold, and the delivery when none is left; returns those that do.

    An item for the wrong person sends its plan back to the due ones, where the right person gets an item. A notice
    has no items; it holds as long as something it tells of has not got through.
    """
    if delivery.kind == Delivery.Kind.NOTICE:
        if not still_to_tell(delivery):
            advance(delivery, DeliveryStatus.CANCELLED, at=at, note=reasons.NOTHING_LEFT, reason=reasons.NOTHING_LEFT)
        return []
    items = list(
        delivery.items.filter(cancelled_at=None)
        .select_related("plan__rule", "plan__milestone__agreement")
        .order_by("pk")
    )
    plans = [item.plan for item in items]
    book, directory = Rulebook.load(), Directory.load(plans, now=at)
    kept = [item for item in items if _holds(item, book, directory, at)]
    if len(kept) < len(items):
        delivery.message = None  # it spoke of more than what is left
        Delivery.objects.filter(pk=delivery.pk).update(message=None)
    if not kept:
        advance(delivery, DeliveryStatus.CANCELLED, at=at, note=reasons.NOTHING_LEFT, reason=reasons.NOTHING_LEFT)
    return kept


def _holds(item: ReminderItem, book: Rulebook, directory: Directory, at: dt.datetime) -> bool:
    plan = item.plan
    if not is_current(book, plan):
        status, reason = closing(book, plan.milestone, plan)
        _cancel(item, reason, at)
        _close_unless_sent(plan, status, reason)
        # An edit that made it hold again may have been reconciled since we read the milestone, before this commits.
        ReminderMark.objects.create(milestone=plan.milestone)
        return False
    if item.person_id in {recipient.person.pk for recipient in directory.recipients(plan)}:
        return True
    _cancel(item, reasons.WRONG_PERSON, at)
    ReminderPlan.objects.filter(pk=plan.pk).update(status=PlanStatus.PLANNED, next_attempt_at=at)
    return False


def _cancel(item: ReminderItem, reason: str, at: dt.datetime) -> None:
    ReminderItem.objects.filter(pk=item.pk).update(cancelled_at=at, cancel_reason=reason)


def _close_unless_sent(plan: ReminderPlan, status: PlanStatus, reason: str) -> None:
    """A plan none of whose items went out was not made into mail after all: it may come back (date moved back)."""
    if not plan.items.filter(cancelled_at=None).exists():
        ReminderPlan.objects.filter(pk=plan.pk, status=PlanStatus.EXPANDED).update(status=status, reason=reason)


def rescue(*, clock: Clock) -> int:
    """Takes back what a process that ended left behind; returns how many deliveries.

    Claimed: the server has nothing yet, so it is queued again, behind what is due, and no attempt is counted; at the
    third time it is listed as failed. Handing: the server may have it, so it is listed as uncertain and not sent again
    by itself.
    """
    at = clock()
    with transaction.atomic(durable=True):
        left = Delivery.objects.filter(status__in=(DeliveryStatus.CLAIMED, DeliveryStatus.HANDING), lease_until__lt=at)
        deliveries = left.select_for_update(skip_locked=True).order_by("lease_until", "pk")[:100]
        return sum(_take_back(delivery, at) for delivery in deliveries)


def _take_back(delivery: Delivery, at: dt.datetime) -> bool:
    if delivery.status == DeliveryStatus.HANDING:
        return advance(
            delivery, DeliveryStatus.UNCERTAIN, at=at, note=reasons.OUTCOME_UNKNOWN, reason=reasons.OUTCOME_UNKNOWN
        )
    if times_put_back(delivery, reasons.PROCESS_ENDED_EARLY) + 1 >= DEATHS_AT_MOST:
        reason = reasons.PROCESS_ENDED_OFTEN  # it may be this mail that ends them
        return advance(delivery, DeliveryStatus.FAILED, at=at, note=reason, reason=reason)
    return put_back(delivery, reasons.PROCESS_ENDED_EARLY, at=at, next_attempt_at=at)


def put_back(delivery: Delivery, reason: str, *, at: dt.datetime, note: str = "", **fields: Any) -> bool:
    """To where it waited before the claim: no attempt counted, and due as before unless ``fields`` say otherwise.

    ``note`` begins like ``reason``.
    """
    waiting = DeliveryStatus.RETRY if delivery.attempts else DeliveryStatus.QUEUED
    return advance(delivery, waiting, at=at, note=note or reason, reason=reason, **fields)


def times_put_back(delivery: Delivery, reason: str) -> int:
    return delivery.events.filter(to_status__in=WAITING, note__startswith=reason.removesuffix(".")).count()
