"""The part of a page that shows a timeline by kind, and replaces itself when another kind or page is chosen."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from partnerships.reports.record_timeline import record_entries
from partnerships.reports.timeline import TimelineEntries, timeline_page
from partnerships.requests import UserRequest


def timeline_context(request: UserRequest, timeline: TimelineEntries) -> dict[str, object]:
    """Return the context of the page that the address asks for: ``?happened=<kind>&moments=<page>``."""
    page = timeline_page(timeline, kind=request.GET.get("happened", ""), number=request.GET.get("moments"))
    return {"timeline": page, "timeline_page": request.path}


def history_of(request: UserRequest, row: Any) -> dict[str, object]:
    """Return the timeline of a record other than an agreement or an organization."""
    return timeline_context(request, record_entries(row, request.user))


def asks_for_timeline_only(request: UserRequest) -> bool:
    """Whether htmx replaces the timeline; when it restores a page from the browser's history, it needs the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def render_timeline(request: UserRequest, context: dict[str, object]) -> HttpResponse:
    return render(request, "partnerships/_timeline_by_kind.html", context)
