"""Reported against recorded: the reconciliation list, and one figure with the records counted against it."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from partnerships.filtersets import FigureFilterSet
from partnerships.models import ReportedFigure
from partnerships.reports.figures import recorded
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import Column, ListPage
from partnerships.views.related import with_records

RECORDS_SHOWN = 50


class FigureList(ListPage):
    filterset_class = FigureFilterSet
    template_name = "partnerships/figures/list.html"
    default_sort = "source__title"
    columns = (
        Column(gettext_lazy("What is counted"), "name"),
        Column(gettext_lazy("Reported"), "value"),
        Column(gettext_lazy("Recorded")),
        Column(gettext_lazy("To register")),
        Column(gettext_lazy("As of"), "as_of"),
        Column(gettext_lazy("Compared with")),
        Column(gettext_lazy("Source"), "source__title"),
    )

    def filterset_model(self) -> Any:
        return ReportedFigure

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        return with_records(rows, self.request.user)


@login_required
@require_safe
def figure_detail(request: HttpRequest, pk: int) -> HttpResponse:
    figure = visible_or_404(with_records(ReportedFigure.objects.select_related("unit"), request.user), request, pk)
    counted = recorded(figure, request.user)
    context = {
        "figure": figure,
        "records": None if counted is None else list(counted[:RECORDS_SHOWN]),
        "cited": citations_of([figure]),
    }
    return render(request, "partnerships/figures/detail.html", context)
