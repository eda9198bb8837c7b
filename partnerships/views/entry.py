"""The fast entry of an activity: what it is about is found on the page itself, with scripts and without."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.forms.activities import About, AttachmentForm, NewActivityForm
from partnerships.forms.consequences import add_consequences
from partnerships.forms.numbers import row_or_none
from partnerships.forms.office_day import office_today
from partnerships.lists.agreements import PARTIES
from partnerships.models import Activity, Agreement, Event, Organization, User
from partnerships.models.agreements import AgreementQuerySet
from partnerships.requests import UserRequest
from partnerships.views.calendar import asked_day

FOUND_AT_MOST = 8
WITH_PARTIES = Agreement.objects.select_related("unit", "event").prefetch_related(PARTIES)
# Attaching files is optional, so the browser must not ask for them.
ATTACHED: dict[str, Any] = {"prefix": "attached", "use_required_attribute": False}
SEVERAL = ("organizations", "areas")


def about(request: UserRequest) -> About:
    """Return the records that the form and its address name, as far as the user may follow them up."""
    user: User = request.user
    asked = request.POST if "agreement" in request.POST else request.GET
    agreements = WITH_PARTIES.followed_up_by(user)
    events = Event.objects.visible_to(user)
    organizations = Organization.objects.visible_to(user)
    return About(
        agreement=row_or_none(agreements, asked.get("agreement")),
        event=row_or_none(events, request.POST.get("event") or request.GET.get("event")),
        organization=row_or_none(organizations, request.GET.get("organization")),
    )


def entry_page(request: UserRequest, about: About, *, is_agreement_fixed: bool = False) -> HttpResponse:
    """Show the form, or enter what is sent. ``look`` shows it as typed, with the choices that go with the input."""
    make = partial(
        NewActivityForm,
        about=about,
        user=request.user,
        today=timezone.localdate(),
        is_agreement_fixed=is_agreement_fixed,
    )
    attached = AttachmentForm(request.POST if request.FILES else None, request.FILES or None, **ATTACHED)
    if request.method != "POST":
        form = make(initial=_asked_for(request.GET, about, is_plan=is_agreement_fixed))
    elif "look" in request.POST:
        form = make(initial=_as_typed(request.POST, about))
    else:
        form = make(request.POST)
        activity = _enter(form, attached, request.user)
        if activity is not None:
            done, planned = _("Recorded."), _("Planned. When it is done, complete it with what came of it.")
            said = done if activity.completed_on else planned
            messages.success(request, add_consequences(said, activity, request.user, now=timezone.now()))
            return redirect(activity.get_absolute_url())
    if attached.is_bound:
        attached.ask_for_files_again()
    return _shown(request, form, attached)


def _enter(form: NewActivityForm, attached: AttachmentForm, user: User) -> Activity | None:
    """Enter the activity with its files, or nothing at all."""
    is_valid = form.is_valid() and (attached.is_valid() or not attached.is_bound)
    if not is_valid:
        return None
    with transaction.atomic():
        activity = form.apply(user)
        if activity and attached.is_bound and not attached.apply(user, activity=activity, at=timezone.now()):
            # The activity is saved by now, but it must not stay without its files.
            transaction.set_rollback(True)
            return None
    return activity


def _asked_for(query: QueryDict, about: About, *, is_plan: bool) -> dict[str, object]:
    """Return the initial values: done today, unless the address names another day or it is to be planned."""
    today = office_today(about.agreement)
    day = asked_day(query.get("day", ""))
    partners = [about.organization] if about.organization else _only_partner(about)
    return {
        "kind": query.get("kind", ""),
        "agreement": about.agreement and about.agreement.pk,
        "event": about.event and about.event.pk,
        "organizations": partners,
        "areas": _asked_areas(query, about),
        "is_done": day <= today if day else not is_plan,
        "starts_on": day or (None if is_plan else today),
    }


def _asked_areas(query: QueryDict, about: About) -> list[int]:
    """Return the areas that the address names, as far as they may count."""
    asked = query.getlist("area")
    return [area.pk for area in about.areas if str(area.pk) in asked] if asked else []


def _as_typed(data: QueryDict, about: About) -> dict[str, object]:
    typed: dict[str, Any] = {name: data.getlist(name) if name in SEVERAL else data[name] for name in data}
    return {"organizations": _only_partner(about), "areas": [], "is_done": False, "currency": "", **typed}


def _only_partner(about: About) -> list[Organization]:
    """Return the other party if there is only one: it most likely took part."""
    if about.agreement is None:
        return []
    ours = about.agreement.unit.organization_id
    others = [party.organization for party in about.agreement.parties.all() if party.organization_id != ours]
    return others if len(others) == 1 else []


def _shown(request: UserRequest, form: NewActivityForm, attached: AttachmentForm) -> HttpResponse:
    """Show the page; for a script only the part that depends on the agreement, or the agreements found."""
    target = request.htmx.target if request.htmx else None
    part = {"about": "_about", "agreements": "_agreements"}.get(target or "", "form")
    context = {"form": form, "attached": attached, "agreements": _agreements(form, request.user)}
    context["back"] = form.about.agreement or form.about.event or form.about.organization
    return render(request, f"partnerships/activities/{part}.html", context)


def _agreements(form: NewActivityForm, user: User) -> dict[str, object]:
    """Return the agreements to choose from: the chosen one, then those found, or without a search likely ones."""
    if form.is_agreement_fixed:
        return {}
    chosen, words = form.about.agreement, _words(form)
    rows = WITH_PARTIES.followed_up_by(user)
    rows = rows.search(words) if words else _likely(rows, form.about, user)
    if chosen:
        rows = rows.exclude(pk=chosen.pk)
    found = list(rows[: FOUND_AT_MOST + 1])
    shown = [*([chosen] if chosen else []), *found[:FOUND_AT_MOST]]
    return {"shown": shown, "chosen": chosen, "words": words, "has_more": len(found) > FOUND_AT_MOST}


def _words(form: NewActivityForm) -> str:
    try:
        return form.fields["find"].clean(form["find"].value())
    except ValidationError:
        return ""


def _likely(rows: AgreementQuerySet, about: About, user: User) -> AgreementQuerySet:
    if about.organization:
        return rows.filter(pk__in=about.organization.party_rows.values("agreement"))
    if about.event:
        return rows.filter(event=about.event)
    return rows.filter(coordinator=user)
