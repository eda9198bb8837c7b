"""Send a mail once more, which a person decides and the pipeline never does."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from partnerships import wake_up
from partnerships.exceptions import TransitionRefused
from partnerships.mailing.delivery_writes import advance
from partnerships.mailing.envelopes import message_id
from partnerships.mailing.month import month_message_id
from partnerships.models import Delivery, DeliveryEvent, ReminderItem, User
from partnerships.models.reasons import Reason
from partnerships.permissions import require
from partnerships.statuses import DeliveryStatus


def send_again(delivery: Delivery, *, actor: User | None, now: dt.datetime) -> Delivery:
    """Queue the reminders of a mail that failed or is uncertain in a new delivery, and return it.

    The old items and the old delivery are closed with the actor's name; the new delivery has the next generation of the
    items, and a digest stays the digest of its day. A month by mail is written anew. Raises ``NotAllowed`` or ``TransitionRefused``.
    """
    with transaction.atomic():
        old = Delivery.objects.select_for_update().get(pk=delivery.pk)
        require(actor, "delivery.resend", old)
        # Asked under the lock: of two clicks the second finds the mail cancelled.
        if not Delivery.objects.not_through().filter(pk=old.pk).exists():
            raise TransitionRefused(_("This mail is not listed as failed or uncertain any more."))
        items = list(old.items.filter(cancelled_at=None).select_related("plan").order_by("pk"))
        if not items and old.kind != Delivery.Kind.MONTH:
            raise TransitionRefused(_("Nothing in this mail is due to this person any more."))
        old.items.filter(cancelled_at=None).update(cancelled_at=now, cancel_reason=Reason.SENT_AGAIN)
        # The lock on the person keeps others from beginning a digest for this day while it has none.
        list(User.objects.select_for_update(no_key=True).filter(pk=old.person_id).values_list("pk"))
        advance(old, DeliveryStatus.CANCELLED, at=now, actor=actor, reason=Reason.SENT_AGAIN)
        wake_up.wake_after_commit()
        return _next_generation(old, items, actor, now)


def _next_generation(old: Delivery, items: list[ReminderItem], actor: User | None, now: dt.datetime) -> Delivery:
    new = Delivery.objects.create(
        person_id=old.person_id,
        contact_id=old.contact_id,
        kind=old.kind,
        digest_on=old.digest_on,
        month_on=old.month_on,
        queued_at=now,
        next_attempt_at=now,
        due_on=old.due_on,
        message_id=_next_id(old, items),
    )
    ReminderItem.objects.bulk_create(
        ReminderItem(
            plan=item.plan,
            person_id=old.person_id,
            contact_id=old.contact_id,
            generation=item.generation + 1,
            delivery=new,
            why=item.why,
        )
        for item in items
    )
    DeliveryEvent.objects.create(delivery=new, at=now, to_status=DeliveryStatus.QUEUED, actor=actor)
    return new


def _next_id(old: Delivery, items: list[ReminderItem]) -> str:
    if old.month_on is not None and old.person_id is not None:
        before = Delivery.objects.filter(kind=old.kind, person=old.person_id, month_on=old.month_on).count()
        return month_message_id(old.person_id, old.month_on, before + 1)
    return message_id(items[0].plan, old.reader_code, items[0].generation + 1)
