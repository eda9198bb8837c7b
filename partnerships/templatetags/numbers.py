"""The list behind each number of the matrix of promises and of an organization at a glance."""

from django import template
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from partnerships.models import Agreement
from partnerships.reports.promises import MatrixCell
from partnerships.reports.relations import Relation

register = template.Library()


@register.simple_tag
def delivered_links(agreement: Agreement, cell: MatrixCell, of: str, *, is_done: bool) -> list[tuple[str, str]]:
    """Return label and address of each list behind a number of ``cell``: activities, joint facilities, or both.

    ``of`` is "agreement", or "framework" with those below it.
    """
    tally = cell.own if of == "agreement" else cell.family
    days = {"from": cell.since, "until": cell.until}
    query: dict[str, str | int] = {of: agreement.pk}
    if cell.area:
        query["area"] = cell.area.pk
    if cell.organization:
        query["credited"] = cell.organization.pk
    kinds = tally.delivered_by if is_done else tally.planned_by
    links = []
    if "activity" in kinds:
        asked = {**query, "status": "completed" if is_done else "unfinished"}
        if is_done:
            asked |= {f"completed_{name}": day.isoformat() for name, day in days.items() if day}
        links.append((str(_("Activities")), f"{reverse('activity_list')}?{urlencode(asked)}"))
    if "facility" in kinds:
        asked = {**query, "counts": "delivered" if is_done else "planned"}
        if is_done:
            asked |= {f"opened_{name}": day.isoformat() for name, day in days.items() if day}
        links.append((str(_("Joint facilities")), f"{reverse('facility_list')}?{urlencode(asked)}"))
    return links


@register.filter
def relation_url(relation: Relation) -> str:
    """Return the address of the list whose rows a relation counts."""
    return f"{reverse(relation.address)}?{urlencode(relation.query)}"


@register.simple_tag
def list_url(address: str, **query: str | int) -> str:
    """Return the address of the list named ``address``, filtered."""
    return f"{reverse(address)}?{urlencode(query)}"
