"""Honours and who lapses when; the catalogue of schemes with its ladders."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.models import Honour, HonourScheme, Milestone
from partnerships.models.honours import HonourQuerySet
from partnerships.reports.timeline_sources import record_timeline
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.related import documents_of, figures_about
from partnerships.views.steps import grouped_offers, step_page

HOLDERS_SHOWN = 50


@login_required
@require_safe
def honour_detail(request: UserRequest, pk: int) -> HttpResponse:
    honour = visible_or_404(_with_context(), request, pk)
    milestones = Milestone.objects.visible_to(request.user).filter(honour=honour)
    context = {
        "honour": honour,
        "today": timezone.localdate(),
        "offers": grouped_offers(honour, request.user),
        "could_rise": Honour.objects.could_rise(timezone.localdate()).filter(pk=honour.pk).exists(),
        "milestones": list(milestones.select_related("owner")),
        "documents": documents_of(request.user, honour=honour),
        "timeline": record_timeline(honour),
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
