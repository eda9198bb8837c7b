"""Files that are valid, and made or broken so that they would cost too much or stop a page."""

import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from partnerships.factories import UserFactory
from partnerships.imports.files import LIMITS, UnreadableFile, read_sheets
from partnerships.imports.kinds import KINDS
from partnerships.imports.rejected import write_rejected
from partnerships.imports.sheets import Sheet, tables_in
from partnerships.imports.tables import Row
from partnerships.imports.values import read_value
from tests.imports.spreadsheets import HEAD, KEIO, xlsx
from tests.imports.test_runs import checked

LONG = ["9" * 30_000, "a" * 30_000, "1-" * 15_000, "a.b" * 10_000, "x" * 30_000 + "@", "①" * 20_000]
FIELDS = {field.kind: field for kind in KINDS.values() for field in kind.fields}


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:3])
def test_the_time_for_a_cell_grows_with_its_length_alone(text: str) -> None:
    """The work of a quadratic pattern takes minutes here."""
    began = time.process_time()
    for field in FIELDS.values():
        read_value(field, text)
    assert time.process_time() - began < 5


def test_merged_cells_that_overlap_are_filled_once() -> None:
    rows = tuple(Row(number, ("Alpha", "x")) for number in range(2, 2002))
    head = Row(1, ("Name", "Kind"))
    sheet = Sheet("Sheet", (head, *rows), merged=tuple((1, 0, 1_048_575, 0) for _ in range(20_000)))
    began = time.process_time()
    (table,) = tables_in(sheet)
    assert len(table.rows) == 2000
    assert time.process_time() - began < 5


def test_a_text_that_many_cells_share_does_not_fill_the_disk(tmp_path: Path) -> None:
    path = xlsx([HEAD, KEIO, KEIO])(tmp_path)
    assert read_sheets(path, limits=LIMITS)
    with pytest.raises(UnreadableFile, match="too large"):
        read_sheets(path, limits=replace(LIMITS, text=100))


@pytest.mark.django_db
def test_control_characters_of_a_text_file_are_left_out_of_the_rows_that_stay_out() -> None:
    imported = checked("Name,Ki\x07nd\nAl\x01pha,what\x07\n", actor=UserFactory(staff=True), columns={"Name": "name"})
    assert imported.counts == {"rejected": 1}
    out = BytesIO()
    assert write_rejected(imported, out) == 1
    cells = [list(row)[:2] for row in load_workbook(BytesIO(out.getvalue())).active.values]  # type: ignore[union-attr]
    assert cells == [["Name", "Kind"], ["Alpha", "what"]]
