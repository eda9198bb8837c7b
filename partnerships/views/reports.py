"""Reports: the page of one, the confirmation of its figures, and its next edition."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.exceptions import DomainError, NotAllowed
from partnerships.forms.office_day import office_today
from partnerships.forms.reports import ConfirmReportForm
from partnerships.lists.exports import request_report_file
from partnerships.models import Export, Report
from partnerships.permissions import may
from partnerships.reports.canvas import Canvas
from partnerships.reports.report_document import report_document
from partnerships.reports.report_figures import report_figures
from partnerships.reports.report_files import FILE_FORMATS
from partnerships.reports.reprint import figures_shown
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.exports import progress_of
from partnerships.views.record_acts import RecordAct, edit_act, record_groups
from partnerships.views.sections import head_of
from partnerships.views.steps import form_page
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline
from partnerships.workflows.reports import start_edition

# Drawings of a report open no lists, and shrink as a whole where there is less room.
ON_A_PAGE = Canvas(720)
ABOUT = ("unit__organization", "programme", "confirmed_by", "previous", "next")


@login_required
@require_safe
def report_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show the report as its files have it: the frozen figures of a confirmed one, those of the reader's scope of a draft."""
    report, user = visible_or_404(Report.objects.select_related(*ABOUT), request, pk), request.user
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, report))
    figures, changes = figures_shown(report, user, today=timezone.localdate())
    with override(report.language):
        document = report_document(report, figures, ON_A_PAGE, changes)
    steps = _steps(report, request)
    context = {
        **head_of(report),
        "report": report,
        "document": document,
        "later": getattr(report, "next", None),
        "acts": record_groups(report, user, follow_up=steps),
        "main_act": (edit_act(report, user) if not report.is_confirmed else None),
        "may_start_edition": may(user, "report.reopen", report) and report.is_confirmed and not hasattr(report, "next"),
        "file_formats": [(one.value, one.label) for one in Export.Format if one in FILE_FORMATS],
        **history_of(request, report),
    }
    return render(request, "partnerships/reports/detail.html", context)


def _steps(report: Report, request: UserRequest) -> list[RecordAct]:
    if report.is_confirmed or not may(request.user, "report.confirm", report):
        return []
    return [RecordAct(_("Confirm the figures"), reverse("report_confirm", args=[report.pk]))]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report_confirm(request: UserRequest, pk: int) -> HttpResponse:
    """Show the figures of the user's scope, and freeze them under their name."""
    report = visible_or_404(Report.objects.select_related(*ABOUT), request, pk)
    require_or_403(request.user, "report.confirm", report)
    today = office_today(report)
    figures = report_figures(report, request.user, today=today)
    with override(report.language):
        document = report_document(report, figures, ON_A_PAGE)
    form = ConfirmReportForm(request.POST or None, row=report, today=today, figures=figures)
    return form_page(
        request,
        report,
        form,
        title=_("Confirm the figures"),
        done=_("Figures confirmed. They stay as they are now, with your name."),
        template="partnerships/reports/confirm.html",
        shown={"document": document},
    )


@login_required
@require_POST
def report_file(request: UserRequest, pk: int) -> HttpResponseBase:
    """Start the worker on a file of the report, and redirect to the page that shows its progress."""
    report = visible_or_404(Report.objects.all(), request, pk)
    file_format = request.POST.get("format", "")
    if file_format not in FILE_FORMATS:
        raise Http404
    try:
        export = request_report_file(report, actor=request.user, file_format=file_format, now=timezone.now())
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    return progress_of(export)


@login_required
@require_POST
def report_reopen(request: UserRequest, pk: int) -> HttpResponse:
    """Start the next edition of a confirmed report and go to it."""
    report = visible_or_404(Report.objects.all(), request, pk)
    try:
        edition = start_edition(report, actor=request.user)
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(report)
    messages.success(request, _("A new edition was started. The earlier one stays as it is."))
    return redirect(edition)
