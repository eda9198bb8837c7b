"""Research achievements on offer, and the demands they answer."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.models import Achievement
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.record_acts import edit_act, record_groups
from partnerships.views.sections import head_of
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline


@login_required
@require_safe
def achievement_detail(request: UserRequest, pk: int) -> HttpResponse:
    achievement = visible_or_404(Achievement.objects.select_related("organization", "unit"), request, pk)
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, achievement))
    context = {
        **head_of(achievement),
        "achievement": achievement,
        "acts": record_groups(achievement, request.user),
        "main_act": edit_act(achievement, request.user),
        **history_of(request, achievement),
        "answers": list(achievement.answers.visible_to(request.user).select_related("demand__organization", "unit")),
        "cited": citations_of([achievement]),
    }
    return render(request, "partnerships/achievements/detail.html", context)
