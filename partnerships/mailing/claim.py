"""Claim a delivery for one process, check it again, and take back what ended processes had claimed.

A claim is a lease with an epoch. Every later write about the delivery is a conditional update that names the epoch, so
a process that slept through its lease finds that it may no longer write.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, Unpack

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from partnerships.mailing.delivery_writes import DeliveryFields, advance, lock_next
from partnerships.mailing.dot_journal import DotStage, stage_of
from partnerships.mailing.expand import is_current
from partnerships.mailing.lease import LEASE, is_of_this_boot, lease_owner
from partnerships.mailing.month import is_still_wanted
from partnerships.mailing.notices import is_still_needed
from partnerships.mailing.relay import is_rate_reached
from partnerships.models import Delivery, ReminderItem, ReminderMark, ReminderPlan
from partnerships.models.reasons import Reason
from partnerships.reminders.clock import Clock
from partnerships.reminders.recipients import Directory
from partnerships.reminders.reconcile import closing
from partnerships.reminders.rule_set import RuleSet
from partnerships.reminders.unanswered import activity_since_reminders
from partnerships.statuses import DeliveryStatus, PlanStatus

DEATHS_AT_MOST = 3


@dataclass(frozen=True)
class Claim:
    """A delivery that is ours until its lease ends, and its current items; it is cancelled if none is current."""

    delivery: Delivery
    items: list[ReminderItem]


def claim_next(clock: Clock) -> Claim | None:
    """Claim the due delivery with the soonest due date; None if there is none, or the minute's rate is reached.

    Deliveries that others have locked are skipped.
    """
    with transaction.atomic(durable=True):
        if is_rate_reached(clock.real_now):
            return None
        delivery = lock_next(clock.due_at)
        if delivery is None:
            return None
        at = clock.real_now
        # A row lock on PostgreSQL, and serialized transactions on SQLite, make us the only one here already. The
        # conditional update works alike on both, and counts the epoch.
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
    """Cancel the items that are no longer current, and the delivery if none is left.

    Part of the claim's transaction, so nothing is sent by what was true earlier. The plan of an item for the wrong person
    becomes due again, and the right person gets a new item. A notice and a month by mail have no items.
    """
    if delivery.kind not in Delivery.OF_REMINDERS:
        is_needed = is_still_needed if delivery.kind == Delivery.Kind.NOTICE else is_still_wanted
        if not is_needed(delivery):
            _cancel_empty(delivery, at)
        return Claim(delivery, [])
    items = list(_items_with_context(delivery))
    check = _ItemCheck.load(items, at)
    kept = [item for item in items if check.keeps(item)]
    if len(kept) < len(items):
        delivery.message = None  # a mail written earlier names more than what is left
        Delivery.objects.filter(pk=delivery.pk).update(message=None)
    if not kept:
        # Still in the claim's transaction, so nobody sees it claimed and empty.
        _cancel_empty(delivery, at)
    elif delivery.person_id is not None:
        delivery.person = check.directory.people[delivery.person_id]  # the check has just read its reader
    return Claim(delivery, kept)


def _items_with_context(delivery: Delivery) -> QuerySet[ReminderItem]:
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
    """Decides which items of a claimed delivery still go out."""

    rule_set: RuleSet
    directory: Directory
    activity: Mapping[int, dt.datetime]
    at: dt.datetime

    @classmethod
    def load(cls, items: Iterable[ReminderItem], at: dt.datetime) -> Self:
        plans = [item.plan for item in items]
        rule_set = RuleSet.load()
        directory = Directory.load(plans, now=at, units=rule_set.units)
        return cls(rule_set, directory, activity_since_reminders(plans), at)

    def keeps(self, item: ReminderItem) -> bool:
        """Return whether the item still goes out; if not, cancel it and close its plan or make it due again."""
        plan = item.plan
        if not is_current(self.rule_set, plan, self.activity, self.at):
            status, reason = closing(self.rule_set, plan.milestone, plan)
            _cancel(item, reason, self.at)
            _close_unless_sent(plan, status, reason)
            # An edit that makes it current again may have been reconciled since we read the milestone, before this
            # commits. The mark has it reconciled once more.
            ReminderMark.objects.create(milestone=plan.milestone)
            return False
        recipient = next((one for one in self.directory.recipients(plan) if one.code == item.reader_code), None)
        if recipient is not None and not recipient.declines_mail:
            return True
        _cancel(item, Reason.CONTACT_STOPPED_MAIL if recipient else Reason.WRONG_PERSON, self.at)
        ReminderPlan.objects.filter(pk=plan.pk).update(status=PlanStatus.PLANNED, next_attempt_at=self.at)
        return False


def _cancel(item: ReminderItem, reason: str, at: dt.datetime) -> None:
    ReminderItem.objects.filter(pk=item.pk).update(cancelled_at=at, cancel_reason=reason)


def _close_unless_sent(plan: ReminderPlan, status: PlanStatus, reason: str) -> None:
    """Close a plan of which no reminder went out, so that it can come back when the date is moved back."""
    if not plan.items.filter(cancelled_at=None).exists():
        ReminderPlan.objects.filter(pk=plan.pk, status=PlanStatus.EXPANDED).update(status=status, reason=reason)


def rescue(*, real_now: dt.datetime) -> int:
    """Take back what ended processes left behind; return how many deliveries.

    | left as                              | the mail server  | becomes                                          |
    |--------------------------------------|------------------|--------------------------------------------------|
    | claimed, or handing without mark     | has nothing      | queued, behind what is due; the third time failed |
    | marked before the dot                | may have it      | uncertain                                        |
    | ... and noted before it, process dead | has nothing      | queued, as without mark                          |
    | ... and noted after it, this boot    | was sent all     | unconfirmed                                      |
    | marked after the dot, this boot      | was sent all     | unconfirmed                                      |
    | marked after the dot, other boot     | may have it      | uncertain                                        |
    """
    with transaction.atomic(durable=True):
        leased = Delivery.objects.filter(status__in=(DeliveryStatus.CLAIMED, DeliveryStatus.HANDING))
        # A lease that ends later than any taken now was taken while the clock was wrong.
        left = leased.exclude(lease_until__range=(real_now, real_now + 2 * LEASE))
        deliveries = left.select_for_update(skip_locked=True).order_by("lease_until", "pk")[:100]
        return sum(_take_back(delivery, real_now) for delivery in deliveries)


def _take_back(delivery: Delivery, at: dt.datetime) -> bool:
    if delivery.status == DeliveryStatus.HANDING and delivery.dot_due_at is not None:
        stage = DotStage.WRITTEN if delivery.dot_sent_at is not None else stage_of(delivery)
        if stage != DotStage.BEFORE:
            return _settle(delivery, at, was_sent=stage == DotStage.WRITTEN)
    deaths = delivery.sender_deaths + 1
    if deaths >= DEATHS_AT_MOST:
        reason = Reason.PROCESS_ENDED_OFTEN  # the mail itself may end the processes
        return advance(delivery, DeliveryStatus.FAILED, at=at, reason=reason, sender_deaths=deaths)
    return put_back(delivery, reason=Reason.PROCESS_ENDED_EARLY, at=at, next_attempt_at=at, sender_deaths=deaths)


def _settle(delivery: Delivery, at: dt.datetime, *, was_sent: bool) -> bool:
    """Decide about a delivery whose final dot may have been written, or was."""
    if was_sent and is_of_this_boot(delivery.lease_owner):
        reason = Reason.UNCONFIRMED
        return advance(delivery, DeliveryStatus.UNCONFIRMED, at=at, reason=reason)
    if may_repeat(delivery):
        return put_back(delivery, reason=Reason.SENT_ONCE_MORE, at=at, next_attempt_at=at, is_repeat=True)
    reason = Reason.OUTCOME_UNKNOWN
    return advance(delivery, DeliveryStatus.UNCERTAIN, at=at, reason=reason)


def may_repeat(delivery: Delivery) -> bool:
    """Return whether a mail of unknown outcome is sent once more: the site is set to it, and it was not done yet."""
    return settings.REMINDERS_UNCERTAIN == "resend" and not delivery.is_repeat


def put_back(delivery: Delivery, *, at: dt.datetime, note: str = "", **fields: Unpack[DeliveryFields]) -> bool:
    """Return the delivery to the queue: no attempt is counted, and it is due as before unless ``fields`` differ."""
    waiting = DeliveryStatus.RETRY if delivery.attempts else DeliveryStatus.QUEUED
    return advance(delivery, waiting, at=at, note=note, **fields)
