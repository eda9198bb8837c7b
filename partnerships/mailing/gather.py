"""After days without a mail server: a person's queued single mails go out in one digest."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from partnerships.mailing.envelopes import CATCH_UP_AFTER, Item, pack_in_digests
from partnerships.mailing.expand import write
from partnerships.models import Delivery, DeliveryEvent, ReminderItem, ReminderPlan
from partnerships.models.reasons import Reason
from partnerships.reminders.clock import Clock
from partnerships.reminders.recipients import Recipient
from partnerships.statuses import DeliveryStatus

PEOPLE_AT_ONCE = 50
SINGLE = Q(kind=Delivery.Kind.SINGLE)


def gather_late(clock: Clock, *, people: int = PEOPLE_AT_ONCE) -> int:
    """Put the single mails of people who have several queued, one for more than a day, into the day's digest.

    One transaction for up to ``people`` of them: each reminder is closed where it was and made anew in the digest, one
    generation on; the old delivery is cancelled with that reason. Returns how many mails became part of a digest.
    """
    with transaction.atomic():
        clock = clock.stopped()
        items = _items_of(_locked_singles(_waiting_readers(clock.real_now, people)))
        if items:
            write(pack_in_digests([_anew(item) for item in items], clock), real_now=clock.real_now)
            _close(items, clock.real_now)
    return len({item.delivery_id for item in items})


def _unwritten() -> QuerySet[Delivery]:
    """Mails that were never handed to the server. One that was must be repeated byte for byte, so it is not merged."""
    waiting = Delivery.objects.filter(status=DeliveryStatus.QUEUED, message=None, person__isnull=False)
    return waiting.filter(kind__in=Delivery.OF_REMINDERS)


def _waiting_readers(real_now: dt.datetime, people: int) -> list[int]:
    """Return people with a late single mail and at least one more mail, which may be a digest."""
    late = Count("pk", filter=SINGLE & Q(queued_at__lte=real_now - CATCH_UP_AFTER))
    counted = _unwritten().order_by().values("person").annotate(mails=Count("pk"), late=late)
    rows = counted.filter(mails__gt=1, late__gt=0).order_by("person")
    return list(rows.values_list("person", flat=True)[:people])


def _locked_singles(people: Collection[int]) -> list[int]:
    # A mail that a sender or another run has locked is skipped and goes as it is.
    singles = _unwritten().filter(SINGLE, person__in=people).select_for_update(skip_locked=True, of=("self",))
    return list(singles.order_by("pk").values_list("pk", flat=True))


def _items_of(deliveries: Collection[int]) -> list[ReminderItem]:
    """Return the reminders in those of ``deliveries`` all of whose plans we could lock."""
    valid = ReminderItem.objects.filter(delivery__in=deliveries, cancelled_at=None).order_by("pk")
    items = list(valid.select_related("plan__milestone", "plan__rule", "person"))
    # Locked now: an expansion that has one of the plans may wait for a person whom we lock next, while our new items
    # would wait for that plan.
    plans = ReminderPlan.objects.filter(pk__in={item.plan_id for item in items}).order_by("pk")
    ours = set(plans.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
    of_delivery: dict[int, list[ReminderItem]] = defaultdict(list)
    for item in items:
        of_delivery[item.delivery_id].append(item)
    return [item for found in of_delivery.values() if {one.plan_id for one in found} <= ours for item in found]


def _anew(item: ReminderItem) -> Item:
    return Item(item.plan, Recipient(item.reader, ReminderItem.Why(item.why)), item.generation + 1)


def _close(items: Collection[ReminderItem], at: dt.datetime) -> None:
    reason = Reason.GATHERED
    ReminderItem.objects.filter(pk__in=[item.pk for item in items]).update(cancelled_at=at, cancel_reason=reason)
    deliveries = sorted({item.delivery_id for item in items})
    Delivery.objects.filter(pk__in=deliveries).update(status=DeliveryStatus.CANCELLED, reason=reason)
    step = {"at": at, "from_status": DeliveryStatus.QUEUED, "to_status": DeliveryStatus.CANCELLED, "reason": reason}
    DeliveryEvent.objects.bulk_create(DeliveryEvent(delivery_id=pk, **step) for pk in deliveries)
