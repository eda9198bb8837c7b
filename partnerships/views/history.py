"""The search in all histories, for the office, system administrators and auditors."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from partnerships.forms.history import HistorySearchForm
from partnerships.reports.history_search import Cursor, HistoryLine, HistoryPage, search_history
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403


@login_required
@never_cache
@require_safe
def history_search(request: UserRequest) -> HttpResponse:
    """Show what was changed, newest first; ``after`` names the last line of the page before."""
    require_or_403(request.user, "history.search")
    form = HistorySearchForm(request.GET, user=request.user, today=timezone.localdate())
    after = _cursor(request.GET.get("after", ""))
    page = search_history(form.asked(), after) if form.is_valid() else HistoryPage((), None)
    context = {
        "form": form,
        "lines": [(line, _address_of(line)) for line in page.lines],
        "is_first": after is None,
        "newest": _address(request),
        "older": _address(request, page.following) if page.following else "",
    }
    return render(request, "partnerships/history.html", context)


def _cursor(text: str) -> Cursor | None:
    """Read the line below which to begin; anything else than what a page wrote begins at the newest."""
    try:
        at, number, pk = text.split("_")
        return dt.datetime.fromisoformat(at).astimezone(dt.UTC), int(number), int(pk)
    except (ValueError, OverflowError):
        return None


def _address(request: UserRequest, after: Cursor | None = None) -> str:
    query = request.GET.copy()
    query.pop("after", None)
    if after:
        at, number, pk = after
        query["after"] = f"{at.isoformat()}_{number}_{pk}"
    return f"{request.path}?{query.urlencode()}"


def _address_of(line: HistoryLine) -> str:
    """Return the history of the record in the administration, which also has those that were deleted."""
    model: Any = line.model
    page = admin.site._registry.get(model)
    if line.pk is None or page is None or not getattr(page, "history_action", None):
        return ""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_history", args=[line.pk])
    except NoReverseMatch:
        return ""
