"""Programmes: the list, and the progress of one: target, recorded and reported side by side."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.models import Agreement, Demand, Event, Facility, Programme, ProgrammeItem, User
from partnerships.reports.figures import programme_progress
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.related import documents_of, figures_about


@login_required
@require_safe
def programme_detail(request: UserRequest, pk: int) -> HttpResponse:
    programme, user = visible_or_404(Programme.objects.select_related("unit"), request, pk), request.user
    organizers = list(programme.organizers.select_related("organization"))
    all_items = list(programme.items.select_related("event", "agreement", "facility", "demand"))
    items = _seen(all_items, programme, user)
    documents = documents_of(user, programme=programme)
    context = {
        "programme": programme,
        "progress": programme_progress(programme),
        "figures": figures_about(user, programme=programme),
        "organizers": organizers,
        "items": items,
        "hidden": len(all_items) - len(items),
        "documents": documents,
        "cited": citations_of([programme, *organizers, *items, *documents]),
    }
    return render(request, "partnerships/programmes/detail.html", context)


def _seen(items: list[ProgrammeItem], programme: Programme, user: User) -> list[ProgrammeItem]:
    """Return the items whose records the user may see."""
    seen = {
        name: set(
            model.objects.visible_to(user).filter(programme_items__programme=programme).values_list("pk", flat=True)
        )
        for name, model in (("event", Event), ("agreement", Agreement), ("facility", Facility), ("demand", Demand))
    }
    return [row for row in items if any(getattr(row, f"{name}_id") in ids for name, ids in seen.items())]
