"""The writes of a hand-over: find and lock the next delivery, move it on with its event, set the marks.

Each write is a conditional update that names the status and the epoch it expects. A process that slept through its
lease updates no row, and learns that the delivery is no longer its own.
"""

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, Q, QuerySet

from partnerships.mailing.expand import due_plans
from partnerships.models import Delivery, DeliveryEvent, MailHold, User
from partnerships.statuses import DeliveryStatus

WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.RETRY)
SOONEST_FIRST = ("due_on", "next_attempt_at", "pk")


def due_deliveries(now: dt.datetime) -> QuerySet[Delivery]:
    """Return the deliveries that may be claimed; none while sending is paused.

    A digest waits until all due plans were made into items, so that it holds all of them. Expired plans make no items.
    """
    due = Delivery.objects.filter(~Exists(MailHold.objects.active()), status__in=WAITING, next_attempt_at__lte=now)
    unexpired = due_plans(now).filter(expires_at__gt=now)
    return due.filter(~Q(kind=Delivery.Kind.DIGEST) | ~Exists(unexpired))


def lock_next(now: dt.datetime) -> Delivery | None:
    """Lock and return the due delivery with the soonest date; skip what others have locked."""
    due = due_deliveries(now).order_by(*SOONEST_FIRST)
    return due.select_for_update(skip_locked=True, of=("self",)).first()


def advance(
    delivery: Delivery,
    to_status: DeliveryStatus,
    *,
    at: dt.datetime,
    note: str = "",
    actor: User | None = None,
    **fields: Any,
) -> bool:
    """Move the delivery on from the status and epoch we know it by, and log it; return False if it is no longer ours.

    Both rows are written or neither. ``delivery`` itself gets the new values. ``note`` is what the mail server said; a
    ``reason`` among ``fields`` is logged too.
    """
    fields = {"status": to_status, **fields}
    with transaction.atomic(savepoint=False):
        if not _ours(delivery, delivery.status).update(**fields):
            return False
        DeliveryEvent.objects.create(
            delivery=delivery,
            at=at,
            from_status=delivery.status,
            to_status=to_status,
            reason=fields.get("reason", ""),
            note=note,
            actor=actor,
        )
    for name, value in fields.items():
        setattr(delivery, name, value)
    return True


def commit(delivery: Delivery, to_status: DeliveryStatus, **step: Any) -> bool:
    """Do as ``advance`` does; the change is on disk when this returns."""
    with transaction.atomic(durable=True):
        return advance(delivery, to_status, **step)


def commit_mark(delivery: Delivery, **mark: dt.datetime) -> bool:
    """Set one of the two marks around the final dot; it is on disk when this returns.

    Return False if the delivery is no longer ours.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a mark inside a transaction is not on disk yet")
    # A single statement commits itself; BEGIN and COMMIT would be two more round trips for each mark.
    return bool(_ours(delivery, DeliveryStatus.HANDING).update(**mark))


def _ours(delivery: Delivery, status: str) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, status=status, lease_epoch=delivery.lease_epoch)
