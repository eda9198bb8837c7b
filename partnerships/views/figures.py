"""Reported against recorded: the reconciliation list, and one figure with the records counted against it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.figures import ConfirmFigureForm
from partnerships.models import ReportedFigure
from partnerships.models.counting_rules import recorded
from partnerships.permissions import may
from partnerships.reports.figures import confirmed, hidden_count
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.record_acts import RecordAct, edit_act, record_groups
from partnerships.views.related import with_records
from partnerships.views.sections import head_of
from partnerships.views.steps import form_page
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
        "acts": record_groups(figure, request.user, follow_up=_confirming(figure, request)),
        "main_act": edit_act(figure, request.user),
        **history_of(request, figure),
        "records": records,
        "hidden": 0 if counted is None else hidden_count(counted, request.user),
        "confirmed": confirmed(figure),
        "cited": citations_of([figure]),
    }
    return render(request, "partnerships/figures/detail.html", context)


def _confirming(figure: ReportedFigure, request: UserRequest) -> list[RecordAct]:
    if not may(request.user, "figure.confirm", figure):
        return []
    return [RecordAct(_("Confirm the figure"), reverse("figure_confirm", args=[figure.pk]))]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def figure_confirm(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for a note, and keep the figure with what is recorded now under the name of the user."""
    figure = visible_or_404(with_records(ReportedFigure.objects.select_related("unit")), request, pk)
    require_or_403(request.user, "figure.confirm", figure)
    form = ConfirmFigureForm(request.POST or None, row=figure, today=timezone.localdate())
    done = _("Confirmed. The numbers of today are kept with your name.")
    return form_page(
        request,
        figure,
        form,
        title=_("Confirm the figure"),
        done=done,
        template="partnerships/figures/confirm.html",
        shown={"figure": figure},
    )
