"""The list behind each number of the matrix of promises and of an organization at a glance."""

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from partnerships.models import Agreement
from partnerships.reports.deliveries import MatrixCell
from partnerships.reports.relations import Relation

register = template.Library()


@register.simple_tag
def delivered_url(agreement: Agreement, cell: MatrixCell, of: str, status: str) -> str:
    """Return the address of the follow-ups in ``cell``; ``of`` is "agreement", or "framework" with those below it."""
    query: dict[str, str | int] = {of: agreement.pk}
    if cell.area:
        query["area"] = cell.area.pk
    if cell.organization:
        query["credited"] = cell.organization.pk
    return f"{reverse('activity_list')}?{urlencode({**query, 'status': status})}"


@register.filter
def relation_url(relation: Relation) -> str:
    """Return the address of the list whose rows a relation counts."""
    return f"{reverse(relation.address)}?{urlencode(relation.query)}"


@register.simple_tag
def list_url(address: str, **query: str | int) -> str:
    """Return the address of the list named ``address``, filtered."""
    return f"{reverse(address)}?{urlencode(query)}"
