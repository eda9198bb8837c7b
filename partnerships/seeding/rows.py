"""Creates the rows that a fixture describes if they are missing, and reports what staff changed.

A fixture mirrors the models: a table's entries hold fields, and their children under the related name. A reference to
another row is its ``code``; of a sentence of the fixture's own source it is the number (``at``). Rows with a code are
found by it, children by their parent and a natural key. A row that is in the history but no longer in the table was
changed or removed by people: it is not made again.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.db import IntegrityError, models, transaction
from django.db.models import ManyToOneRel, Model
from django.utils.translation import gettext as _

from partnerships.models import (
    Activity,
    Agreement,
    AgreementType,
    Citation,
    CooperationArea,
    Demand,
    Document,
    Event,
    Facility,
    Honour,
    HonourScheme,
    Organization,
    Programme,
    Region,
    ReportedFigure,
    Source,
    Statement,
    Unit,
)
from partnerships.models.programmes import PROGRAMME_ITEMS
from partnerships.workflows.activities import complete_activity, follow_activity
from partnerships.workflows.agreements import record_signed_agreement
from partnerships.workflows.demands import follow_demand
from partnerships.workflows.facilities import open_facility

# Values as read from the file: text, numbers, days, and nested entries.
Entry = Mapping[str, Any]

# Sections of a fixture in the order their rows refer to each other.
SECTIONS: Mapping[str, type[models.Model]] = {
    "sources": Source,
    "regions": Region,
    "units": Unit,
    "cooperation_areas": CooperationArea,
    "agreement_types": AgreementType,
    "organizations": Organization,
    "events": Event,
    "agreements": Agreement,
    "activities": Activity,
    "facilities": Facility,
    "demands": Demand,
    "programmes": Programme,
    "documents": Document,
    "honour_schemes": HonourScheme,
    "honours": Honour,
    "figures": ReportedFigure,
}
# Related names of children, each with what tells one child of a parent from another.
CHILDREN: Mapping[str, tuple[str, ...]] = {
    "statements": ("number",),
    "other_names": ("name", "kind"),
    "association_rows": ("association",),
    "default_milestones": ("title",),
    "kinds": ("kind",),
    "participations": ("organization", "name_as_printed"),
    "parties": ("organization",),
    "promised_areas": ("area",),
    "partners": ("organization",),
    "visit": (),
    "terms": ("number",),
    "organizers": ("organization", "role"),
    "items": PROGRAMME_ITEMS,
}
# Children that the verb makes itself; all others must exist before it is called.
MADE_BY_VERB = frozenset({"terms"})
# Fields that a verb writes, together with what follows from them.
WRITTEN_BY_A_VERB: Mapping[type[models.Model], tuple[str, ...]] = {
    Agreement: ("signed_on",),
    Activity: ("completed_on", "no_next_step_reason"),
    Facility: ("opened_on",),
}


@dataclass
class SeedingReport:
    """The rows a run created, counted by kind, and sentences about what differs from the fixtures."""

    created: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return self.created.total()


class _LeftOut(Exception):
    """Raised when a row is not made, with the reason: staff removed it, or the row it would belong to."""


class Seeder:
    """Seeds the entries of fixtures; made for one run, inside its transaction."""

    def __init__(self, *, today: dt.date) -> None:
        self.today = today
        self.report = SeedingReport()
        self._references: dict[tuple[type[models.Model], str], models.Model] = {}
        self._sentences: dict[tuple[Any, int], Statement] = {}
        self._has_past: dict[type[models.Model], bool] = {}

    def seed(self, fixture: Mapping[str, list[Entry]]) -> None:
        """Seed one fixture. Its citations name the fixture's own source."""
        unknown = set(fixture) - set(SECTIONS)
        if unknown:
            raise CommandError(_("Unknown sections in a fixture: %s.") % ", ".join(sorted(unknown)))
        sources = fixture.get("sources", [])
        for section, model in SECTIONS.items():
            for entry in fixture.get(section, []):
                self._seed_root(model, entry, source_code=sources[0]["code"] if sources else None)

    def _seed_root(self, model: type[models.Model], entry: Entry, *, source_code: str | None) -> None:
        try:
            source = self._reference(Source, source_code) if source_code and model is not Source else None
            self._seed_row(model, entry, key=("code",), source=source)
        except _LeftOut as reason:
            self._report_left_out(model, [entry["code"]], reason)

    def _seed_row(
        self,
        model: type[models.Model],
        entry: Entry,
        *,
        key: tuple[str, ...],
        source: models.Model | None,
        beside: Entry | None = None,
    ) -> None:
        values = {**(beside or {}), **self._values(model, entry)}
        row, is_new = self._find_or_create(model, values, key=(*(beside or {}), *key))
        self._seed_children(row, entry, source, after_verb=False)
        if is_new:
            row = _take_steps(row, entry, today=self.today)
        self._seed_children(row, entry, source, after_verb=True)
        if source is not None:
            self._seed_citations(row, entry, source)

    def _values(self, model: type[models.Model], entry: Entry) -> dict[str, object]:
        ours = {name: value for name, value in entry.items() if name not in {*CHILDREN, "cite", "at", "citations"}}
        return {name: self._value(model, name, value) for name, value in ours.items()}

    def _value(self, model: type[models.Model], name: str, value: Any) -> Any:
        related = model._meta.get_field(name).related_model
        return self._reference(related, value) if related else value

    def _reference(self, model: type[models.Model], code: str) -> models.Model:
        row = self._references.get((model, code)) or model._base_manager.filter(code=code).first()
        if row is None:
            raise _LeftOut(
                _("%(kind)s “%(code)s”, which it refers to, is not there") % {"kind": _name(model), "code": code}
            )
        self._references[model, code] = row
        return row

    def _find_or_create(
        self, model: type[models.Model], values: dict[str, object], *, key: tuple[str, ...]
    ) -> tuple[Any, bool]:
        lookup = {name: values.get(name, _empty(model, name)) for name in key}
        row = model._base_manager.filter(**_null_safe(lookup)).first()
        if row is not None:
            self._compare(row, values)
            return row, False
        if self._was_there(model, lookup):
            raise _LeftOut(_("changed or removed by staff; it stays so"))
        return self._create(model, values), True

    def _was_there(self, model: Any, lookup: Mapping[str, object]) -> bool:
        if model not in self._has_past:
            self._has_past[model] = (
                model.history.exists()
            )  # asked once per run, because an empty database has no history at all
        return self._has_past[model] and model.history.filter(**_null_safe(lookup)).exists()

    def _create(self, model: type[models.Model], values: dict[str, object]) -> models.Model:
        by_verb = WRITTEN_BY_A_VERB.get(model, ())
        row = model(**{name: value for name, value in values.items() if name not in by_verb})
        row._change_reason = "Seeded"  # type: ignore[attr-defined]  # read by the history library
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as error:
            raise CommandError(f"{_name(model)} “{row}”: {_in_words(row, error)}") from error
        self.report.created[str(model._meta.verbose_name_plural)] += 1
        return row

    def _compare(self, row: Model, values: dict[str, object]) -> None:
        for name, ours in values.items():
            theirs = getattr(row, name)
            if theirs != ours:
                column = row._meta.get_field(name)
                assert isinstance(column, models.Field)  # an entry names columns
                words = _("%(field)s is %(theirs)s; seeded as %(ours)s") % {
                    "field": column.verbose_name,
                    "theirs": _shown(theirs),
                    "ours": _shown(ours),
                }
                self.report.differences.append(f"{_name(type(row))} “{row}”: {words}.")

    def _seed_children(self, row: Model, entry: Entry, source: models.Model | None, *, after_verb: bool) -> None:
        for related_name, key in CHILDREN.items():
            if (related_name in MADE_BY_VERB) is not after_verb:
                continue
            for child in _as_list(entry.get(related_name, [])):
                self._seed_child(row, related_name, child, key=key, source=source)

    def _seed_child(
        self, row: Model, related_name: str, child: Entry, *, key: tuple[str, ...], source: models.Model | None
    ) -> None:
        relation = row._meta.get_field(related_name)
        assert isinstance(relation, ManyToOneRel)  # a one-to-one relation is one as well
        try:
            self._seed_row(relation.related_model, child, key=key, source=source, beside={relation.field.name: row})
        except _LeftOut as reason:
            values = (child[name] for name in key if name in child)
            self._report_left_out(relation.related_model, [row, *values], reason)

    def _statement(self, source: models.Model, number: int | None) -> Statement | None:
        """Return a sentence of the fixture's own source. Each is loaded once."""
        if number is None:
            return None
        if (source.pk, number) not in self._sentences:
            row = Statement.objects.filter(source=source.pk, number=number).first()
            if row is None:
                raise _LeftOut(_("sentence %(number)s, which it refers to, is not there") % {"number": number})
            self._sentences[source.pk, number] = row
        return self._sentences[source.pk, number]

    def _report_left_out(self, model: type[models.Model], words: Iterable[Any], reason: _LeftOut) -> None:
        label = " · ".join(str(word) for word in words)
        self.report.differences.append(f"{_name(model)} “{label}”: {reason}.")

    def _seed_citations(self, row: models.Model, entry: Entry, source: models.Model) -> None:
        cited = [{"printed": entry["cite"], "at": entry.get("at")}] if "cite" in entry else []
        target = {"content_type": ContentType.objects.get_for_model(row), "object_id": row.pk}
        for citation in (*cited, *entry.get("citations", [])):
            printed = {name: value for name, value in citation.items() if name != "at"}
            values = {"source": source, **target, "field": "", **printed}
            try:
                values["statement"] = self._statement(source, citation.get("at"))
                self._find_or_create(Citation, values, key=("source", "content_type", "object_id", "field"))
            except _LeftOut as reason:
                self._report_left_out(Citation, [row, values["field"]], reason)


def _take_steps(row: Model, entry: Entry, *, today: dt.date) -> Model:
    """Take the steps that the entry describes, through the verbs, in the name of the system."""
    if isinstance(row, Agreement) and "signed_on" in entry:
        return record_signed_agreement(row, actor=None, on=entry["signed_on"], today=today)
    if isinstance(row, Activity) and "completed_on" in entry:
        return complete_activity(
            row,
            actor=None,
            on=entry["completed_on"],
            today=today,
            summary=entry["summary"],
            no_next_step_reason=entry["no_next_step_reason"],
        )
    if isinstance(row, Activity):
        follow_activity(row, actor=None, on=today)
    if isinstance(row, Facility) and "opened_on" in entry:
        return open_facility(row, actor=None, on=entry["opened_on"], today=today)
    if isinstance(row, Demand):
        follow_demand(row, actor=None, on=today)
    return row


def _in_words(row: models.Model, error: IntegrityError) -> str:
    """Return the message that a form would show for what the database refused."""
    try:
        row.full_clean()
    except ValidationError as refusal:
        return " ".join(refusal.messages)
    return str(error)


def _as_list(children: Any) -> Iterable[Entry]:
    return [children] if isinstance(children, Mapping) else children


def _empty(model: type[models.Model], name: str) -> object:
    """Return the value of an absent part of a natural key."""
    return None if model._meta.get_field(name).null else ""


def _null_safe(lookup: Mapping[str, object]) -> dict[str, object]:
    return {f"{name}__isnull" if value is None else name: value is None or value for name, value in lookup.items()}


def _name(model: type[models.Model]) -> str:
    name = str(model._meta.verbose_name)
    return name[:1].upper() + name[1:]


def _shown(value: object) -> str:
    if value is None or value == "":
        return _("empty")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"“{value}”"
