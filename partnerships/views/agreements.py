"""Agreements: the steps and other acts, and the form that registers or edits one."""

from collections.abc import Callable, Mapping

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partnerships.forms.agreements import (
    AccedeOnPageForm,
    AgreementForm,
    CoordinatorForm,
    CustodyCorrectionForm,
    CustodyForm,
    NewAgreementForm,
    PeopleForm,
    UnitsForm,
    WithdrawForm,
    remaining_parties,
)
from partnerships.forms.milestones import NewMilestoneForm
from partnerships.forms.numbers import row_or_none
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import ApprovalStepForm, ConfirmSigningForm, ContactNoteForm
from partnerships.forms.terms import TERM_VERBS, TermVerb
from partnerships.models import (
    Agreement,
    AgreementParty,
    CustodyStep,
    Document,
    Event,
    Organization,
    StatusChange,
)
from partnerships.models.approvals import missing_approval_steps
from partnerships.models.base import address_of_part
from partnerships.requests import UserRequest
from partnerships.statuses import AgreementStatus
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.edits import edit_page
from partnerships.views.related import VERSIONS
from partnerships.views.steps import form_page, impossible, step_page
from partnerships.workflows.milestones import new_action_point


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_add(request: UserRequest) -> HttpResponse:
    """``?organization=`` is a party that is known already, ``?event=`` where it was signed."""
    user = request.user
    require_or_403(user, "agreement.add")
    form = NewAgreementForm(
        request.POST or None,
        user=user,
        today=timezone.localdate(),
        party=_asked_id(request, "organization", Organization),
        initial={"event": _asked_id(request, "event", Event)},
    )
    title, back = _("Register an agreement"), reverse("agreement_list")
    return edit_page(request, None, form, title=title, template="agreements/form", back=back)


def _asked_id(request: UserRequest, name: str, model: type[Organization] | type[Event]) -> int | None:
    row = row_or_none(model.objects.visible_to(request.user), request.GET.get(name))
    return row.pk if row else None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_edit(request: UserRequest, pk: int) -> HttpResponse:
    related = ("unit", "type", "coordinator", "event", "through", "parent__type", "predecessor__type")
    agreement = visible_or_404(Agreement.objects.select_related(*related), request, pk)
    require_or_403(request.user, "agreement.edit", agreement)
    form = AgreementForm(request.POST or None, instance=agreement, user=request.user, today=office_today(agreement))
    return edit_page(request, agreement, form, title=_("Edit the agreement"), template="agreements/form")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    agreement = visible_or_404(Agreement.objects.select_related("unit", "coordinator", "type"), request, pk)
    if page := PAGES_OF_ACTS.get(step):
        return page(request, agreement)
    for verb in TERM_VERBS:
        if step == verb.name:
            return _change_terms(request, agreement, verb)
    return step_page(request, agreement, step)


def _log(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "contact_note.add", agreement)
    form = ContactNoteForm(request.POST or None, today=office_today(agreement))
    return form_page(request, agreement, form, title=_("Log a call"), done=_("Logged."), about=agreement)


def _confirm_signing(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.confirm_signing", agreement)
    form = ConfirmSigningForm(request.POST or None, row=agreement, today=office_today(agreement))
    done = _("Confirmed. The unit holds the parties from now on.")
    papers = Document.objects.visible_to(request.user).filter(agreement=agreement, kind=Document.Kind.SIGNED_PAPER)
    shown = {
        "parties": _parties(agreement),
        "term": agreement.current_term,
        "entered": StatusChange.objects.of(agreement).filter(transition="record_signed").last(),
        "papers": list(papers.prefetch_related(VERSIONS)),
    }
    template = "partnerships/agreements/confirm_signing.html"
    title = _("Confirm the signing")
    return form_page(
        request, agreement, form, title=title, done=done, template=template, shown=shown, shows_consequences=True
    )


def _change_terms(request: UserRequest, agreement: Agreement, verb: TermVerb) -> HttpResponse:
    require_or_403(request.user, verb.permission, agreement)
    today = office_today(agreement)
    if request.method != "POST" and not verb.fits(agreement, today):
        return impossible(request, agreement, verb.label)
    form = verb.form_class(request.POST or None, row=agreement, today=today)
    return form_page(request, agreement, form, title=verb.label, done=str(verb.done), shows_consequences=True)


def _record_approval(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.record_approval", agreement)
    step = next(iter(missing_approval_steps(agreement)), None)
    if step is None or agreement.status != AgreementStatus.IN_REVIEW:
        return impossible(request, agreement, _("Record an approval step"))
    form = ApprovalStepForm(request.POST or None, row=agreement, today=office_today(agreement), next_step=step)
    title = _("Record: %(step)s") % {"step": step}
    return form_page(request, agreement, form, title=title, done=_("Recorded."))


def _name_people(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.edit", agreement)
    form = PeopleForm(request.POST or None, row=agreement, today=office_today(agreement), user=request.user)
    template = "partnerships/agreements/people.html"
    title, shown = _("Liaisons and signatories"), {"button": _("Save")}
    return form_page(request, agreement, form, title=title, done=_("Saved."), template=template, shown=shown)


def _record_custody(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.edit", agreement)
    form = CustodyForm(request.POST or None, row=agreement, today=office_today(agreement))
    return form_page(request, agreement, form, title=_("Record where the original is"), done=_("Recorded."))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def custody_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Correct the step ``pk`` of the original of an agreement."""
    step = get_object_or_404(CustodyStep, pk=pk)
    agreement = visible_or_404(Agreement.objects.select_related("unit"), request, step.agreement_id)
    require_or_403(request.user, "agreement.edit", agreement)
    form = CustodyCorrectionForm(request.POST or None, row=agreement, today=office_today(agreement), step=step)
    back, shown = address_of_part(agreement, "paper"), {"button": _("Save")}
    title = _("Correct where the original was")
    return form_page(request, agreement, form, title=title, done=_("Saved."), back=back, shown=shown)


def _accede(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.amend", agreement)
    title = _("Add a later party")
    if request.method != "POST" and not agreement.is_signed:
        return impossible(request, agreement, title)
    form = AccedeOnPageForm(request.POST or None, row=agreement, today=office_today(agreement), user=request.user)
    return form_page(request, agreement, form, title=title, done=_("The party is added."))


def _withdraw(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.amend", agreement)
    title = _("Record a withdrawal")
    if request.method != "POST" and not (agreement.is_signed and remaining_parties(agreement).exists()):
        return impossible(request, agreement, title)
    form = WithdrawForm(request.POST or None, row=agreement, today=office_today(agreement))
    return form_page(request, agreement, form, title=title, done=_("The withdrawal is recorded."))


def _assign(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.edit", agreement)
    if request.method != "POST" and agreement.has_ended:
        return impossible(request, agreement, _("Reassign"))
    form = CoordinatorForm(request.POST or None, row=agreement, today=office_today(agreement), user=request.user)
    done = _("Handed over. Reminders go to the new owner.")
    return form_page(request, agreement, form, title=_("Reassign"), done=done)


def _choose_units(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "agreement.edit", agreement)
    form = UnitsForm(request.POST or None, row=agreement, today=office_today(agreement), user=request.user)
    shown = {"button": _("Save")}
    return form_page(request, agreement, form, title=_("Units taking part"), done=_("Saved."), shown=shown)


def _add_milestone(request: UserRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "milestone.add", new_action_point(agreement))
    title = _("Add a milestone or obligation")
    if request.method != "POST" and agreement.has_ended:
        return impossible(request, agreement, title)
    form = NewMilestoneForm(request.POST or None, row=agreement, today=office_today(agreement), user=request.user)
    shown = {"button": _("Add")}
    return form_page(request, agreement, form, title=title, done=_("Added."), shown=shown, shows_consequences=True)


# Acts with a page of their own, beside the steps of the transition table.
PAGES_OF_ACTS: Mapping[str, Callable[[UserRequest, Agreement], HttpResponse]] = {
    "log": _log,
    "confirm-signing": _confirm_signing,
    "record-approval": _record_approval,
    "people": _name_people,
    "custody": _record_custody,
    "accede": _accede,
    "withdraw": _withdraw,
    "assign": _assign,
    "units": _choose_units,
    "milestone": _add_milestone,
}


def _parties(agreement: Agreement) -> list[AgreementParty]:
    return list(agreement.parties.select_related("organization__region"))
