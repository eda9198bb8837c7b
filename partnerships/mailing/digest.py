"""The text of a digest: all reminders of one person on one day, the most urgent first."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TypedDict

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.mailing.envelopes import is_late
from partnerships.mailing.news import news_of
from partnerships.mailing.partners import partners_of
from partnerships.mailing.people import People, PersonLine, person_lines
from partnerships.mailing.wording import is_owner_alone, long_date, one_line, tone, when_words, why_words
from partnerships.models import Milestone, ReminderItem, User
from partnerships.models.office_day import zone_named
from partnerships.reports.people_to_contact import PersonToContact

WEEK_DAYS = 7
# A mail of thousands of reminders would be megabytes, and mail servers refuse those. The rest is on My work.
LINES_AT_MOST = 100


class DigestLine(TypedDict):
    """A milestone as a digest shows it."""

    title: str
    partners: str
    about: str
    news: str
    people: list[PersonLine]
    days_left: int
    when: str
    tone: str
    due_iso: str
    due_local: str
    why: str
    link: str


class DigestSection(TypedDict):
    """The milestones of one range of due dates: how many there are, and the lines of those that are listed."""

    label: str
    count: int
    rows: list[DigestLine]


def digest_context(
    person: User, items: Sequence[ReminderItem], due_at: dt.datetime, people: People
) -> dict[str, object]:
    """Return the templates' context in the active language; days are counted in the person's own time zone.

    ``people``: whom to contact, by the milestone's id.
    """
    today = timezone.localdate(due_at, zone_named(person.time_zone))
    of_milestone = _by_milestone(items)
    count, listed = len(of_milestone), most_urgent(of_milestone)
    news = news_of([item for milestone in listed for item in of_milestone[milestone]])
    partners = partners_of(listed)
    lines = [
        _line(
            one,
            of_milestone[one],
            _days_left(one, today),
            partners=partners.get(one.pk, ""),
            news=news.get(one.pk, ""),
            people=people.get(one.pk, ()),
        )
        for one in listed
    ]
    more = count - len(lines)
    return {
        "person": one_line(person.name),
        "language": translation.get_language(),
        "subject": _subject(lines[0], count),
        "headline": ngettext("%(count)s reminder", "%(count)s reminders", count) % {"count": count},
        "today_local": long_date(today),
        "sections": _sections(lines, [_days_left(one, today) for one in of_milestone]),
        "more": ngettext("And %(count)s more that is due later.", "And %(count)s more that are due later.", more)
        % {"count": more}
        if more
        else "",
        "has_lines_of_owner": any(not line["why"] for line in lines),
        "is_late": any(is_late(item.plan, due_at) for item in items),
        "my_work": settings.SITE_URL + reverse("my_work"),
        "settings": settings.SITE_URL + reverse("me"),
    }


def _by_milestone(items: Iterable[ReminderItem]) -> dict[Milestone, list[ReminderItem]]:
    """Return the reminders of each milestone, soonest due first: a milestone is one line, however many are due."""
    found: dict[Milestone, list[ReminderItem]] = {}
    for item in sorted(items, key=lambda item: _urgency(item.plan.milestone)):
        found.setdefault(item.plan.milestone, []).append(item)
    return found


def most_urgent(milestones: Iterable[Milestone]) -> list[Milestone]:
    """Return the milestones that a digest lists, soonest due first."""
    return sorted(milestones, key=_urgency)[:LINES_AT_MOST]


def _urgency(milestone: Milestone) -> tuple[dt.date, int]:
    return milestone.due_on, milestone.pk


def _days_left(milestone: Milestone, today: dt.date) -> int:
    return (milestone.due_on - today).days


def _line(
    milestone: Milestone,
    items: Sequence[ReminderItem],
    days_left: int,
    *,
    partners: str,
    news: str,
    people: Iterable[PersonToContact],
) -> DigestLine:
    about = milestone.agreement or milestone.target
    where = (one_line(str(part)) for part in (about, milestone.unit.display_name) if part)
    return {
        "title": one_line(milestone.display_title),
        "partners": one_line(partners),
        "about": " · ".join(where),
        "news": news,
        "people": person_lines(people),
        "days_left": days_left,
        "when": when_words(days_left),
        "tone": tone(days_left),
        "due_iso": milestone.due_on.isoformat(),
        "due_local": long_date(milestone.due_on),
        # ``has_lines_of_owner`` says once for all lines what most of them would repeat.
        "why": "" if is_owner_alone(items) else " ".join(dict.fromkeys(why_words(item, milestone) for item in items)),
        "link": settings.SITE_URL + milestone.get_absolute_url(),
    }


def _sections(lines: Iterable[DigestLine], all_days: Iterable[int]) -> list[DigestSection]:
    """Return the sections that have any of ``all_days``; their lines are those of ``lines``, ordered by date."""
    limits = (
        (_("Overdue"), -1),
        (_("Today"), 0),
        (_("In the next 7 days"), WEEK_DAYS),
        (_("Later"), dt.timedelta.max.days),
    )
    rest, days = list(lines), list(all_days)
    sections: list[DigestSection] = []
    for label, last in limits:
        rows = [line for line in rest if line["days_left"] <= last]
        rest = rest[len(rows) :]
        count = sum(left <= last for left in days)
        days = days[count:]
        if count:
            sections.append({"label": label, "count": count, "rows": rows})
    return sections


def _subject(first: DigestLine, count: int) -> str:
    # Translators: the subject of a digest: how many reminders, and the most urgent one of them
    words = ngettext(
        "%(count)s reminder: %(title)s — %(when)s (%(date)s)",
        "%(count)s reminders: %(title)s — %(when)s (%(date)s)",
        count,
    )
    return words % {
        "count": count,
        "title": Truncator(first["title"]).chars(120),
        "when": first["when"],
        "date": first["due_iso"],
    }
