"""Events, who took part in them, and what came of them."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.events import EventPeopleForm
from partnerships.lists.agreements import PARTIES
from partnerships.models import Activity, Agreement, Event, Milestone, StatusChange, User
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.edits import edit_page
from partnerships.views.milestones import may_add_action_point, with_steps_in_line
from partnerships.views.related import demands_among, documents_of, facilities_among, figures_about
from partnerships.views.steps import grouped_offers, step_page


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


@login_required
@require_safe
def event_detail(request: UserRequest, pk: int) -> HttpResponse:
    event = visible_or_404(Event.objects.select_related("unit", "region"), request, pk)
    participations = list(event.participations.select_related("organization"))
    people = list(event.people.visible_to(request.user).select_related("user", "contact__organization"))
    kinds = list(event.kinds.all())
    agreements, activities = _agreements(event, request.user), _activities(event, request.user)
    facilities = facilities_among(request.user, event=event)
    demands = demands_among(request.user, event=event)
    context = {
        "event": event,
        "offers": grouped_offers(event, request.user),
        "withdrawal": _withdrawal(event),
        "kinds": kinds,
        "participations": participations,
        "people": people,
        "has_others": event.people.exclude(pk__in=[row.pk for row in people]).exists(),
        "may_edit": may(request.user, "event.edit", event) and event.withdrawn_on is None,
        "sees_minutes": may(request.user, "event.view_minutes", event),
        "unresolved": [row for row in participations if row.is_unresolved],
        "agreements": agreements,
        "activities": activities,
        "facilities": facilities,
        "demands": demands,
        "figures": figures_about(request.user, event=event),
        "programmes": [item.programme for item in event.programme_items.select_related("programme")],
        "milestones": with_steps_in_line(_milestones(event, request.user), request.user),
        "may_add_action_point": event.withdrawn_on is None and may_add_action_point(request.user, event),
        "today": timezone.localdate(),
        "documents": documents_of(request.user, event=event),
        "cited": citations_of([event, *participations, *kinds, *agreements, *activities, *facilities, *demands]),
    }
    return render(request, "partnerships/events/detail.html", context)


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
