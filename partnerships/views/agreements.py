"""Agreements: the list, the page with everything about one, its steps, and the form that registers or edits one."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Case, Prefetch, Q, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.agreements import AgreementForm, CustodyForm, NewAgreementForm, PeopleForm
from partnerships.forms.numbers import row_or_none
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import ApprovalStepForm, ConfirmSigningForm, ContactNoteForm
from partnerships.forms.terms import TERM_VERBS, TermVerb, term_verbs
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    CustodyStep,
    Document,
    Event,
    Organization,
    ReminderPlan,
    Role,
    StatusChange,
    UnitMembership,
    User,
    quiet_agreements,
    shown_to,
    workday_test,
)
from partnerships.models.approvals import missing_approval_steps
from partnerships.models.milestones import PENDING_STATUSES
from partnerships.models.terms import Amendment, Period, running_period
from partnerships.permissions import may, refusal
from partnerships.reminders.explain import explain_plans, with_items
from partnerships.reports.agreement_timeline import agreement_timeline
from partnerships.reports.people_to_contact import PersonToContact
from partnerships.reports.promises import promised_and_delivered
from partnerships.reports.related_agreements import RelatedAgreement, related_agreements
from partnerships.requests import UserRequest
from partnerships.statuses import ActivityStatus, AgreementStatus, PlanStatus
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.edits import edit_page
from partnerships.views.milestones import may_add_action_point, with_steps_in_line
from partnerships.views.payments import payments_of
from partnerships.views.people_to_contact import shown_contacts, shown_people
from partnerships.views.promises import plan_address
from partnerships.views.related import VERSIONS, demands_behind, facilities_among
from partnerships.views.steps import form_page, grouped_offers, impossible, step_page
from partnerships.views.timeline import asks_for_timeline_only, render_timeline, timeline_context

DONE_WITH = (ActivityStatus.COMPLETED, ActivityStatus.CANCELLED)
ROWS_SHOWN = 8
NOTES_SHOWN = 5
RELATED_SHOWN = 12
PEOPLE_SHOWN = 4
PLANS_SHOWN = 3
PLANS_AT_MOST = 300
PARTIES = Prefetch("parties", AgreementParty.objects.select_related("organization__region"))


@login_required
@require_safe
def agreement_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show the page, or its timeline alone when htmx asks for that."""
    related = ("unit", "unit__work_calendar", "type", "coordinator", "event", "through", "parent")
    rows = Agreement.objects.select_related(*related)
    parts = ("terms", PARTIES, Prefetch("promised_areas", AgreementArea.objects.select_related("area")))
    agreement = visible_or_404(rows.select_related("created_by").prefetch_related(*parts), request, pk)
    timeline = timeline_context(request, agreement_timeline(agreement, request.user))
    if asks_for_timeline_only(request):
        return render_timeline(request, timeline)
    return render(request, "partnerships/agreements/detail.html", {**_context(request, agreement), **timeline})


def _context(request: UserRequest, agreement: Agreement) -> dict[str, object]:
    user, today = request.user, timezone.localdate()
    parties, terms = _with_liaisons(agreement.parties.all(), user), list(agreement.terms.all())
    areas = list(agreement.promised_areas.all())
    amendments = list(agreement.amendments.all())
    period = running_period(terms, office_today(agreement))
    lists = _first_of_each(agreement, user)
    matrix, kept = promised_and_delivered(
        agreement, user, parties=parties, promised=areas, today=office_today(agreement)
    )
    framework = [agreement.parent] if agreement.parent else []
    about = [
        agreement,
        agreement.event,
        *framework,
        *parties,
        *terms,
        *areas,
        *lists["activities"],
        *lists["facilities"],
    ]
    return {
        "agreement": agreement,
        "today": today,
        "standing": _standing(agreement, today),
        "offers": grouped_offers(agreement, user),
        "leads": [lead for lead in _leads(agreement) if lead != user],
        "returned": _last_return(agreement),
        "confirmation_refusal": refusal(user, "agreement.confirm_signing", agreement)
        if agreement.is_signing_to_confirm
        else None,
        "parties": parties,
        "matrix": matrix,
        "shortfalls": [(one, plan_address(one)) for one in kept.shortfalls()],
        "terms": terms,
        "decision": _decision(agreement, period),
        "period": period,
        "has_dates_to_complete": bool(agreement.dates_to_complete),
        "term_verbs": term_verbs(agreement, user, office_today(agreement)),
        "amendments": amendments,
        "framework": _framework(agreement.parent, user) if agreement.parent else None,
        "related": _related(agreement, user, amendments),
        "milestones": _milestones(agreement, user),
        "may_add_action_point": may_add_action_point(user, agreement),
        **lists,
        "programmes": [item.programme for item in agreement.programme_items.select_related("programme")],
        "documents": _documents(agreement, user),
        "may_upload": may(user, "document.upload", Document(agreement=agreement)),
        "may_edit": may(user, "agreement.edit", agreement),
        "approval": _approval(agreement, user),
        "people_to_contact": _people_to_contact(agreement, user),
        "paper": _paper(agreement, parties, office_today(agreement)),
        "payments": payments_of(agreement, user, today),
        "units": list(agreement.participating_units.select_related("unit")),
        "reminders": _reminders(agreement, shows_all=request.GET.get("reminders") == "all"),
        "cited": citations_of([*about, *lists["demands"]]),
        **_follow_up_offers(agreement, user, today),
    }


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
    return form_page(request, agreement, form, title=title, done=done, template=template, shown=shown)


def _change_terms(request: UserRequest, agreement: Agreement, verb: TermVerb) -> HttpResponse:
    require_or_403(request.user, verb.permission, agreement)
    today = office_today(agreement)
    if request.method != "POST" and not verb.fits(agreement, today):
        return impossible(request, agreement, verb.label)
    form = verb.form_class(request.POST or None, row=agreement, today=today)
    return form_page(request, agreement, form, title=verb.label, done=str(verb.done))


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


# Acts with a page of their own, beside the steps of the transition table.
PAGES_OF_ACTS: Mapping[str, Callable[[UserRequest, Agreement], HttpResponse]] = {
    "log": _log,
    "confirm-signing": _confirm_signing,
    "record-approval": _record_approval,
    "people": _name_people,
    "custody": _record_custody,
}


def _approval(agreement: Agreement, user: User) -> dict[str, object]:
    """Return the recorded approval steps and, of an agreement in review, those to come."""
    is_current = agreement.status in {AgreementStatus.IN_REVIEW, AgreementStatus.APPROVED} or agreement.is_signed
    records = agreement.approval_records.select_related("step", "recorded_by") if is_current else ()
    missing = missing_approval_steps(agreement) if agreement.status == AgreementStatus.IN_REVIEW else []
    return {
        "records": list(records),
        "missing": missing,
        "refusal": refusal(user, "agreement.record_approval", agreement) if missing else None,
    }


def _people_to_contact(agreement: Agreement, user: User) -> list[PersonToContact]:
    """Return whom to call about an agreement that has not ended."""
    if agreement.has_ended:
        return []
    return shown_people([agreement], user, at_most=PEOPLE_SHOWN).get(agreement.pk, [])


def _with_liaisons(parties: Iterable[AgreementParty], user: User) -> list[AgreementParty]:
    """Return the parties with their liaisons; those that sign for their members with the members' liaison as well."""
    parties = list(parties)
    of_members = {one.pk: one.organization.members_liaison_id for one in parties if one.signs_for_members}
    people = shown_contacts([*of_members.values(), *(party.liaison_id for party in parties)], user)
    for party in parties:
        named = {"liaison_shown": party.liaison_id, "members_liaison": of_members.get(party.pk)}
        for name, contact in named.items():
            person = people.get(contact or 0)
            setattr(party, name, person.at(party.organization) if person else None)
    return parties


def _parties(agreement: Agreement) -> list[AgreementParty]:
    return list(agreement.parties.select_related("organization__region"))


def _framework(framework: Agreement, user: User) -> dict[str, object] | None:
    """Return what is read of a framework by everybody who sees an agreement under it, also if they may not open it.

    Nothing of one that was not signed and is not theirs to see: what is being drafted can be confidential.
    """
    is_visible = shown_to(user, framework) is framework
    if not is_visible and framework.signed_on is None:
        return None
    return {
        "agreement": framework,
        "is_visible": is_visible,
        "parties": _parties(framework),
        "areas": list(framework.promised_areas.select_related("area")),
        "term": framework.current_term,
    }


def _leads(agreement: Agreement) -> list[User]:
    """Return the leads of the unit, to ask for what only they may do."""
    leads = UnitMembership.objects.filter(unit=agreement.unit_id, role=Role.LEAD)
    return list(User.objects.filter(is_active=True, pk__in=leads.values("user")))


def _last_return(agreement: Agreement) -> StatusChange | None:
    """Return the step that returned a draft for changes, until it is submitted again."""
    if agreement.status != AgreementStatus.RETURNED:
        return None
    return StatusChange.objects.of(agreement).filter(transition="return").last()


def _standing(agreement: Agreement, today: dt.date) -> dict[str, bool]:
    """Return the states that follow from the dates today, by the same querysets as the lists."""
    this = Agreement.objects.filter(pk=agreement.pk)
    if not agreement.is_signed:
        return {"orphaned": this.orphaned().exists()}
    return {
        "in_force": this.in_force(today).exists(),
        "expired": this.expired(today).exists(),
        "quiet": quiet_agreements(this, today).exists(),
        "orphaned": this.orphaned().exists(),
    }


def _decision(agreement: Agreement, period: Period | None) -> dict[str, object] | None:
    """Return the decision date of the running period with the term and calendar it was counted from."""
    if period is None or period.ends_on is None:
        return None
    calendar = agreement.unit.effective_calendar
    date = period.term.decision_date(workday_test(calendar), period.ends_on)
    is_guess = date is not None and calendar is not None and date.decide_on > calendar.covered_until
    return {"period": period, "term": period.term, "date": date, "calendar": calendar, "is_guess": is_guess}


def _first_of_each(agreement: Agreement, user: User) -> dict[str, Any]:
    """Return the rows of the longer parts of the page, each cut to its first with the number of all of them."""
    activities = agreement.activities.select_related("owner").prefetch_related(
        "partners__organization", "credits__area"
    )
    notes = agreement.contact_notes.select_related("author", "contact", "organization")
    unfinished_first = Case(When(status__in=DONE_WITH, then=Value(1)), default=Value(0))
    return {
        "activities": list(activities.order_by(unfinished_first, "-starts_on", "-pk")[:ROWS_SHOWN]),
        "activity_count": agreement.activities.count(),
        "notes": list(notes[:NOTES_SHOWN]),
        "note_count": agreement.contact_notes.count(),
        "facilities": facilities_among(user, agreement=agreement),
        "demands": demands_behind(user, agreement=agreement),
    }


def _milestones(agreement: Agreement, user: User) -> dict[str, object]:
    """Return pending milestones, soonest first, and recently closed ones. ``next`` is the one the page leads to."""
    rows = agreement.milestones.select_related("owner", "agreement", "party__organization")
    pending = list(rows.pending().order_by("due_on", "pk")[:ROWS_SHOWN])
    return {
        "next": pending[0] if pending else None,
        "pending": pending,
        "lines": with_steps_in_line(pending, user),
        "pending_count": agreement.milestones.pending().count(),
        "closed": list(rows.exclude(status__in=PENDING_STATUSES).order_by("-due_on", "-pk")[:ROWS_SHOWN]),
        "closed_count": agreement.milestones.exclude(status__in=PENDING_STATUSES).count(),
    }


def _related(agreement: Agreement, user: User, amendments: list[Amendment]) -> list[RelatedAgreement]:
    """Return the tree of related agreements, or nothing if there is only this one."""
    related = related_agreements(agreement, user, at_most=RELATED_SHOWN)
    is_alone = len(related) == 1 and not (related[0].below or amendments) and related[0].relation == "here"
    return [] if is_alone else related


def _documents(agreement: Agreement, user: User) -> list[Document]:
    rows = Document.objects.visible_to(user).filter(
        Q(agreement=agreement) | Q(milestone__agreement=agreement) | Q(activity__agreement=agreement)
    )
    return list(rows.select_related("milestone", "activity").prefetch_related(VERSIONS))


@dataclass(frozen=True)
class Stay:
    """How long the original was at one place: until the next step, or until today."""

    step: CustodyStep
    days: int
    recorded_by: User | None

    @property
    def length(self) -> str:
        return ngettext("%(days)s day", "%(days)s days", self.days) % {"days": self.days}


def _paper(agreement: Agreement, parties: list[AgreementParty], today: dt.date) -> dict[str, object]:
    """Return where the original was, latest first, and which parties keep copies of it."""
    steps = list(agreement.custody_steps.all())
    added = CustodyStep.history.filter(agreement_id=agreement.pk, history_type="+").select_related("history_user")
    people = {row.id: row.history_user for row in added}
    ends = [*(step.since for step in steps[1:]), today]
    # Without a step, ``ends`` still holds today; zip drops it.
    pairs = zip(steps, ends, strict=False)
    stays = [Stay(step, max((end - step.since).days, 0), people.get(step.pk)) for step, end in pairs]
    return {"stays": stays[::-1], "kept": [party for party in parties if party.copies]}


def _reminders(agreement: Agreement, *, shows_all: bool) -> dict[str, object]:
    """Return the next and the latest reminders, or all of them on request."""
    plans = with_items(ReminderPlan.objects.filter(milestone__agreement=agreement))
    most = PLANS_AT_MOST if shows_all else PLANS_SHOWN
    ahead = list(plans.filter(status=PlanStatus.PLANNED).order_by("send_at", "pk")[:most])
    past = list(plans.exclude(status=PlanStatus.PLANNED).order_by("-send_at", "-pk")[:most])
    explained = explain_plans([*ahead, *past], now=timezone.now())
    return {
        "ahead": explained[: len(ahead)],
        "past": explained[len(ahead) :],
        "has_more": not shows_all and most in {len(ahead), len(past)},
    }


def _follow_up_offers(agreement: Agreement, user: User, today: dt.date) -> dict[str, object]:
    may_log = may(user, "contact_note.add", agreement)
    form = ContactNoteForm(today=today) if may_log else None
    if form:
        form.auto_id = "log_%s"
    may_plan = agreement.status != AgreementStatus.CANCELLED and may(user, "activity.add", agreement)
    return {
        "note_form": form,
        "may_plan": may_plan,
        "follow_up_refusal": None if may_plan else refusal(user, "activity.add", agreement),
    }
