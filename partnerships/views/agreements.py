"""Agreements: the list, the page with everything about one, and its steps."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.steps import ContactNoteForm
from partnerships.lists import AgreementRows
from partnerships.models import (
    ActivityCredit,
    Agreement,
    AgreementParty,
    Document,
    ReminderPlan,
    workday_test,
)
from partnerships.permissions import may, refusal
from partnerships.reminders.explain import stories, with_items
from partnerships.statuses import ActivityStatus, AgreementStatus, PlanStatus
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.lists import ListPage
from partnerships.views.related import VERSIONS, demands_behind, facilities_among
from partnerships.views.steps import form_page, grouped_offers, step_page
from partnerships.views.timeline import Moment, completed_among, edits_of, newest_first, notes_of, steps_of

PLANS_SHOWN = 3
PLANS_AT_MOST = 300


class AgreementList(ListPage):
    rows_class = AgreementRows
    template_name = "partnerships/agreements/list.html"


@login_required
@require_safe
def agreement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    rows = Agreement.objects.select_related("unit", "unit__work_calendar", "type", "coordinator", "event")
    agreement = visible_or_404(rows.select_related("created_by").with_current_end(), request, pk)
    today = timezone.localdate()
    parties, terms = _parties(agreement), list(agreement.terms.all())
    activities = _activities(agreement)
    notes = list(agreement.contact_notes.select_related("author", "contact", "organization"))
    areas = list(agreement.promised_areas.select_related("area"))
    facilities = facilities_among(request.user, agreement=agreement)
    demands = demands_behind(request.user, agreement=agreement)
    context = {
        "agreement": agreement,
        "today": today,
        "standing": _standing(agreement, today),
        "offers": grouped_offers(agreement, request.user),
        "parties": parties,
        "areas": _promised_and_delivered(agreement, areas),
        "terms": terms,
        "decision": _decision(agreement, terms),
        "amendments": agreement.amendments.all(),
        "milestones": _milestones(agreement, today),
        "activities": activities,
        "notes": notes[:10],
        "note_count": len(notes),
        "facilities": facilities,
        "demands": demands,
        "programmes": [item.programme for item in agreement.programme_items.select_related("programme")],
        "documents": _documents(agreement),
        "custody": list(agreement.custody_steps.all()),
        "units": list(agreement.participating_units.select_related("unit")),
        "above": _visible_above(agreement, request.user),
        "children": _visible_children(agreement, request.user),
        "reminders": _reminders(agreement, shows_all=request.GET.get("reminders") == "all"),
        "timeline": _timeline(agreement, notes, activities),
        "cited": citations_of(
            [agreement, agreement.event, *parties, *terms, *areas, *activities, *facilities, *demands]
        ),
        **_follow_up_offers(agreement, request.user, today),
    }
    return render(request, "partnerships/agreements/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    agreement = visible_or_404(Agreement.objects.select_related("unit", "coordinator", "type"), request, pk)
    if step == "log":
        return _log(request, agreement)
    return step_page(request, agreement, step)


def _log(request: HttpRequest, agreement: Agreement) -> HttpResponse:
    require_or_403(request.user, "contact_note.add", agreement)
    form = ContactNoteForm(request.POST or None, today=timezone.localdate())
    return form_page(request, agreement, form, title=_("Log a call"), done=_("Logged."), about=agreement)


def _parties(agreement: Agreement) -> list[AgreementParty]:
    return list(agreement.parties.select_related("organization", "organization__region"))


def _standing(agreement: Agreement, today: dt.date) -> dict[str, bool]:
    """What follows from the dates today, by the formulas the lists use."""
    this = Agreement.objects.filter(pk=agreement.pk)
    if not agreement.is_signed:
        return {"orphaned": this.orphaned().exists()}
    return {
        "in_force": this.in_force(today).exists(),
        "expired": this.expired(today).exists(),
        "quiet": this.quiet(today).exists(),
        "orphaned": this.orphaned().exists(),
    }


def _promised_and_delivered(agreement: Agreement, promised: list[Any]) -> list[dict[str, Any]]:
    """Each area promised with how many follow-ups were completed and are planned for it; then those never promised."""
    done = Q(activity__status=ActivityStatus.COMPLETED)
    ahead = ~Q(activity__status__in=(ActivityStatus.COMPLETED, ActivityStatus.CANCELLED))
    counts = ActivityCredit.objects.filter(activity__agreement=agreement).values("area", "area__name", "area__name_zh")
    counted = counts.annotate(
        done=Count("activity", filter=done, distinct=True),
        ahead=Count("activity", filter=ahead, distinct=True),
        last_on=Max("activity__completed_on"),
    )
    by_area = {row["area"]: row for row in counted}
    nothing: dict[str, Any] = {"done": 0, "ahead": 0, "last_on": None}
    rows = [{"promise": promise, **(by_area.pop(promise.area_id, nothing))} for promise in promised]
    return [*rows, *({"promise": None, **row} for row in by_area.values() if row["done"] or row["ahead"])]


def _decision(agreement: Agreement, terms: list[Any]) -> dict[str, Any] | None:
    """The decision date of the current term with the term and calendar it was counted from."""
    term = max(terms, key=lambda term: term.number, default=None)
    if term is None or term.ends_on is None:
        return None
    calendar = agreement.unit.effective_calendar
    date = term.decision_date(workday_test(calendar))
    is_guess = calendar is not None and date.decide_on > calendar.covered_until
    return {"term": term, "date": date, "calendar": calendar, "is_guess": is_guess}


def _activities(agreement: Agreement) -> list[Any]:
    rows = agreement.activities.select_related("owner").prefetch_related("partners__organization", "credits__area")
    return list(rows.order_by("-starts_on", "-pk"))


def _milestones(agreement: Agreement, today: dt.date) -> dict[str, list[Any]]:
    rows = list(agreement.milestones.select_related("owner", "party__organization"))
    return {
        "pending": [row for row in rows if row.is_pending],
        "closed": [row for row in reversed(rows) if not row.is_pending],
    }


def _documents(agreement: Agreement) -> list[Document]:
    rows = Document.objects.filter(
        Q(agreement=agreement) | Q(milestone__agreement=agreement) | Q(activity__agreement=agreement)
    )
    return list(rows.select_related("milestone", "activity").prefetch_related(VERSIONS))


def _visible_above(agreement: Agreement, user: Any) -> dict[str, Agreement]:
    """The framework and the predecessor, where the person may see them: a title says a lot already."""
    related = {"parent": agreement.parent_id, "predecessor": agreement.predecessor_id}
    seen = Agreement.objects.visible_to(user).in_bulk([pk for pk in related.values() if pk])
    return {name: seen[pk] for name, pk in related.items() if pk in seen}


def _visible_children(agreement: Agreement, user: Any) -> list[Agreement]:
    return list(Agreement.objects.visible_to(user).filter(Q(parent=agreement) | Q(predecessor=agreement)))


def _reminders(agreement: Agreement, *, shows_all: bool) -> dict[str, Any]:
    """What comes next and what was last, or on request all of it."""
    plans = with_items(ReminderPlan.objects.filter(milestone__agreement=agreement))
    most = PLANS_AT_MOST if shows_all else PLANS_SHOWN
    ahead = list(plans.filter(status=PlanStatus.PLANNED).order_by("send_at", "pk")[:most])
    past = list(plans.exclude(status=PlanStatus.PLANNED).order_by("-send_at", "-pk")[:most])
    told = stories([*ahead, *past], now=timezone.now(), zone=timezone.get_current_timezone())
    return {
        "ahead": told[: len(ahead)],
        "past": told[len(ahead) :],
        "has_more": not shows_all and most in {len(ahead), len(past)},
    }


def _timeline(agreement: Agreement, notes: list[Any], activities: list[Any]) -> list[Moment]:
    return newest_first(steps_of(agreement), notes_of(notes), completed_among(activities), edits_of(agreement))


def _follow_up_offers(agreement: Agreement, user: Any, today: dt.date) -> dict[str, Any]:
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
