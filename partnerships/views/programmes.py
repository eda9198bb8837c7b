"""Programmes: the list, and the progress of one: target, recorded and reported side by side."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from partnerships.filtersets import ProgrammeFilterSet
from partnerships.models import Agreement, Demand, Event, Facility, Programme, ProgrammeItem
from partnerships.reports.figures import programme_progress
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import Column, ListPage
from partnerships.views.related import documents_of, figures_about


class ProgrammeList(ListPage):
    filterset_class = ProgrammeFilterSet
    template_name = "partnerships/programmes/list.html"
    default_sort = "name"
    columns = (
        Column(gettext_lazy("Programme"), "name"),
        Column(gettext_lazy("Starts on"), "starts_on"),
        Column(gettext_lazy("Ends on"), "ends_on"),
        Column(gettext_lazy("Events")),
        Column(gettext_lazy("Unit"), "unit__name"),
    )

    def filterset_model(self) -> Any:
        return Programme

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        return rows.annotate(event_count=Count("items__event")).select_related("unit")


@login_required
@require_safe
def programme_detail(request: HttpRequest, pk: int) -> HttpResponse:
    programme, user = visible_or_404(Programme.objects.select_related("unit"), request, pk), request.user
    organizers = list(programme.organizers.select_related("organization"))
    items = _items(programme, user)
    documents = documents_of(user, programme=programme)
    context = {
        "programme": programme,
        "progress": programme_progress(programme, user),
        "figures": figures_about(user, programme=programme),
        "organizers": organizers,
        "items": items,
        "documents": documents,
        "cited": citations_of([programme, *organizers, *items, *documents]),
    }
    return render(request, "partnerships/programmes/detail.html", context)


def _items(programme: Programme, user: Any) -> list[ProgrammeItem]:
    """What carries the programme's label, as far as the person may see it."""
    rows = programme.items.select_related("event", "agreement", "facility", "demand")
    seen = {
        name: set(
            model.objects.visible_to(user).filter(programme_items__programme=programme).values_list("pk", flat=True)
        )
        for name, model in (("event", Event), ("agreement", Agreement), ("facility", Facility), ("demand", Demand))
    }
    return [row for row in rows if any(getattr(row, f"{name}_id") in ids for name, ids in seen.items())]
