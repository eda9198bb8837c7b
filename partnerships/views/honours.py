"""Honours and who lapses when; the catalogue of schemes with its ladders."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.filtersets import HonourFilterSet, HonourSchemeFilterSet
from partnerships.models import Honour, HonourScheme, Milestone
from partnerships.statuses import HonourStatus
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import Column, ListPage
from partnerships.views.related import documents_of, figures_about
from partnerships.views.steps import grouped_offers, step_page
from partnerships.views.timeline import edits_of, newest_first, steps_of

HOLDERS_SHOWN = 50


class HonourList(ListPage):
    filterset_class = HonourFilterSet
    template_name = "partnerships/honours/list.html"
    default_sort = "valid_until"
    columns = (
        Column(gettext_lazy("Held by"), "organization__name"),
        Column(gettext_lazy("Honour"), "scheme__name"),
        Column(gettext_lazy("Level"), "scheme__level"),
        Column(gettext_lazy("Granted on"), "granted_on"),
        Column(gettext_lazy("Valid until"), "valid_until"),
        Column(gettext_lazy("Next level"), "scheme__next_scheme__name"),
    )

    def filterset_model(self) -> Any:
        return Honour

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        return rows.select_related("organization", "scheme__next_scheme")


@login_required
@require_safe
def honour_detail(request: HttpRequest, pk: int) -> HttpResponse:
    honour = visible_or_404(_with_context(), request, pk)
    milestones = Milestone.objects.visible_to(request.user).filter(honour=honour)
    context = {
        "honour": honour,
        "today": timezone.localdate(),
        "offers": grouped_offers(honour, request.user),
        "could_rise": Honour.objects.could_rise(timezone.localdate()).filter(pk=honour.pk).exists(),
        "milestones": list(milestones.select_related("owner")),
        "documents": documents_of(request.user, honour=honour),
        "timeline": newest_first(steps_of(honour), edits_of(honour)),
        "cited": citations_of([honour]),
    }
    return render(request, "partnerships/honours/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def honour_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    return step_page(request, visible_or_404(_with_context(), request, pk), step)


def _with_context() -> QuerySet:
    return Honour.objects.select_related("organization", "scheme__next_scheme", "unit")


class HonourSchemeList(ListPage):
    filterset_class = HonourSchemeFilterSet
    template_name = "partnerships/honours/schemes.html"
    default_sort = "name"
    columns = (
        Column(gettext_lazy("Honour"), "name"),
        Column(gettext_lazy("Level"), "level"),
        Column(gettext_lazy("Issued by"), "issuer"),
        Column(gettext_lazy("Valid for"), "validity_months"),
        Column(gettext_lazy("Next level"), "next_scheme__name"),
        Column(gettext_lazy("Holders")),
    )

    def filterset_model(self) -> Any:
        return HonourScheme

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        held = Q(honours__status=HonourStatus.RECORDED)
        return rows.annotate(honour_count=Count("honours", filter=held)).select_related("next_scheme")


@login_required
@require_safe
def honour_scheme_detail(request: HttpRequest, pk: int) -> HttpResponse:
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
