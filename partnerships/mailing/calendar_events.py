"""Milestones and meetings as calendar events: the feed a person subscribes to, and the event that comes with a mail.

Events last all day on the due date, without a time zone and without an alarm, because reminders are mails. The UID is
that of the milestone and the SEQUENCE its version, so a calendar that has the event from a mail and from the feed shows
it once, in its latest state.
"""

import datetime as dt
import hashlib
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from partnerships.mailing.wording import one_line, visible
from partnerships.models import Event as Meeting
from partnerships.models import EventPerson, Milestone, MilestoneKind, User, hide_unseen
from partnerships.models.milestones import MILESTONE_TARGETS, MilestoneQuerySet
from partnerships.reminders.milestone_advice import describe_owner_action
from partnerships.statuses import MilestoneStatus

# Raised when the same rows are rendered differently, so that clients fetch the feed again.
FORMAT = 3
# A milestone stays in the feed this long after it was done or cancelled.
SHOWN_AFTER_END = dt.timedelta(days=30)
# Milestones overdue for longer are in the lists only.
LOOKS_BACK = dt.timedelta(days=365)
MOST_EVENTS = 1000
# The time of change of rows without a history, such as generated test loads.
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
REFRESH = dt.timedelta(hours=1)
OFF = (MilestoneStatus.CANCELLED, MilestoneStatus.WAIVED)
RELATED = ("unit", "owner", "agreement", *MILESTONE_TARGETS)
HONOURED = ("honour__scheme", "honour__organization")


def feed_rows(user: User, today: dt.date) -> MilestoneQuerySet:
    """Return the open and recently ended milestones that ``user`` is responsible for and may see."""
    since = today - SHOWN_AFTER_END
    ended = Q(met_on__gte=since) | Q(waived_on__gte=since) | Q(cancelled_on__gte=since)
    seen = Milestone.objects.visible_to(user).filter(due_on__gte=today - LOOKS_BACK)
    rows = seen.waiting_for(user, today) | seen.looked_after_by(user, today).filter(ended)
    return rows.order_by("due_on", "pk")


def meetings_of(user: User, today: dt.date) -> QuerySet:
    """Return the events to which ``user`` is invited and that they have not declined, with their answer."""
    invitations = EventPerson.objects.filter(event=OuterRef("pk"), user=user)
    invited = invitations.exclude(answer=EventPerson.Answer.DECLINED)
    rows = Meeting.objects.visible_to(user).recorded().filter(Exists(invited), starts_on__gte=today - LOOKS_BACK)
    return rows.annotate(answer=Subquery(invitations.values("answer")[:1])).order_by("starts_on", "pk")


def feed_tag(user: User, today: dt.date) -> str:
    """Return a tag that changes whenever the feed does; reads only versions, not whole rows."""
    versions = [f"{name}__version" for name in (*RELATED, *HONOURED)]
    rows = list(feed_rows(user, today).values_list("pk", "version", *versions)[:MOST_EVENTS])
    rows += meetings_of(user, today).values_list("pk", "version", "answer")[:MOST_EVENTS]
    about = (FORMAT, user.pk, user.scope.unit_ids, user.language, settings.SITE_URL, settings.EMAIL_ID_DOMAIN)
    return hashlib.sha256(repr((about, rows)).encode()).hexdigest()


def feed(user: User, today: dt.date) -> bytes:
    """Render the feed in the language of ``user``."""
    edits = Milestone.history.filter(id=OuterRef("pk")).order_by("-history_date", "-history_id")
    rows = feed_rows(user, today).select_related(*RELATED, *HONOURED)
    found = list(rows.annotate(changed_at=Subquery(edits.values("history_date")[:1]))[:MOST_EVENTS])
    hide_unseen(found, user)
    with translation.override(user.language):
        calendar = _calendar()
        calendar.add("x-wr-calname", _("Partnerships: my dates"))
        calendar.add("name", _("Partnerships: my dates"))
        calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
        for milestone in found:
            calendar.add_component(_event(milestone, user, changed_at=milestone.changed_at or LONG_AGO))
        edits = Meeting.history.filter(id=OuterRef("pk")).order_by("-history_date", "-history_id")
        meetings = meetings_of(user, today).annotate(changed_at=Subquery(edits.values("history_date")[:1]))
        for meeting in meetings[:MOST_EVENTS]:
            calendar.add_component(_meeting(meeting))
    return calendar.to_ical()


def single_event(milestone: Milestone, user: User, *, changed_at: dt.datetime) -> bytes:
    """Render the event that comes with a mail to ``user``, in the active language."""
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


def _meeting(meeting: Any) -> Event:
    """Render an event of one or several days; it is tentative until the person accepts the invitation."""
    event = Event()
    event.add("uid", f"event-{meeting.pk}@{settings.EMAIL_ID_DOMAIN}")
    event.add("sequence", meeting.version)
    changed_at = (meeting.changed_at or LONG_AGO).astimezone(dt.UTC)
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("dtstart", meeting.starts_on)
    event.add("dtend", (meeting.ends_on or meeting.starts_on) + dt.timedelta(days=1))
    event.add("summary", one_line(str(meeting)))
    if meeting.place:
        event.add("location", one_line(meeting.place))
    link = settings.SITE_URL + meeting.get_absolute_url()
    event.add("description", "\n\n".join(filter(None, [_plain_lines(meeting.agenda or meeting.summary), link])))
    event.add("categories", [_("Event")])
    event.add("url", link)
    event.add("status", "CONFIRMED" if meeting.answer == EventPerson.Answer.ACCEPTED else "TENTATIVE")
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
