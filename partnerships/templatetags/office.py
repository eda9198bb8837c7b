"""How the pages say things: statuses, days, samples, citations."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template
from django.contrib.contenttypes.models import ContentType
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.lists import LISTS
from partnerships.permissions import may, may_enter_admin
from partnerships.statuses import TONES

register = template.Library()


@register.filter
def day(value: dt.date | None) -> str | SafeString:
    """A date in the reader's language, in ISO for machines; a dash for none."""
    if value is None:
        return "—"
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), date_format(value, "DATE_FORMAT"))


@register.filter
def moment(value: dt.datetime) -> SafeString:
    """A date and time in the reader's zone."""
    machine = timezone.localtime(value).isoformat(timespec="minutes")
    return format_html('<time datetime="{}">{}</time>', machine, moment_in_words(value))


def moment_in_words(value: dt.datetime) -> str:
    local = timezone.localtime(value)
    return f"{date_format(local, 'DATE_FORMAT')} {date_format(local, 'H:i')}"


@register.filter
def days_from(value: dt.date, today: dt.date) -> str:
    """How far a due date is: "in 5 days", "today", "3 days late"."""
    days = (value - today).days
    if days == 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    if days > 0:
        return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}
    return ngettext("%(days)s day late", "%(days)s days late", -days) % {"days": -days}


@register.filter
def urgency(value: dt.date, today: dt.date) -> str:
    days = (value - today).days
    return "late" if days < 0 else "soon" if days <= 7 else "later"


@register.filter
def status(row: Any) -> SafeString:
    tone = TONES.get(row.status, "neutral")
    return format_html('<span class="status tone-{}">{}</span>', tone, row.get_status_display())


@register.filter
def grouped(value: Decimal | int, places: int = 0) -> str:
    """Thousands in groups of three, which Django's Chinese formats leave out: "1,122", "250,000.00"."""
    return f"{value:,.{places}f}"


@register.inclusion_tag("partnerships/_sample.html")
def sample(row: Any) -> dict[str, Any]:
    return {"is_sample": getattr(row, "is_sample", False)}


@register.inclusion_tag("partnerships/_cite.html", takes_context=True)
def cite(context: dict[str, Any], row: Any, *fields: str) -> dict[str, Any]:
    """What sources printed about ``fields`` of ``row``, and what we assumed; without fields, about the row as such.

    The view puts ``citations_of(rows)`` into the context as ``cited``.
    """
    wanted = fields or ("",)
    found = [citation for citation in _citations(context, row) if citation.field in wanted]
    return {
        "printed": [citation for citation in found if not citation.is_assumption],
        "assumed": [citation for citation in found if citation.is_assumption],
    }


def _citations(context: dict[str, Any], row: Any) -> list[Any]:
    return context["cited"].get((ContentType.objects.get_for_model(row).pk, row.pk), [])


@register.simple_tag(takes_context=True)
def admin_url(context: dict[str, Any], row: Any) -> str:
    """The record's page in the admin, for those who may enter it; empty where there is none."""
    user = context["request"].user
    if row is None or not may_enter_admin(user):
        return ""
    try:
        return reverse(f"admin:partnerships_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def admin_add_url(context: dict[str, Any], model_name: str, action: str = "") -> str:
    """Where the admin adds a record of this kind, for those who enter it and may add one; empty for others.

    ``action`` is what they need to be allowed, "<model>.add" unless given.
    """
    user = context["request"].user
    if not may_enter_admin(user) or not may(user, action or f"{model_name}.add"):
        return ""
    try:
        return reverse(f"admin:partnerships_{model_name}_add")
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def enters_admin(context: dict[str, Any]) -> bool:
    return may_enter_admin(context["request"].user)


@register.simple_tag(takes_context=True)
def leads_a_team(context: dict[str, Any]) -> bool:
    return may(context["request"].user, "team.view")


@register.simple_tag(takes_context=True)
def enters_ceremonies(context: dict[str, Any]) -> bool:
    return may(context["request"].user, "event.add")


@register.simple_tag(takes_context=True)
def section(context: dict[str, Any]) -> str:
    """The part of the site the page belongs to, for the navigation: ``agreement``, ``milestone``, ..."""
    match = getattr(context.get("request"), "resolver_match", None)
    return match.url_name.partition("_")[0] if match and match.url_name else ""


@register.filter
def partner_names(agreement: Any) -> str:
    """The other organizations of an agreement whose unit and parties were fetched along: two by name, others counted."""
    if not agreement:
        return ""
    ours = agreement.unit.organization_id
    parties = [party for party in agreement.parties.all() if party.organization_id != ours]
    return names([str(party.organization) for party in parties])


@register.filter
def taking_part(row: Any) -> str:
    """The organizations of an activity or a joint facility, two by name."""
    return names([str(partner.organization) for partner in row.partners.all()])


def names(words: list[str]) -> str:
    more = len(words) - 2
    shown = " · ".join(words[:2])
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(more)s more", "%(names)s and %(more)s more", more) % {
        "names": shown,
        "more": more,
    }


@register.filter
def masked(value: str) -> str:
    """A phone number or address of which a viewer sees the ends only."""
    if not value:
        return ""
    name, at, domain = value.partition("@")
    return f"{name[:1]}•••{at}{domain}" if at else f"•••{value[-2:]}"


@register.inclusion_tag("partnerships/_sources.html", takes_context=True)
def sources(context: dict[str, Any], row: Any) -> dict[str, Any]:
    """Every citation of a record in one place, each with the name of its field."""
    return {"citations": [(field_label(row, citation.field), citation) for citation in _citations(context, row)]}


def field_label(row: Any, field: str) -> str:
    return str(row._meta.get_field(field).verbose_name) if field else ""


@register.filter
def list_title(key: str) -> str:
    """What a list of rows is called, by the name of its address."""
    return str(LISTS[key].model._meta.verbose_name_plural) if key in LISTS else key


@register.filter
def kind_of(row: Any) -> str:
    return str(row._meta.verbose_name)
