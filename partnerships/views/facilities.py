"""Joint facilities: the list, the page of one with both sides and its reviews, and its steps."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.models import Document, Facility, shown_to
from partnerships.models.facilities import FacilityQuerySet
from partnerships.permissions import may
from partnerships.reports.record_lines import facility_line
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.record_acts import edit_act, first_step, record_groups
from partnerships.views.related import documents_of, milestones_of, next_pending
from partnerships.views.sections import head_of
from partnerships.views.steps import grouped_offers, step_page
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline


@login_required
@require_safe
def facility_detail(request: UserRequest, pk: int) -> HttpResponse:
    facility = visible_or_404(_with_context(), request, pk)
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, facility))
    user, today = request.user, timezone.localdate()
    sides = list(facility.partners.select_related("organization"))
    items = list(facility.programme_items.select_related("programme"))
    offers, milestones = grouped_offers(facility, user), milestones_of(facility, user)
    acts = record_groups(facility, user, offers=offers)
    context = {
        **head_of(facility),
        "facility": facility,
        "agreement": shown_to(user, facility.agreement),
        "today": today,
        "offers": offers,
        "acts": acts,
        "main_act": first_step(acts) or edit_act(facility, user),
        "life": facility_line(facility, today),
        "sides": sides,
        "items": items,
        "milestones": milestones,
        "next_milestone": next_pending(milestones),
        "may_upload": may(user, "document.upload", Document(facility=facility)),
        "documents": documents_of(user, facility=facility),
        **history_of(request, facility),
        "cited": citations_of([facility, *sides, *items]),
    }
    return render(request, "partnerships/facilities/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def facility_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    return step_page(request, visible_or_404(_with_context(), request, pk), step)


def _with_context() -> FacilityQuerySet:
    return Facility.objects.select_related("unit", "owner", "agreement", "area", "event", "region")
