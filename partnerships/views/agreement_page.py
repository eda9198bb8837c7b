"""The page of an agreement: a summary with its life line, and five sections of which one is shown."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Case, Exists, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_safe

from partnerships.forms.office_day import office_today
from partnerships.forms.steps import ContactNoteForm
from partnerships.forms.terms import term_verbs
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    ContactNote,
    CustodyStep,
    Document,
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
from partnerships.models.documents import DocumentQuerySet
from partnerships.models.milestones import PENDING_STATUSES
from partnerships.models.terms import Amendment, DecisionDate, Period, running_period
from partnerships.permissions import may, refusal
from partnerships.reminders.explain import explain_plans, with_items
from partnerships.reports.agreement_timeline import agreement_timeline
from partnerships.reports.life_line import life_line
from partnerships.reports.people_to_contact import PersonToContact
from partnerships.reports.promises import promised_and_delivered
from partnerships.reports.related_agreements import RelatedAgreement, related_agreements
from partnerships.requests import UserRequest
from partnerships.statuses import ActivityStatus, AgreementStatus, PlanStatus
from partnerships.texts import LazyText
from partnerships.views.agreement_acts import agreement_acts, log_address, may_log_activity
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.milestones import may_add_action_point, with_steps_in_line
from partnerships.views.payments import payments_of
from partnerships.views.people_to_contact import shown_contacts, shown_people
from partnerships.views.promises import plan_address
from partnerships.views.record_acts import ActGroup, RecordAct
from partnerships.views.related import VERSIONS, demands_behind, facilities_among
from partnerships.views.sections import Context, Section, by_name, head_of, section_asked, tabs_of
from partnerships.views.steps import grouped_offers
from partnerships.views.timeline import asks_for_timeline_only, render_timeline, timeline_context

DONE_WITH = (ActivityStatus.COMPLETED, ActivityStatus.CANCELLED)
ROWS_SHOWN = 8
NEXT_SHOWN = 5
NOTES_SHOWN = 5
RELATED_SHOWN = 12
PEOPLE_SHOWN = 4
PLANS_SHOWN = 3
PLANS_AT_MOST = 300
PARTIES = Prefetch("parties", AgreementParty.objects.select_related("organization__region"))
AREAS = Prefetch("promised_areas", AgreementArea.objects.select_related("area"))
RELATED = ("unit", "unit__work_calendar", "type", "coordinator", "event", "through", "parent", "created_by")


@dataclass(frozen=True)
class Page:
    """The agreement with what every section of its page starts from."""

    request: UserRequest
    agreement: Agreement
    today: dt.date  # of the reader
    office_day: dt.date  # of the agreement's unit
    parties: list[AgreementParty]
    period: Period | None

    @property
    def user(self) -> User:
        return self.request.user


@login_required
@require_safe
def agreement_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show one section of the page, or its timeline alone when htmx asks for that."""
    today = timezone.localdate()
    rows = _with_standing(Agreement.objects.select_related(*RELATED), today)
    agreement = visible_or_404(rows.prefetch_related("terms", PARTIES, AREAS), request, pk)
    if asks_for_timeline_only(request):
        return render_timeline(request, timeline_context(request, agreement_timeline(agreement, request.user)))
    office_day = office_today(agreement)
    period = running_period(agreement.terms.all(), office_day)
    page = Page(request, agreement, today, office_day, list(agreement.parties.all()), period)
    section = section_asked(request, SECTIONS)
    shown = section.read(page)
    cited = citations_of([agreement, agreement.event, agreement.parent, *page.parties, *shown.pop("cited", ())])
    tabs = tabs_of(agreement, SECTIONS, section, _counts(page))
    context = {**_summary(page), **shown, "cited": cited, "section": section.name, "tabs": tabs}
    return render(request, "partnerships/agreements/detail.html", context)


def _with_standing(rows: Any, today: dt.date) -> Any:
    """Add the states that follow from the dates today, by the same querysets as the lists."""
    this = Agreement.objects.filter(pk=OuterRef("pk"))
    return rows.annotate(
        is_in_force=Exists(this.in_force(today)),
        is_expired=Exists(this.expired(today)),
        is_quiet=Exists(quiet_agreements(this, today)),
        is_orphaned=Exists(this.orphaned()),
    )


def _counts(page: Page) -> dict[str, int]:
    agreement = page.agreement
    unfinished = agreement.activities.exclude(status__in=DONE_WITH).count()
    return {
        "work": agreement.milestones.pending().count() + unfinished,
        "files": _documents_of(agreement, page.user).count(),
    }


def _summary(page: Page) -> Context:
    """Return what the head of the page shows in every section."""
    agreement, user = page.agreement, page.user
    offers = grouped_offers(agreement, user)
    missing = missing_approval_steps(agreement) if agreement.status == AgreementStatus.IN_REVIEW else []
    acts = agreement_acts(agreement, user, page.office_day, offers=offers, missing_step=next(iter(missing), None))
    others = [party for party in page.parties if party.organization_id != agreement.unit.organization_id]
    decision = _decision_date(agreement, page.period)
    return {
        **head_of(agreement),
        "agreement": agreement,
        "today": page.today,
        "partners": [party for party in others if party.withdrew_on is None] or others or page.parties,
        "period": page.period,
        "has_dates_to_complete": bool(agreement.dates_to_complete),
        "next_milestone": agreement.milestones.pending().select_related("owner").order_by("due_on", "pk").first(),
        "contact": next(iter(_people_to_contact(agreement, user, at_most=1)), None),
        "life": life_line(agreement, list(agreement.terms.all()), page.period, decision, page.today),
        "main_act": _main_act(agreement, user, acts),
        "acts": acts,
        "offers": offers,
        "missing_steps": missing,
    }


def _main_act(agreement: Agreement, user: User, acts: list[ActGroup]) -> RecordAct | None:
    """Return the main button: logging an activity, before the signature the step that takes the agreement on."""
    if agreement.is_signed and may_log_activity(agreement, user):
        return RecordAct(_("Log an activity"), log_address(agreement))
    steps = next((group.acts for group in acts if group.name == "steps"), ())
    return next((act for act in steps if act.is_forward and not agreement.is_signed), None)


# Sections


def _overview(page: Page) -> Context:
    agreement, user = page.agreement, page.user
    areas = list(agreement.promised_areas.all())
    matrix, kept = promised_and_delivered(agreement, user, parties=page.parties, promised=areas, today=page.office_day)
    may_plan = may_log_activity(agreement, user)
    pending = agreement.milestones.pending().select_related("owner", "agreement", "party__organization")
    return {
        "milestones": with_steps_in_line(pending.order_by("due_on", "pk")[:NEXT_SHOWN], user),
        "pending_count": agreement.milestones.pending().count(),
        "may_add_action_point": may_add_action_point(user, agreement),
        "leads": [lead for lead in _leads(agreement) if lead != user],
        "returned": _last_return(agreement),
        "confirmation_refusal": _confirmation_refusal(agreement, user),
        "term_verbs": term_verbs(agreement, user, page.office_day),
        "matrix": matrix,
        "shortfalls": [(one, plan_address(one)) for one in kept.shortfalls()],
        "may_plan": may_plan,
        "follow_up_refusal": None if may_plan else refusal(user, "activity.add", agreement),
        "decision": _decision(agreement, page.period),
        "last_note": _notes(agreement).first(),
        "cited": areas,
    }


def _work(page: Page) -> Context:
    agreement, user = page.agreement, page.user
    lists = _first_of_each(agreement, user)
    may_log = may(user, "contact_note.add", agreement)
    form = ContactNoteForm(today=page.office_day) if may_log else None
    if form:
        form.auto_id = "log_%s"
    return {
        **lists,
        "milestones": _milestones(agreement, user),
        "may_add_action_point": may_add_action_point(user, agreement),
        "note_form": form,
        "may_plan": may_log_activity(agreement, user),
        "people_to_contact": _people_to_contact(agreement, user, at_most=PEOPLE_SHOWN),
        "reminders": _reminders(agreement, shows_all=page.request.GET.get("reminders") == "all"),
        "cited": [*lists["activities"], *lists["facilities"]],
    }


def _parties_and_terms(page: Page) -> Context:
    agreement, user = page.agreement, page.user
    terms, amendments = list(agreement.terms.all()), list(agreement.amendments.all())
    demands = demands_behind(user, agreement=agreement)
    return {
        "parties": _with_liaisons(page.parties, user),
        "terms": terms,
        "term_verbs": term_verbs(agreement, user, page.office_day),
        "amendments": amendments,
        "framework": _framework(agreement.parent, user) if agreement.parent else None,
        "related": _related(agreement, user, amendments),
        "demands": demands,
        "programmes": [item.programme for item in agreement.programme_items.select_related("programme")],
        "units": list(agreement.participating_units.select_related("unit")),
        "approval": _approval(agreement, user),
        "may_edit": may(user, "agreement.edit", agreement),
        "may_amend": agreement.is_signed and may(user, "agreement.amend", agreement),
        "cited": [*terms, *agreement.promised_areas.all(), *demands],
    }


def _files(page: Page) -> Context:
    agreement, user = page.agreement, page.user
    documents = _documents_of(agreement, user).select_related("milestone", "activity").prefetch_related(VERSIONS)
    return {
        "documents": list(documents),
        "may_upload": may(user, "document.upload", Document(agreement=agreement)),
        "may_edit": may(user, "agreement.edit", agreement),
        "paper": _paper(agreement, page.parties, page.office_day),
        "payments": payments_of(agreement, user, page.today),
    }


def _history(page: Page) -> Context:
    return timeline_context(page.request, agreement_timeline(page.agreement, page.user))


SECTIONS = by_name(
    Section("overview", pgettext_lazy("section", "Overview"), _overview),
    Section("work", pgettext_lazy("section", "Work"), _work),
    Section("terms", _("Parties and terms"), _parties_and_terms),
    Section("files", pgettext_lazy("section", "Files"), _files),
    Section("history", pgettext_lazy("of a record", "History"), _history),
)


# Parts


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


def _people_to_contact(agreement: Agreement, user: User, *, at_most: int) -> list[PersonToContact]:
    """Return whom to call about an agreement that has not ended."""
    if agreement.has_ended:
        return []
    return shown_people([agreement], user, at_most=at_most).get(agreement.pk, [])


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
        "parties": list(framework.parties.select_related("organization__region")),
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


def _confirmation_refusal(agreement: Agreement, user: User) -> LazyText | None:
    return refusal(user, "agreement.confirm_signing", agreement) if agreement.is_signing_to_confirm else None


def _decision_date(agreement: Agreement, period: Period | None) -> DecisionDate | None:
    if period is None or period.ends_on is None:
        return None
    return period.term.decision_date(workday_test(agreement.unit.effective_calendar), period.ends_on)


def _decision(agreement: Agreement, period: Period | None) -> Context | None:
    """Return the decision date of the running period with the term and calendar it was counted from."""
    date = _decision_date(agreement, period)
    if period is None or date is None:
        return None
    calendar = agreement.unit.effective_calendar
    is_guess = calendar is not None and date.decide_on > calendar.covered_until
    return {"period": period, "term": period.term, "date": date, "calendar": calendar, "is_guess": is_guess}


def _first_of_each(agreement: Agreement, user: User) -> dict[str, Any]:
    """Return the rows of the longer parts of the page, each cut to its first with the number of all of them."""
    activities = agreement.activities.select_related("owner").prefetch_related(
        "partners__organization", "credits__area"
    )
    unfinished_first = Case(When(status__in=DONE_WITH, then=Value(1)), default=Value(0))
    return {
        "activities": list(activities.order_by(unfinished_first, "-starts_on", "-pk")[:ROWS_SHOWN]),
        "activity_count": agreement.activities.count(),
        "notes": [(note, may(user, "contact_note.edit", note)) for note in _notes(agreement)[:NOTES_SHOWN]],
        "note_count": agreement.contact_notes.count(),
        "facilities": facilities_among(user, agreement=agreement),
    }


def _notes(agreement: Agreement) -> "QuerySet[ContactNote]":
    return agreement.contact_notes.select_related("author", "contact", "organization")


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


def _documents_of(agreement: Agreement, user: User) -> DocumentQuerySet:
    return Document.objects.visible_to(user).filter(
        Q(agreement=agreement) | Q(milestone__agreement=agreement) | Q(activity__agreement=agreement)
    )


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
