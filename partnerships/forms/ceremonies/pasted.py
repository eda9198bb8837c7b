"""Lines pasted from a spreadsheet or a text: one agreement each, with its partner, its type, its title and its amount."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.http import QueryDict
from django.utils.translation import gettext as _

from partnerships.forms.ceremonies.page import BLANK_PRESENT, MOST_LINES, PASTED, add_lines, line_numbers
from partnerships.forms.names import EitherTitleMixin, name_fields
from partnerships.inputs import parse_amount, parse_day
from partnerships.models import AgreementType
from partnerships.names import fold, has_chinese

LONGEST_NAME, LONGEST_TITLE = 200, 300
# Headings that a column may have in the first line of a table.
HEADINGS: Mapping[str, str] = {
    **dict.fromkeys(("no", "no.", "#", "序号", "编号", "日期", "date", "signed on", "签约日期", "签订日期"), "ignored"),
    **dict.fromkeys(("partner", "enterprise", "company", "organization", "organisation", "party"), "partner"),
    **dict.fromkeys(
        ("合作方", "合作单位", "企业", "企业名称", "单位", "单位名称", "公司", "签约单位", "名称"), "partner"
    ),
    **dict.fromkeys(
        ("title", "agreement", "subject", "协议", "协议名称", "协议标题", "标题", "项目", "项目名称"), "title"
    ),
    **dict.fromkeys(("type", "kind", "类型", "协议类型", "类别"), "type"),
    **dict.fromkeys(("amount", "value", "金额", "协议金额", "合同金额", "金额(元)", "金额(万元)"), "amount"),
}
SERIAL = re.compile(r"\(?\d{1,3}[.、)]?")
NUMBERED = re.compile(r"^\(?\d{1,3}(?:[.、)]\s*|\)\s*)(?=\D)")
# A comma before these belongs to the name of a company.
LEGAL_FORM = re.compile(r"(?:ltd|inc|llc|corp|co|plc|gmbh|limited|s\.?a|b\.?v)\b\.?", re.IGNORECASE)
YEAR = re.compile(r"(?:19|20)\d\d年?")
AGREEMENT = re.compile(r"(?: agreement|协议书?)$")
COMMAS = re.compile(r"[,，、;；|]")
GAPS = re.compile(r"\s{2,}")


@dataclass
class PastedAgreement:
    """An agreement as one line names it; ``left`` are the cells that the form has no place for."""

    partner: str = ""
    title: str = ""
    type: AgreementType | None = None
    amount: Decimal | None = None
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class UnreadLine:
    """A line, or cells of it, that became no part of the form, and why."""

    text: str
    reason: str


def take_pasted(data: QueryDict, types: Iterable[AgreementType], *, ours: str = "") -> list[UnreadLine]:
    """Turn the pasted lines into lines of the form and return what could not be read, which stays in the text.

    ``ours`` is the key of our side among those present.
    """
    known = {_type_key(name): one for one in types for name in (one.name, one.name_zh) if name}
    unread: list[UnreadLine] = []
    kept: list[str] = []
    columns: list[str] | None = None
    for text in data.get(PASTED, "").splitlines():
        cells = _cells(text, known)
        if not cells:
            continue
        if columns is None and (found := _headings(cells)):
            columns = found
            continue
        line = _read(cells, columns, known)
        reason = _refusal(line)
        key = "" if reason else _add(data, line, ours)
        if not key:
            kept.append(text)
            unread.append(UnreadLine(text, reason or _("Sixty lines are enough for one part.")))
            continue
        if line.left:
            left = " · ".join(line.left)
            unread.append(UnreadLine(text, _("Taken over, except for: %(left)s") % {"left": left}))
    data[PASTED] = "\n".join(kept)
    return unread


def _type_key(name: str) -> str:
    """Return a type's name without the word that all of them have: people leave it out."""
    return AGREEMENT.sub("", fold(name)).strip()


def _cells(text: str, types: Mapping[str, AgreementType]) -> list[str]:
    """Split a line at tabs, else at commas, else at gaps; a line of words at spaces, where it is Chinese."""
    text = unicodedata.normalize("NFKC", text) if "\t" not in text else text
    text = text.replace("\0", "").strip(" \r\n")
    if "\t" in text:
        found = text.split("\t")
    else:
        text = NUMBERED.sub("", text.strip())
        found = _at_commas(text)
        if len(found) == 1:
            found = GAPS.split(text)
        if len(found) == 1:
            found = text.split() if has_chinese(text) else _before_type(text, types)
    cells = [" ".join(cell.split()).strip('"“”') for cell in found]
    return cells if any(cells) else []


def _at_commas(text: str) -> list[str]:
    found: list[str] = []
    for cell in COMMAS.split(text):
        is_number = (
            found and re.fullmatch(r"\d{3}(?:\.\d+)?", cell) and re.search(r"(?<![\d,])\d{1,3}(?:,\d{3})*$", found[-1])
        )
        if found and LEGAL_FORM.match(cell.strip()):
            found[-1] = f"{found[-1]}, {cell.strip()}"
        elif is_number:
            found[-1] += f",{cell}"
        else:
            found.append(cell)
    return found


def _before_type(text: str, types: Mapping[str, AgreementType]) -> list[str]:
    """Split a line of English words before the type of agreement at its end."""
    words = text.split()
    for start in range(1, len(words)):
        if _type_key(" ".join(words[start:])) in types:
            return [" ".join(words[:start]), " ".join(words[start:])]
    return [text]


def _headings(cells: list[str]) -> list[str] | None:
    """Return what each column holds if the line is the head of a table."""
    found = [HEADINGS.get(unicodedata.normalize("NFKC", cell).casefold(), "") for cell in cells]
    return (
        found if "partner" in found and all(name or not cell for name, cell in zip(found, cells, strict=True)) else None
    )


def _read(cells: list[str], columns: list[str] | None, types: Mapping[str, AgreementType]) -> PastedAgreement:
    line = PastedAgreement()
    for number, cell in enumerate(cells):
        column = columns[number] if columns and number < len(columns) else ""
        if not cell or column == "ignored" or (number == 0 and len(cells) > 1 and SERIAL.fullmatch(cell)):
            continue
        if column in {"partner", "title"}:
            setattr(line, column, cell)
        elif line.type is None and _type_key(cell) in types and column in {"", "type"}:
            line.type = types[_type_key(cell)]
        elif (amount := _amount(cell)) is not None and line.amount is None and column in {"", "amount"}:
            line.amount = amount
        elif column or YEAR.fullmatch(cell) or parse_day(cell):
            line.left.append(cell)
        elif not line.partner:
            line.partner = cell
        elif not line.title:
            line.title = cell
        else:
            line.left.append(cell)
    return line


def _amount(cell: str) -> Decimal | None:
    return None if YEAR.fullmatch(cell) else parse_amount(cell)


def _refusal(line: PastedAgreement) -> str:
    """Return why a line cannot become one of the form; empty if it can."""
    if not line.partner or not any(sign.isalpha() for sign in line.partner):
        return _("No partner was found in this line.")
    if len(line.partner) > LONGEST_NAME or len(line.title) > LONGEST_TITLE:
        return _("This is too long for a name or a title.")
    if line.amount is not None and not 0 <= line.amount < 10**12:
        return _("This amount is not possible.")
    return ""


def _add(data: QueryDict, line: PastedAgreement, ours: str) -> str:
    """Add the agreement, and its partner to those present; return the agreement's key, or "" where there is no room."""
    numbers = line_numbers(data, "present")
    names = {number: data.get(f"present-{number}-name", "").strip() for number in numbers}
    partner = next((number for number, name in names.items() if name and fold(name) == fold(line.partner)), None)
    # The first line is for the host.
    blank = next((number for number in numbers[1:] if not names[number]), None)
    if partner is None and blank is None and len(numbers) >= MOST_LINES:
        return ""
    if partner is None and blank is None:
        blank = add_lines(data, "present", 1, **BLANK_PRESENT).rpartition("-")[2]
    title, kind = name_fields(EitherTitleMixin.columns)[0], line.type
    values = {title: line.title or str(kind or ""), "type": str(kind.pk) if kind else "", "ours": ours}
    values["partner"] = f"present-{partner or blank}"
    if line.amount is not None:
        values["amount"] = str(line.amount)
    key = add_lines(data, "agreements", 1, **values)
    if key and partner is None:
        data[f"present-{blank}-name"] = line.partner
    return key
