"""Honours and who lapses when; the catalogue of schemes with its ladders."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.models import Document, Honour, HonourScheme
from partnerships.models.honours import HonourQuerySet
from partnerships.permissions import may
from partnerships.reports.record_lines import honour_line
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.record_acts import edit_act, record_groups
from partnerships.views.related import documents_of, figures_about, milestones_of, next_pending
from partnerships.views.sections import head_of
from partnerships.views.steps import grouped_offers, step_page
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline

HOLDERS_SHOWN = 50


@login_required
@require_safe
def honour_detail(request: UserRequest, pk: int) -> HttpResponse:
    honour = visible_or_404(_with_context(), request, pk)
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, honour))
    user, today = request.user, timezone.localdate()
    milestones = milestones_of(honour, user)
    context = {
        **head_of(honour),
        "honour": honour,
        "today": today,
        "acts": record_groups(honour, user, offers=grouped_offers(honour, user)),
        "main_act": edit_act(honour, user),
        "life": honour_line(honour, today) if honour.withdrawn_on is None else None,
        "could_rise": Honour.objects.could_rise(today).filter(pk=honour.pk).exists(),
        "milestones": milestones,
        "next_milestone": next_pending(milestones),
        "documents": documents_of(user, honour=honour),
        "may_upload": may(user, "document.upload", Document(honour=honour)),
        **history_of(request, honour),
        "cited": citations_of([honour]),
    }
    return render(request, "partnerships/honours/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def honour_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    return step_page(request, visible_or_404(_with_context(), request, pk), step)


def _with_context() -> HonourQuerySet:
    return Honour.objects.select_related("organization", "scheme__next_scheme", "unit")


@login_required
@require_safe
def honour_scheme_detail(request: UserRequest, pk: int) -> HttpResponse:
    scheme = visible_or_404(HonourScheme.objects.select_related("next_scheme"), request, pk)
    honours = scheme.honours.recorded().select_related("organization")
    context = {
        "scheme": scheme,
        "today": timezone.localdate(),
        "lower": list(scheme.previous_schemes.all()),
        "honours": list(honours[:HOLDERS_SHOWN]),
        "figures": figures_about(request.user, scheme=scheme),
        "cited": citations_of([scheme]),
    }
    return render(request, "partnerships/honours/scheme.html", context)
