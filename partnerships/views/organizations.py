"""The shared directory of organizations; details and people only for the units that hold one."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.lists import OrganizationRows
from partnerships.lists.agreements import PARTIES
from partnerships.lists.organizations import HOLDERS
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Event,
    Honour,
    Organization,
)
from partnerships.permissions import may
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import ListPage
from partnerships.views.related import demands_among, facilities_among, figures_about

ROWS_SHOWN = 50


class OrganizationList(ListPage):
    rows_class = OrganizationRows
    template_name = "partnerships/organizations/list.html"


@login_required
@require_safe
def organization_detail(request: HttpRequest, pk: int) -> HttpResponse:
    rows = Organization.objects.select_related("region", "region__parent").prefetch_related(HOLDERS)
    organization, user = visible_or_404(rows, request, pk), request.user
    names = list(organization.other_names.select_related("source"))
    memberships = list(organization.association_rows.select_related("association"))
    members = list(organization.member_rows.select_related("member")[:ROWS_SHOWN])
    related = _related(organization, user)
    participations = related["participations"]
    context = {
        "organization": organization,
        "today": timezone.localdate(),
        "names": names,
        "memberships": memberships,
        "members": members,
        **related,
        "figures": figures_about(user, organization=organization),
        "cited": citations_of(
            [
                *(organization, *names, *memberships, *members),
                *(row.event for row in participations),
                *(row for rows in related.values() for row in rows),
            ]
        ),
        **_details(organization, user),
    }
    return render(request, "partnerships/organizations/detail.html", context)


def _related(organization: Organization, user: Any) -> dict[str, list[Any]]:
    """What it takes part in, each list cut to its first rows."""
    honours = Honour.objects.visible_to(user).recorded().filter(organization=organization).select_related("scheme")
    achievements = Achievement.objects.visible_to(user).filter(organization=organization)
    return {
        "agreements": _agreements(organization, user),
        "activities": _activities(organization, user),
        "participations": _participations(organization, user),
        "facilities": facilities_among(user, partners__organization=organization)[:ROWS_SHOWN],
        "demands": demands_among(user, organization=organization)[:ROWS_SHOWN],
        "honours": list(honours[:ROWS_SHOWN]),
        "achievements": list(achievements[:ROWS_SHOWN]),
        "programme_rows": list(organization.programme_rows.select_related("programme")[:ROWS_SHOWN]),
    }


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
