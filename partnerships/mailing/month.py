"""The month by mail: on the first of each month, how cooperation goes, for people who asked for it."""

import datetime as dt
from functools import reduce
from operator import or_
from typing import TypedDict

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from partnerships.mailing import message
from partnerships.mailing.month_charts import month_charts
from partnerships.mailing.partners import load_targets, partners_of
from partnerships.mailing.wording import long_date, one_line, tone, when_words
from partnerships.models import Delivery, DeliveryEvent, Milestone, User, hide_unseen
from partnerships.models.office_day import zone_named
from partnerships.reports.chart_tables import key_figure_name
from partnerships.reports.drawing import grouped
from partnerships.reports.headline import headline
from partnerships.reports.overview import overview
from partnerships.reports.overview_figures import FigureScope, KeyFigure, Overview, ReportPeriod
from partnerships.statuses import DeliveryStatus

# The tasks of the reader in the mail; My work has the others.
TASKS_AT_MOST = 8


def queue_months(*, real_now: dt.datetime) -> int:
    """Queue the mail of the last month for people who want it and have not had it; return how many.

    It is due on the first of the month at the hour that the person chose, in their time zone. Who asks for it later has
    that of the last month at once. The lock on the people keeps two runs from queuing it twice; a constraint does, too.
    """
    # The month that ended last differs between time zones for a day, so both are asked about.
    months = {_last_month(real_now + dt.timedelta(hours=offset)) for offset in (-14, 14)}
    without = [Q(~Exists(_mails_of(month).filter(person=OuterRef("pk")))) for month in months]
    wanted = User.objects.reachable().filter(reduce(or_, without), gets_month_mail=True)
    if not wanted.exists():
        return 0
    with transaction.atomic():
        people = list(wanted.select_for_update(no_key=True).order_by("pk"))
        had = {
            (person, month)
            for month in months
            for person in _mails_of(month).filter(person__in=people).values_list("person", flat=True)
        }
        due = [(person, _due_month(person, real_now)) for person in people]
        new = [_delivery(person, month, real_now) for person, month in due if month and (person.pk, month) not in had]
        for delivery in new:
            delivery.save()
        DeliveryEvent.objects.bulk_create(
            DeliveryEvent(delivery=delivery, at=real_now, to_status=DeliveryStatus.QUEUED) for delivery in new
        )
    return len(new)


def _mails_of(month: dt.date) -> QuerySet[Delivery]:
    return Delivery.objects.filter(kind=Delivery.Kind.MONTH, month_on=month)


def _last_month(at: dt.datetime) -> dt.date:
    """Return the first day of the month before that of ``at``."""
    return (at.date().replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def _due_month(person: User, real_now: dt.datetime) -> dt.date | None:
    """Return the first day of the month whose mail is due to ``person``; None before their hour of the first day."""
    there = timezone.localtime(real_now, zone_named(person.time_zone))
    if there.day == 1 and there.hour < person.reminder_hour:
        return None
    return _last_month(there)


def _delivery(person: User, month: dt.date, at: dt.datetime) -> Delivery:
    return Delivery(
        person=person,
        kind=Delivery.Kind.MONTH,
        month_on=month,
        queued_at=at,
        next_attempt_at=at,
        # Behind all reminders of the month.
        due_on=at.date() + dt.timedelta(days=31),
        message_id=month_message_id(person.pk, month, 1),
    )


def month_message_id(person: int, month: dt.date, generation: int) -> str:
    return f"<month-{month:%Y-%m}-p{person}-g{generation}@{settings.EMAIL_ID_DOMAIN}>"


def is_still_wanted(delivery: Delivery) -> bool:
    """Return whether a claimed month by mail goes out: its reader still wants it, and can be reached."""
    return User.objects.reachable().filter(pk=delivery.person_id, gets_month_mail=True).exists()


def write_month(delivery: Delivery, *, real_now: dt.datetime) -> message.Written:
    """Write the month by mail with its charts; raises like ``message.write``."""
    reader, month = User.objects.get(pk=delivery.person_id), delivery.month_on
    assert month is not None  # a constraint
    with translation.override(reader.language):
        today = timezone.localdate(real_now, zone_named(reader.time_zone))
        found = overview(reader, FigureScope(), ReportPeriod(month.year), today=today)
        charts = month_charts(found)
        context = {**_context(reader, month, today, found), "charts": charts}
        images = {chart.name: chart.png for chart in charts}
        return message.compose(delivery, "month", context, [], real_now=real_now, images=images)


class MonthFigure(TypedDict):
    """A key figure of the mail: its label, number, the number a year ago, and the address of its list."""

    label: str
    value: str
    year_ago: str
    link: str


class MonthTask(TypedDict):
    """A milestone that waits for the reader."""

    title: str
    partners: str
    when: str
    tone: str
    due_local: str
    link: str


def _context(reader: User, month: dt.date, today: dt.date, found: Overview) -> dict[str, object]:
    sentences = _absolute(headline(found, today))
    name = date_format(month, "YEAR_MONTH_FORMAT")
    tasks, more = _tasks(reader, today)
    return {
        "language": translation.get_language(),
        "subject": _("How cooperation goes: %(month)s") % {"month": name},
        "month": name,
        "of_month": _of_month(found, month),
        "sentences": sentences,
        "plain": strip_tags(sentences),
        "today_local": long_date(today),
        "figures": [_figure(one, found) for one in found.key_figures],
        "tasks": tasks,
        "more": more,
        "my_work": settings.SITE_URL + reverse("my_work"),
        "overview": settings.SITE_URL + reverse("overview"),
        "settings": settings.SITE_URL + reverse("me"),
    }


def _absolute(sentences: str) -> SafeString:
    """Return sentences whose links work in a mail."""
    return mark_safe(sentences.replace('href="/', f'href="{settings.SITE_URL}/'))


def _of_month(found: Overview, month: dt.date) -> str:
    """Return what was signed, ended and done in the month; empty for one before the figures."""
    for one in found.months:
        if one.first == month:
            activities = sum(count.value for count in one.activities.values())
            numbers = {"signed": one.signed.value, "ended": one.ended.value, "activities": activities}
            return _("In the month: signed %(signed)s, ended %(ended)s, activities completed %(activities)s.") % numbers
    return ""


def _figure(one: KeyFigure, found: Overview) -> MonthFigure:
    sign = "%" if one.is_share else ""
    return {
        "label": key_figure_name(one.key, found),
        "value": "–" if one.shown is None else f"{grouped(one.shown)}{sign}",
        "year_ago": "" if one.year_ago is None else f"{grouped(one.year_ago)}{sign}",
        "link": settings.SITE_URL + one.count.address,
    }


def _tasks(reader: User, today: dt.date) -> tuple[list[MonthTask], int]:
    """Return what waits for the reader, soonest due first, and how many more there are."""
    waiting = Milestone.objects.visible_to(reader).waiting_for(reader, today).order_by("due_on", "pk")
    count = waiting.count()
    rows = list(waiting.select_related("agreement", "unit", "owner")[:TASKS_AT_MOST])
    load_targets(rows)
    hide_unseen(rows, reader)
    partners = partners_of(rows)
    tasks: list[MonthTask] = []
    for row in rows:
        days_left = (row.due_on - today).days
        tasks.append(
            {
                "title": one_line(row.display_title),
                "partners": one_line(partners.get(row.pk, "")),
                "when": when_words(days_left),
                "tone": tone(days_left),
                "due_local": long_date(row.due_on),
                "link": settings.SITE_URL + row.get_absolute_url(),
            }
        )
    return tasks, count - len(rows)
