"""The rows that were not brought in, as a file: the columns of the original, and why."""

from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from partnerships.imports.reading import cell_from_json
from partnerships.imports.rows import refusals
from partnerships.models import Import


def write_rejected(imported: Import, out: IO[bytes], *, has_reasons: bool = True) -> int:
    """Write the rows that stay out as an xlsx file that can be mended and imported, and return how many there are.

    Reasons may tell of records that the asker of the check alone sees: ``has_reasons`` leaves them out.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    headings = imported.layout.get("headings", [])
    sheet.append([_bold(sheet, heading) for heading in (*headings, _("Reason"))])
    written = 0
    for row in imported.rows.left_out().iterator(chunk_size=500):
        cells = [row.corrections.get(str(number), cell_from_json(cell)) for number, cell in enumerate(row.cells)]
        reasons = "; ".join(problem["message"] for problem in refusals(row.problems)) if has_reasons else ""
        sheet.append([_cell(sheet, value) for value in (*cells, reasons)])
        written += 1
    book.save(out)
    return written


def _cell(sheet: object, value: object) -> object:
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)  # a text file may hold them, a workbook may not
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"  # text, also where it begins like a formula
    return cell


def _bold(sheet: object, value: str) -> Any:
    cell: Any = _cell(sheet, value)
    cell.font = Font(bold=True)
    return cell
