"""Milestones as a calendar: the feed a person subscribes to, and the one event that comes with a mail.

Pure functions of rows that were read before, save for ``feed_rows`` and ``feed_tag``. An event is an all-day one on the
due date and belongs to no time zone. Its UID is the milestone's for good, its SEQUENCE the milestone's version: whoever
has it from a mail and from the feed has it once, and the later state wins. There is no alarm in it: reminders are mails.
"""

import datetime as dt
import hashlib

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from partnerships.mailing.wording import one_line, visible
from partnerships.models import Milestone, MilestoneKind, User
from partnerships.models.milestones import MILESTONE_TARGETS, OPEN_STATUSES
from partnerships.reminders.milestone_advice import describe_owner_action
from partnerships.statuses import MilestoneStatus

# Raised when the same rows are written otherwise, so that clients take the feed anew.
FORMAT = 1
# So long after its end a milestone is still in the feed, done or cancelled.
SHOWN_AFTER_END = dt.timedelta(days=30)
# What is overdue for longer is for the lists, not for a calendar.
LOOKS_BACK = dt.timedelta(days=365)
MOST_EVENTS = 1000
# Of rows without a history, which came in by the thousand.
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
REFRESH = dt.timedelta(hours=1)
OFF = (MilestoneStatus.CANCELLED, MilestoneStatus.WAIVED)
RELATED = ("unit", "owner", "agreement", *MILESTONE_TARGETS)
HONOURED = ("honour__scheme", "honour__organization")


def feed_rows(user: User, today: dt.date):  # type: ignore[no-untyped-def] # a queryset with an added column
    """What ``user`` looks after and may see: what is to be done, and what ended of late."""
    since = today - SHOWN_AFTER_END
    ended = Q(met_on__gte=since) | Q(waived_on__gte=since) | Q(cancelled_on__gte=since)
    rows = Milestone.objects.visible_to(user).looked_after_by(user, today)
    rows = rows.filter(Q(status__in=OPEN_STATUSES) | ended, due_on__gte=today - LOOKS_BACK)
    return rows.order_by("due_on", "pk")


def feed_tag(user: User, today: dt.date) -> str:
    """Changes whenever the feed would: in one query that reads versions alone."""
    versions = [f"{name}__version" for name in (*RELATED, *HONOURED)]
    rows = list(feed_rows(user, today).values_list("pk", "version", *versions)[:MOST_EVENTS])
    about = (FORMAT, user.pk, user.language, settings.SITE_URL, settings.EMAIL_ID_DOMAIN)
    return hashlib.sha256(repr((about, rows)).encode()).hexdigest()


def feed(user: User, today: dt.date) -> bytes:
    """The feed in the language of ``user``."""
    edits = Milestone.history.filter(id=OuterRef("pk")).order_by("-history_date", "-history_id")
    rows = feed_rows(user, today).select_related(*RELATED, *HONOURED)
    rows = rows.annotate(changed_at=Subquery(edits.values("history_date")[:1]))[:MOST_EVENTS]
    with translation.override(user.language):
        calendar = _calendar()
        calendar.add("x-wr-calname", _("Partnerships: my dates"))
        calendar.add("name", _("Partnerships: my dates"))
        calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
        for milestone in rows:
            calendar.add_component(_event(milestone, user, changed_at=milestone.changed_at or LONG_AGO))
    return calendar.to_ical()


def single_event(milestone: Milestone, user: User, *, changed_at: dt.datetime) -> bytes:
    """The one event that goes with a mail to ``user``, in the language that is active."""
    calendar = _calendar()
    calendar.add("method", "PUBLISH")
    calendar.add_component(_event(milestone, user, changed_at=changed_at))
    return calendar.to_ical()


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.EMAIL_ID_DOMAIN}//Partnerships//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    return calendar


def _event(milestone: Milestone, user: User, *, changed_at: dt.datetime) -> Event:
    event = Event()
    event.add("uid", f"milestone-{milestone.pk}@{settings.EMAIL_ID_DOMAIN}")
    event.add("sequence", milestone.version)
    event.add("dtstamp", changed_at.astimezone(dt.UTC))
    event.add("last-modified", changed_at.astimezone(dt.UTC))
    event.add("dtstart", milestone.due_on)
    event.add("dtend", milestone.due_on + dt.timedelta(days=1))
    event.add("summary", _summary(milestone, user))
    event.add("description", _description(milestone))
    event.add("categories", [_kind(milestone)])
    event.add("url", settings.SITE_URL + milestone.get_absolute_url())
    event.add("status", "CANCELLED" if milestone.status in OFF else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # a due date keeps nobody busy all day
    return event


def _summary(milestone: Milestone, user: User) -> str:
    context = str(milestone.agreement or milestone.target or "")
    words = one_line(f"{milestone.display_title} · {context}" if context else milestone.display_title)
    if milestone.owner is not None and milestone.owner_id != user.pk:
        words = _("%(title)s (for %(owner)s)") % {"title": words, "owner": one_line(milestone.owner.name)}
    return f"✓ {words}" if milestone.status == MilestoneStatus.MET else words


def _description(milestone: Milestone) -> str:
    state = describe_owner_action(milestone) if milestone.is_pending else milestone.get_status_display()
    link = settings.SITE_URL + milestone.get_absolute_url()
    where = f"{_kind(milestone)} · {one_line(milestone.unit.display_name)}"
    paragraphs = (state, milestone.description, f"{where}\n{link}")
    return "\n\n".join(cleaned for text in paragraphs if (cleaned := _plain_lines(text)))


def _kind(milestone: Milestone) -> str:
    return str(MilestoneKind(milestone.kind).label)  # get_kind_display() translates all kinds to find one


def _plain_lines(text: str) -> str:
    return "\n".join(visible(line).rstrip() for line in text.splitlines()).strip()
