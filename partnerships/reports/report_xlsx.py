"""A report as a spreadsheet: a sheet with its head, key numbers and texts, and one for each table, with typed cells."""

import datetime as dt
import io
import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

from partnerships.reports.report_document import Cell, DocumentTable, ReportDocument

LONGEST_SHEET_NAME = 31
LONGEST_CELL = 32_767
WIDEST, NARROWEST = 60, 9
DAY_FORMAT, NUMBER_FORMAT, SHARE_FORMAT = "yyyy-mm-dd", "#,##0", "0%"
NUMBER = re.compile(r"[−-]?[0-9]{1,3}(?:,?[0-9]{3})*")
SHARE = re.compile(r"([0-9]{1,4})%")
# A spreadsheet cannot hold them.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def xlsx_of(document: ReportDocument) -> bytes:
    """Return the workbook. Numbers, shares and days are typed; text is text, also where it begins like a formula."""
    from openpyxl import Workbook  # it takes long to load

    book = Workbook(write_only=True)
    names: set[str] = set()
    sheet = book.create_sheet(_sheet_name(_("Report"), names))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 16
    sheet.column_dimensions["C"].width = WIDEST
    for row in _head(document):
        sheet.append([_written(sheet, value, is_strong=is_strong) for value, is_strong in row])
    for section in document.sections:
        if section.table is not None:
            _add_table(book.create_sheet(_sheet_name(section.title, names)), section.table, section.note)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


Row = Sequence[tuple[object, bool]]


def _head(document: ReportDocument) -> list[Row]:
    """Return the rows of the first sheet: each cell with whether it is bold."""
    rows: list[Row] = [
        [(document.title, True)],
        [(document.subtitle, False)],
        *([[(words, False)]] if (words := " · ".join(filter(None, (document.office, document.unit)))) else []),
        [(f"{document.number}, {document.edition}", False)],
        [(document.confirmed, True)],
        [(document.confirmed_note, False)],
        *([(words, False)] for words in document.changes),
    ]
    for section in document.sections:
        if section.key_numbers:
            rows += [[], [(section.title, True)]]
            rows += [
                [(one.label, False), (_typed(one.value), True), (" · ".join(one.notes), False)]
                for one in section.key_numbers
            ]
        if section.text:
            rows += [[], [(section.title, True)], *([(words, False)] for words in section.text.paragraphs)]
            rows += [[(section.text.signature, False)]]
    return [*rows, [], *([(words, False)] for words in document.footnotes)]


def _add_table(sheet: object, table: DocumentTable, note: str) -> None:
    from openpyxl.utils import get_column_letter

    rows = [[_typed(cell) if n in table.numbers else cell for n, cell in enumerate(row)] for row in table.rows]
    for number, heading in enumerate(table.headings):
        widest = max((_width(row[number]) for row in rows), default=0)
        width = min(max(widest, _width(heading), NARROWEST) + 2, WIDEST)
        sheet.column_dimensions[get_column_letter(number + 1)].width = width  # type: ignore[attr-defined]
    sheet.freeze_panes = "A2"  # type: ignore[attr-defined]
    last = len(rows) - 1
    sheet.append([_written(sheet, heading, is_strong=True) for heading in table.headings])  # type: ignore[attr-defined]
    for place, row in enumerate(rows):
        is_total = table.has_total and place == last
        sheet.append([_written(sheet, value, is_strong=is_total) for value in row])  # type: ignore[attr-defined]
    if note:
        sheet.append([_written(sheet, note)])  # type: ignore[attr-defined]


def _typed(value: Cell) -> object:
    """Return a number or share that a report shows as words as a number; a share of "83%" as 0.83."""
    if not isinstance(value, str):
        return value
    if found := SHARE.fullmatch(value):
        return int(found[1]) / 100
    if NUMBER.fullmatch(value):
        return int(value.replace(",", "").replace("−", "-"))
    return None if value == "–" else value


def _width(value: object) -> int:
    """Return the width of a cell in signs; Chinese ones count twice."""
    return sum(2 if sign > "\u2e80" else 1 for sign in str("" if value is None else value))


def _written(sheet: object, value: object, *, is_strong: bool = False) -> object:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    if isinstance(value, str):
        value = CONTROL_CHARACTERS.sub(" ", value)[:LONGEST_CELL]
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"  # text, also where it begins like a formula
    elif isinstance(value, float):
        cell.number_format = SHARE_FORMAT
    elif isinstance(value, int):
        cell.number_format = NUMBER_FORMAT
    elif isinstance(value, dt.date):
        cell.number_format = DAY_FORMAT
    if is_strong:
        cell.font = Font(bold=True)
    return cell


def _sheet_name(title: str, taken: set[str]) -> str:
    """Return a name that a sheet may have and no other one has."""
    from openpyxl.workbook.child import INVALID_TITLE_REGEX

    name = INVALID_TITLE_REGEX.sub(" ", title).strip("' ")[:LONGEST_SHEET_NAME] or "1"
    number = 2
    while name.casefold() in taken:
        ending = f" {number}"
        name, number = f"{name[: LONGEST_SHEET_NAME - len(ending)]}{ending}", number + 1
    taken.add(name.casefold())
    return name
