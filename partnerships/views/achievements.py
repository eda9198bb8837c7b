"""Research achievements on offer, and the demands they answer."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.models import Achievement
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of


@login_required
@require_safe
def achievement_detail(request: UserRequest, pk: int) -> HttpResponse:
    achievement = visible_or_404(Achievement.objects.select_related("organization", "unit"), request, pk)
    context = {
        "achievement": achievement,
        "answers": list(achievement.answers.visible_to(request.user).select_related("demand__organization", "unit")),
        "cited": citations_of([achievement]),
    }
    return render(request, "partnerships/achievements/detail.html", context)
