"""Reported against recorded: the reconciliation list, and one figure with the records counted against it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.models import ReportedFigure
from partnerships.reports.figures import recorded
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.related import with_records

RECORDS_SHOWN = 50


@login_required
@require_safe
def figure_detail(request: UserRequest, pk: int) -> HttpResponse:
    figure = visible_or_404(with_records(ReportedFigure.objects.select_related("unit"), request.user), request, pk)
    counted = recorded(figure, request.user)
    context = {
        "figure": figure,
        "records": None if counted is None else list(counted[:RECORDS_SHOWN]),
        "cited": citations_of([figure]),
    }
    return render(request, "partnerships/figures/detail.html", context)
