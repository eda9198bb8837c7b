"""Programmes: the list, and the progress of one: target, recorded and reported side by side."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from partnerships.models import Agreement, Demand, Document, Event, Facility, Programme, ProgrammeItem, User
from partnerships.permissions import may
from partnerships.reports.figures import programme_progress
from partnerships.reports.record_lines import programme_line
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.record_acts import adding, edit_act, record_groups
from partnerships.views.related import documents_of, figures_about
from partnerships.views.sections import Context, Section, by_name, head_of, section_asked, tabs_of
from partnerships.views.timeline import asks_for_timeline_only, history_of, render_timeline


@dataclass(frozen=True)
class ProgrammePage:
    """The programme with what every section of its page starts from."""

    request: UserRequest
    programme: Programme
    items: list[ProgrammeItem]  # as far as the user sees their records
    hidden: int
    documents: list[Document]

    @property
    def user(self) -> User:
        return self.request.user


@login_required
@require_safe
def programme_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show one section of the page, or its timeline alone when htmx asks for that."""
    programme, user = visible_or_404(Programme.objects.select_related("unit"), request, pk), request.user
    if asks_for_timeline_only(request):
        return render_timeline(request, history_of(request, programme))
    all_items = list(programme.items.select_related("event", "agreement", "facility", "demand"))
    items = _seen(all_items, programme, user)
    page = ProgrammePage(
        request, programme, items, len(all_items) - len(items), documents_of(user, programme=programme)
    )
    section = section_asked(request, SECTIONS)
    shown = section.read(page)
    counts = {"items": len(all_items), "files": len(page.documents)}
    context = {
        **head_of(programme),
        "programme": programme,
        "life": programme_line(programme, programme.targets.all(), timezone.localdate()),
        "acts": record_groups(programme, user, adds=adding(user, "figure", programme=programme.pk)),
        "main_act": edit_act(programme, user),
        "section": section.name,
        "tabs": tabs_of(programme, SECTIONS, section, counts),
        **shown,
        "cited": citations_of([programme, *shown.pop("cited", ())]),
    }
    return render(request, "partnerships/programmes/detail.html", context)


def _overview(page: ProgrammePage) -> Context:
    organizers = list(page.programme.organizers.select_related("organization"))
    return {
        "progress": programme_progress(page.programme),
        "figures": figures_about(page.user, programme=page.programme),
        "organizers": organizers,
        "cited": organizers,
    }


def _items(page: ProgrammePage) -> Context:
    return {"items": page.items, "hidden": page.hidden, "cited": page.items}


def _files(page: ProgrammePage) -> Context:
    may_upload = may(page.user, "document.upload", Document(programme=page.programme))
    return {"documents": page.documents, "may_upload": may_upload, "cited": page.documents}


def _history(page: ProgrammePage) -> Context:
    return history_of(page.request, page.programme)


SECTIONS = by_name(
    Section("overview", pgettext_lazy("section", "Overview"), _overview),
    Section("items", _("Items"), _items),
    Section("files", pgettext_lazy("section", "Files"), _files),
    Section("history", pgettext_lazy("of a record", "History"), _history),
)


def _seen(items: list[ProgrammeItem], programme: Programme, user: User) -> list[ProgrammeItem]:
    """Return the items whose records the user may see."""
    seen = {
        name: set(
            model.objects.visible_to(user).filter(programme_items__programme=programme).values_list("pk", flat=True)
        )
        for name, model in (("event", Event), ("agreement", Agreement), ("facility", Facility), ("demand", Demand))
    }
    return [row for row in items if any(getattr(row, f"{name}_id") in ids for name, ids in seen.items())]
