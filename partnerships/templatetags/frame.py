"""The frame of the pages: navigation, the person's menu, and keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django import template
from django.db.models import Model
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models import Role, User
from partnerships.permissions import may, may_enter_admin

register = template.Library()


class Place(NamedTuple):
    """An entry of the navigation. ``section`` is the first word of the names of its addresses."""

    section: str
    name: str
    label: Promise
    icon: str
    needs: str = ""


PLACES = (
    Place("overview", "overview", pgettext_lazy("navigation", "Overview"), "bar_chart"),
    Place("my", "my_work", _("My work"), "task_alt"),
    Place("team", "team", _("Team"), "groups", "team.view"),
    Place("agreement", "agreement_list", _("Agreements"), "handshake"),
    Place("organization", "organization_list", pgettext_lazy("navigation", "Partners"), "domain"),
    Place("activity", "activity_list", _("Activities"), "event_available"),
    Place("milestone", "milestone_list", _("Milestones"), "flag"),
    Place("calendar", "calendar", _("Calendar"), "calendar_month"),
    Place("event", "event_list", _("Events"), "account_balance"),
    Place("demand", "demand_list", _("Demands"), "contact_support"),
)
MORE_PLACES = (
    Place("quiet", "quiet", _("Agreements without contact"), "volume_off"),
    Place("payment", "payment_list", _("Promised payments"), "payments"),
    Place("facility", "facility_list", _("Joint facilities"), "apartment"),
    Place("achievement", "achievement_list", _("Achievements"), "lightbulb"),
    Place("programme", "programme_list", _("Programs"), "hub"),
    Place("honour", "honour_list", _("Honors"), "workspace_premium"),
    Place("figure", "figure_list", _("Press figures vs. records"), "difference"),
    Place("report", "report_list", _("Reports"), "summarize"),
    Place("source", "source_list", _("Sources"), "newspaper"),
    Place("mail", "mail_list", _("Mails"), "forward_to_inbox"),
    Place("import", "import_list", pgettext_lazy("navigation", "Imports"), "upload_file", "import.run"),
    Place("duplicate", "duplicates", _("Possible duplicates"), "merge", "organization.edit"),
)
OFFICE_PLACES = (
    Place("admin", "admin:index", _("Administration"), "admin_panel_settings", "admin"),
    Place("operations", "operations", _("System status"), "monitor_heart", "operations.view"),
    Place("history", "history_search", _("Change history"), "history", "history.search"),
    Place("security", "security_event_list", _("Security log"), "policy", "security.view"),
)
# The bottom bar of a phone has room for four places and "More".
IN_BOTTOM_BAR = ("my", "agreement", "organization", "calendar")
IN_BOTTOM_BAR_OF_LEADERS = ("overview", "my", "agreement", "calendar")
# Parts of the site without an entry of their own stand under another one.
STANDS_UNDER = {
    "answer": "demand",
    "contact": "organization",
    "custody": "agreement",
    "document": "agreement",
    "merge": "duplicate",
    "region": "organization",
}
# Pages about something that belongs to a record, which stand where the record does.
OF_A_RECORD = ("citation_", "contact_note_", "document_")


@dataclass(frozen=True)
class Link:
    """A place as the page shows it."""

    url: str
    label: str
    icon: str
    is_here: bool
    is_in_bottom_bar: bool


@dataclass(frozen=True)
class Navigation:
    """Places that a person can go to. ``is_more_open``: the page is one of those under "More"."""

    main: list[Link]
    more: list[Link]
    office: list[Link]
    logs_activities: bool
    home: str

    @property
    def bottom_bar(self) -> list[Link]:
        return [link for link in self.main if link.is_in_bottom_bar]

    @property
    def is_more_open(self) -> bool:
        return any(link.is_here for link in self.more)

    @property
    def is_beyond_bottom_bar(self) -> bool:
        """Whether the page has no entry in a phone's bottom bar, so that its "More" is the current one."""
        return any(link.is_here for link in [*self.main, *self.more, *self.office] if not link.is_in_bottom_bar)


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> Navigation:
    """Return the navigation for the person who asks; no query beyond the roles that every page reads."""
    request = context["request"]
    match = getattr(request, "resolver_match", None)
    here = _section_of(match.url_name, context) if match and match.url_name else ""
    return Navigation(
        main=_links(places_of(request.user), request.user, here),
        more=_links(MORE_PLACES, request.user, here),
        office=_links(OFFICE_PLACES, request.user, here),
        logs_activities=may(request.user, "activity.add"),
        home=home_of(request.user),
    )


def opens_on_overview(user: User) -> bool:
    """Whether a person starts with how cooperation goes: leads, the office and viewers, not those who look after agreements."""
    return (
        user.sees_all_units
        or user.scope.has(Role.LEAD)
        or (bool(user.scope.roles) and not user.scope.has(Role.COORDINATOR))
    )


def home_of(user: User) -> str:
    """Return the page that a person starts with, after the log-in and by the logo."""
    return reverse("overview" if opens_on_overview(user) else "my_work")


def places_of(user: User) -> list[Place]:
    """Return the places in the person's order: those who look after agreements begin with their own work."""
    overview, my_work, *others = PLACES
    return [overview, my_work, *others] if opens_on_overview(user) else [my_work, overview, *others]


def _section_of(name: str, context: Context) -> str:
    """Return the section that the page at the address ``name`` stands in."""
    row = context.get("subject") or context.get("row")
    about = getattr(row, "target", row)
    section = name.partition("_")[0]
    if name.startswith(OF_A_RECORD) and isinstance(about, Model):
        section = about._meta.model_name or section
    return STANDS_UNDER.get(section, section)


def _links(places: Iterable[Place], user: User, here: str) -> list[Link]:
    in_bottom_bar = IN_BOTTOM_BAR_OF_LEADERS if opens_on_overview(user) else IN_BOTTOM_BAR
    return [
        Link(reverse(place.name), str(place.label), place.icon, place.section == here, place.section in in_bottom_bar)
        for place in places
        if may_go(user, place.needs)
    ]


def may_go(user: User, needs: str) -> bool:
    """Return whether the person may go to a place, by what it needs: an action, ``admin`` or nothing."""
    if needs == "admin":
        return may_enter_admin(user)
    return not needs or may(user, needs)


@register.filter
def initials(name: str) -> str:
    """Return what stands for a person in a small circle: the first letters of two words, or the last two characters."""
    words = name.split()
    if len(words) > 1:
        return "".join(word[0] for word in words[:2]).upper()
    return name[-2:] if not name.isascii() else name[:2].upper()


# Keys in groups by the pages they work on, each with its meaning, for the "?" dialog.
KEYS = (
    (
        _("Everywhere"),
        (
            ("Ctrl K", _("Search or jump to")),
            ("/", _("Search")),
            ("?", _("Show the keys")),
            ("Esc", _("Close")),
        ),
    ),
    (
        _("My work and lists"),
        (
            ("j k", _("Next or previous line")),
            ("Enter", pgettext_lazy("key", "Open the line")),
            ("x", _("Select the line")),
            ("e", _("Mark as done")),
            ("s", _("Snooze")),
            ("d", _("Move the date")),
            ("a", _("Reassign")),
            ("l", _("Log contact")),
            ("z", _("Undo")),
        ),
    ),
    (
        _("Calendar and board"),
        (
            ("← → ↑ ↓", _("Move from day to day, from card to card")),
            ("Shift ← →", _("Move the card to the next column")),
            ("PgUp PgDn", _("Previous or next month")),
        ),
    ),
)


@register.simple_tag
def key_groups() -> tuple[tuple[Promise, tuple[tuple[str, Promise], ...]], ...]:
    return KEYS
