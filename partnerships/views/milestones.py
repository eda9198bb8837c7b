"""Milestones: the list, the page a reminder mail leads to, and what can be done there."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from partnerships.forms.consequences import add_consequences
from partnerships.forms.milestones import ActionPointForm, EditMilestoneForm
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import AssignForm, ContactNoteForm, MoveForm, SnoozeForm, UnsnoozeForm, step_form
from partnerships.lists.milestones import PARTIES
from partnerships.models import (
    Activity,
    Agreement,
    AgreementParty,
    Document,
    DocumentVersion,
    Event,
    Milestone,
    MilestoneKind,
    Payment,
    User,
    hide_unseen,
)
from partnerships.models.milestones import MilestoneQuerySet
from partnerships.models.payments import payment_of
from partnerships.permissions import may, refusal
from partnerships.reminders.explain import ExplainedPlan, explain_plans, with_items
from partnerships.reports.people_to_contact import PersonToContact
from partnerships.reports.timeline_sources import note_entries, record_timeline
from partnerships.requests import UserRequest
from partnerships.statuses import ACTIVITY_TRANSITIONS, MILESTONE_TRANSITIONS, MilestoneStatus, Transition
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.people_to_contact import shown_people
from partnerships.views.steps import form_page, grouped_offers, impossible, step_page
from partnerships.workflows.milestones import MET_BY_DOING, last_day_of_snooze, new_action_point

# Records to which an action point can be added.
TARGETS: dict[str, Any] = {"agreement": Agreement, "activity": Activity, "event": Event}
# Steps that are taken on the page itself, in this order; every other step has a confirm page.
PRIMARY_STEPS = ("accept", "note", "meet", "submit")
# The steps of an activity that meet its derived milestones.
STEP_OF_KIND = {MilestoneKind.STARTING_ACTIVITY: "start", MilestoneKind.UNFINISHED_ACTIVITY: "complete"}
VERSIONS = Prefetch("versions", DocumentVersion.objects.select_related("uploaded_by"))


@login_required
@require_safe
def milestone_detail(request: UserRequest, pk: int) -> HttpResponse:
    milestone = visible_or_404(_with_context(), request, pk)
    today = timezone.localdate()
    offers = grouped_offers(milestone, request.user)
    primary = _primary_form(milestone, offers, office_today(milestone))
    context = {
        "milestone": milestone,
        "today": today,
        "offers": offers,
        "is_snoozed": milestone.is_snoozed(today),
        "may_edit": is_editable(milestone) and may(request.user, "milestone.edit", milestone),
        "primary": primary,
        "doing": _act_that_meets(milestone, request.user),
        "other_steps": [offer for offer in offers["open"] if not primary or offer.transition != primary.transition],
        **_side_forms(milestone, request.user, office_today(milestone)),
        "explained_plans": _explained_plans(milestone),
        "is_in_motion": milestone.reminder_marks.exists(),
        "documents": list(
            Document.objects.visible_to(request.user).filter(milestone=milestone).prefetch_related(VERSIONS)
        ),
        "timeline": record_timeline(milestone, note_entries(milestone.contact_notes.select_related("author"))),
        "cited": citations_of([milestone]),
        "next_milestones": [] if milestone.is_pending else _next_of(request.user, milestone, today),
    }
    hide_unseen([milestone], request.user)
    context |= {"agreement": milestone.agreement, "partners": _partners(milestone)}
    context["people_to_contact"] = _people_to_contact(milestone, request.user)
    return render(request, "partnerships/milestones/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def milestone_add(request: UserRequest, target: str, pk: int) -> HttpResponse:
    """Add an action point to the agreement, activity or event ``pk``; for a script the form alone, to stand in its page."""
    if target not in TARGETS:
        raise Http404(f"no action points of {target}")
    row = visible_or_404(TARGETS[target]._default_manager.select_related("unit"), request, pk)
    require_or_403(request.user, "milestone.add", new_action_point(row))
    form = ActionPointForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid() and form.apply(request.user, target=row) is not None:
        messages.success(request, add_consequences(_("Added."), row, request.user, now=timezone.now()))
        page = row.get_absolute_url()
        return HttpResponseClientRefresh() if request.htmx else redirect(f"{page}#milestones")
    is_in_place = request.htmx and request.htmx.target == "action-point"
    context = {"form": form, "row": row, "is_in_place": is_in_place}
    return render(request, f"partnerships/milestones/{'_add' if is_in_place else 'add'}.html", context)


def may_add_action_point(user: User, target: Agreement | Activity | Event) -> bool:
    milestone = new_action_point(target)
    has_ended = milestone.agreement is not None and milestone.agreement.has_ended
    return not has_ended and may(user, "milestone.add", milestone)


def with_steps_in_line(milestones: Iterable[Milestone], user: User) -> list[tuple[Milestone, Transition | None]]:
    """Return each with the step that the user may take in its line; milestones met by an activity have none."""
    return [(milestone, _step_in_line(milestone, user)) for milestone in milestones]


def _step_in_line(milestone: Milestone, user: User) -> Transition | None:
    if milestone.status != MilestoneStatus.OPEN or milestone.kind in MET_BY_DOING:
        return None
    step = MILESTONE_TRANSITIONS["submit" if milestone.requires_acceptance else "meet"]
    return step if may(user, step.permission, milestone) else None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def milestone_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    milestone = visible_or_404(_with_context(), request, pk)
    beside = {"move": _move, "snooze": _snooze, "unsnooze": _unsnooze, "assign": _assign, "log": _log, "edit": _edit}
    if step in beside:
        return beside[step](request, milestone)
    return step_page(request, milestone, step)


def _with_context() -> MilestoneQuerySet:
    rows = Milestone.objects.select_related("agreement", "agreement__unit", "agreement__coordinator", "unit", "owner")
    return rows.select_related(
        "activity", "event", "organization", "party__organization", "facility", "honour__organization", "demand"
    ).prefetch_related(PARTIES)


def _move(request: UserRequest, milestone: Milestone) -> HttpResponse:
    require_or_403(request.user, "milestone.move", milestone)
    form = MoveForm(request.POST or None, row=milestone, today=office_today(milestone))
    done = _("Moved.")
    return form_page(request, milestone, form, title=_("Move the due date"), done=done)


def _snooze(request: UserRequest, milestone: Milestone) -> HttpResponse:
    require_or_403(request.user, "milestone.snooze", milestone)
    form = SnoozeForm(request.POST or None, row=milestone, today=office_today(milestone))
    return form_page(request, milestone, form, title=_("Snooze"), done=_("Snoozed."))


def _unsnooze(request: UserRequest, milestone: Milestone) -> HttpResponse:
    require_or_403(request.user, "milestone.snooze", milestone)
    form = UnsnoozeForm(request.POST or None, row=milestone, today=office_today(milestone))
    done = _("The snooze is over.")
    return form_page(request, milestone, form, title=_("End the snooze"), done=done)


def _assign(request: UserRequest, milestone: Milestone) -> HttpResponse:
    require_or_403(request.user, "milestone.assign", milestone)
    form = AssignForm(request.POST or None, row=milestone, today=office_today(milestone), user=request.user)
    done = _("Handed over. Reminders go to the new owner.")
    return form_page(request, milestone, form, title=_("Reassign"), done=done)


def _edit(request: UserRequest, milestone: Milestone) -> HttpResponse:
    require_or_403(request.user, "milestone.edit", milestone)
    if request.method != "POST" and not is_editable(milestone):
        return impossible(request, milestone, _("Edit the milestone"))
    form = EditMilestoneForm(request.POST or None, row=milestone, today=office_today(milestone))
    shown = {"button": _("Save")}
    return form_page(request, milestone, form, title=_("Edit the milestone"), done=_("Saved."), shown=shown)


def is_editable(milestone: Milestone) -> bool:
    """Whether it is open and its own, not derived from another record."""
    return milestone.is_pending and not milestone.is_derived


def _log(request: UserRequest, milestone: Milestone) -> HttpResponse:
    require_or_403(request.user, "contact_note.add", milestone)
    form = ContactNoteForm(request.POST or None, today=office_today(milestone))
    return form_page(request, milestone, form, title=_("Log a call"), done=_("Logged."), about=milestone)


def _primary_form(milestone: Milestone, offers: dict[str, Any], today: dt.date) -> Any:
    """Return the form of the one step this page is for, or None when there is none for this person."""
    names = {offer.transition.name for offer in offers["open"]}
    name = next((name for name in PRIMARY_STEPS if name in names), None)
    if name is None:
        return None
    form = step_form(milestone, name, today=today)
    form.auto_id = "act_%s"
    return form


def _side_forms(milestone: Milestone, user: User, today: dt.date) -> dict[str, object]:
    """Move, snooze, hand over and log: a form where the person may, else nothing but the reason."""
    forms: dict[str, Any] = dict.fromkeys(("log_form", "move_form", "snooze_form", "assign_form", "move_refusal"))
    if may(user, "contact_note.add", milestone) and (milestone.agreement_id or milestone.organization_id):
        forms["log_form"] = ContactNoteForm(today=today)
        forms["log_form"].auto_id = "log_%s"
    if not milestone.is_pending:
        return forms
    forms["asks_for_contact"] = forms["log_form"] is not None and milestone.kind == MilestoneKind.NEXT_CONTACT
    forms["move_refusal"] = refusal(user, "milestone.move", milestone)
    if forms["move_refusal"] is None:
        forms["move_form"] = MoveForm(row=milestone, today=today)
        forms["move_form"].auto_id = "move_%s"
    if may(user, "milestone.snooze", milestone) and last_day_of_snooze(milestone, today) > today:
        forms["snooze_form"] = SnoozeForm(row=milestone, today=today)
        forms["snooze_form"].auto_id = "snooze_%s"
    if may(user, "milestone.assign", milestone):
        forms["assign_form"] = AssignForm(row=milestone, today=today, user=user)
        forms["assign_form"].auto_id = "assign_%s"
    return forms


def _act_that_meets(milestone: Milestone, user: User) -> dict[str, str] | None:
    """Return the step of its activity, the receipt of its payment or the liaison that meets it, where the person may do that."""
    payment = payment_of(milestone)
    if payment is not None:
        may_receive = milestone.is_pending and may(user, "payment.receive", Payment(agreement=milestone.agreement))
        address = reverse("payment_receive", args=[payment])
        return {"label": _("Record what was received"), "address": address} if may_receive else None
    if milestone.kind == MilestoneKind.NEW_LIAISON:
        may_name = milestone.is_pending and may(user, "agreement.edit", milestone.agreement)
        address = reverse("agreement_step", args=[milestone.agreement_id, "people"])
        return {"label": _("Name the liaison"), "address": address} if may_name else None
    step = STEP_OF_KIND.get(MilestoneKind(milestone.kind))
    if step is None or not milestone.is_pending or not may(user, "activity.edit", milestone.activity):
        return None
    address = reverse("activity_step", args=[milestone.activity_id, step])
    return {"label": str(ACTIVITY_TRANSITIONS[step].label), "address": address}


def _partners(milestone: Milestone) -> list[AgreementParty]:
    """Return the parties of the agreement, none of one that is hidden."""
    agreement = milestone.agreement
    return list(agreement.parties.all()) if isinstance(agreement, Agreement) else []


def _people_to_contact(milestone: Milestone, user: User) -> list[PersonToContact] | None:
    """Return whom to call; None where the milestone does not wait for that, or of a hidden agreement."""
    agreement = milestone.agreement
    if milestone.kind != MilestoneKind.NEXT_CONTACT or not milestone.is_pending or not isinstance(agreement, Agreement):
        return None
    return shown_people([agreement], user).get(agreement.pk, [])


def _explained_plans(milestone: Milestone) -> list[ExplainedPlan]:
    plans = with_items(milestone.reminder_plans.order_by("send_at", "pk"))
    return explain_plans(list(plans), now=timezone.now())


def _next_of(user: User, milestone: Milestone, today: dt.date) -> list[Milestone]:
    rows = Milestone.objects.visible_to(user).pending().filter(owner=user).exclude(pk=milestone.pk)
    found = list(rows.select_related("agreement")[:3])
    hide_unseen(found, user)
    return found
