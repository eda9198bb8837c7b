"""Enterprises ask, universities answer: demands with their answers, and the step to what comes of them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.demands import AgreementOutcomeForm, AskUnitsForm, ProjectOutcomeForm
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import StepOffer
from partnerships.models import Activity, Agreement, Answer, Demand, DemandOutcome, Document, StatusChange, User
from partnerships.models.demands import DemandQuerySet
from partnerships.permissions import may
from partnerships.reports.record_lines import demand_line
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.people_to_contact import shown_person_at
from partnerships.views.record_acts import ICONS, RecordAct, edit_act, record_groups
from partnerships.views.related import documents_of, milestones_of, next_pending
from partnerships.views.sections import Context, Section, by_name, head_of, section_asked, tabs_of
from partnerships.views.steps import form_page, grouped_offers, impossible, step_page
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline

# Steps of a demand that need more than a date: form, title, and the message when it is done.
VERBS: dict[str, tuple[Any, Any, Any]] = {
    "ask": (AskUnitsForm, gettext_lazy("Ask units to answer"), gettext_lazy("Asked. Their answers appear here.")),
    "agreement": (
        AgreementOutcomeForm,
        gettext_lazy("Turn into an agreement"),
        gettext_lazy("Agreed. The draft agreement is linked below."),
    ),
    "project": (
        ProjectOutcomeForm,
        gettext_lazy("Turn into a research project"),
        gettext_lazy("Agreed. The planned project is linked below."),
    ),
}


@dataclass
class AnswerOffers:
    """An answer with the steps offered on it and its status changes so far."""

    answer: Answer
    offers: dict[str, list[StepOffer]]
    changes: list[StatusChange]


@dataclass(frozen=True)
class DemandPage:
    """The demand with what every section of its page starts from."""

    request: UserRequest
    demand: Demand
    today: dt.date
    offers: dict[str, list[StepOffer]]
    documents: list[Document]

    @property
    def user(self) -> User:
        return self.request.user


@login_required
@require_safe
def demand_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show one section of the page, or its timeline alone when htmx asks for that."""
    demand, user, today = visible_or_404(_with_context(), request, pk), request.user, timezone.localdate()
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, demand))
    page = DemandPage(request, demand, today, _offers(demand, user), documents_of(user, demand=demand))
    section = section_asked(request, SECTIONS)
    shown = section.read(page)
    milestones = milestones_of(demand, user)
    context = {
        **head_of(demand),
        "demand": demand,
        "today": today,
        "next_milestone": next_pending(milestones),
        "milestones": milestones,
        "contact": shown_person_at(demand.organization, user) if demand.is_pending else None,
        "life": demand_line(demand, today),
        **_acts(page),
        "section": section.name,
        "tabs": tabs_of(demand, SECTIONS, section, {"files": len(page.documents)}),
        **shown,
        "cited": citations_of([demand, *shown.pop("cited", ())]),
    }
    return render(request, "partnerships/demands/detail.html", context)


def _acts(page: DemandPage) -> Context:
    """Return the acts of the page; the main one is the first that takes the demand on."""
    demand, user = page.demand, page.user
    verbs = [
        RecordAct(title, reverse("demand_step", args=[demand.pk, name]), is_forward=True)
        for name, title in _verbs(demand, user)
    ]
    rewrite = []
    if demand.is_content_published and may(user, "demand.edit", demand):
        address = f"{reverse('demand_edit', args=[demand.pk])}#id_rewritten_wording"
        rewrite = [RecordAct(_("Rewrite it for universities"), address, ICONS["paper"])]
    acts = record_groups(demand, user, offers=page.offers, follow_up=[*verbs, *rewrite])
    return {"acts": acts, "main_act": next(iter(verbs), None) or edit_act(demand, user), "offers": page.offers}


def _overview(page: DemandPage) -> Context:
    demand, user = page.demand, page.user
    items = list(demand.programme_items.select_related("programme"))
    answers = _answers(demand, user)
    return {
        "answers": answers,
        "seen_answers": {shown.answer.pk for shown in answers},
        "outcomes": _outcomes(demand, user),
        "items": items,
        "cited": items,
    }


def _files(page: DemandPage) -> Context:
    demand, user = page.demand, page.user
    return {
        "documents": page.documents,
        "may_upload": may(user, "document.upload", Document(demand=demand)),
    }


def _history(page: DemandPage) -> Context:
    return history_of(page.request, page.demand)


SECTIONS = by_name(
    Section("overview", pgettext_lazy("section", "Overview"), _overview),
    Section("files", pgettext_lazy("section", "Files"), _files),
    Section("history", pgettext_lazy("of a record", "History"), _history),
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def demand_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    demand = visible_or_404(_with_context(), request, pk)
    if step not in VERBS:
        return step_page(request, demand, step)
    form_class, title, done = VERBS[step]
    require_or_403(request.user, "demand.edit", demand)
    if request.method != "POST" and not demand.is_pending:
        return impossible(request, demand, title)
    form = form_class(request.POST or None, row=demand, today=office_today(demand))
    return form_page(request, demand, form, title=title, done=done)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def answer_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    answer = visible_or_404(Answer.objects.select_related("demand", "unit"), request, pk)
    return step_page(request, answer, step)


def _with_context() -> DemandQuerySet:
    return Demand.objects.select_related("unit", "owner", "organization", "through", "event")


def _offers(demand: Demand, user: User) -> dict[str, list[StepOffer]]:
    """Return the steps without *ask*, which has its own form that stays open after the first unit was asked."""
    offers = grouped_offers(demand, user)
    return {name: [offer for offer in found if offer.transition.name != "ask"] for name, found in offers.items()}


def _verbs(demand: Demand, user: User) -> list[tuple[str, Any]]:
    if not demand.is_pending or not may(user, "demand.edit", demand):
        return []
    return [(name, title) for name, (_form, title, _done) in VERBS.items()]


def _answers(demand: Demand, user: User) -> list[AnswerOffers]:
    """Return the answers with the steps offered and the status changes so far."""
    rows = demand.answers.visible_to(user).select_related("unit", "organization", "achievement")
    answers = [_of_this(demand, row) for row in rows]
    changes: dict[int, list[StatusChange]] = {answer.pk: [] for answer in answers}
    target = ContentType.objects.get_for_model(Answer)
    for change in StatusChange.objects.filter(content_type=target, object_id__in=changes).select_related("actor"):
        changes[change.object_id].append(change)
    return [AnswerOffers(answer, offers=grouped_offers(answer, user), changes=changes[answer.pk]) for answer in answers]


def _of_this(demand: Demand, answer: Answer) -> Answer:
    answer.demand = demand
    return answer


def _outcomes(demand: Demand, user: User) -> list[DemandOutcome]:
    agreements = Agreement.objects.visible_to(user).values("pk")
    projects = Activity.objects.visible_to(user).values("pk")
    rows = demand.outcomes.filter(Q(agreement__in=agreements) | Q(activity__in=projects))
    return list(rows.select_related("agreement", "activity", "answer__unit"))
