"""Reported against recorded: the reconciliation list, and one figure with the records counted against it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.models import ReportedFigure
from partnerships.reports.figures import hidden_count, recorded
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.record_acts import edit_act, record_groups
from partnerships.views.related import with_records
from partnerships.views.sections import head_of
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline

RECORDS_SHOWN = 50


@login_required
@require_safe
def figure_detail(request: UserRequest, pk: int) -> HttpResponse:
    figure = visible_or_404(with_records(ReportedFigure.objects.select_related("unit")), request, pk)
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, figure))
    counted = recorded(figure)
    records = None if counted is None else list(counted.visible_to(request.user)[:RECORDS_SHOWN])
    context = {
        **head_of(figure),
        "figure": figure,
        "acts": record_groups(figure, request.user),
        "main_act": edit_act(figure, request.user),
        **history_of(request, figure),
        "records": records,
        "hidden": 0 if counted is None else hidden_count(counted, request.user),
        "cited": citations_of([figure]),
    }
    return render(request, "partnerships/figures/detail.html", context)
