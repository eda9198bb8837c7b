"""Empty spreadsheets to fill in: the headings of a kind in the reader's language, and a sheet that explains each column."""

from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from partnerships.imports.kinds import KINDS, Field
from partnerships.imports.office import office_choices
from partnerships.imports.reading import fields_of
from partnerships.models import User
from partnerships.texts import LazyText

MOST_WORDS = 40
# A list of words in a cell of Excel has at most 255 characters, and a comma ends a word.
LONGEST_LIST = 255
ROWS_WITH_LISTS = 1000
# How the cells of a kind of value are written.
WRITTEN: Mapping[str, LazyText] = {
    "name": gettext_lazy("The full name of an organization."),
    "names": gettext_lazy("Full names of organizations, each in a line of the cell or separated by semicolons."),
    "date": gettext_lazy("A date with the year first; a month or a year where no more is known."),
    "duration": gettext_lazy("A length in words, or the first and the last day."),
    "amount": gettext_lazy("A number; a currency may stand beside it."),
    "choice": gettext_lazy("One of the words in the last column. Other words are asked about after the upload."),
    "person": gettext_lazy("The name of a person; position and phone may stand behind it."),
    "phone": gettext_lazy("A number with its area code. Format the cells as text, so that no digits are lost."),
    "email": gettext_lazy("One address."),
    "code": gettext_lazy("A code or number. Format the cells as text, so that no digits are lost."),
    "number": gettext_lazy("A number."),
    "text": gettext_lazy("Any text."),
}
# What a column is for, where its heading alone does not say it.
MEANINGS: Mapping[str, LazyText] = {
    "title": gettext_lazy("Without one, a name is made of the kind and the partner."),
    "partner": gettext_lazy("All other parties. Your own organization is added by itself."),
    "unit": gettext_lazy("The unit of ours that is responsible; without one, the unit of the import."),
    "participating_units": gettext_lazy("Further units of ours that take part."),
    "duration": gettext_lazy("Not needed where the end is given."),
    "renewal": gettext_lazy("What happens when the term is over."),
    "starts_on": gettext_lazy("The first day; without one, that of the signing."),
    "entered_by": gettext_lazy("Who wrote the row of your list; kept in the history."),
    "entered_on": gettext_lazy("When the row of your list was written; kept in the history."),
    "part_of": gettext_lazy("The organization that it belongs to, such as the university of a faculty."),
    "strengths": gettext_lazy("What it is good at: products, disciplines."),
    "agreement": gettext_lazy("Reference or title of an agreement on record."),
    "signatory_person": gettext_lazy("The person who signed for the partner."),
    "coordinator": gettext_lazy("The colleague who looks after it."),
    "owner": gettext_lazy("The colleague who looks after it."),
    "batch": gettext_lazy("The round in which it was granted."),
    "evidence": gettext_lazy("Number of the document or certificate, or what else shows it."),
    "partner_kind": gettext_lazy("For partners that are not on record yet."),
    "country": gettext_lazy("Of a partner that is not on record yet."),
}
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "name": ("Example Works Ltd", "示例机械有限公司"),
    "organization": ("Example Works Ltd", "示例机械有限公司"),
    "part_of": ("Example Group Ltd", "示例集团有限公司"),
    "partner": ("Example University", "示例大学"),
    "witness": ("Example Chamber of Commerce", "示例商会"),
    "name_zh": ("示例机械有限公司", "示例机械有限公司"),
    "short_name": ("EW", "示例机械"),
    "former_name": ("Sample Works Ltd", "样本机械有限公司"),
    "uscc": ("91330300000000000X", "91330300000000000X"),
    "country": ("China", "中国"),
    "industry": ("Machinery", "机械"),
    "strengths": ("Precision parts", "精密零件"),
    "website": ("https://www.example.com", "https://www.example.com"),
    "address": ("1 Example Road", "示例路1号"),
    "contact": ("Wang Xiaoming", "王小明"),
    "position": ("Director", "处长"),
    "contact_position": ("Director", "处长"),
    "phone": ("0577-88000000", "0577-88000000"),
    "contact_phone": ("0577-88000000", "0577-88000000"),
    "email": ("wang@example.com", "wang@example.com"),
    "contact_email": ("wang@example.com", "wang@example.com"),
    "wechat": ("wang_xm", "wang_xm"),
    "title": ("Agreement on internships", "实习合作协议"),
    "title_zh": ("实习合作协议", "实习合作协议"),
    "agreement": ("XY-2026-001", "XY-2026-001"),
    "reference": ("XY-2026-001", "XY-2026-001"),
    "archive_number": ("2026-15", "2026-15"),
    "signed_on": ("2026-03-05", "2026-03-05"),
    "starts_on": ("2026-03-05", "2026-03-05"),
    "ends_on": ("2029-03-04", "2029-03-04"),
    "since": ("2024-09", "2024-09"),
    "granted_on": ("2025-10-14", "2025-10-14"),
    "valid_until": ("2028-10-13", "2028-10-13"),
    "due_on": ("2026-06-30", "2026-06-30"),
    "entered_on": ("2026-03-06", "2026-03-06"),
    "duration": ("3 years", "三年"),
    "notice_months": ("3", "3"),
    "amount": ("500000", "50万"),
    "currency": ("CNY", "人民币"),
    "issuer": ("Ministry of Industry", "工业和信息化部"),
    "batch": ("7", "第七批"),
    "evidence": ("No. 2025-120", "工信部企业函〔2025〕120号"),
    "place": ("Hall 2", "第二报告厅"),
    "headcount": ("60", "60"),
    "hours": ("16", "16"),
    "unit": ("School of Engineering", "工学院"),
    "participating_units": ("School of Engineering", "工学院"),
    "next_step": ("Send the minutes", "发送会议纪要"),
    "recurs_every_months": ("12", "12"),
    "signatory_person": ("Li Lei", "李雷"),
    "entered_by": ("Chen Yulan", "陈玉兰"),
    "description": ("Founded in 1998", "成立于1998年"),
    "summary": ("30 internships a year", "每年提供30个实习岗位"),
    "note": ("Prefers calls in the morning", "上午联系为宜"),
}


def write_template(kind: str, out: IO[bytes], *, reader: User) -> None:
    """Write a workbook for rows of ``kind``: empty columns to fill in, and what each is for on a second sheet."""
    fields = fields_of(kind, office_choices(reader)[1])
    book = Workbook()
    sheet: Any = book.active
    sheet.title = str(KINDS[kind].label)[:31]
    sheet.freeze_panes = "A2"
    for place, field in enumerate(fields.values(), 1):
        cell = sheet.cell(1, place, str(field.label))
        cell.font = Font(bold=True)
        if field.required:
            cell.fill = PatternFill("solid", fgColor="FFF2CC")
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = 18
        if field.kind in {"code", "phone"}:
            sheet.column_dimensions[letter].number_format = "@"
        _add_list(sheet, letter, field)
    _explain(book.create_sheet(pgettext("of a spreadsheet", "Explanation")), fields)
    book.save(out)


def _add_list(sheet: Any, letter: str, field: Field) -> None:
    """Offer the words of a choice in its cells, where Excel takes so many. Others may be typed: they are asked about."""
    words = [field.label_of(value) for value in field.choices]
    text = ",".join(words)
    if not words or field.several or len(text) > LONGEST_LIST or any(sign in word for word in words for sign in ',"'):
        return
    offered = DataValidation(type="list", formula1=f'"{text}"', allow_blank=True, showErrorMessage=False)
    offered.add(f"{letter}2:{letter}{ROWS_WITH_LISTS}")
    sheet.add_data_validation(offered)


def _explain(sheet: Any, fields: Mapping[str, Field]) -> None:
    sheet.append([_("Column"), _("Required"), _("What to enter"), _("Example"), _("Words that are known")])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for field in fields.values():
        words = [field.label_of(value) for value in field.choices]
        more = "; …" if len(words) > MOST_WORDS else ""
        required = _("required") if field.required else ""
        row = [str(field.label), required, meaning_of(field), example_of(field), "; ".join(words[:MOST_WORDS]) + more]
        sheet.append(row)
    for letter, width in zip("ABCDE", (24, 10, 60, 30, 80), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.data_type = "s" if cell.value else cell.data_type


def meaning_of(field: Field) -> str:
    """Return what a column is for and how it is written."""
    return " ".join(_sentences(field))


def _sentences(field: Field) -> Iterator[str]:
    if field.name in MEANINGS:
        yield str(MEANINGS[field.name])
    if field.refers_to == "country":
        yield _("The name of a country or region, or its code of two letters.")
    elif field.refers_to == "currency":
        yield _("The name of a currency, or its code of three letters.")
    else:
        yield str(WRITTEN[field.kind])
    if field.several and field.kind != "names":
        yield _("Several are separated by semicolons.")


def example_of(field: Field) -> str:
    """Return an example of a cell in the reader's language; of a choice, its first word."""
    if field.name in EXAMPLES:
        return EXAMPLES[field.name][(get_language() or "").startswith("zh")]
    return next((field.label_of(value) for value in field.choices), "")
