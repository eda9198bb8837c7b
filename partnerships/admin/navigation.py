"""The groups of the side bar, and the numbers the index opens with. Everybody sees what they may see."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.permissions import may

# (title, models in order); icons are names of Material Symbols.
GROUPS: tuple[tuple[Any, tuple[tuple[str, str], ...]], ...] = (
    (
        _("Work"),
        (
            ("agreement", "handshake"),
            ("milestone", "flag"),
            ("activity", "event_available"),
            ("contactnote", "call"),
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
        _("Events and programmes"),
        (("event", "festival"), ("programme", "hub"), ("document", "description")),
    ),
    (
        _("Honours and figures"),
        (
            ("honour", "workspace_premium"),
            ("honourscheme", "stairs"),
            ("reportedfigure", "difference"),
            ("source", "newspaper"),
        ),
    ),
    (
        _("Reminders"),
        (
            ("reminderrule", "rule"),
            ("reminderplan", "schedule_send"),
            ("delivery", "outgoing_mail"),
            ("mailhold", "front_hand"),
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


@dataclass(frozen=True)
class Attention:
    """Rows of a list that wait for somebody: ``select`` makes both the number on the index and the list behind it."""

    label: Any
    tone: str
    icon: str
    select: Callable[[QuerySet, dt.date], QuerySet]
    is_on_index: bool = True
    rank: int = 0  # lower comes first on the index


@dataclass(frozen=True)
class Card:
    label: Any
    tone: str
    icon: str
    count: int
    link: str


def navigation(site: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """Groups with their items, for the side bar and the index; without what the person may not open."""
    groups = ({"title": title, "items": list(_items(site, request, entries))} for title, entries in GROUPS)
    home = {"title": None, "items": [_item(_("Overview"), "home", reverse("admin:index"), request.path)]}
    if may(request.user, "operations.view"):
        home["items"].append(_item(_("Operation of the site"), "monitor_heart", reverse("operations"), request.path))
    return [home, *(group for group in groups if group["items"])]


def _items(site: Any, request: HttpRequest, entries: tuple[tuple[str, str], ...]) -> Iterator[dict[str, Any]]:
    admins = {model._meta.model_name: admin for model, admin in site._registry.items()}
    for name, icon in entries:
        admin = admins[name]
        if admin.has_view_permission(request):
            link = reverse(f"admin:{admin.opts.app_label}_{name}_changelist")
            title = admin.opts.verbose_name_plural
            item = _item(title[:1].upper() + title[1:], icon, link, request.path)
            add_link = reverse(f"admin:{admin.opts.app_label}_{name}_add")
            yield item | {"add_link": add_link if admin.has_add_permission(request) else None}


def _item(title: Any, icon: str, link: str, path: str) -> dict[str, Any]:
    is_index = link == reverse("admin:index")
    is_active = path == link if is_index else path.startswith(link)
    return {"title": title, "icon": icon, "link": link, "active": is_active, "has_permission": True}


def attention_cards(site: Any, request: HttpRequest, *, today: dt.date) -> list[Card]:
    """One number for each list that may need somebody; the number is the length of the list it opens."""
    cards: list[tuple[int, Card]] = []
    for model, admin in site._registry.items():
        for key, attention in getattr(admin, "attention", {}).items():
            if attention.is_on_index and admin.has_view_permission(request):
                count = attention.select(admin.get_queryset(request), today).count()
                link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                link = f"{link}?attention={key}"
                cards.append((attention.rank, Card(attention.label, attention.tone, attention.icon, count, link)))
    return [card for _rank, card in sorted(cards, key=lambda ranked: ranked[0])]
