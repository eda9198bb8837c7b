"""A list as a spreadsheet."""

from typing import IO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font


class Xlsx:
    """Writes rows into an xlsx file; the first row is the heading."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self._book = out, Workbook(write_only=True)
        self._sheet = self._book.create_sheet()
        self._sheet.freeze_panes = "B2"
        self._is_heading = True

    def add(self, cells: list[object]) -> None:
        self._sheet.append([self._cell(cell) for cell in cells])
        self._is_heading = False

    def _cell(self, value: object) -> object:
        cell = WriteOnlyCell(self._sheet, value=value)
        if isinstance(value, str):
            cell.data_type = "s"  # text, also where it begins like a formula
        if self._is_heading:
            cell.font = Font(bold=True)
        return cell

    def close(self) -> None:
        self._book.save(self._out)
