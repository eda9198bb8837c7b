"""The choices and the outcome of an import as its page shows them; reads only."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as column
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.imports.acts import OPEN
from partnerships.imports.choices import find_choice, guess_choices
from partnerships.imports.kinds import KINDS, Field
from partnerships.imports.office import office_choices
from partnerships.imports.reading import cell_from_json, fields_of
from partnerships.imports.recipes import Recipe, read_recipe
from partnerships.imports.rows import refusals
from partnerships.imports.values import ANY_OTHER, ASK_OFFICE, SEPARATORS
from partnerships.models import AgreementType, CooperationArea, HonourScheme, Import, ImportRow, RowOutcome, User
from partnerships.names import fold, person_key, sort_key
from partnerships.permissions import may
from partnerships.texts import LazyText

SAMPLES = 3
MOST_ADDED = 500
# What rows add beside the record that each is about.
ADDED: Mapping[str, LazyText] = {
    "organization": gettext_lazy("New organizations"),
    "contact": gettext_lazy("New contacts"),
}
# A column with more different texts is one of names or remarks: its values are not mapped one by one.
MOST_TEXTS = 200
# Quoted words, also several with a short word such as *or* between them, and numbers.
QUOTED = re.compile("“[^”]*”(?:[^“”]{1,4}“[^”]*”)*|[0-9]+")
# Choices that the office alone adds, with the model of each.
ADDED_BY_OFFICE = {"scheme": HonourScheme, "agreement_type": AgreementType, "area": CooperationArea}
MOST_REQUESTS = 50
Options = list[tuple[str, str]]


@dataclass(frozen=True)
class ColumnShown:
    """A column of the file: what its first rows hold, and the field it is read as."""

    number: int
    heading: str
    samples: list[str]
    field: str


@dataclass(frozen=True)
class TextShown:
    """A text of a column, how often it comes, and the stored value it stands for; None where that is open."""

    text: str
    count: int
    value: str | None


@dataclass
class ValuesShown:
    """The different texts of the columns that are read as one field, and what they may stand for."""

    field: Field
    options: Options
    texts: list[TextShown] = column(default_factory=list)
    chosen: str = ""  # the value for rows without one
    add_url: str = ""  # the page on which the reader adds a choice
    others: str = "-"  # the decision about all words that are not known

    @property
    def open(self) -> int:
        return 0 if self.others != "-" else sum(text.value is None for text in self.texts)

    @property
    def is_added_by_office(self) -> bool:
        return self.field.refers_to in ADDED_BY_OFFICE

    @property
    def has_open(self) -> bool:
        return any(text.value is None for text in self.texts)


@dataclass(frozen=True)
class ProblemGroup:
    """Rows with the same problem: an example of its words, without what is quoted in it."""

    key: str
    example: str
    count: int


@dataclass(frozen=True)
class RequestedChoice:
    """Words of a file that the office is asked to add to its choices, and where it adds them."""

    words: str
    label: LazyText
    imported: Import
    add_url: str


@dataclass(frozen=True)
class AddedShown:
    """A record that a row adds: its name, and the row."""

    name: str
    row: int
    number: int


@dataclass(frozen=True)
class CellShown:
    """A cell of a row: what the file says, what was typed instead, and what is wrong with it."""

    number: int
    heading: str
    text: str
    is_corrected: bool
    is_wrong: bool


@dataclass(frozen=True)
class RowAnswer:
    """An answer that decides about a row: what is posted, and its words."""

    value: str
    words: str


@dataclass
class RowShown:
    """A row of the file with its cells, and the answers that would decide about it."""

    row: ImportRow
    cells: list[CellShown]
    answers: list[RowAnswer]


def may_see_results(imported: Import, reader: User) -> bool:
    """Whether the questions and changes of the last run are for the reader: they tell of records that its asker sees."""
    asker = imported.asked_by
    if asker is None or asker.pk == reader.pk or reader.sees_all_units:
        return True
    return not asker.sees_all_units and set(asker.scope.unit_ids) <= set(reader.scope.unit_ids)


def without_results(row: ImportRow) -> ImportRow:
    """Return a row, which is not saved, without what the last run found about records."""
    row.problems, row.look_alikes, row.changes, row.undo_note = [], [], [], ""
    return row


def columns_shown(imported: Import) -> list[ColumnShown]:
    """Return the columns of the file with what their first rows hold."""
    headings: list[str] = imported.layout.get("headings", [])
    columns: Mapping[str, str] = imported.layout.get("columns", {})
    samples: list[list[str]] = [[] for _heading in headings]
    for cells in imported.rows.order_by("pk").values_list("cells", flat=True)[:30]:
        for number, cell in enumerate(cells[: len(headings)]):
            text = _text(cell)
            if text and text not in samples[number] and len(samples[number]) < SAMPLES:
                samples[number].append(text)
    return [
        ColumnShown(number, heading, samples[number], columns.get(str(number), ""))
        for number, heading in enumerate(headings)
    ]


def field_options(kind: str) -> Options:
    """Return the fields of a kind for a drop-down."""
    return [(one.name, str(one.label)) for one in KINDS[kind].fields]


def default_fields(imported: Import, reader: User) -> list[ValuesShown]:
    """Return the fields of which a value may be chosen for all rows: those with a few choices that no column is read as."""
    used = set(imported.layout.get("columns", {}).values())
    chosen = read_recipe(imported.recipe).defaults
    fields = fields_of(imported.kind, office_choices(reader)[1])
    return [
        ValuesShown(one, _options(one), chosen=chosen.get(one.name, ""))
        for one in fields.values()
        if one.kind == "choice" and one.name not in used and one.choices and one.refers_to != "country"
    ]


def values_shown(imported: Import, reader: User) -> list[ValuesShown]:
    """Return the texts of the columns with choices, each with the value it stands for; those still open first."""
    recipe = read_recipe(imported.recipe)
    fields = fields_of(imported.kind, office_choices(reader)[1])
    columns = {
        int(number): fields[name]
        for number, name in imported.layout.get("columns", {}).items()
        if name in fields and fields[name].kind == "choice"
    }
    counts: dict[str, Counter[str]] = {one.name: Counter() for one in columns.values()}
    if columns:
        for cells, corrections in imported.rows.values_list("cells", "corrections"):
            for number, one in columns.items():
                cell = corrections.get(str(number), cells[number] if number < len(cells) else None)
                counts[one.name].update(_pieces(one, _text(cell)))
    shown = [_values_of(fields[name], texts, recipe) for name, texts in counts.items() if texts]
    for values in shown:
        if values.is_added_by_office and may(reader, "reference.edit"):
            values.add_url = _add_url(values.field)
    return sorted((one for one in shown if one.texts), key=lambda one: -one.open)


def _values_of(one: Field, texts: Counter[str], recipe: Recipe) -> ValuesShown:
    common = texts.most_common(MOST_TEXTS)
    guessed = guess_choices(one, [text for text, _count in common])
    decided = {fold(text): value for text, value in recipe.values.get(one.name, {}).items()}
    for text in common:  # what the office was asked for, and has added since
        if decided.get(fold(text[0])) == ASK_OFFICE and guessed[text[0]] is not None:
            del decided[fold(text[0])]
    found = [TextShown(text, count, decided.get(fold(text), guessed[text])) for text, count in common]
    texts_shown = sorted(found, key=lambda text: (text.value is not None, -text.count))
    return ValuesShown(one, _options(one), texts_shown, others=recipe.values.get(one.name, {}).get(ANY_OTHER, "-"))


def _add_url(one: Field) -> str:
    return reverse(f"admin:{ADDED_BY_OFFICE[one.refers_to]._meta.label_lower.replace('.', '_')}_add")


def requested_choices(reader: User) -> list[RequestedChoice]:
    """Return the words that the office is asked to add, for a reader who adds them; those added since are left out."""
    if not may(reader, "reference.edit"):
        return []
    asked = Import.objects.visible_to(reader).filter(status__in=OPEN).select_related("unit", "created_by")
    found: dict[tuple[str, str], RequestedChoice] = {}
    for imported in asked.order_by("pk"):
        mapped = read_recipe(imported.recipe).values
        words = {
            name: [text for text, value in values.items() if value == ASK_OFFICE] for name, values in mapped.items()
        }
        if not any(words.values()):
            continue
        fields = fields_of(imported.kind, office_choices(reader)[1])
        for name, texts in words.items():
            one = fields.get(name)
            for text in texts if one and one.refers_to in ADDED_BY_OFFICE else ():
                if one and find_choice(one, text) is None:
                    url = f"{_add_url(one)}?{urlencode({'name': text})}"
                    found.setdefault((one.refers_to, fold(text)), RequestedChoice(text, one.label, imported, url))
    return list(found.values())[:MOST_REQUESTS]


def _pieces(one: Field, text: str) -> list[str]:
    pieces = SEPARATORS.split(text) if one.several else [text]
    return [piece.strip() for piece in pieces if piece.strip()]


def _options(one: Field) -> Options:
    """Return the choices of a field in the reader's language, where there are words in it."""
    return [(value, one.label_of(value)) for value in one.choices]


def problem_groups(imported: Import) -> list[ProblemGroup]:
    """Return the problems of the rows that stay out, the most frequent first."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for problems in imported.rows.left_out().values_list("problems", flat=True):
        for key, message in _keys(problems).items():
            counts[key] += 1
            examples.setdefault(key, message)
    return [ProblemGroup(key, examples[key], count) for key, count in counts.most_common()]


def added_facets(imported: Import) -> list[tuple[str, LazyText, int]]:
    """Return what is added beside the records that the rows are about: key, label and number."""
    adds: Mapping[str, int] = imported.layout.get("adds", {})
    return [
        (model, label, adds[model])
        for model, label in ADDED.items()
        if adds.get(model) and f"{model}s" != imported.kind
    ]


def added_by_rows(imported: Import, model: str) -> list[AddedShown]:
    """Return the records of a model that the rows add, by name."""
    rows = imported.rows.exclude(made=[]).values_list("pk", "number", "made")
    found = [
        AddedShown(one["name"], pk, number)
        for pk, number, made in rows
        for one in made
        if one["model"] == model and one["act"] == "made"
    ]
    return sorted(found, key=lambda one: sort_key(one.name))[:MOST_ADDED]


def rows_with_problem(imported: Import, key: str) -> list[int]:
    """Return the ids of the rows that stay out for the problem with this key."""
    rows = imported.rows.left_out().values_list("pk", "problems")
    return [pk for pk, problems in rows if key in _keys(problems)]


def _keys(problems: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return messages by a key that is the same for the same problem with another name or number in it."""
    messages = [(problem["field"], problem["message"]) for problem in refusals(problems)]
    return {hashlib.sha256(f"{name} {QUOTED.sub('', text)}".encode()).hexdigest()[:12]: text for name, text in messages}


def row_shown(imported: Import, row: ImportRow) -> RowShown:
    """Return a row with its cells and the answers that would decide about it."""
    columns: Mapping[str, str] = imported.layout.get("columns", {})
    wrong = {problem["field"] for problem in refusals(row.problems)}
    cells = [
        CellShown(
            number,
            heading,
            row.corrections.get(str(number), _text(row.cells[number] if number < len(row.cells) else None)),
            str(number) in row.corrections,
            columns.get(str(number), "") in wrong,
        )
        for number, heading in enumerate(imported.layout.get("headings", []))
    ]
    return RowShown(row, cells, _answers(row) if row.outcome == RowOutcome.UNDECIDED else [])


def _answers(row: ImportRow) -> list[RowAnswer]:
    if row.look_alikes:
        found = [
            RowAnswer(one["token"], _("It is %(name)s") % {"name": one["name"]}) for one in row.look_alikes[0]["found"]
        ]
        return [*found, RowAnswer("new", _("It is another one"))]
    fields = {problem["field"] for problem in row.problems}
    typed = [RowAnswer("right", _("The code is right"))] if "uscc" in fields else []
    differing = [
        RowAnswer("file", _("Take what the file says")),
        RowAnswer("record", _("Keep what is on record")),
        RowAnswer("new", _("It is another one")),
    ]
    return [*typed, *differing]


def decisions_from(row: ImportRow, answer: str) -> dict[str, str]:
    """Return what an answer decides about the row, in the words that the run looks for. Empty for an unknown answer."""
    if answer not in {offered.value for offered in _answers(row)}:
        return {}
    if answer == "right":
        return {"uscc": answer}
    if answer in {"file", "record"}:
        return {"existing": answer}
    names = [one["name"] for one in row.look_alikes]
    keys = {key for name in names for key in (person_key(name), fold(name))}
    return dict.fromkeys([*keys, *(problem["field"] for problem in row.problems if problem["field"])], answer)


def _text(cell: Any) -> str:
    value = cell_from_json(cell)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()
