"""A report as a workbook: a sheet for what it says as a whole, and one for each table with typed cells."""

import datetime as dt
import io
import unicodedata

from partnerships.reports.report_document import Cell, DocumentSection, ReportDocument

LONGEST_NAME, LONGEST_CELL = 31, 32_767
LEAST_WIDTH, MOST_WIDTH = 8, 60
DAY_FORMAT = "yyyy-mm-dd"


def xlsx_of(document: ReportDocument) -> bytes:
    from openpyxl import Workbook  # costs every process's start a third of a second

    book = Workbook()
    first = book.active
    first.title = document.sections[0].title[:LONGEST_NAME]
    rows: list[list[str]] = [[document.title], [document.subtitle], [document.number, document.edition]]
    rows += [[document.confirmed], [document.confirmed_note], *([one] for one in document.changes), []]
    for section in document.sections:
        rows += [[one.label, one.value, *one.notes] for one in section.key_numbers]
    for section in document.sections:
        if section.text is not None:
            rows += [[], [section.title], *([one] for one in section.text.paragraphs), [section.text.signature]]
    for one in [*rows, [], *([note] for note in document.footnotes)]:
        _append(first, list(one))
    first.column_dimensions["A"].width = 28
    for section in document.sections:
        if section.table is not None:
            _add_sheet(book, section)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _append(sheet, cells: list[Cell], *, is_bold: bool = False) -> None:  # type: ignore[no-untyped-def]
    """Add a row: numbers and days as such, all else as text, also where it begins like a formula."""
    from openpyxl.styles import Font

    row = sheet.max_row + 1 if sheet.max_row > 1 or sheet["A1"].value is not None else 1
    if not cells:
        # An empty row counts only once something stands in it.
        cells = [" "]
    for column, value in enumerate(cells, 1):
        if value is None or value == "":
            continue
        cell = sheet.cell(row=row, column=column)
        if isinstance(value, str):
            cell.value = "".join(sign for sign in value if sign >= " " or sign in "\n\t")[:LONGEST_CELL]
            cell.data_type = "s"
        else:
            cell.value = value
        if isinstance(value, dt.date):
            cell.number_format = DAY_FORMAT
        if is_bold:
            cell.font = Font(bold=True)


def _add_sheet(book, section: DocumentSection) -> None:  # type: ignore[no-untyped-def]
    from openpyxl.utils import get_column_letter
    from openpyxl.workbook.child import INVALID_TITLE_REGEX

    table = section.table
    assert table is not None
    name = f"{section.number} {INVALID_TITLE_REGEX.sub(' ', section.title)}"[:LONGEST_NAME]
    sheet = book.create_sheet(name)
    _append(sheet, list(table.headings), is_bold=True)
    for number, row in enumerate(table.rows, 1):
        _append(sheet, list(row), is_bold=table.has_total and number == len(table.rows))
    if section.note:
        _append(sheet, [section.note])
    sheet.freeze_panes = "B2"
    for column in range(1, len(table.headings) + 1):
        longest = max(_signs(row[column - 1]) for row in [table.headings, *table.rows])
        sheet.column_dimensions[get_column_letter(column)].width = min(max(longest + 2, LEAST_WIDTH), MOST_WIDTH)


def _signs(cell: Cell) -> int:
    """Return how wide a cell is in signs; Chinese ones are twice as wide."""
    if isinstance(cell, dt.date):
        return len("2026-12-31")
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in str(cell or ""))
