"""Each hard spreadsheet is read as a person would read it, or refused with the reason."""

from pathlib import Path
from typing import Any

import pytest

from partnerships.imports.columns import guess_columns
from partnerships.imports.files import UnreadableFile, read_tables
from partnerships.imports.kinds import KINDS
from partnerships.imports.tables import Table
from partnerships.imports.values import Read, read_value
from tests.imports.spreadsheets import HOSTILE, REGISTERS, TRAPS, Trap

READABLE = [trap for trap in TRAPS if not trap.refused]


def cells_read(kind: str, table: Table) -> list[dict[str, Read]]:
    """Return each row as a newcomer gets it: columns as guessed, cells as read."""
    columns = guess_columns(kind, table)
    return [
        {
            name: read_value(
                KINDS[kind].field(name), row.cells[place], epoch_1904=table.epoch_1904, heading=table.headings[place]
            )
            for place, name in columns.items()
        }
        for row in table.rows
    ]


def several_columns_joined(kind: str, table: Table) -> list[dict[str, Any]]:
    """Return the values of each row; parties of several columns are together."""
    columns = guess_columns(kind, table)
    rows = []
    for row in table.rows:
        values: dict[str, Any] = {}
        for place, name in columns.items():
            about: dict[str, Any] = {"epoch_1904": table.epoch_1904, "heading": table.headings[place]}
            value = read_value(KINDS[kind].field(name), row.cells[place], **about).value
            if value is not None:
                values[name] = values[name] + value if name in values else value
        rows.append(values)
    return rows


def test_the_traps_are_at_least_forty_and_in_both_languages() -> None:
    names = [trap.name for trap in TRAPS]
    assert len(set(names)) == len(names) >= 40
    assert sum(not name.isascii() for name in names) >= 8


@pytest.mark.parametrize("trap", READABLE, ids=[trap.name for trap in READABLE])
def test_what_is_right(trap: Trap, tmp_path: Path) -> None:
    tables = read_tables(trap.build(tmp_path))

    assert [row for table in tables for row in several_columns_joined(trap.kind, table)] == trap.rows
    read = [row for table in tables for row in cells_read(trap.kind, table)]
    refused = [{name for name, one in row.items() if one.problem} for row in read]
    assert refused == (trap.problems or [set()] * len(refused))
    notes = " ".join(note for table in tables for note in table.notes)
    assert [words for words in trap.notes if words not in notes] == []
    if trap.numbers:
        assert [row.number for table in tables for row in table.rows] == list(trap.numbers)
    if trap.title is not None:
        assert tables[0].title == trap.title


@pytest.mark.parametrize("trap", HOSTILE, ids=[trap.name for trap in HOSTILE])
def test_what_is_refused(trap: Trap, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_tables(trap.build(tmp_path))
    assert str(refused.value).startswith(trap.refused)


@pytest.mark.parametrize("name", REGISTERS)
def test_registers_are_read_without_a_question(name: str, tmp_path: Path) -> None:
    kind, build = REGISTERS[name]
    (table,) = read_tables(build(tmp_path))
    read = cells_read(kind, table)

    unread = [
        (name, one.problem)
        for row in read
        for name, one in row.items()
        if one.problem and name not in {"scheme", "unit"}
    ]
    assert unread == []
    assert all(row.keys() >= {"partner", "signed_on", "duration"} or kind == "honours" for row in read)
    assert len(read) == {"memoranda_by_continent": 9, "specialized_enterprises": 30, "city_cooperation": 5}[name]
