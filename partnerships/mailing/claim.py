"""One delivery is taken by one process: a lease with an epoch, and a second look at what the mail says.

Whoever writes about a delivery afterwards does so by a conditional update that names the epoch of its claim: a process
that slept through its lease finds that it may no longer write.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from partnerships.mailing.delivery_writes import advance, due_deliveries, lock_next
from partnerships.mailing.expand import Clock, is_current
from partnerships.mailing.lease import LEASE, is_of_this_boot, lease_owner
from partnerships.mailing.notices import still_to_tell
from partnerships.mailing.relay import is_rate_reached
from partnerships.models import Delivery, ReminderItem, ReminderMark, ReminderPlan
from partnerships.models.reasons import Reason
from partnerships.reminders.recipients import Directory
from partnerships.reminders.reconcile import closing
from partnerships.reminders.rule_set import RuleSet
from partnerships.reminders.unanswered import signs_for
from partnerships.statuses import DeliveryStatus, PlanStatus

DEATHS_AT_MOST = 3


@dataclass(frozen=True)
class Claim:
    """A delivery that is ours until its lease ends, with its current items; cancelled if none is current."""

    delivery: Delivery
    items: list[ReminderItem]


def has_due(*, now: dt.datetime) -> bool:
    return due_deliveries(now).exists()


def claim_next(*, now: dt.datetime, clock: Clock) -> Claim | None:
    """Of what is due, the delivery with the soonest date, or None; what is locked by others is passed over.

    Return None as well when the minute's rate is reached.

    The lock alone would do on PostgreSQL, and the serialised transactions on SQLite; the conditional update makes
    both the same and counts the epoch.
    """
    with transaction.atomic(durable=True):
        if is_rate_reached(clock()):
            return None
        delivery = lock_next(now)
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
            dot_due_at=None,
            dot_sent_at=None,
        )
        return _check_again(delivery, at) if is_ours else None


def _check_again(delivery: Delivery, at: dt.datetime) -> Claim:
    """Cancels the items that no longer hold, and the delivery when none is left.

    An item for the wrong person sends its plan back to the due ones, where the right person gets an item. A notice
    has no items; it holds as long as something it tells of has not got through.
    """
    if delivery.kind == Delivery.Kind.NOTICE:
        if not still_to_tell(delivery):
            _cancel_empty(delivery, at)
        return Claim(delivery, [])
    items = list(_living_items(delivery))
    check = _ItemCheck.load(items, at)
    kept = [item for item in items if check.keeps(item)]
    if len(kept) < len(items):
        delivery.message = None  # it spoke of more than what is left
        Delivery.objects.filter(pk=delivery.pk).update(message=None)
    if not kept:
        _cancel_empty(delivery, at)
    elif delivery.person_id is not None:
        delivery.person = check.directory.people[delivery.person_id]  # the check has read its reader already
    return Claim(delivery, kept)


def _living_items(delivery: Delivery) -> QuerySet[ReminderItem]:
    return (
        ReminderItem.objects.filter(delivery=delivery, cancelled_at=None)
        .select_related("plan__rule", "plan__milestone__agreement", "plan__milestone__unit", "plan__milestone__owner")
        .select_related("plan__unanswered_by", "plan__milestone__agreement__coordinator")
        .select_related("plan__milestone__unit__fallback_person")
        .order_by("pk")
    )


def _cancel_empty(delivery: Delivery, at: dt.datetime) -> None:
    advance(delivery, DeliveryStatus.CANCELLED, at=at, reason=Reason.NOTHING_LEFT)


@dataclass(frozen=True)
class _ItemCheck:
    """Decides which items of a claimed delivery still go out, from rows read in the transaction of the claim."""

    rule_set: RuleSet
    directory: Directory
    signs: Mapping[int, dt.datetime]
    at: dt.datetime

    @classmethod
    def load(cls, items: Iterable[ReminderItem], at: dt.datetime) -> Self:
        plans = [item.plan for item in items]
        rule_set = RuleSet.load()
        return cls(rule_set, Directory.load(plans, now=at, units=rule_set.units), signs_for(plans), at)

    def keeps(self, item: ReminderItem) -> bool:
        """Return whether the item still holds; if not, cancel it and close its plan or make it due again."""
        plan = item.plan
        if not is_current(self.rule_set, plan, self.signs, self.at):
            status, reason = closing(self.rule_set, plan.milestone, plan)
            _cancel(item, reason, self.at)
            _close_unless_sent(plan, status, reason)
            # An edit that made it current again may have been reconciled since we read the milestone, before this
            # commits; the mark has it looked at once more.
            ReminderMark.objects.create(milestone=plan.milestone)
            return False
        if item.reader_code in {recipient.code for recipient in self.directory.recipients(plan)}:
            return True
        _cancel(item, Reason.WRONG_PERSON, self.at)
        ReminderPlan.objects.filter(pk=plan.pk).update(status=PlanStatus.PLANNED, next_attempt_at=self.at)
        return False


def _cancel(item: ReminderItem, reason: str, at: dt.datetime) -> None:
    ReminderItem.objects.filter(pk=item.pk).update(cancelled_at=at, cancel_reason=reason)


def _close_unless_sent(plan: ReminderPlan, status: PlanStatus, reason: str) -> None:
    """A plan none of whose items went out was not made into mail after all: it may come back (date moved back)."""
    if not plan.items.filter(cancelled_at=None).exists():
        ReminderPlan.objects.filter(pk=plan.pk, status=PlanStatus.EXPANDED).update(status=status, reason=reason)


def rescue(*, clock: Clock) -> int:
    """Takes back what a process that ended left behind; returns how many deliveries.

    | it was left                      | the server                | so it is                                    |
    |----------------------------------|---------------------------|---------------------------------------------|
    | claimed, or handing without mark | has nothing               | queued again, behind what is due; no attempt counted; failed at the third time |
    | before the dot, not after it     | may have it               | uncertain                                   |
    | after the dot, on this boot      | had all of it on its way  | unconfirmed                                 |
    | after the dot, on another        | may have it               | uncertain                                   |
    """
    at = clock()
    with transaction.atomic(durable=True):
        leased = Delivery.objects.filter(status__in=(DeliveryStatus.CLAIMED, DeliveryStatus.HANDING))
        # A lease that ends later than any taken now was taken while the clock was wrong.
        left = leased.exclude(lease_until__range=(at, at + 2 * LEASE))
        deliveries = left.select_for_update(skip_locked=True).order_by("lease_until", "pk")[:100]
        return sum(_take_back(delivery, at) for delivery in deliveries)


def _take_back(delivery: Delivery, at: dt.datetime) -> bool:
    if delivery.status == DeliveryStatus.HANDING and delivery.dot_due_at is not None:
        return _settle(delivery, at)
    deaths = delivery.sender_deaths + 1
    if deaths >= DEATHS_AT_MOST:
        reason = Reason.PROCESS_ENDED_OFTEN  # it may be this mail that ends them
        return advance(delivery, DeliveryStatus.FAILED, at=at, reason=reason, sender_deaths=deaths)
    return put_back(delivery, Reason.PROCESS_ENDED_EARLY, at=at, next_attempt_at=at, sender_deaths=deaths)


def _settle(delivery: Delivery, at: dt.datetime) -> bool:
    """One whose final dot may have been written, or was."""
    if delivery.dot_sent_at is not None and is_of_this_boot(delivery.lease_owner):
        reason = Reason.UNCONFIRMED
        return advance(delivery, DeliveryStatus.UNCONFIRMED, at=at, reason=reason)
    if may_repeat(delivery):
        return put_back(delivery, Reason.SENT_ONCE_MORE, at=at, next_attempt_at=at, is_repeat=True)
    reason = Reason.OUTCOME_UNKNOWN
    return advance(delivery, DeliveryStatus.UNCERTAIN, at=at, reason=reason)


def may_repeat(delivery: Delivery) -> bool:
    """What became of it is unknown, the site prefers twice to never, and it was not repeated yet."""
    return settings.REMINDERS_UNCERTAIN == "resend" and not delivery.is_repeat


def put_back(delivery: Delivery, reason: Reason, *, at: dt.datetime, note: str = "", **fields: Any) -> bool:
    """Return the delivery to the queue: no attempt is counted, and it is due as before unless ``fields`` differ."""
    waiting = DeliveryStatus.RETRY if delivery.attempts else DeliveryStatus.QUEUED
    return advance(delivery, waiting, at=at, note=note, reason=reason, **fields)
