"""Activities: the list, the page of one, its steps, and the form that enters one."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.activities import ActivityForm, AttachmentForm
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import EditNoteForm
from partnerships.models import Activity, ContactNote, Document, User, shown_to
from partnerships.models.activities import ActivityQuerySet
from partnerships.models.base import address_of_part
from partnerships.permissions import may
from partnerships.reports.timeline_sources import record_timeline
from partnerships.requests import UserRequest
from partnerships.statuses import AgreementStatus
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.board import board_address
from partnerships.views.citations import citations_of
from partnerships.views.edits import edit_page
from partnerships.views.entry import WITH_PARTIES, about, entry_page
from partnerships.views.milestones import may_add_action_point, with_steps_in_line
from partnerships.views.record_acts import citing_act
from partnerships.views.related import VERSIONS, demands_behind
from partnerships.views.steps import form_page, grouped_offers, step_page
from partnerships.workflows.activities import detail_of


@login_required
@require_safe
def activity_detail(request: UserRequest, pk: int) -> HttpResponse:
    activity = visible_or_404(_with_context(), request, pk)
    partners = list(activity.partners.select_related("organization"))
    context = {
        "activity": activity,
        "agreement": shown_to(request.user, activity.agreement),
        "today": timezone.localdate(),
        "offers": grouped_offers(activity, request.user),
        "partners": partners,
        "credits": list(activity.credits.select_related("area", "organization")),
        "detail": detail_of(activity),
        "milestones": with_steps_in_line(_milestones(activity, request.user), request.user),
        "may_add_action_point": may_add_action_point(request.user, activity),
        "demands": demands_behind(request.user, activity=activity),
        "documents": list(
            Document.objects.visible_to(request.user).filter(activity=activity).prefetch_related(VERSIONS)
        ),
        "may_log": activity.agreement is not None and may(request.user, "contact_note.add", activity.agreement),
        "may_edit": may(request.user, "activity.edit", activity),
        "citing": citing_act(activity, request.user),
        "may_attach": may(request.user, "document.upload", Document(activity=activity)),
        "timeline": record_timeline(activity),
        "cited": citations_of([activity, *partners]),
    }
    return render(request, "partnerships/activities/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def activity_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    """``?board=`` in its address is the query of the board it was asked from, which it leads back to."""
    activity = visible_or_404(_with_context(), request, pk)
    back = board_address(request.GET["board"], activity) if "board" in request.GET else ""
    return step_page(request, activity, step, back=back)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def activity_log(request: UserRequest) -> HttpResponse:
    """Enter an activity from anywhere. ``?agreement=``, ``event=``, ``organization=`` and ``day=`` say what it is about."""
    require_or_403(request.user, "activity.add")
    return entry_page(request, about(request))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def activity_add(request: UserRequest, pk: int) -> HttpResponse:
    """An activity under the agreement ``pk``."""
    agreement = visible_or_404(WITH_PARTIES, request, pk)
    require_or_403(request.user, "activity.add", agreement)
    if agreement.status == AgreementStatus.CANCELLED:
        raise PermissionDenied(_("The agreement was cancelled before it was signed: there is nothing to follow up."))
    return entry_page(request, replace(about(request), agreement=agreement), is_agreement_fixed=True)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def activity_edit(request: UserRequest, pk: int) -> HttpResponse:
    activity = visible_or_404(_with_context(), request, pk)
    require_or_403(request.user, "activity.edit", activity)
    row: Any = _with_context().get(pk=pk)  # the form writes on its own: the page keeps the title as it is
    form = ActivityForm(request.POST or None, instance=row, user=request.user, today=office_today(activity))
    return edit_page(request, activity, form, title=pgettext("verb", "Edit"), template="activities/edit")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def activity_attach(request: UserRequest, pk: int) -> HttpResponse:
    """Attach photos and minutes to the activity ``pk``, several at once."""
    activity = visible_or_404(_with_context(), request, pk)
    require_or_403(request.user, "document.upload", Document(activity=activity))
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and form.apply(request.user, activity=activity, at=timezone.now()):
        messages.success(request, _("Uploaded."))
        return redirect(f"{activity.get_absolute_url()}#documents")
    return render(request, "partnerships/activities/attach.html", {"form": form, "activity": activity})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contact_note_edit(request: UserRequest, pk: int) -> HttpResponse:
    rows = ContactNote.objects.select_related("unit", "agreement__unit", "organization", "milestone")
    note = visible_or_404(rows, request, pk)
    require_or_403(request.user, "contact_note.edit", note)
    form = EditNoteForm(request.POST or None, row=note, today=office_today(note))
    # The agreement of another unit has no page to go back to, and is not named.
    subjects = (shown_to(request.user, note.agreement), note.organization, note.milestone)
    subject = next((one for one in subjects if hasattr(one, "get_absolute_url")), None)
    back = address_of_part(subject, "notes") if subject is not None else reverse("my_work")
    template, shown = "partnerships/activities/note.html", {"button": _("Save"), "subject": subject}
    title = _("Edit the call or message")
    return form_page(request, note, form, title=title, done=_("Saved."), back=back, template=template, shown=shown)


def _milestones(activity: Activity, user: User) -> QuerySet:
    return activity.milestones.visible_to(user).select_related("owner", "agreement", "party__organization")


def _with_context() -> ActivityQuerySet:
    return Activity.objects.select_related("agreement", "unit", "owner", "event", "through")
