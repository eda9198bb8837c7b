"""Joint facilities: the list, the page of one with both sides and its reviews, and its steps."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.filtersets import FacilityFilterSet
from partnerships.models import Facility
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import Column, ListPage
from partnerships.views.related import SIDES, documents_of, milestones_of
from partnerships.views.steps import grouped_offers, step_page
from partnerships.views.timeline import edits_of, newest_first, steps_of


class FacilityList(ListPage):
    filterset_class = FacilityFilterSet
    template_name = "partnerships/facilities/list.html"
    default_sort = "-opened_on"
    columns = (
        Column(gettext_lazy("Joint facility"), "name"),
        Column(gettext_lazy("Kind"), "kind"),
        Column(gettext_lazy("Run by")),
        Column(gettext_lazy("Status"), "status"),
        Column(gettext_lazy("Opened on"), "opened_on"),
        Column(gettext_lazy("Agreed until"), "ends_on"),
        Column(gettext_lazy("Owner"), "owner__name"),
    )

    def filterset_model(self) -> Any:
        return Facility

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        return rows.select_related("unit", "owner").prefetch_related(SIDES)


@login_required
@require_safe
def facility_detail(request: HttpRequest, pk: int) -> HttpResponse:
    facility = visible_or_404(_with_context(), request, pk)
    sides = list(facility.partners.select_related("organization"))
    items = list(facility.programme_items.select_related("programme"))
    context = {
        "facility": facility,
        "today": timezone.localdate(),
        "offers": grouped_offers(facility, request.user),
        "sides": sides,
        "items": items,
        "milestones": milestones_of(facility, request.user),
        "documents": documents_of(request.user, facility=facility),
        "timeline": newest_first(steps_of(facility), edits_of(facility)),
        "cited": citations_of([facility, *sides, *items]),
    }
    return render(request, "partnerships/facilities/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def facility_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    return step_page(request, visible_or_404(_with_context(), request, pk), step)


def _with_context() -> QuerySet:
    return Facility.objects.select_related("unit", "owner", "agreement", "event", "region")
