"""The shared directory of organizations; details and people only for the units that hold one."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from partnerships.filtersets import OrganizationFilterSet
from partnerships.models import Activity, Agreement, Event, Organization, OrganizationUnit
from partnerships.permissions import may
from partnerships.views.agreements import PARTIES
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import Column, ListPage

HOLDERS = Prefetch("holders", OrganizationUnit.objects.select_related("unit", "coordinator"))
ROWS_SHOWN = 50


class OrganizationList(ListPage):
    filterset_class = OrganizationFilterSet
    template_name = "partnerships/organizations/list.html"
    default_sort = "name"
    columns = (
        Column(gettext_lazy("Organization"), "name"),
        Column(gettext_lazy("Kind"), "kind"),
        Column(gettext_lazy("Region"), "region__name"),
        Column(gettext_lazy("Held by")),
    )

    def filterset_model(self) -> Any:
        return Organization

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        return rows.select_related("region").prefetch_related(HOLDERS)


@login_required
@require_safe
def organization_detail(request: HttpRequest, pk: int) -> HttpResponse:
    rows = Organization.objects.select_related("region", "region__parent").prefetch_related(HOLDERS)
    organization, user = visible_or_404(rows, request, pk), request.user
    names = list(organization.other_names.select_related("source"))
    memberships = list(organization.association_rows.select_related("association"))
    context = {
        "organization": organization,
        "today": timezone.localdate(),
        "names": names,
        "memberships": memberships,
        "members": list(organization.member_rows.select_related("member")[:ROWS_SHOWN]),
        "agreements": _agreements(organization, user),
        "activities": _activities(organization, user),
        "participations": _participations(organization, user),
        "cited": citations_of([organization, *names, *memberships]),
        **_details(organization, user),
    }
    return render(request, "partnerships/organizations/detail.html", context)


def _details(organization: Organization, user: Any) -> dict[str, Any]:
    """What only the holders see; a viewer among them sees personal data masked."""
    sees_contacts = may(user, "contact.view", organization)
    return {
        "sees_details": may(user, "organization.view_details", organization),
        "sees_contacts": sees_contacts,
        "sees_personal": sees_contacts and may(user, "contact.view_personal", organization),
        "contacts": list(organization.contacts.order_by("-is_active", "name")) if sees_contacts else [],
    }


def _agreements(organization: Organization, user: Any) -> list[Agreement]:
    rows = Agreement.objects.visible_to(user).filter(parties__organization=organization)
    return list(rows.select_related("unit", "type").prefetch_related(PARTIES)[:ROWS_SHOWN])


def _activities(organization: Organization, user: Any) -> list[Activity]:
    rows = Activity.objects.visible_to(user).filter(partners__organization=organization)
    return list(rows.select_related("agreement", "owner")[:ROWS_SHOWN])


def _participations(organization: Organization, user: Any) -> list[Any]:
    rows = organization.participations.filter(event__in=Event.objects.visible_to(user).values("pk"))
    return list(rows.select_related("event")[:ROWS_SHOWN])
