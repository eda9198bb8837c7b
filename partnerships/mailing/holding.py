"""Hold mails until somebody releases them: all mail during a pause, and the mails of an act that makes too many.

A released mail is checked again when it is claimed, like every other, and goes out once.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from partnerships.exceptions import TransitionRefused
from partnerships.models import (
    ComponentHeartbeat,
    Delivery,
    DeliveryEvent,
    MailHold,
    ReminderMark,
    ReminderPlan,
    User,
)
from partnerships.models.reasons import Reason
from partnerships.permissions import may, require
from partnerships.reminders.unanswered import mark_notified
from partnerships.statuses import WAITING_DELIVERIES, DeliveryStatus, PlanStatus

BATCH = 500
BECAUSE = {MailHold.Cause.BY_HAND: Reason.HELD_BY_HAND, MailHold.Cause.RESTORE: Reason.HELD_SINCE_RESTORE}


def reason_of_pause() -> str:
    """Return why new mails are held while sending is paused; "" while it is not."""
    hold = MailHold.objects.active().first()
    return BECAUSE[MailHold.Cause(hold.cause)] if hold else ""


def has_held_mails(act: str) -> bool:
    """Return whether mails of the act wait for their release, because it made too many."""
    held = Delivery.objects.held().filter(reason=Reason.TOO_MANY_AT_ONCE)
    return held.filter(items__plan__act=act).exists()


def hold(delivery: Delivery, reason: str, at: dt.datetime) -> None:
    """Hold a delivery that is not saved yet."""
    delivery.status, delivery.reason, delivery.held_at = DeliveryStatus.HELD, reason, at


def hold_all(*, actor: User | None, note: str, now: dt.datetime) -> MailHold:
    """Pause sending: no mail is claimed from now on, and queued mails are held in the same transaction.

    A mail that is being handed over at this moment still goes. Raises ``NotAllowed`` or ``TransitionRefused``.
    """
    require(actor, "mail_hold.edit")
    try:
        with transaction.atomic():
            hold = MailHold.objects.create(note=note, since=now, by=actor)
            _hold_all_queued(Reason.HELD_BY_HAND, at=now, actor=actor)
    except IntegrityError as error:  # a constraint allows one active pause, so the second click ends here
        raise TransitionRefused(_("Sending is paused already.")) from error
    return hold


def hold_queued(*, real_now: dt.datetime) -> int:
    """During a pause, hold the mails that came back to the queue since it began; return how many."""
    hold = MailHold.objects.active().first()
    if hold is None:
        return 0
    with transaction.atomic():
        return _hold_all_queued(BECAUSE[MailHold.Cause(hold.cause)], at=real_now, actor=None)


def _hold_all_queued(reason: str, *, at: dt.datetime, actor: User | None) -> int:
    """Hold all queued mails, within the caller's transaction; skip those that are being claimed at this moment."""
    # A mail that is locked is being claimed. If it comes back to the queue, the next run holds it.
    queued = Delivery.objects.select_for_update(skip_locked=True).filter(status__in=WAITING_DELIVERIES).order_by("pk")
    rows = list(queued.values_list("pk", "status"))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        Delivery.objects.filter(pk__in=[pk for pk, _status in batch]).update(
            status=DeliveryStatus.HELD, reason=reason, held_at=at
        )
        _log(batch, DeliveryStatus.HELD, at=at, actor=actor, reason=reason)
        mark_notified([pk for pk, _status in batch])
    return len(rows)


def _log(
    rows: Iterable[tuple[int, str]], to_status: DeliveryStatus, *, at: dt.datetime, actor: User | None, reason: str = ""
) -> None:
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(delivery_id=pk, at=at, from_status=status, to_status=to_status, reason=reason, actor=actor)
        for pk, status in rows
    )


def lift_hold(hold: MailHold, *, actor: User | None, now: dt.datetime) -> None:
    """Resume sending: new mail goes out again, held mail stays held until somebody releases it.

    After a restore this is refused until all older due plans have been made into held mail, because the lost site may
    have sent these already. Raises ``NotAllowed`` or ``TransitionRefused``.
    """
    require(actor, "mail_hold.edit")
    with transaction.atomic():
        current = MailHold.objects.select_for_update().get(pk=hold.pk)
        if not current.is_active:
            raise TransitionRefused(_("Sending is resumed already."))
        if current.cause == MailHold.Cause.RESTORE:
            _refuse_before_restore_is_done(current, now)
        # The last moment at which mails of the pause can be held: the next statement lets new ones go.
        _hold_all_queued(BECAUSE[MailHold.Cause(current.cause)], at=now, actor=actor)
        current.is_active, current.lifted_at, current.lifted_by = False, now, actor
        current.save()


def _refuse_before_restore_is_done(hold: MailHold, now: dt.datetime) -> None:
    # Plans that are due are not all: edits of which the backup had only the mark make plans first.
    ran = ComponentHeartbeat.objects.filter(name="reminders", at__gt=hold.since, at__lte=now).exists()
    due = ReminderPlan.objects.filter(status=PlanStatus.PLANNED, next_attempt_at__lte=hold.since)
    marked = ReminderMark.objects.filter(pk__lte=hold.last_mark)
    if not ran or due.exists() or marked.exists():
        raise TransitionRefused(
            _(
                "What was due before the restore is still being made into held mail, so that none of it is sent twice. "
                "That takes a run or more, and there is one every minute while the worker is up; try again then."
            )
        )


def release(delivery: Delivery, *, actor: User | None, now: dt.datetime) -> None:
    """Release one held mail; its claim checks each reminder again. Raises ``NotAllowed`` or ``TransitionRefused``."""
    with transaction.atomic():
        _refuse_during_pause()
        current = Delivery.objects.select_for_update().get(pk=delivery.pk)
        require(actor, "delivery.release", current)
        if current.status != DeliveryStatus.HELD:
            raise TransitionRefused(_("This mail is not held any more."))
        _queue_again([current], actor=actor, now=now)


@dataclass
class ReleaseResult:
    """Counts of released mails, of those ``kept`` for lack of permission, and of those ``changed`` since they were shown."""

    count: int = 0
    kept: int = 0
    changed: int = 0


def release_many(deliveries: QuerySet[Delivery], *, actor: User, now: dt.datetime) -> ReleaseResult:
    """Release the held ``deliveries`` that ``actor`` may release; raises ``TransitionRefused``.

    Each batch is a transaction. Somebody who releases the same mails at once finds them released, so none goes twice.
    """
    done = ReleaseResult()
    last = 0
    while True:
        with transaction.atomic():
            _refuse_during_pause()
            # Asked again under the lock. ``pk__gt`` passes over the mails that this person may not release.
            held = Delivery.objects.held().filter(pk__in=deliveries.order_by().values("pk"), pk__gt=last)
            batch = list(held.select_for_update().order_by("pk")[:BATCH])
            if not batch:
                return done
            last = batch[-1].pk
            released = [delivery for delivery in batch if may(actor, "delivery.release", delivery)]
            _queue_again(released, actor=actor, now=now)
            done.count += len(released)
            done.kept += len(batch) - len(released)


def _refuse_during_pause() -> None:
    if MailHold.objects.active().exists():
        raise TransitionRefused(_("Sending is paused: resume it first, then release what should go out."))


def _queue_again(deliveries: list[Delivery], *, actor: User | None, now: dt.datetime) -> None:
    """Queue held mails again; the five days of trying begin anew."""
    fresh = [delivery for delivery in deliveries if not delivery.attempts]
    tried = [delivery for delivery in deliveries if delivery.attempts]
    for status, mails in ((DeliveryStatus.QUEUED, fresh), (DeliveryStatus.RETRY, tried)):
        rows = [(delivery.pk, delivery.status) for delivery in mails]
        ids = [pk for pk, _status in rows]
        Delivery.objects.filter(pk__in=ids).update(status=status, reason="", queued_at=now)
        _log(rows, status, at=now, actor=actor)
        mark_notified(ids)
    _end_acts([delivery.pk for delivery in deliveries if delivery.reason == Reason.TOO_MANY_AT_ONCE])


def _end_acts(released: list[int]) -> None:
    """End the acts whose last held mail was released, so that their later mails are ordinary mail."""
    plans = ReminderPlan.objects.filter(items__delivery__in=released).exclude(act="")
    for act in set(plans.values_list("act", flat=True)):
        if not has_held_mails(act):
            ReminderPlan.objects.filter(act=act, status=PlanStatus.PLANNED).update(act="")


@dataclass(frozen=True)
class HeldCount:
    """The held mails of a list; ``maybe_sent`` of them were due before the last restore."""

    total: int
    maybe_sent: int
    restored_at: dt.datetime | None


def count_held(deliveries: QuerySet[Delivery]) -> HeldCount:
    """Count the held mails among ``deliveries``; two queries."""
    restore = MailHold.objects.filter(cause=MailHold.Cause.RESTORE).order_by("-since").first()
    held = deliveries.filter(status=DeliveryStatus.HELD).order_by()
    if restore is None:
        return HeldCount(held.count(), 0, None)
    counted = held.aggregate(total=Count("pk"), before=Count("pk", filter=Q(next_attempt_at__lte=restore.since)))
    return HeldCount(counted["total"], counted["before"], restore.since)
