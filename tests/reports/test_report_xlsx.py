"""A report as a spreadsheet: numbers are numbers, and nothing in it is run."""

import datetime as dt
import io
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

from partnerships.factories import ReportFactory, ReportTextFactory
from partnerships.reports.report_document import ReportDocument
from partnerships.reports.report_xlsx import xlsx_of
from tests.reports.overviews import empty_overview
from tests.reports.report_figures import document_of, make_figures

pytestmark = pytest.mark.django_db


def book_of(document: ReportDocument) -> Any:
    return openpyxl.load_workbook(io.BytesIO(xlsx_of(document)))


def rows_of(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_each_table_is_a_sheet_with_typed_cells() -> None:
    document = document_of(ReportFactory(year=2026, language="en"), make_figures())
    tables = [one for one in document.sections if one.table]

    book = book_of(document)

    assert book.sheetnames == ["Report", *(one.title[:31] for one in tables)]
    units = rows_of(book["By unit"])
    assert units[1] == ["Mechanical", 35, 7, 4, 38, None, 122, 101, 0.83]
    assert [cell.number_format for cell in book["By unit"][2]][-2:] == ["#,##0", "0%"]
    signed = book["Agreements signed"]
    assert signed["A2"].value.date() == dt.date(2026, 3, 2)
    assert signed["A2"].number_format == "yyyy-mm-dd"
    assert signed["A3"].value == "and 12 more"


def test_key_numbers_are_numbers_and_texts_are_there() -> None:
    report = ReportFactory(year=2026, language="zh-hans")
    ReportTextFactory(report=report, text="协议数量增长。\n\nSecond.")

    rows = rows_of(book_of(document_of(report, make_figures())).worksheets[0])

    numbers = [row[1] for row in rows if row[1] is not None]
    assert numbers == [133, 34, 436, 0.78, 0.75]
    assert ["协议数量增长。", None, None] in rows
    assert any(row[0] and str(report.texts.get().author) in str(row[0]) for row in rows)


def test_text_is_text_also_where_it_begins_like_a_formula() -> None:
    report = ReportFactory(year=2026, language="en")
    ReportTextFactory(report=report, text='=HYPERLINK("http://example.org")\x07')

    book = book_of(document_of(report, make_figures()))

    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if str(cell.value).startswith("=HYPER")]
    assert [cell.data_type for cell in cells] == ["s"]


def test_a_report_of_nothing_is_one_sheet() -> None:
    document = document_of(ReportFactory(year=2026, language="en"), make_figures(empty_overview()))

    assert book_of(document).sheetnames == ["Report"]


def test_sheets_of_the_same_title_have_names_of_their_own() -> None:
    document = document_of(ReportFactory(year=2026, language="en"), make_figures())
    long = [replace(one, title="Agreements: signed [in 2026] and filed") for one in document.sections]

    names = book_of(replace(document, sections=long)).sheetnames

    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(name) <= 31 for name in names)
