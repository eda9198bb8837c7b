"""One box over all a person may see: agreements, organizations, milestones, follow-ups, events and what else has a page."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from partnerships.lists.agreements import PARTIES
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Demand,
    Event,
    Facility,
    Honour,
    Milestone,
    Organization,
    Programme,
)

SHOWN = 8


class SearchForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Search"), max_length=200, required=False)


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    groups = _groups(words, request.user) if words else []
    context = {"form": form, "words": words, "groups": groups, "today": timezone.localdate()}
    return render(request, "partnerships/search.html", context)


def _groups(words: str, user: Any) -> list[dict[str, Any]]:
    """The first hits of each kind with the address of the list that has them all."""
    milestones = Milestone.objects.select_related("agreement", "owner")
    kinds: tuple[tuple[str, str, dict[str, str], Any], ...] = (
        (_("Agreements"), "agreement_list", {}, Agreement.objects.select_related("unit").prefetch_related(PARTIES)),
        (_("Organizations"), "organization_list", {}, Organization.objects.not_archived()),
        (_("Milestones"), "milestone_list", {"status": "all"}, milestones),
        (_("Follow-ups"), "activity_list", {}, Activity.objects.select_related("agreement")),
        (_("Events"), "event_list", {}, Event.objects.all()),
        (_("Joint facilities"), "facility_list", {}, Facility.objects.all()),
        (_("Demands"), "demand_list", {}, Demand.objects.all()),
        (_("Achievements"), "achievement_list", {}, Achievement.objects.all()),
        (_("Programmes"), "programme_list", {}, Programme.objects.all()),
        (_("Honours"), "honour_list", {}, Honour.objects.recorded().select_related("scheme", "organization")),
    )
    groups = [_group(*kind, words=words, user=user) for kind in kinds]
    return [group for group in groups if group["rows"]]


def _group(label: str, list_name: str, more: dict[str, str], rows: Any, *, words: str, user: Any) -> dict[str, Any]:
    found = rows.visible_to(user).search(words)
    hits = list(found[: SHOWN + 1])
    query = urlencode({"q": words, **more})
    return {
        "label": label,
        "rows": hits[:SHOWN],
        "has_more": len(hits) > SHOWN,
        "url": f"{reverse(list_name)}?{query}",
    }
