"""Pages that add and edit the records beside agreements; what is asked for each kind is in ``forms/records.py``."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from partnerships.forms.numbers import row_or_none
from partnerships.forms.records import (
    AchievementForm,
    CiteSourceForm,
    DemandRecordForm,
    EventRecordForm,
    FacilityForm,
    FigureForm,
    HonourForm,
    ProgrammeForm,
    RecordForm,
    SourceForm,
)
from partnerships.forms.reports import ReportForm
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Citation,
    Demand,
    Event,
    Facility,
    Honour,
    Organization,
    Programme,
    Region,
    ReportedFigure,
    Source,
    User,
)
from partnerships.requests import UserRequest
from partnerships.texts import LazyText
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.deletions import delete_page
from partnerships.views.edits import edit_page


class RecordKind(NamedTuple):
    form: type[RecordForm]
    add: LazyText
    edit: LazyText
    add_action: str
    edit_action: str
    # The column that is today unless something else is typed.
    day: str = ""


KINDS: Mapping[str, RecordKind] = {
    "demand": RecordKind(
        DemandRecordForm, _("Add a demand"), _("Edit the demand"), "demand.add", "demand.edit", "released_on"
    ),
    "facility": RecordKind(
        FacilityForm, _("Add a joint facility"), _("Edit the joint facility"), "facility.add", "facility.edit"
    ),
    "honour": RecordKind(
        HonourForm, _("Add an honor"), _("Edit the honor"), "honour.edit", "honour.edit", "granted_on"
    ),
    "achievement": RecordKind(
        AchievementForm, _("Add an achievement"), _("Edit the achievement"), "achievement.edit", "achievement.edit"
    ),
    "programme": RecordKind(
        ProgrammeForm, _("Add a program"), _("Edit the program"), "programme.edit", "programme.edit"
    ),
    "event": RecordKind(
        EventRecordForm, _("Add an event"), _("Edit the event"), "event.add", "event.edit", "starts_on"
    ),
    "figure": RecordKind(
        FigureForm, _("Add a press figure"), _("Edit the press figure"), "figure.edit", "figure.edit", "as_of"
    ),
    "report": RecordKind(ReportForm, _("Write a report"), _("Edit the report"), "report.edit", "report.edit"),
    "source": RecordKind(SourceForm, _("Add a source"), _("Edit the source"), "source.add", "source.edit"),
}
# Records that the address of a new one may name, and how the visible ones are found.
NAMED: Mapping[str, Callable[[User], QuerySet]] = {
    "organization": Organization.objects.visible_to,
    "agreement": Agreement.objects.visible_to,
    "event": Event.objects.visible_to,
    "programme": Programme.objects.visible_to,
    "region": Region.objects.visible_to,
    "source": Source.objects.visible_to,
}
# Records for which a person who works with them cites a source.
CITED: Mapping[str, type[Model]] = {
    "agreement": Agreement,
    "activity": Activity,
    "organization": Organization,
    "event": Event,
    "facility": Facility,
    "demand": Demand,
    "achievement": Achievement,
    "programme": Programme,
    "honour": Honour,
    "figure": ReportedFigure,
    "region": Region,
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_add(request: UserRequest, kind: str) -> HttpResponse:
    """Add a record. ``?organization=``, ``agreement=``, ``event=`` and the like say what it is about."""
    about = KINDS[kind]
    require_or_403(request.user, about.add_action)
    rows = {name: row_or_none(found(request.user), request.GET.get(name)) for name, found in NAMED.items()}
    initial: dict[str, object] = {name: row.pk for name, row in rows.items() if row is not None}
    if about.day:
        initial[about.day] = timezone.localdate()
    form = about.form(request.POST or None, user=request.user, initial=initial)
    back = reverse(f"{kind}_list")
    return edit_page(request, None, form, title=about.add, template="record_form", back=back)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_edit(request: UserRequest, pk: int, kind: str) -> HttpResponse:
    about = KINDS[kind]
    rows = about.form._meta.model._default_manager.all()
    row = visible_or_404(rows, request, pk)
    require_or_403(request.user, about.edit_action, row)
    form = about.form(request.POST or None, user=request.user, instance=row)
    return edit_page(request, row, form, title=about.edit, template="record_form")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def citation_add(request: UserRequest, target: str, pk: int) -> HttpResponse:
    """Cite a source for the record ``pk`` of the kind ``target``; ``?source=`` is one that was just added."""
    if target not in CITED:
        raise Http404(f"no citations of {target}")
    rows: Any = CITED[target]._default_manager.all()
    row = visible_or_404(rows, request, pk)
    citation = Citation(record=row)
    require_or_403(request.user, "citation.add", citation)
    source = row_or_none(Source.objects.visible_to(request.user), request.GET.get("source"))
    initial = {"source": source.pk} if source else {}
    form = CiteSourceForm(request.POST or None, user=request.user, instance=citation, initial=initial)
    return edit_page(
        request, row, form, title=_("Cite a source"), template="citation_form", then=row.get_absolute_url()
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def citation_edit(request: UserRequest, pk: int) -> HttpResponse:
    citation = _citation_or_404(request, pk)
    require_or_403(request.user, "citation.edit", citation)
    form = CiteSourceForm(request.POST or None, user=request.user, instance=citation)
    return edit_page(request, citation, form, title=_("Edit the citation"), template="citation_form")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def citation_delete(request: UserRequest, pk: int) -> HttpResponse:
    citation = _citation_or_404(request, pk)
    page = citation.get_absolute_url()
    return delete_page(request, citation, back=page, then=page)


def _citation_or_404(request: UserRequest, pk: int) -> Citation:
    citation = get_object_or_404(Citation, pk=pk)
    citation.source = visible_or_404(Source.objects.all(), request, citation.source_id)
    return citation
