"""Exports of lists: start one, watch its progress, download the file."""

import re
from functools import partial

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from partnerships.exceptions import NotAllowed
from partnerships.lists import exports
from partnerships.models import ColumnSet, Export, SecurityEvent
from partnerships.operations.security_log import note_event
from partnerships.requests import UserRequest
from partnerships.statuses import ExportStatus
from partnerships.tasks import make_export
from partnerships.views.base import keep_private, visible_or_404
from partnerships.views.saved_views import list_asked_for

LISTED = 50
OF_REPORT = ("report__unit", "report__programme")
LONGEST_ID = 18  # digits
NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|\s]+')
# Columns of a file: those on screen, or all; any other choice is the id of a column set.
SHOWN, ALL = "shown", "all"


@login_required
@require_safe
def export_list(request: UserRequest) -> HttpResponse:
    found = Export.objects.of(request.user).select_related(*OF_REPORT)[:LISTED]
    return render(request, "partnerships/exports/list.html", {"exports": found})


@login_required
@require_POST
def export_add(request: UserRequest) -> HttpResponseBase:
    """Write a short list at once; let the worker write a long one while its page shows the progress."""
    key, query = list_asked_for(request)
    chosen = request.POST.get("columns", SHOWN)
    if chosen == SHOWN:
        return export_file(request, key, query, request.POST.get("format", ""))
    without = QueryDict(query, mutable=True)
    without.pop("columns", None)
    column_set = None
    if chosen != ALL:
        if not chosen.isdecimal() or len(chosen) > LONGEST_ID:
            raise Http404
        column_set = visible_or_404(ColumnSet.objects.of_list(key), request, int(chosen))
    return export_file(request, key, without.urlencode(), request.POST.get("format", ""), column_set)


def export_file(
    request: UserRequest, key: str, query: str, file_format: str, column_set: ColumnSet | None = None
) -> HttpResponseBase:
    """Return the file of a short list, or the page that shows the progress of a long one."""
    if file_format not in Export.OF_LISTS:
        raise Http404
    try:
        export = exports.request_export(
            actor=request.user,
            key=key,
            query=query,
            file_format=file_format,
            now=timezone.now(),
            column_set=column_set,
        )
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    if export.rows_total <= exports.AT_ONCE and exports.make(export, clock=timezone.now):
        return _file(export)
    # After the commit, or the worker might look for the row before it is there.
    return progress_of(export)


def progress_of(export: Export) -> HttpResponseBase:
    """Start the worker after the commit, and redirect to the page that shows its progress."""
    transaction.on_commit(partial(_start_worker, export.pk))
    return redirect("export_detail", export.pk)


def _start_worker(pk: int) -> None:
    try:
        make_export.delay(pk)
    except (OperationalError, OSError):
        return  # without a broker the next tick makes it


@login_required
@require_safe
def export_detail(request: UserRequest, pk: int) -> HttpResponse:
    export = get_object_or_404(Export.objects.of(request.user), pk=pk)
    template = "_progress" if request.htmx else "detail"
    return render(request, f"partnerships/exports/{template}.html", {"export": export})


@login_required
@require_safe
def export_download(request: UserRequest, pk: int) -> FileResponse:
    export = get_object_or_404(Export.objects.of(request.user), pk=pk, status=ExportStatus.DONE)
    if not exports.may_download(export, request.user):
        raise PermissionDenied(_("Your rights have changed since this file was made. Export the list again."))
    try:
        return _file(export)
    except FileNotFoundError as error:
        raise Http404(_("This file was removed.")) from error


def _file(export: Export) -> FileResponse:
    name_of_report = export.report.number if export.report else ""
    about = name_of_report or (export.layout or {}).get("name") or export.list.removesuffix("_list")
    name = f"{NOT_IN_FILE_NAMES.sub('-', about)}-{timezone.localdate(export.asked_at).isoformat()}.{export.format}"
    response = FileResponse(export.file.open("rb"), as_attachment=True, filename=name)
    note_event(SecurityEvent.Kind.EXPORT_FETCHED, export.user, **exports.facts_of(export))
    keep_private(response)
    return response
