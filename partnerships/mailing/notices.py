"""Notify the people who can fix a failed delivery: at most one summary per person and hour."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypedDict

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.mailing import message
from partnerships.mailing.wording import long_date, one_line
from partnerships.models import Delivery, DeliveryEvent, DeliveryNotice, Milestone, ReminderItem, ReminderPlan, User
from partnerships.models.reasons import Reason
from partnerships.reminders.recipients import Directory
from partnerships.reminders.unanswered import mark_notified
from partnerships.statuses import DeliveryStatus

AT_MOST_EVERY = dt.timedelta(hours=1)
BATCH = 500
SHOWN = 30
# A notice in one of these statuses was not claimed yet, so further failures join it.
OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.HELD)


def report_failures(*, real_now: dt.datetime, batch: int = BATCH) -> int:
    """Queue notices about mails that are failed, uncertain or unconfirmed; return how many mails were reported.

    One transaction locks the unreported mails and then the people who can help, adds to each person's open notice or
    begins one, and marks the mails as reported. A crash leaves all of it to the next run.
    """
    at = real_now
    with transaction.atomic():
        # Another report that runs now skips what we have locked.
        failed = list(_unreported().select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:batch])
        if not failed:
            return 0
        by_helper = _group_by_helper(failed, at)
        # In the order of their keys, so that two reports never wait for each other.
        for person in User.objects.select_for_update(no_key=True).filter(pk__in=by_helper).order_by("pk"):
            _notify(person, by_helper[person.pk], at)
        reached = {delivery.pk for deliveries in by_helper.values() for delivery in deliveries}
        _record(failed, reached, at)
    return len(failed)


def _unreported() -> QuerySet[Delivery]:
    # A notice that fails makes no further notice; it is listed like the rest.
    return Delivery.objects.not_through().filter(reported_at=None).exclude(kind=Delivery.Kind.NOTICE)


def _group_by_helper(failed: Sequence[Delivery], at: dt.datetime) -> dict[int, list[Delivery]]:
    """Return person id -> the mails they are notified of. Milestones closed meanwhile need no help."""
    plans = _plans(failed)
    directory = Directory.load([plan for found in plans.values() for plan in found], now=at)
    found: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in failed:
        helpers = [directory.helpers(plan.milestone, but=delivery.person_id) for plan in plans[delivery.pk]]
        for pk in sorted({person.pk for people in helpers for person in people}):
            found[pk].append(delivery)
    return found


def _plans(deliveries: Iterable[Delivery]) -> dict[int, list[ReminderPlan]]:
    items = ReminderItem.objects.filter(delivery__in=deliveries, cancelled_at=None).order_by("pk")
    found: dict[int, list[ReminderPlan]] = defaultdict(list)
    for item in items.select_related("plan__milestone__agreement", "plan__rule"):
        if item.plan.milestone.is_pending:
            found[item.delivery_id].append(item.plan)
    return found


def _notify(person: User, deliveries: Sequence[Delivery], at: dt.datetime) -> None:
    known = set(
        DeliveryNotice.objects.filter(person=person, delivery__in=deliveries).values_list("delivery", flat=True)
    )
    new = [delivery for delivery in deliveries if delivery.pk not in known]
    if new:
        notice = _open_notice(person, new[0], at)
        DeliveryNotice.objects.bulk_create(
            DeliveryNotice(delivery=delivery, person=person, notice=notice) for delivery in new
        )


def _open_notice(person: User, first: Delivery, at: dt.datetime) -> Delivery:
    """Return the notice that was not claimed yet, or a new one, due an hour after the last."""
    notices = Delivery.objects.filter(kind=Delivery.Kind.NOTICE, person=person)
    # Locked, so that no sender claims the notice while failures are added to it.
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
    mark_notified(ids)


def is_still_needed(notice: Delivery) -> bool:
    """Return whether a claimed notice goes out: one of its mails has still not got through, and its reader is reachable."""
    reported = Delivery.objects.filter(notices__notice=notice)
    if notice.person is None or not notice.person.is_reachable:
        # Reported anew, to the next person who can help.
        Delivery.objects.filter(pk__in=reported.values("pk")).update(reported_at=None)
        return False
    return reported.not_through().exists()


def write_notice(notice: Delivery, *, real_now: dt.datetime) -> message.Written:
    """Write the notice: who did not get what, the server's answer, and what to do. Raises like ``message.write``."""
    reader = User.objects.get(pk=notice.person_id)
    with translation.override(reader.language):
        return message.compose(notice, "notice", _context(notice, reader), [], real_now=real_now)


def _context(notice: Delivery, reader: User) -> dict[str, object]:
    reported = (
        Delivery.objects.filter(notices__notice=notice).not_through().select_related("person", "contact").order_by("pk")
    )
    count = reported.count()
    shown = list(reported[:SHOWN])
    lines = _lines(shown, reader)
    return {
        "language": translation.get_language(),
        "subject": _subject(lines, count),
        "headline": _headline(count),
        "lines": lines,
        "more": count - len(shown),
        "list_link": f"{settings.SITE_URL}{reverse('mail_list')}?status=waiting",
    }


def _headline(count: int) -> str:
    return ngettext("%(count)d e-mail was not delivered", "%(count)d e-mails were not delivered", count) % {
        "count": count
    }


def _subject(lines: Sequence["NoticeLine"], count: int) -> str:
    if count != 1:
        return _headline(count)
    return _("Not delivered to %(person)s: %(what)s") % {
        "person": lines[0]["person"],
        "what": Truncator(lines[0]["about"][0]["title"] if lines[0]["about"] else "").chars(120),
    }


class NoticeSubject(TypedDict):
    """A milestone that a failed mail was about."""

    title: str
    due_local: str
    link: str


class NoticeLine(TypedDict):
    """A failed mail, as its notice shows it."""

    person: str
    address: str
    status: str
    why: str
    answer: str
    what_to_do: str
    about: list[NoticeSubject]
    link: str


def _lines(deliveries: Sequence[Delivery], reader: User) -> list[NoticeLine]:
    """Return one line per mail; of a digest it names only the milestones that the reader may see."""
    plans = _plans(deliveries)
    concerned = {plan.milestone_id for found in plans.values() for plan in found}
    seen = set(Milestone.objects.visible_to(reader).filter(pk__in=concerned).values_list("pk", flat=True))
    return [_line(delivery, plans[delivery.pk], seen) for delivery in deliveries]


def _line(delivery: Delivery, plans: Sequence[ReminderPlan], seen: set[int]) -> NoticeLine:
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


def _about(milestone: Milestone) -> NoticeSubject:
    return {
        "title": one_line(milestone.display_title),
        "due_local": long_date(milestone.due_on),
        "link": settings.SITE_URL + milestone.get_absolute_url(),
    }


def _what_to_do(delivery: Delivery) -> str:
    name = {"person": one_line(delivery.reader.name)}
    if delivery.status == DeliveryStatus.FAILED:
        return _("Tell %(person)s another way. Once the address is corrected, the mail can be sent again.") % name
    return _("Ask %(person)s whether it came. If not, it can be sent again.") % name
