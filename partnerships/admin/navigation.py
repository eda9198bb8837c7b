"""The groups of the side bar, and what each list asks attention for. Everybody sees what they may see."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import IntegerChoices, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from partnerships.lists.cells import days_from
from partnerships.permissions import may
from partnerships.requests import user_of
from partnerships.texts import LazyText

if TYPE_CHECKING:
    from partnerships.admin.site import PartnershipsAdminSite

REMINDERS = _("Reminders")
OPEN = pgettext_lazy("admin index", "Open")
# (title, models in order); icons are names of Material Symbols.
GROUPS: tuple[tuple[LazyText, tuple[tuple[str, str], ...]], ...] = (
    (
        _("Work"),
        (
            ("agreement", "handshake"),
            ("milestone", "flag"),
            ("activity", "event_available"),
            ("contactnote", "call"),
            ("payment", "payments"),
            ("facility", "domain"),
        ),
    ),
    (
        _("Demands and answers"),
        (("demand", "contact_support"), ("answer", "forum"), ("achievement", "lightbulb")),
    ),
    (
        _("Partners"),
        (
            ("organization", "apartment"),
            ("institution", "school"),
            ("enterprise", "factory"),
            ("association", "groups"),
            ("governmentbody", "account_balance"),
            ("contact", "contacts"),
        ),
    ),
    (
        _("Events and programs"),
        (("event", "festival"), ("programme", "hub"), ("document", "description")),
    ),
    (
        _("Honors and figures"),
        (
            ("honour", "workspace_premium"),
            ("honourscheme", "stairs"),
            ("reportedfigure", "difference"),
            ("source", "newspaper"),
            ("citation", "format_quote"),
        ),
    ),
    (
        REMINDERS,
        (
            ("reminderrule", "rule"),
            ("reminderplan", "schedule_send"),
        ),
    ),
    (
        _("Office"),
        (
            ("user", "person"),
            ("unit", "account_tree"),
            ("agreementtype", "category"),
            ("cooperationarea", "interests"),
            ("region", "map"),
            ("workcalendar", "calendar_month"),
        ),
    ),
)


# Title, icon, name of the address, and the permission to open it.
MAIL_PAGES = (
    (_("Mails"), "outgoing_mail", "mail_list", "delivery.view"),
    (_("Sending pauses"), "front_hand", "mail_pauses", "mail_hold.edit"),
)
SITE_PAGES = (
    (_("System status"), "monitor_heart", "operations", "operations.view"),
    (_("Change history"), "history", "history_search", "history.search"),
    (_("Security log"), "policy", "security_event_list", "security.view"),
)


class Tier(IntegerChoices):
    """How soon somebody has to act."""

    TODAY = 1, pgettext_lazy("urgency", "Today")
    WEEK = 2, _("This week")
    WATCH = 3, _("Watch list")


def since(day: dt.date | None) -> str:
    return gettext("since %(day)s") % {"day": date_format(day)} if day else ""


@dataclass(frozen=True)
class WorstCase:
    """How the index names the row of a list whose day in ``column`` comes first: with ``words`` for that day."""

    column: str
    related: tuple[str, ...] = ()
    words: Callable[[Any, dt.date], str] = days_from


@dataclass(frozen=True)
class Attention:
    """Rows that need attention: ``select`` makes both the number on the index and the list behind it."""

    label: LazyText
    tone: str
    icon: str
    select: Callable[[Any, dt.date], QuerySet]
    is_on_index: bool = True
    rank: int = 0  # lower comes first in its tier
    tier: Tier = Tier.WATCH
    act: LazyText = OPEN  # on the button that opens the list
    worst: WorstCase | None = None


def navigation(site: "PartnershipsAdminSite", request: HttpRequest) -> list[dict[str, object]]:
    """Return the groups for the side bar and the index, without what the user may not open."""
    groups = [(title, list(_items(site, request, entries))) for title, entries in GROUPS]
    reminders = next(items for title, items in groups if title == REMINDERS)
    reminders += _page_items(request, MAIL_PAGES)
    home = [_item(_("Overview"), "home", reverse("admin:index"), request.path)]
    home += _page_items(request, SITE_PAGES)
    return [{"title": title, "items": items} for title, items in [(None, home), *groups] if items]


def _page_items(request: HttpRequest, pages: Iterable[tuple[LazyText, str, str, str]]) -> list[dict[str, object]]:
    """Return links to pages outside the admin."""
    return [
        _item(title, icon, reverse(name), request.path)
        for title, icon, name, action in pages
        if may(user_of(request), action)
    ]


def _items(
    site: "PartnershipsAdminSite", request: HttpRequest, entries: tuple[tuple[str, str], ...]
) -> Iterator[dict[str, object]]:
    admins = {model._meta.model_name: admin for model, admin in site._registry.items()}
    for name, icon in entries:
        admin = admins[name]
        if admin.has_view_permission(request):
            link = reverse(f"admin:{admin.opts.app_label}_{name}_changelist")
            title = admin.opts.verbose_name_plural
            item = _item(title[:1].upper() + title[1:], icon, link, request.path)
            add_link = reverse(f"admin:{admin.opts.app_label}_{name}_add")
            yield item | {"add_link": add_link if admin.has_add_permission(request) else None}


def _item(title: LazyText, icon: str, link: str, path: str) -> dict[str, object]:
    is_index = link == reverse("admin:index")
    is_active = path == link if is_index else path.startswith(link)
    return {"title": title, "icon": icon, "link": link, "active": is_active, "has_permission": True}
