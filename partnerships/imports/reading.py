"""From the cells of a file to the typed values of its rows, by what was chosen for it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput
from partnerships.imports.columns import guess_columns
from partnerships.imports.completion import complete
from partnerships.imports.kinds import KINDS, NOTE_FIELDS, Field
from partnerships.imports.recipes import Recipe
from partnerships.imports.rows import WorkRow, refusals
from partnerships.imports.tables import Cell, Table
from partnerships.imports.values import read_value
from partnerships.models import ImportRow
from partnerships.names import fold

Words = Mapping[str, Mapping[str, tuple[str, ...]]]
# Sheets that tell how to fill in the others; the first two are those of our templates.
INSTRUCTIONS = {
    "explanation",
    "填写说明",
    "说明",
    "填表说明",
    "使用说明",
    "instructions",
    "instruction",
    "readme",
    "help",
    "guide",
}


def choose_tables(tables: Sequence[Table], recipe: Recipe, kind: str) -> list[Table]:
    """Return the tables that the recipe means: by sheet and title, else the largest, with all others under the same headings.

    A table without a column that the kind needs comes last: a sheet that explains the columns, or one of totals.
    """
    found = [table for table in tables if not recipe.sheet or table.sheet == recipe.sheet]
    found = [table for table in found if not recipe.title or table.title == recipe.title]
    if not found:
        raise InvalidInput(_("The file has no table of this name. Choose another one."), field="sheet")
    largest = max(found, key=lambda table: (_fit(kind, table), len(table.rows)))
    return [table for table in found if table.sheet == largest.sheet and table.headings == largest.headings]


def _fit(kind: str, table: Table) -> tuple[bool, bool]:
    """Return whether a table is none of instructions, and whether its headings name what rows of the kind cannot do without."""
    named = set(guess_columns(kind, replace(table, rows=())).values())
    needed = {field.name for field in KINDS[kind].fields if field.required}
    return fold(table.sheet) not in INSTRUCTIONS, needed <= named


def headings_of(table: Table) -> list[str]:
    """Return the headings, each once: one that comes again is followed by ``#2``."""
    seen: dict[str, int] = {}
    named = []
    for heading in table.headings:
        seen[heading] = seen.get(heading, 0) + 1
        named.append(heading if seen[heading] == 1 else f"{heading}#{seen[heading]}")
    return named


def columns_of(kind: str, table: Table, recipe: Recipe, fields: Mapping[str, Field]) -> dict[int, str]:
    """Return the field of each column: as the recipe says by heading, else guessed."""
    if not recipe.columns:
        return guess_columns(kind, table, list(fields.values()))
    known = {field.name for field in KINDS[kind].fields}
    columns = {number: recipe.columns.get(heading, "") for number, heading in enumerate(headings_of(table))}
    missing = set(recipe.columns) - set(headings_of(table))
    if missing and not any(columns.values()):
        raise InvalidInput(_("The file has none of the columns of the recipe."), field="columns")
    return {number: name for number, name in columns.items() if name in known}


def fields_of(kind: str, words: Words) -> dict[str, Field]:
    """Return the fields of a kind with the choices of the office."""
    return {
        field.name: field.with_choices(words.get(field.refers_to, {})) if field.refers_to else field
        for field in KINDS[kind].fields
    }


class RowReader:
    """Reads the rows of one import by the same fields, columns and recipe; what cannot be read becomes a problem of its row."""

    def __init__(self, fields: Mapping[str, Field], layout: Mapping[str, Any], recipe: Recipe) -> None:
        self._fields, self._recipe = fields, recipe
        self._columns = {int(number): name for number, name in layout["columns"].items()}
        self._headings: list[str] = layout["headings"]
        self._is_1904 = bool(layout.get("epoch_1904"))

    def work_row(self, row: ImportRow) -> WorkRow:
        work = WorkRow(row.number, row.sheet, row.cells, decisions=dict(row.decisions), pk=row.pk)
        for number, name in self._columns.items():
            stored = cell_from_json(row.cells[number]) if number < len(row.cells) else None
            cell = row.corrections.get(str(number), stored)
            self._read(work, self._fields[name], cell, self._headings[number])
        for name, default in self._recipe.defaults.items():
            if name in self._fields and work.values.get(name) in {None, ()}:
                self._read(work, self._fields[name], default, "")
        for name, note in complete(self._fields, work.values):
            work.note(_of_field(self._fields[name], note), name)
        refused = {problem["field"] for problem in refusals(work.problems)}
        for name, field in self._fields.items():
            if field.required and work.values.get(name) in {None, "", ()} and name not in refused:
                work.problems.append({"field": name, "message": _("“%(field)s” is missing.") % {"field": field.label}})
        return work

    def _read(self, work: WorkRow, field: Field, cell: Cell, heading: str) -> None:
        mapping = self._recipe.values.get(field.name)
        read = read_value(
            field, cell, mapping=mapping, epoch_1904=self._is_1904, heading=heading, order=self._recipe.dates
        )
        if read.problem:
            work.problems.append({"field": field.name, "message": _of_field(field, read.problem)})
        elif read.note:
            work.note(_of_field(field, read.note), field.name)
        if read.kept:
            self._add_remark(work, f"{field.label}: {read.kept}")
        if read.value is None:
            return
        known = work.values.get(field.name)
        if known is None:
            work.values[field.name] = read.value
        elif field.name in NOTE_FIELDS and isinstance(known, str):
            work.values[field.name] = f"{known}\n{read.value}"
        elif isinstance(known, tuple) and isinstance(read.value, tuple):  # several columns of one field
            work.values[field.name] = (*known, *read.value)

    def _add_remark(self, work: WorkRow, words: str) -> None:
        name = next(name for name in NOTE_FIELDS if name in self._fields)
        known = work.values.get(name)
        work.values[name] = f"{known}\n{words}" if known else words


def cell_to_json(cell: Cell) -> Any:
    if isinstance(cell, dt.datetime):
        return {"time": cell.isoformat()}
    if isinstance(cell, dt.date):
        return {"day": cell.isoformat()}
    return cell


def cell_from_json(value: Any) -> Cell:
    if isinstance(value, dict):
        return dt.datetime.fromisoformat(value["time"]) if "time" in value else dt.date.fromisoformat(value["day"])
    return value


def _of_field(field: Field, message: str) -> str:
    return _("%(field)s: %(message)s") % {"field": field.label, "message": message}
