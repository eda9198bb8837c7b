"""The text of a digest: all reminders of one person on one day, the most urgent first."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.mailing.envelopes import is_late
from partnerships.mailing.news import news_of
from partnerships.mailing.wording import long_date, one_line, tone, when_words, why_words
from partnerships.models import Milestone, ReminderItem, User
from partnerships.models.office_day import zone_named

WEEK_DAYS = 7


class DigestLine(TypedDict):
    """A milestone as a digest shows it."""

    title: str
    about: str
    news: str
    days_left: int
    when: str
    tone: str
    due_iso: str
    due_local: str
    why: str
    link: str


def digest_context(person: User, items: Sequence[ReminderItem], due_at: dt.datetime) -> dict[str, object]:
    """Return the templates' context in the active language; days are counted in the person's own time zone."""
    today = timezone.localdate(due_at, zone_named(person.time_zone))
    lines = _lines(items, today, news_of(items))
    return {
        "person": one_line(person.name),
        "language": translation.get_language(),
        "subject": _subject(lines),
        "headline": ngettext("%(count)s reminder", "%(count)s reminders", len(lines)) % {"count": len(lines)},
        "today_iso": today.isoformat(),
        "today_local": long_date(today),
        "tone": lines[0]["tone"],
        "most_urgent": lines[0],
        "sections": _sections(lines),
        "is_late": any(is_late(item.plan, due_at) for item in items),
        "my_work": settings.SITE_URL + reverse("my_work"),
        "settings": settings.SITE_URL + reverse("me"),
    }


def _lines(items: Sequence[ReminderItem], today: dt.date, news: Mapping[int, str]) -> list[DigestLine]:
    """Return one line per milestone, however many of its reminders are due, soonest due first."""
    of_milestone: dict[Milestone, list[ReminderItem]] = {}
    for item in items:
        of_milestone.setdefault(item.plan.milestone, []).append(item)
    ordered = sorted(of_milestone, key=lambda milestone: (milestone.due_on, milestone.pk))
    return [
        _line(milestone, of_milestone[milestone], (milestone.due_on - today).days, news.get(milestone.pk, ""))
        for milestone in ordered
    ]


def _line(milestone: Milestone, items: Sequence[ReminderItem], days_left: int, news: str) -> DigestLine:
    about = milestone.agreement or milestone.target
    where = (one_line(str(part)) for part in (about, milestone.unit.display_name) if part)
    return {
        "title": one_line(milestone.display_title),
        "about": " · ".join(where),
        "news": news,
        "days_left": days_left,
        "when": when_words(days_left),
        "tone": tone(days_left),
        "due_iso": milestone.due_on.isoformat(),
        "due_local": long_date(milestone.due_on),
        "why": " ".join(dict.fromkeys(why_words(item, milestone) for item in items)),
        "link": settings.SITE_URL + milestone.get_absolute_url(),
    }


def _sections(lines: Iterable[DigestLine]) -> list[dict[str, object]]:
    limits = (
        (_("Overdue"), -1),
        (_("Today"), 0),
        (_("In the next 7 days"), WEEK_DAYS),
        (_("Later"), dt.timedelta.max.days),
    )
    rest = list(lines)
    sections: list[dict[str, object]] = []
    for label, last in limits:
        rows = [line for line in rest if line["days_left"] <= last]
        rest = rest[len(rows) :]  # the lines are ordered by date
        if rows:
            sections.append({"label": label, "rows": rows})
    return sections


def _subject(lines: Sequence[DigestLine]) -> str:
    first = lines[0]
    # Translators: the subject of a digest: how many reminders, and the most urgent one of them
    words = ngettext(
        "%(count)s reminder: %(title)s — %(when)s (%(date)s)",
        "%(count)s reminders: %(title)s — %(when)s (%(date)s)",
        len(lines),
    )
    return words % {
        "count": len(lines),
        "title": Truncator(first["title"]).chars(120),
        "when": first["when"],
        "date": first["due_iso"],
    }
