"""Sources: each sentence, in its order, against what the records hold, so that a reader can tick off every one."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from partnerships.models import (
    Activity,
    ActivityOrganization,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AssociationMembership,
    Citation,
    CooperationArea,
    Demand,
    Document,
    Event,
    EventKind,
    Facility,
    FacilityPartner,
    Honour,
    HonourScheme,
    Milestone,
    Organization,
    OrganizationCode,
    OrganizationName,
    Participation,
    Programme,
    ProgrammeItem,
    ProgrammeOrganizer,
    Region,
    ReportedFigure,
    Source,
    Statement,
    User,
    Visit,
)
from partnerships.permissions import may
from partnerships.reports.figures import to_register
from partnerships.requests import UserRequest
from partnerships.texts import LazyText
from partnerships.views.base import visible_or_404
from partnerships.views.related import figures_about

# A row that belongs to another one is shown with it, and is as private as that one.
PARENTS: dict[type[Model], str] = {
    ActivityOrganization: "activity",
    AgreementArea: "agreement",
    AgreementParty: "agreement",
    AgreementTerm: "agreement",
    AssociationMembership: "member",
    EventKind: "event",
    FacilityPartner: "facility",
    OrganizationCode: "organization",
    OrganizationName: "organization",
    Participation: "event",
    ProgrammeItem: "target",
    ProgrammeOrganizer: "programme",
    Visit: "activity",
}
# Relations that ``str`` or ``target`` of such a row reads as well.
NAMED: dict[type[Model], tuple[str, ...]] = {
    ActivityOrganization: ("organization",),
    AgreementArea: ("area",),
    AgreementParty: ("organization",),
    AssociationMembership: ("association",),
    FacilityPartner: ("organization",),
    Participation: ("organization",),
    ProgrammeItem: ("event", "agreement", "facility", "demand"),
    ProgrammeOrganizer: ("organization",),
}
# Everybody who reads the source may see SHARED records; of SCOPED ones ``visible_to`` decides; others are not shown.
SHARED = frozenset({CooperationArea, Event, Honour, HonourScheme, Organization, Programme, Region, ReportedFigure})
SCOPED = (Agreement, Activity, Demand, Document, Facility, Milestone)
SECTIONS: tuple[tuple[LazyText, tuple[type[Model], ...]], ...] = (
    (gettext_lazy("What took place"), (Event,)),
    (gettext_lazy("Who is named"), (Organization,)),
    (gettext_lazy("What was signed"), (Agreement,)),
    (gettext_lazy("What the parties promise to work on"), (CooperationArea,)),
    (gettext_lazy("What opened"), (Facility,)),
    (gettext_lazy("What was asked for"), (Demand,)),
    (gettext_lazy("What followed"), (Activity, Milestone)),
    (gettext_lazy("The program it belongs to, and its papers"), (Programme, Document)),
    (gettext_lazy("Places"), (Region,)),
    (gettext_lazy("Numbers it reports"), (ReportedFigure,)),
    (gettext_lazy("Titles that are counted"), (HonourScheme, Honour)),
    (gettext_lazy("What else it says"), ()),
)
ELSEWHERE = len(SECTIONS) - 1
PLACES = {model: number for number, (_label, models) in enumerate(SECTIONS) for model in models}


@login_required
@require_safe
def source_detail(request: UserRequest, pk: int) -> HttpResponse:
    source = visible_or_404(Source.objects.all(), request, pk)
    citations, hidden = _citations(source, request.user)
    figures = figures_about(request.user, source=source)
    to_dos = [*_unfinished(_roots(citations)), *_unregistered(source, figures)]
    sentences, unplaced = _sentences(source, citations, {figure.pk: figure for figure in figures}, to_dos)
    for sentence in sentences:
        sentence.hidden = len(_roots(row for row in hidden if row.statement_id == sentence.statement.pk))
    context = {
        "source": source,
        "sentences": sentences,
        "sections": _sections(unplaced),
        "hidden": len(_roots(row for row in hidden if row.statement_id is None)),
        "to_dos": to_dos,
        "figures": figures,
        "citations": citations,
        "edits_citations": may(request.user, "citation.edit"),
    }
    return render(request, "partnerships/sources/detail.html", context)


@dataclass
class CitedRecord:
    """One record that holds a printed phrase; ``root`` is the record whose page shows it."""

    root: Model
    record: Model
    field_label: str
    value: str
    citation: Citation
    figure: ReportedFigure | None = None

    @property
    def place(self) -> int:
        """Return the number of its section."""
        return PLACES.get(type(self.root), ELSEWHERE)

    @property
    def order(self) -> tuple[bool, int]:
        """Return a sort key: records that a phrase names come before those that only repeat the name."""
        return self.record != self.root or bool(self.field_label), self.place


@dataclass
class Fact:
    """A printed phrase, or (``printed`` empty) something the source does not say, with the records that hold it."""

    printed: str
    held: list[CitedRecord] = field(default_factory=list)


@dataclass
class ToDo:
    """A fact that could not be resolved from the source, with what somebody would have to do.

    ``about`` is the record, and its field, that the sentence in question is cited for.
    """

    what: str
    do: str
    url: str
    about: tuple[Model | None, str] = (None, "")
    statement: Statement | None = None


@dataclass
class CitedFacts:
    """The facts that one sentence or one kind of record is cited for: printed phrases, and our assumptions."""

    facts: dict[str, Fact] = field(default_factory=dict)
    assumed: list[CitedRecord] = field(default_factory=list)

    def add(self, held: CitedRecord) -> None:
        """Add a record under its printed phrase, or to the assumptions."""
        if held.citation.printed:
            self.facts.setdefault(held.citation.printed, Fact(held.citation.printed)).held.append(held)
        else:
            self.assumed.append(held)


@dataclass
class Sentence(CitedFacts):
    """One sentence; ``hidden`` is how many records it is cited for that the reader may not see."""

    statement: Statement = field(kw_only=True)
    hidden: int = 0
    to_dos: list[ToDo] = field(default_factory=list)


@dataclass
class SourceSection(CitedFacts):
    """Records cited without a sentence, by kind: a source need not be taken apart."""

    label: LazyText = field(kw_only=True)


def _citations(source: Source, user: User) -> tuple[list[Citation], list[Citation]]:
    """Return the citations whose record the user may see, and those whose record they may not."""
    related = [
        model._default_manager.select_related(*{parent, *NAMED.get(model, ())} - {"target"})
        for model, parent in PARENTS.items()
    ]
    # One query for each kind of record, instead of one for each citation.
    rows = source.citations.select_related("content_type").prefetch_related(GenericPrefetch("record", related))
    seen = _seen_by(user)
    shown: list[Citation] = []
    hidden: list[Citation] = []
    for row in rows:
        if row.record is not None:
            (shown if seen(_root(row.record)) else hidden).append(row)
    return shown, hidden


def _root(record: Model) -> Model:
    parent = PARENTS.get(type(record))
    root: Model = getattr(record, parent) if parent else record
    return root


def _roots(citations: Iterable[Citation]) -> list[Model]:
    return list(
        {(type(root), root.pk): root for root in (_root(row.record) for row in citations if row.record)}.values()
    )


def _seen_by(user: User) -> Callable[[Model], bool]:
    if user.sees_all_units:
        return lambda root: True
    scoped: dict[type[Model], set[int]] = {
        model: set(model.objects.visible_to(user).values_list("pk", flat=True)) for model in SCOPED
    }
    return lambda root: type(root) in SHARED or root.pk in scoped.get(type(root), ())


def _sentences(
    source: Source, citations: list[Citation], figures: dict[int, ReportedFigure], to_dos: list[ToDo]
) -> tuple[list[Sentence], list[CitedRecord]]:
    """Return the sentences with their records and open points, and the records that are cited for no sentence."""
    sentences = {row.pk: Sentence(statement=row) for row in source.statements.all()}
    places = {(type(row.record), row.object_id, row.field): row.statement_id for row in citations if row.statement_id}
    unplaced = []
    for held in sorted((_held(row, figures) for row in citations), key=lambda held: held.order):
        sentence = sentences.get(held.citation.statement_id or _place(places, held.record, "", root=held.root))
        if sentence:
            sentence.add(held)
        else:
            unplaced.append(held)
    for to_do in to_dos:
        record, name = to_do.about
        sentence = sentences.get(_place(places, record, name, root=record)) if record else None
        if sentence:
            to_do.statement = sentence.statement
            sentence.to_dos.append(to_do)
    return list(sentences.values()), unplaced


def _place(places: dict[tuple[type, int, str], int], record: Model, name: str, *, root: Model) -> int:
    """Return the id of the sentence that a field is taken from, or the record, or the record it belongs to; 0: none."""
    asked = ((record, name), (record, ""), (root, ""))
    found = (places.get((type(row), row.pk, field_name)) for row, field_name in asked)
    return next((place for place in found if place), 0)


def _sections(unplaced: list[CitedRecord]) -> list[SourceSection]:
    sections = [SourceSection(label=label) for label, _models in SECTIONS]
    for held in unplaced:
        sections[held.place].add(held)
    return [section for section in sections if section.facts or section.assumed]


def _held(citation: Citation, figures: dict[int, ReportedFigure]) -> CitedRecord:
    record = citation.record
    assert record is not None  # _citations() leaves out those of deleted records
    label = str(record._meta.get_field(citation.field).verbose_name) if citation.field else ""
    figure = figures.get(record.pk) if isinstance(record, ReportedFigure) else None
    return CitedRecord(_root(record), record, label, _value(record, citation.field), citation, figure)


def _value(record: Model, name: str) -> str:
    """Return the value of the field in words; empty for relations, whose names are not fetched."""
    if not name or record._meta.get_field(name).is_relation:
        return ""
    value = getattr(record, name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    display = getattr(record, f"get_{name}_display", None)
    return str(display() if display else value or "")


def _unfinished(roots: list[Model]) -> list[ToDo]:
    """Return what the source leaves open: lists with an "etc.", names and contents that are not printed."""
    finders: dict[type, Callable[[Any], list[ToDo]]] = {
        Agreement: _open_in_agreement,
        Demand: _open_in_demand,
        Document: _open_in_document,
        Event: _open_in_event,
    }
    return [to_do for root in roots if type(root) in finders for to_do in finders[type(root)](root)]


def _open_in_agreement(agreement: Agreement) -> list[ToDo]:
    if agreement.is_party_list_complete:
        return []
    what = _("“%(title)s” was signed by more parties than are named (“etc.”).") % {"title": agreement}
    do = _("Find the signed paper and add the missing parties.")
    return [ToDo(what, do, agreement.get_absolute_url(), (agreement, "is_party_list_complete"))]


def _open_in_event(event: Event) -> list[ToDo]:
    url, to_dos = event.get_absolute_url(), []
    for row in event.participations.filter(organization=None):
        what = _("The name “%(name)s” is garbled or cannot be identified.") % {"name": row.name_as_printed}
        to_dos.append(ToDo(what, _("Ask the organizers which organization it is, and link it."), url, (row, "")))
    if not event.is_participant_list_complete:
        what = _("More took part in “%(title)s” than are named.") % {"title": event}
        do = _("Ask the organizers for the list of participants.")
        to_dos.append(ToDo(what, do, url, (event, "is_participant_list_complete")))
    if not event.is_follow_up_list_complete:
        what = _("More visits followed “%(title)s” than are named (“etc.”).") % {"title": event}
        do = _("Ask the participants where else they went.")
        to_dos.append(ToDo(what, do, url, (event, "is_follow_up_list_complete")))
    return to_dos


def _open_in_demand(demand: Demand) -> list[ToDo]:
    if demand.is_content_published:
        return []
    what = _("What %(organization)s asked for is not published.") % {"organization": demand.organization}
    return [ToDo(what, _("Ask the enterprise for the wording."), demand.get_absolute_url(), (demand, ""))]


def _open_in_document(document: Document) -> list[ToDo]:
    if document.versions.exists():
        return []
    url = getattr(document.target, "get_absolute_url", str)()
    what = _("The text of “%(title)s” is not at hand.") % {"title": document.title}
    return [ToDo(what, _("Get the paper and upload it."), url, (document, ""))]


def _unregistered(source: Source, figures: list[ReportedFigure]) -> list[ToDo]:
    count = sum(1 for figure in figures if to_register(figure))
    if not count:
        return []
    what = ngettext(
        "%(count)s figure counts more than the records hold: the source does not name the others.",
        "%(count)s figures count more than the records hold: the source does not name the others.",
        count,
    ) % {"count": count}
    url = f"{reverse('figure_list')}?source={source.pk}&to_register=yes"
    return [ToDo(what, _("Register the others as they become known."), url)]
