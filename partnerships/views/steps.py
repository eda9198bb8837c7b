"""The confirm page of a step: GET asks, POST calls the verb, a refusal stands beside what was typed."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import reswap, retarget

from partnerships.forms.consequences import add_consequences
from partnerships.forms.lines import is_shown_again
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import ContactNoteForm, StepForm, StepOffer, VerbForm, step_form, step_offers
from partnerships.models import (
    Activity,
    Agreement,
    Answer,
    Contact,
    ContactNote,
    Demand,
    Event,
    Facility,
    Honour,
    Milestone,
    MilestoneKind,
    Organization,
    Payment,
    Report,
    User,
)
from partnerships.requests import UserRequest
from partnerships.statuses import MilestoneStatus
from partnerships.texts import LazyText
from partnerships.views.base import require_or_403

WorkflowRow = Activity | Agreement | Answer | Demand | Event | Facility | Honour | Milestone
# These have no statuses, and forms of their own.
FormRow = WorkflowRow | Payment | Contact | ContactNote | Organization | Report
# Steps that need only a date: one click takes them as of today.
DATE_ALONE = frozenset({"start"})


def step_page(request: UserRequest, row: WorkflowRow, name: str, *, back: str = "") -> HttpResponse:
    """Show the page of one step of a transition table. 404 for a step that does not exist, 403 for whoever may not.

    ``back`` is the address it leads to when done or left, the row's own page without it.
    """
    try:
        form = step_form(row, name, today=office_today(row), data=request.POST or None)
    except KeyError as error:
        raise Http404(f"no step {name}") from error
    require_or_403(request.user, form.transition.permission, row)
    if request.method != "POST" and row.status not in form.transition.sources:
        return impossible(request, row, form.transition.label)
    done = _("%(step)s.") % {"step": form.transition.past}
    return form_page(request, row, form, title=form.transition.label, done=done, back=back)


def form_page(
    request: UserRequest,
    row: FormRow,
    form: VerbForm | ContactNoteForm,
    *,
    title: LazyText,
    done: str,
    back: str = "",
    template: str = "partnerships/step.html",
    shown: Mapping[str, object] = MappingProxyType({}),
    shows_consequences: bool = False,
    **apply: object,
) -> HttpResponse:
    """Show ``form`` about ``row``; after a POST that is accepted, go ``back`` or to the row's page with a message.

    A ``template`` of its own can read ``shown``. After a step, and after any change of a milestone, the message also
    says what follows; other forms ask for that with ``shows_consequences``.
    """
    is_stale, in_place = False, _in_place(request)
    owner_before = getattr(row, "owner_id", None)
    if in_place:
        form.auto_id = f"{in_place}_%s"  # two lines may have their forms open
    if is_shown_again(request.POST):
        form.hide_errors()
    elif request.method == "POST":
        if form.is_valid() and (changed := form.apply(request.user, **apply)) is not None:
            if shows_consequences or isinstance(form, StepForm) or isinstance(row, Milestone):
                done = add_consequences(done, row, request.user, now=timezone.now())
            if in_place:
                return _done_in_place(request, row, in_place, done=done, undo=_undo(row, changed, owner_before))
            messages.success(request, done)
            return redirect(back or _page_of(row))
        row.refresh_from_db()
        is_stale = request.POST.get("version") not in (None, str(row.version))
    if is_stale and isinstance(form, VerbForm):
        form.send_version_of(row)
    context = {**shown, "form": form, "row": row, "title": title, "is_stale": is_stale, "today": timezone.localdate()}
    context["back"] = back or _page_of(row)
    # "Cancel" would have two meanings beside a button that cancels the record.
    context["is_cancelling"] = isinstance(form, StepForm) and form.transition.name == "cancel"
    if context["is_cancelling"] and isinstance(row, Agreement):
        context["button"] = _("Cancel this agreement")
    if in_place:  # a script shows an answer of 200 alone
        return render(request, "partnerships/_step_in_place.html", context | {"target": in_place})
    return render(request, template, context, status=409 if is_stale else 200)


def _page_of(row: FormRow) -> str:
    """Return the page of a row. A contact note has none: its view says where to go back to."""
    return "" if isinstance(row, ContactNote) else row.get_absolute_url()


_TARGET = re.compile(r"form-([a-z]+-[0-9]+)", re.ASCII)


def _in_place(request: UserRequest) -> str:
    """Return the line of my work whose form this is, such as ``milestone-5``; empty for a page."""
    target = request.htmx.target if request.htmx else None
    found = _TARGET.fullmatch(target or "")
    return found[1] if found else ""


def _done_in_place(
    request: UserRequest, row: FormRow, target: str, *, done: str, undo: dict[str, object] | None
) -> HttpResponse:
    """Replace the line of my work by what was done, with a link to undo it where that is possible."""
    context = {"row": row, "done": done, "undo": undo, "target": target}
    answer = render(request, "partnerships/_work_done.html", context)
    return reswap(retarget(answer, f"#work-{target}"), "outerHTML")


def _undo(row: FormRow, changed: object, owner_before: int | None) -> dict[str, object] | None:
    """Return the fields that undo the change of a milestone, or None if only a correction undoes it."""
    if not isinstance(row, Milestone) or not isinstance(changed, Milestone):
        return None
    undo = {"version": changed.version, "what": "step", "owner": ""}
    if changed.owner_id != owner_before:
        return undo | {"what": "assign", "owner": owner_before} if owner_before else None
    if changed.snoozed_until:
        return undo | {"what": "snooze"} if row.snoozed_until is None else None
    # An acceptance is not undone by the lead who gave it: that is a correction. What was noted stays noted.
    if row.kind == MilestoneKind.NEW_HOLDER:
        return None
    is_step = changed.status == MilestoneStatus.SUBMITTED or (
        changed.status == MilestoneStatus.MET and row.status == MilestoneStatus.OPEN
    )
    return undo if is_step and changed.recurs_every_months is None else None


def impossible(request: UserRequest, row: WorkflowRow, label: LazyText) -> HttpResponse:
    """Show the page that says why ``label`` cannot be done with ``row`` now."""
    return render(request, "partnerships/step_impossible.html", {"row": row, "title": label}, status=409)


def grouped_offers(row: WorkflowRow, user: User) -> dict[str, list[StepOffer]]:
    """Return the possible steps: ``open`` to the user, ``refused`` with the reason, and open ``corrections``."""
    offers = step_offers(row, user)
    return {
        "open": [offer for offer in offers if offer.is_open and not offer.transition.is_correction],
        "refused": [offer for offer in offers if not offer.is_open and not offer.transition.is_correction],
        "corrections": [offer for offer in offers if offer.is_open and offer.transition.is_correction],
    }
