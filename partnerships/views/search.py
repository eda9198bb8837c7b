"""Search over everything the user may see: agreements, organizations, milestones, activities, events and more."""

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from partnerships.lists.agreements import PARTIES
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Contact,
    ContactNote,
    Demand,
    Document,
    Event,
    Facility,
    Honour,
    Milestone,
    Organization,
    Payment,
    Programme,
    ReportedFigure,
    SearchEntry,
    Source,
    User,
    hide_unseen,
)
from partnerships.models.documents import DOCUMENT_TARGETS
from partnerships.models.hidden_records import search_as
from partnerships.requests import UserRequest
from partnerships.templatetags.frame import MORE_PLACES, PLACES
from partnerships.views.palette import palette_offers

# Hits shown of each kind: on the page, and in the box below the search field while the user types.
SHOWN, SHOWN_WHILE_TYPING = 8, 4
SHORTEST = 2
ICONS = {place.name: place.icon for place in (*PLACES, *MORE_PLACES)}


class SearchForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Search"), max_length=200, required=False)


@dataclass
class HitGroup:
    """The first hits of one kind, and how many there are; ``texts`` are hits that have no page of their own."""

    label: str
    rows: list[Model]
    count: int
    url: str
    has_more: bool
    icon: str = ""
    texts: list[dict[str, object]] = field(default_factory=list)


@login_required
@require_safe
def search(request: UserRequest) -> HttpResponse:
    """Show the page; for a script the results alone, and fewer of them for the search box on every page."""
    form = SearchForm(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    is_typing = request.htmx and request.htmx.target == "found"
    if is_typing:
        groups = _groups(words, request.user, SHOWN_WHILE_TYPING) if len(words) >= SHORTEST else []
    else:
        groups = _groups(words, request.user, SHOWN) + _texts(words, request.user) if words else []
    context = {"form": form, "words": words, "groups": groups, "today": timezone.localdate()}
    if is_typing:
        context["offers"] = palette_offers(words, request.user)
    template = "_found" if is_typing else "_results" if request.htmx else "page"
    return render(request, f"partnerships/search/{template}.html", context)


def _groups(words: str, user: User, shown: int) -> list[HitGroup]:
    """Return the first hits of each kind with the address of the list that has them all."""
    milestones = Milestone.objects.select_related("agreement", "owner")
    organizations = Organization.objects.not_archived().select_related("part_of")
    kinds: tuple[tuple[str, str, dict[str, str], Any], ...] = (
        (_("Agreements"), "agreement_list", {}, Agreement.objects.select_related("unit").prefetch_related(PARTIES)),
        (_("Organizations"), "organization_list", {}, organizations.wholes_first()),
        (_("Milestones"), "milestone_list", {"status": "all"}, milestones),
        (_("Activities"), "activity_list", {}, Activity.objects.select_related("agreement")),
        (_("Events"), "event_list", {}, Event.objects.recorded()),
        (_("Promised payments"), "payment_list", {}, Payment.objects.agreed().select_related("agreement")),
        (_("Joint facilities"), "facility_list", {}, Facility.objects.all()),
        (_("Demands"), "demand_list", {}, Demand.objects.all()),
        (_("Achievements"), "achievement_list", {}, Achievement.objects.all()),
        (_("Programs"), "programme_list", {}, Programme.objects.all()),
        (_("Honors"), "honour_list", {}, Honour.objects.recorded().select_related("scheme", "organization")),
    )
    found: list[HitGroup] = []
    for label, list_name, more, rows in kinds:
        address = f"{reverse(list_name)}?{urlencode({'q': words, **more})}"
        group = _group(label, address, search_as(user, rows.visible_to(user), words), shown, user)
        group.icon = ICONS[list_name]
        found.append(group)
    return [group for group in found if group.rows]


def _texts(words: str, user: User) -> list[HitGroup]:
    """Search the records whose lists cannot be searched. Each hit leads to what it is about."""
    notes = ContactNote.objects.select_related("agreement", "organization")
    documents = Document.objects.select_related(*DOCUMENT_TARGETS)
    kinds = (
        (_("Contacts"), Contact.objects.select_related("organization"), "name", lambda row: row.organization),
        (_("Documents"), documents, "title", lambda row: row.target),
        (_("Calls and messages"), notes, "summary", lambda row: row.agreement or row.organization),
        (
            _("Reported figures"),
            ReportedFigure.objects.select_related("source"),
            "display_name",
            lambda row: row.source,
        ),
        (_("Sources"), Source.objects.all(), "title", lambda row: row.publisher),
    )
    found: list[HitGroup] = []
    for label, rows, column, about in kinds:
        matching = SearchEntry.objects.matching(rows.model, words)
        group = _group(label, "", rows.visible_to(user).filter(pk__in=matching), SHOWN, user)
        group.texts = [
            {"row": row, "text": getattr(row, column), "about": about(row), "url": _address(row, about(row))}
            for row in group.rows
        ]
        group.rows = []
        found.append(group)
    return [group for group in found if group.texts]


def _address(row: Model, about: object) -> str:
    """Return the page of a row, or of what it is about; empty where that is another unit's."""
    return next((one.get_absolute_url() for one in (row, about) if hasattr(one, "get_absolute_url")), "")


def _group(label: str, address: str, found: QuerySet, shown: int, user: User) -> HitGroup:
    # Counting reads every hit, so it is left out where all of them are shown.
    hits = list(found[: shown + 1])
    count = found.count() if len(hits) > shown else len(hits)
    hide_unseen(hits, user)
    return HitGroup(label, hits[:shown], count, address, has_more=count > shown)
