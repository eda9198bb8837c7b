"""Joint facilities: the list, the page of one with both sides and its reviews, and its steps."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.models import Document, Facility, shown_to
from partnerships.models.facilities import FacilityQuerySet
from partnerships.permissions import may
from partnerships.reports.timeline_sources import record_timeline
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.related import documents_of, milestones_of
from partnerships.views.steps import grouped_offers, step_page


@login_required
@require_safe
def facility_detail(request: UserRequest, pk: int) -> HttpResponse:
    facility = visible_or_404(_with_context(), request, pk)
    sides = list(facility.partners.select_related("organization"))
    items = list(facility.programme_items.select_related("programme"))
    context = {
        "facility": facility,
        "agreement": shown_to(request.user, facility.agreement),
        "today": timezone.localdate(),
        "offers": grouped_offers(facility, request.user),
        "sides": sides,
        "items": items,
        "milestones": milestones_of(facility, request.user),
        "may_upload": may(request.user, "document.upload", Document(facility=facility)),
        "documents": documents_of(request.user, facility=facility),
        "timeline": record_timeline(facility),
        "cited": citations_of([facility, *sides, *items]),
    }
    return render(request, "partnerships/facilities/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def facility_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    return step_page(request, visible_or_404(_with_context(), request, pk), step)


def _with_context() -> FacilityQuerySet:
    return Facility.objects.select_related("unit", "owner", "agreement", "area", "event", "region")
