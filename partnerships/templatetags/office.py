"""Tags and filters of the pages: statuses, days, samples, citations, permissions."""

import datetime as dt
from typing import Any

from django import template
from django.contrib.contenttypes.models import ContentType
from django.db.models import Field, Model
from django.forms import BoundField
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from partnerships.glossary import TERMS
from partnerships.lists import LISTS, cells
from partnerships.lists.memory import address_as_left
from partnerships.lists.payments import payment_state
from partnerships.lists.places import place_in_list
from partnerships.models import Activity, Document, Facility, MailHold
from partnerships.permissions import may, may_enter_admin
from partnerships.workflows.deletions import deletion_action

register = template.Library()

for show in (
    cells.day,
    cells.moment,
    cells.days_from,
    cells.urgency,
    cells.status,
    cells.grouped,
    cells.partner_names,
    payment_state,
):
    register.filter(show.__name__, show)
register.simple_tag(cells.sample)


@register.simple_tag
def sending_pause() -> MailHold | None:
    """Return the pause of all sending, if there is one."""
    return MailHold.objects.active().first()


@register.simple_tag(takes_context=True)
def cite(context: Context, row: Model, *fields: str) -> SafeString:
    """Show what sources printed about ``fields`` of ``row``, and what we assumed; without fields, about the row as such.

    The view puts ``citations_of(rows)`` into the context as ``cited``.
    """
    return cells.citations(context["cited"], row, fields or ("",))


def _citations(context: Context, row: Model) -> list[Any]:
    return context["cited"].get((ContentType.objects.get_for_model(row).pk, row.pk), [])


@register.simple_tag(takes_context=True)
def admin_url(context: Context, row: Model) -> str:
    """Return the record's page in the admin, for those who may enter it; empty where there is none."""
    user = context["request"].user
    if row is None or not may_enter_admin(user):
        return ""
    try:
        return reverse(f"admin:partnerships_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""  # not every model has a page in the admin


@register.inclusion_tag("partnerships/_delete_link.html", takes_context=True)
def delete_link(context: Context, row: Model) -> dict[str, object]:
    """Show the link to the page that deletes a record, to those who may."""
    action = deletion_action(type(row))
    if action is None or not may(context["request"].user, action, row):
        return {"address": ""}
    kind = next(key.removesuffix("_list") for key, shown in LISTS.items() if isinstance(row, shown.model))
    return {"address": reverse(f"{kind}_delete", args=[row.pk])}


@register.inclusion_tag("partnerships/_edit_link.html", takes_context=True)
def edit_link(context: Context, row: Model) -> dict[str, object]:
    """Show the button to the page that edits a record, to those who may."""
    kind = row._meta.model_name or ""
    may_edit = may(context["request"].user, f"{kind}.edit", row) and getattr(row, "withdrawn_on", None) is None
    return {"address": reverse(f"{kind}_edit", args=[row.pk]) if may_edit else ""}


@register.simple_tag(takes_context=True)
def enters_admin(context: Context) -> bool:
    return may_enter_admin(context["request"].user)


@register.simple_tag(takes_context=True)
def may_do(context: Context, action: str) -> bool:
    """Whether the person may take ``action`` on any row at all."""
    return may(context["request"].user, action)


@register.simple_tag(takes_context=True)
def replaces_papers(context: Context, target: str, row: Model) -> bool:
    """Whether the user may replace all documents of ``row``, not only those they uploaded."""
    return may(context["request"].user, "document.replace", Document(**{target: row}))


@register.simple_tag(takes_context=True)
def leads_a_team(context: Context) -> bool:
    return may(context["request"].user, "team.view")


@register.inclusion_tag("partnerships/_log_follow_up.html", takes_context=True)
def log_follow_up(context: Context, *, is_main: bool = False, **about: str | int) -> dict[str, object]:
    """Show the button of the fast entry, for those who may follow up something; ``about`` says what it starts with."""
    return {"is_open": may(context["request"].user, "activity.add"), "is_main": is_main, "query": urlencode(about)}


@register.simple_tag(takes_context=True)
def follows_up(context: Context) -> bool:
    return may(context["request"].user, "activity.add")


@register.simple_tag(takes_context=True)
def enters_ceremonies(context: Context) -> bool:
    return may(context["request"].user, "event.add")


@register.simple_tag
def term(key: str, words: str = "") -> SafeString:
    """Return a word of the glossary with its meaning as hover help, which a keyboard and a screen reader reach as well."""
    found = TERMS[key]
    return format_html(
        '<a class="term" href="{}#{}" title="{}">{}</a>', reverse("glossary"), key, found.meaning, words or found.label
    )


@register.filter
def near_day(value: dt.date, today: dt.date) -> str:
    """Return a day as a line of work shows it: with its weekday, and with the year where it is another one."""
    form = pgettext("date", "D, M j") if value.year == today.year else pgettext("date", "M j, Y")
    return date_format(value, form)


@register.filter
def record_link(row: Any, css_class: str = "") -> SafeString:
    """Return a link to the page of a record, or the words that stand for one of another unit."""
    return cells.link(row, css_class=css_class)


@register.filter
def mark_of(field: BoundField) -> str:
    """Return when a field is required, which its form says of the few that matter most."""
    return str(getattr(field.form, "marks", {}).get(field.name, ""))


@register.filter
def outside_link(address: str) -> SafeString:
    """Return a link to a stored web address; anything but http and https, such as ``javascript:``, stays text."""
    if not address.lower().startswith(("http://", "https://")):
        return format_html("{}", address)
    return format_html('<a href="{}" rel="noopener noreferrer nofollow">{}</a>', address, address)


@register.filter
def taking_part(row: Activity | Facility) -> str:
    """Return the organizations of an activity or a joint facility: two by name, the others counted."""
    return cells.organization_names(row.partners.all())


@register.filter
def masked(value: str) -> str:
    """Return a phone number or address; a viewer gets its ends only."""
    if not value:
        return ""
    name, at, domain = value.partition("@")
    return f"{name[:1]}•••{at}{domain}" if at else f"•••{value[-2:]}"


@register.inclusion_tag("partnerships/_sources.html", takes_context=True)
def sources(context: Context, row: Model) -> dict[str, object]:
    """Show every citation of a record in one place, each with the name of its field."""
    found = [(field_label(row, citation.field), citation) for citation in _citations(context, row)]
    return {"citations": found, "may_edit": bool(found) and may(context["request"].user, "citation.edit")}


def field_label(row: Model, field: str) -> str:
    named = row._meta.get_field(field) if field else None
    return str(named.verbose_name) if isinstance(named, Field) else ""


@register.filter
def list_title(key: str) -> str:
    """Return the title of a list, given the name of its address."""
    return str(LISTS[key].title) if key in LISTS else key


@register.filter
def kind_of(row: Model) -> str:
    return str(row._meta.verbose_name)


@register.inclusion_tag("partnerships/_list_crumb.html", takes_context=True)
def list_crumb(context: Context, key: str) -> dict[str, object]:
    """Show the link back to a list as this person left it, and the records beside this one in it."""
    request = context["request"]
    place = place_in_list(request, key, request.resolver_match.kwargs["pk"])
    return {"title": LISTS[key].title, "url": address_as_left(request, key), "place": place}
