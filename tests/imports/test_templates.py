"""Templates to fill in: each is recognized completely when it comes back."""

from pathlib import Path

import pytest
from django.utils.translation import override
from openpyxl import load_workbook

from partnerships.factories import (
    AgreementTypeFactory,
    CooperationAreaFactory,
    HonourSchemeFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.imports.columns import guess_columns
from partnerships.imports.files import read_tables
from partnerships.imports.kinds import KINDS
from partnerships.imports.office import office_choices
from partnerships.imports.reading import choose_tables, fields_of
from partnerships.imports.recipes import Recipe
from partnerships.imports.templates import write_template
from partnerships.imports.values import read_value

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_template_that_was_filled_in_is_recognized(kind: str, language: str, tmp_path: Path) -> None:
    """Three rows with the examples: fewer than the sheet that explains the columns has."""
    for factory in (AgreementTypeFactory, CooperationAreaFactory, HonourSchemeFactory, RegionFactory):
        factory(name="Some row", name_zh="某一项")
    UnitFactory(name="School of Engineering", name_zh="工学院")
    reader, path = UserFactory(staff=True), tmp_path / "template.xlsx"
    with override(language), path.open("wb") as file:
        write_template(kind, file, reader=reader)
    book = load_workbook(path)
    sheet, explained = book.worksheets
    for _number in range(3):
        sheet.append([row[3].value for row in explained.iter_rows(min_row=2)])
    book.save(path)

    (table,) = choose_tables(read_tables(path), Recipe(), kind)
    columns = guess_columns(kind, table)
    fields = fields_of(kind, office_choices(reader)[1])

    assert [columns.get(place) for place in range(len(table.headings))] == list(fields)
    read = {name: read_value(fields[name], table.rows[0].cells[place]) for place, name in columns.items()}
    assert {name: one.problem for name, one in read.items() if one.problem} == {}
    assert len(table.rows) == 3
    unexplained = [row[0].value for row in explained.iter_rows(min_row=2) if not (row[2].value and row[3].value)]
    assert unexplained == []
