"""The writes of a hand-over: find and lock the next delivery, move it on with its event, set the marks.

Each write is a conditional update that names the status and the epoch it expects. A process that slept through its
lease updates no row, and learns that the delivery is no longer its own.
"""

import datetime as dt
from typing import TypedDict, Unpack

from django.db import connection, transaction
from django.db.models import Exists, Q, QuerySet

from partnerships.mailing.expand import due_plans
from partnerships.models import Delivery, DeliveryEvent, MailHold, User
from partnerships.statuses import WAITING_DELIVERIES, DeliveryStatus

SOONEST_FIRST = ("due_on", "next_attempt_at", "pk")


class DeliveryFields(TypedDict, total=False):
    """The columns of a delivery that its sender writes."""

    reason: str
    attempts: int
    next_attempt_at: dt.datetime
    lease_until: dt.datetime
    lease_owner: str
    lease_epoch: int
    dot_due_at: dt.datetime | None
    dot_sent_at: dt.datetime | None
    handed_at: dt.datetime
    address: str
    subject: str
    message: bytes
    sender_deaths: int
    interruptions: int
    breaks: int
    is_repeat: bool
    sent_at: dt.datetime
    smtp_code: int | None
    smtp_reply: str


def due_deliveries(due_at: dt.datetime) -> QuerySet[Delivery]:
    """Return the deliveries that may be claimed; none while sending is paused."""
    # In the same statement as the deliveries, so that no pause begins between the two questions.
    due = Delivery.objects.filter(
        ~Exists(MailHold.objects.active()), status__in=WAITING_DELIVERIES, next_attempt_at__lte=due_at
    )
    # A digest waits until all due plans have been made into items, so that it holds them all.
    unexpired = due_plans(due_at).filter(expires_at__gt=due_at)
    return due.filter(~Q(kind=Delivery.Kind.DIGEST) | ~Exists(unexpired))


def has_due(due_at: dt.datetime) -> bool:
    return due_deliveries(due_at).exists()


def lock_next(due_at: dt.datetime) -> Delivery | None:
    """Lock and return the due delivery with the soonest due date; skip what others have locked."""
    due = due_deliveries(due_at).order_by(*SOONEST_FIRST)
    return due.select_for_update(skip_locked=True, of=("self",)).first()


def advance(
    delivery: Delivery,
    to_status: DeliveryStatus,
    *,
    at: dt.datetime,
    note: str = "",
    actor: User | None = None,
    **fields: Unpack[DeliveryFields],
) -> bool:
    """Move the delivery on from the status and epoch we know it by, and log it; return False if it is no longer ours.

    Both rows are written or neither. ``delivery`` itself gets the new values. ``note`` is what the mail server said; a
    ``reason`` among ``fields`` is logged too.
    """
    # Joins the caller's transaction without a savepoint, which would be two more statements.
    with transaction.atomic(savepoint=False):
        if not _ours(delivery, delivery.status).update(status=to_status, **fields):
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
    delivery.status = to_status
    for name, value in fields.items():
        setattr(delivery, name, value)
    return True


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
