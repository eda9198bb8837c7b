"""Research achievements on offer, and the demands they answer."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from partnerships.filtersets import AchievementFilterSet
from partnerships.models import Achievement
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import Column, ListPage


class AchievementList(ListPage):
    filterset_class = AchievementFilterSet
    template_name = "partnerships/achievements/list.html"
    default_sort = "name"
    columns = (
        Column(gettext_lazy("Achievement"), "name"),
        Column(gettext_lazy("Offered by"), "organization__name"),
        Column(pgettext_lazy("of knowledge", "Field"), "field"),
        Column(gettext_lazy("People behind it")),
        Column(gettext_lazy("On offer"), "is_on_offer"),
    )

    def filterset_model(self) -> Any:
        return Achievement

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        return rows.select_related("organization")


@login_required
@require_safe
def achievement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    achievement = visible_or_404(Achievement.objects.select_related("organization", "unit"), request, pk)
    context = {
        "achievement": achievement,
        "answers": list(achievement.answers.visible_to(request.user).select_related("demand__organization", "unit")),
        "cited": citations_of([achievement]),
    }
    return render(request, "partnerships/achievements/detail.html", context)
