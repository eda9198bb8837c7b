"""A list as a spreadsheet."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import IO, NamedTuple

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.workbook.child import INVALID_TITLE_REGEX

LONGEST_SHEET_NAME = 31
NAME_WIDTH = 28


class TableSheet(NamedTuple):
    """One sheet of a workbook; the first column names each row."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[object]]


def write_workbook(out: IO[bytes], sheets: Iterable[TableSheet]) -> None:
    """Write a workbook with a sheet for each table; numbers stay numbers, and text never becomes a formula."""
    book = Workbook(write_only=True)
    for one in sheets:
        sheet = book.create_sheet(INVALID_TITLE_REGEX.sub(" ", one.title)[:LONGEST_SHEET_NAME])
        sheet.freeze_panes = "B2"
        sheet.column_dimensions["A"].width = NAME_WIDTH
        for number, row in enumerate([one.headings, *one.rows]):
            cells = [WriteOnlyCell(sheet, value=value) for value in row]
            for cell in cells:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
                if number == 0:
                    cell.font = Font(bold=True)
            sheet.append(cells)
    book.save(out)


class Xlsx:
    """Writes rows into an xlsx file; the first row is the heading, stays in sight, and filters the others."""

    def __init__(self, out: IO[bytes], *, title: str, widths: Sequence[int], fixed: int, day_format: str) -> None:
        """``widths`` are in signs, one for each column; the first ``fixed`` columns stay in sight."""
        self._day_format = day_format
        self._out, self._book, self._columns, self._rows = out, Workbook(write_only=True), len(widths), 0
        self._sheet = self._book.create_sheet(INVALID_TITLE_REGEX.sub(" ", title)[:LONGEST_SHEET_NAME])
        self._sheet.freeze_panes = f"{get_column_letter(fixed + 1)}2"
        for number, width in enumerate(widths, 1):
            self._sheet.column_dimensions[get_column_letter(number)].width = width

    def add(self, cells: list[object]) -> None:
        self._sheet.append([self._cell(cell) for cell in cells])
        self._rows += 1

    def _cell(self, value: object) -> object:
        cell = WriteOnlyCell(self._sheet, value=value)
        if isinstance(value, str):
            cell.data_type = "s"  # text, also where it begins like a formula
        if type(value) is dt.date:  # a datetime is an instance of date as well
            cell.number_format = self._day_format
        if not self._rows:
            cell.font = Font(bold=True)
        return cell

    def close(self) -> None:
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(self._columns)}{self._rows}"
        self._book.save(self._out)
