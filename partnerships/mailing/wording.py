"""Texts that single mails and digests share, in the active language."""

import datetime as dt
import unicodedata
from collections.abc import Iterable

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from partnerships.models import Milestone, MilestoneKind, ReminderItem, ReminderPlan
from partnerships.models.deliveries import NOT_THROUGH
from partnerships.models.office_day import zone_named
from partnerships.models.waiting import WaitsFor
from partnerships.reminders.milestone_advice import appoint_a_lead, describe_owner_action
from partnerships.statuses import DeliveryStatus

Why = ReminderItem.Why
SOON_DAYS = 3


def one_line(text: str) -> str:
    """Return text without line breaks, control and direction marks, so that a title cannot add a header or hide its end."""
    return " ".join(visible(text).split())


def visible(text: str) -> str:
    """Return text with a space for each control and direction mark."""
    if text.isprintable():  # almost all text is, and this test is cheap
        return text
    return "".join(" " if unicodedata.category(sign).startswith("C") else sign for sign in text)


def long_date(day: dt.date) -> str:
    # Translators: a Django date format; in Chinese "Y年n月j日 l"
    return date_format(day, pgettext("format of a long date", "l, F j, Y"))


def when_words(days_left: int) -> str:
    if days_left == 0:
        return _("today")
    if days_left == 1:
        return _("tomorrow")
    if days_left > 1:
        return ngettext("in %(days)s day", "in %(days)s days", days_left) % {"days": days_left}
    return ngettext("%(days)s day late", "%(days)s days late", -days_left) % {"days": -days_left}


def tone(days_left: int) -> str:
    if days_left < 0:
        return "overdue"
    return "soon" if days_left <= SOON_DAYS else "ahead"


def what_to_do(milestone: Milestone, why: set[ReminderItem.Why]) -> str:
    if Why.PARTY in why:
        return _("Please tell us how it is going: a reply to this mail reaches the coordinator of the agreement.")
    if Why.FALLBACK in why and milestone.kind == MilestoneKind.APPROVAL:
        return one_line(appoint_a_lead(milestone))
    if Why.FALLBACK in why and milestone.waits_for == WaitsFor.LEADS:
        return describe_owner_action(milestone)
    if Why.FALLBACK in why:
        return _("The people it is meant for cannot be notified: assign an owner who can act.")
    if milestone.owner is not None and why <= {Why.LEAD, Why.NAMED}:
        return _("Ask %(owner)s how it is going, or reassign it.") % {"owner": one_line(milestone.owner.name)}
    return describe_owner_action(milestone)


def why_words(item: ReminderItem, milestone: Milestone) -> str:
    names = {"owner": one_line(str(milestone.owner or "")), "unit": one_line(milestone.unit.display_name)}
    names["party"] = one_line(str(milestone.party or ""))
    why = {
        Why.OWNER: _("You own this milestone."),
        Why.STAND_IN: _("You stand in for %(owner)s, who is away."),
        Why.DEPUTY: _("You are the deputy of %(owner)s, who owns this milestone."),
        Why.LEAD: _("You lead the unit %(unit)s or a unit above it."),
        Why.NAMED: _("A reminder rule names you."),
        Why.FALLBACK: _("No lead of the unit %(unit)s or of a unit above it may decide it, so the office is told.")
        if milestone.waits_for == WaitsFor.LEADS
        else _("Nobody else can be notified, and you are the fallback person."),
        Why.PARTY: _("%(party)s promised this in the agreement, and you are its contact."),
        Why.FOR_PARTY: _("You own this milestone, and no contact of %(party)s may be written to: please ask them."),
    }[Why(item.why)] % names
    return " ".join(part for part in (why, _unanswered_words(item.plan, milestone)) if part)


def is_owner_alone(items: Iterable[ReminderItem]) -> bool:
    """Whether the person gets the items for no other reason than that they own the milestone."""
    return all(item.why == Why.OWNER and item.plan.unanswered_at is None for item in items)


def _unanswered_words(plan: ReminderPlan, milestone: Milestone) -> str:
    """Name the unanswered reminder, for a rule that waits for an answer."""
    if plan.unanswered_at is None:
        return ""
    since = timezone.localdate(plan.unanswered_at, zone_named(milestone.unit.time_zone))
    return _because(plan.unanswered_status) % {
        "day": date_format(since),
        "person": one_line(str(plan.unanswered_by)),
    }


def _because(status: str) -> str:
    match status:
        case DeliveryStatus.SKIPPED:
            return _(
                "You get this because %(person)s asked for no mail and has had it in the calendar feed since %(day)s, "
                "and nobody has acted on it."
            )
        case DeliveryStatus.HELD:
            return _(
                "You get this because the reminder to %(person)s has been held since %(day)s, and nobody has acted on it."
            )
        case status if status in NOT_THROUGH:
            return _(
                "You get this because the reminder to %(person)s did not get through, which was found on %(day)s, and "
                "nobody has acted since."
            )
        case _:
            return _("You get this because nobody has acted on the reminder of %(day)s to %(person)s.")
