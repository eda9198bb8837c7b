"""Events, who took part in them, and what came of them."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.events import EventPeopleForm
from partnerships.lists.agreements import PARTIES
from partnerships.models import Activity, Agreement, Document, Event, Milestone, StatusChange, User
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.edits import edit_page
from partnerships.views.milestones import may_add_action_point, with_steps_in_line
from partnerships.views.record_acts import ICONS, RecordAct, adding, edit_act, record_groups
from partnerships.views.related import demands_among, documents_of, facilities_among, figures_about, next_pending
from partnerships.views.sections import Context, Section, by_name, head_of, section_asked, tabs_of
from partnerships.views.steps import grouped_offers, step_page
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    return step_page(request, visible_or_404(Event.objects.select_related("unit"), request, pk), step)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_people(request: UserRequest, pk: int) -> HttpResponse:
    """Edit who was invited, what they answered and whether they came, with agenda and minutes."""
    event = visible_or_404(Event.objects.select_related("unit"), request, pk)
    require_or_403(request.user, "event.edit", event)
    form = EventPeopleForm(request.POST or None, user=request.user, instance=event)
    return edit_page(request, event, form, title=_("People, agenda and minutes"), template="events/people_form")


@dataclass(frozen=True)
class EventPage:
    """The event with what every section of its page starts from."""

    request: UserRequest
    event: Event
    milestones: list[Milestone]
    documents: list[Document]

    @property
    def user(self) -> User:
        return self.request.user


@login_required
@require_safe
def event_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show one section of the page, or its timeline alone when htmx asks for that."""
    event, user = visible_or_404(Event.objects.select_related("unit", "region"), request, pk), request.user
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, event))
    page = EventPage(request, event, _milestones(event, user), documents_of(user, event=event))
    section = section_asked(request, SECTIONS)
    shown, kinds = section.read(page), list(event.kinds.all())
    counts = {"people": event.participations.count(), "files": len(page.documents)}
    context = {
        **head_of(event),
        "event": event,
        "today": timezone.localdate(),
        "kinds": kinds,
        "programmes": [item.programme for item in event.programme_items.select_related("programme")],
        "next_milestone": next_pending(page.milestones),
        "withdrawal": _withdrawal(event),
        **_acts(event, user),
        "section": section.name,
        "tabs": tabs_of(event, SECTIONS, section, counts),
        **shown,
        "cited": citations_of([event, *kinds, *shown.pop("cited", ())]),
    }
    return render(request, "partnerships/events/detail.html", context)


def _acts(event: Event, user: User) -> Context:
    """Return the acts of the page; nothing follows from an event that was withdrawn."""
    follow_up, adds, people = [], [], []
    about = f"?{urlencode({'event': event.pk})}"
    if event.withdrawn_on is None:
        if may(user, "activity.add"):
            follow_up.append(RecordAct(_("Log an activity"), reverse("activity_log") + about, ICONS["plus"]))
        if may_add_action_point(user, event):
            address = reverse("milestone_add", args=["event", event.pk])
            follow_up.append(RecordAct(_("Add an action point"), address, ICONS["plus"]))
        if may(user, "agreement.add"):
            follow_up.append(RecordAct(_("Register an agreement"), reverse("agreement_add") + about, ICONS["paper"]))
        if may(user, "event.edit", event):
            address = reverse("event_people", args=[event.pk])
            people.append(RecordAct(_("People, agenda and minutes"), address, ICONS["person"]))
        adds = adding(user, "facility", "demand", "figure", event=event.pk)
    acts = record_groups(event, user, offers=grouped_offers(event, user), follow_up=follow_up, adds=adds, beside=people)
    return {"acts": acts, "main_act": follow_up[0] if follow_up else edit_act(event, user)}


def _overview(page: EventPage) -> Context:
    event, user = page.event, page.user
    agreements, activities = _agreements(event, user), _activities(event, user)
    facilities, demands = facilities_among(user, event=event), demands_among(user, event=event)
    return {
        "sees_minutes": may(user, "event.view_minutes", event),
        "agreements": agreements,
        "activities": activities,
        "facilities": facilities,
        "demands": demands,
        "milestones": with_steps_in_line(page.milestones, user),
        "may_add_action_point": event.withdrawn_on is None and may_add_action_point(user, event),
        "cited": [*agreements, *activities, *facilities, *demands],
    }


def _people(page: EventPage) -> Context:
    event, user = page.event, page.user
    participations = list(event.participations.select_related("organization"))
    people = list(event.people.visible_to(user).select_related("user", "contact__organization"))
    return {
        "participations": participations,
        "people": people,
        "has_others": event.people.exclude(pk__in=[row.pk for row in people]).exists(),
        "may_edit": may(user, "event.edit", event) and event.withdrawn_on is None,
        "unresolved": [row for row in participations if row.is_unresolved],
        "cited": participations,
    }


def _files(page: EventPage) -> Context:
    event, user = page.event, page.user
    return {
        "figures": figures_about(user, event=event),
        "documents": page.documents,
        "may_upload": may(user, "document.upload", Document(event=event)),
    }


def _history(page: EventPage) -> Context:
    return history_of(page.request, page.event)


SECTIONS = by_name(
    Section("overview", pgettext_lazy("section", "Overview"), _overview),
    Section("people", gettext_lazy("Took part"), _people),
    Section("files", gettext_lazy("Files and figures"), _files),
    Section("history", pgettext_lazy("of a record", "History"), _history),
)


def _withdrawal(event: Event) -> StatusChange | None:
    """Return the step that withdrew the event, which says by whom and why; None for one that counts."""
    if event.withdrawn_on is None:
        return None
    return StatusChange.objects.of(event).filter(transition="withdraw").last()


def _agreements(event: Event, user: User) -> list[Agreement]:
    rows = Agreement.objects.visible_to(user).filter(event=event)
    return list(rows.select_related("unit", "type").prefetch_related(PARTIES))


def _milestones(event: Event, user: User) -> list[Milestone]:
    rows = Milestone.objects.visible_to(user).filter(event=event)
    return list(rows.select_related("owner", "agreement", "party__organization"))


def _activities(event: Event, user: User) -> list[Activity]:
    rows = Activity.objects.visible_to(user).filter(event=event)
    return list(rows.select_related("owner").prefetch_related("partners__organization"))
