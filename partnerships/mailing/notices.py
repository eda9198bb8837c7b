"""Who can help is told when a mail did not get through: one mail for all that ended so since the last, one an hour."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.mailing import message
from partnerships.mailing.wording import one_line
from partnerships.models import Delivery, DeliveryEvent, DeliveryNotice, Milestone, ReminderItem, ReminderPlan, User
from partnerships.models.reasons import Reason
from partnerships.reminders.recipients import Directory
from partnerships.reminders.unanswered import mark_told
from partnerships.statuses import DeliveryStatus

AT_MOST_EVERY = dt.timedelta(hours=1)
BATCH = 500
SHOWN = 30
# Not claimed yet: what ends meanwhile is told by the same mail.
OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.HELD)


def report_failures(*, at: dt.datetime, batch: int = BATCH) -> int:
    """Queues notices of what ended as failed, uncertain or unconfirmed; returns how many mails that was.

    In one transaction: locks the mails nobody was told of, finds who can help, locks these people in order, adds to the
    notice that waits for each or begins one, and marks the mails as reported. What crashes leaves all of it for the
    next run; a mail is told once to each person, and a notice that does not get through makes no further notice.
    """
    with transaction.atomic():
        failed = list(_unreported().select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:batch])
        if not failed:
            return 0
        told = _who_hears_of(failed, at)
        for person in User.objects.select_for_update(no_key=True).filter(pk__in=told).order_by("pk"):
            _tell(person, told[person.pk], at)
        reached = {delivery.pk for deliveries in told.values() for delivery in deliveries}
        _record(failed, reached, at)
    return len(failed)


def _unreported() -> QuerySet[Delivery]:
    return Delivery.objects.not_through().filter(reported_at=None).exclude(kind=Delivery.Kind.NOTICE)


def _who_hears_of(failed: Sequence[Delivery], at: dt.datetime) -> dict[int, list[Delivery]]:
    """Person -> the mails they are told of. What was done meanwhile needs nobody's help."""
    plans = _plans(failed)
    directory = Directory.load([plan for found in plans.values() for plan in found], now=at)
    told: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in failed:
        helpers = [directory.helpers(plan.milestone, but=delivery.person_id) for plan in plans[delivery.pk]]
        for pk in sorted({person.pk for people in helpers for person in people}):
            told[pk].append(delivery)
    return told


def _plans(deliveries: Iterable[Delivery]) -> dict[int, list[ReminderPlan]]:
    items = ReminderItem.objects.filter(delivery__in=deliveries, cancelled_at=None).order_by("pk")
    found: dict[int, list[ReminderPlan]] = defaultdict(list)
    for item in items.select_related("plan__milestone__agreement", "plan__rule"):
        if item.plan.milestone.is_pending:
            found[item.delivery_id].append(item.plan)
    return found


def _tell(person: User, deliveries: Sequence[Delivery], at: dt.datetime) -> None:
    known = set(
        DeliveryNotice.objects.filter(person=person, delivery__in=deliveries).values_list("delivery", flat=True)
    )
    new = [delivery for delivery in deliveries if delivery.pk not in known]
    if new:
        notice = _waiting_notice(person, new[0], at)
        DeliveryNotice.objects.bulk_create(
            DeliveryNotice(delivery=delivery, person=person, notice=notice) for delivery in new
        )


def _waiting_notice(person: User, first: Delivery, at: dt.datetime) -> Delivery:
    """The notice that was not claimed yet, or a new one, due an hour after the last."""
    notices = Delivery.objects.filter(kind=Delivery.Kind.NOTICE, person=person)
    last = notices.select_for_update().order_by("-pk").first()
    if last is not None and last.status in OPEN and last.lease_epoch == 0:
        return last
    notice = Delivery.objects.create(
        person=person,
        kind=Delivery.Kind.NOTICE,
        queued_at=at,
        next_attempt_at=max(at, min(last.next_attempt_at, at) + AT_MOST_EVERY) if last else at,
        message_id=f"<notice-d{first.pk}-p{person.pk}@{settings.EMAIL_ID_DOMAIN}>",
    )
    DeliveryEvent.objects.create(delivery=notice, at=at, to_status=DeliveryStatus.QUEUED)
    return notice


def _record(failed: Sequence[Delivery], reached: set[int], at: dt.datetime) -> None:
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(
            delivery=delivery,
            at=at,
            from_status=delivery.status,
            to_status=delivery.status,
            reason=Reason.REPORTED if delivery.pk in reached else Reason.NOBODY_TO_REPORT_TO,
        )
        for delivery in failed
    )
    ids = [delivery.pk for delivery in failed]
    Delivery.objects.filter(pk__in=ids).update(reported_at=at)
    mark_told(ids)


def still_to_tell(notice: Delivery) -> bool:
    """For the claim, in its transaction: something it tells of has still not got through, and its reader can be reached.

    When they cannot be any more, what it tells of is reported anew, to whoever comes next.
    """
    told = Delivery.objects.filter(notices__notice=notice)
    if notice.person is None or not notice.person.is_reachable:
        Delivery.objects.filter(pk__in=told.values("pk")).update(reported_at=None)
        return False
    return told.not_through().exists()


def write_notice(notice: Delivery, *, at: dt.datetime) -> message.Written:
    """Who did not get what, in the server's words, and what to do; raises ``ValueError`` as ``message.write`` does."""
    reader = User.objects.get(pk=notice.person_id)
    with translation.override(reader.language):
        return message.compose(notice, "notice", _context(notice, reader), [], at=at)


def _context(notice: Delivery, reader: User) -> dict[str, Any]:
    told = (
        Delivery.objects.filter(notices__notice=notice).not_through().select_related("person", "contact").order_by("pk")
    )
    count = told.count()
    shown = list(told[:SHOWN])
    lines = _lines(shown, reader)
    return {
        "language": translation.get_language(),
        "subject": _subject(lines, count),
        "headline": _headline(count),
        "tone": "overdue",
        "lines": lines,
        "more": count - len(shown),
        "list_link": f"{settings.SITE_URL}{reverse('mail_list')}?status=waiting",
    }


def _headline(count: int) -> str:
    return ngettext("%(count)d mail did not get through", "%(count)d mails did not get through", count) % {
        "count": count
    }


def _subject(lines: Sequence[dict[str, Any]], count: int) -> str:
    if count != 1:
        return _headline(count)
    return _("Not delivered to %(person)s: %(what)s") % {
        "person": lines[0]["person"],
        "what": Truncator(lines[0]["about"][0]["title"] if lines[0]["about"] else "").chars(120),
    }


def _lines(deliveries: Sequence[Delivery], reader: User) -> list[dict[str, Any]]:
    """One for each mail; of a digest only the milestones the reader may see."""
    plans = _plans(deliveries)
    concerned = {plan.milestone_id for found in plans.values() for plan in found}
    seen = set(Milestone.objects.visible_to(reader).filter(pk__in=concerned).values_list("pk", flat=True))
    return [_line(delivery, plans[delivery.pk], seen) for delivery in deliveries]


def _line(delivery: Delivery, plans: Sequence[ReminderPlan], seen: set[int]) -> dict[str, Any]:
    milestones = {plan.milestone_id: plan.milestone for plan in plans if plan.milestone_id in seen}
    answer = " ".join(str(part) for part in (delivery.smtp_code, delivery.smtp_reply) if part)
    return {
        "person": one_line(delivery.reader.name),
        "address": one_line(delivery.address or delivery.reader.email),
        "status": delivery.get_status_display(),
        "why": delivery.reason_words,
        "answer": Truncator(one_line(answer)).chars(300),
        "what_to_do": _what_to_do(delivery),
        "about": [_about(milestone) for milestone in milestones.values()],
        "link": settings.SITE_URL + delivery.get_absolute_url(),
    }


def _about(milestone: Milestone) -> dict[str, str]:
    return {
        "title": one_line(milestone.display_title),
        "due": milestone.due_on.isoformat(),
        "link": settings.SITE_URL + milestone.get_absolute_url(),
    }


def _what_to_do(delivery: Delivery) -> str:
    name = {"person": one_line(delivery.reader.name)}
    if delivery.status == DeliveryStatus.FAILED:
        return (
            _("Tell %(person)s some other way. When the address has been corrected, the mail can be sent again.") % name
        )
    return _("Ask %(person)s whether it came. If not, it can be sent again.") % name
