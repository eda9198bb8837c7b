"""Typed values of cells: what a person typed, as a field of a record takes it."""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from partnerships.countries import country_code
from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.durations import Duration, parse_duration
from partnerships.imports.choices import find_choice, guess_choices
from partnerships.imports.date_readings import date_in_order, date_of_one_reading, names_no_day, readings_of_date
from partnerships.imports.kinds import NOTE_FIELDS, Field
from partnerships.imports.parties import PlacedName, split_names, split_place
from partnerships.imports.people import EMAIL, PersonInCell, split_people
from partnerships.imports.tables import Cell
from partnerships.inputs import (
    EXAMPLE,
    MONTH_NAMES,
    PLAIN_SIGNS,
    Money,
    parse_amount,
    parse_currency,
    parse_money,
    parse_partial_day,
    parse_phone,
    parse_serial_day,
)
from partnerships.names import fold, invisible_character
from partnerships.partial_dates import PartialDate

__all__ = ["Duration", "Money", "PersonInCell", "PlacedName", "Read", "guess_choices", "read_value"]

# Texts that people type where there is nothing: no value, and no problem.
NOTHING = {
    "-",
    "--",
    "---",
    "—",
    "——",
    "–",
    "/",
    "\\",
    "n/a",
    "na",
    "n.a.",
    "none",
    "nil",
    "无",
    "暂无",
    "没有",
    "空",
    "#n/a",
    "null",
    "nan",
    ".",
    # Not known yet.
    "?",
    "？",
    "...",
    "…",
    "……",
    "tbd",
    "tbc",
    "to be determined",
    "to be confirmed",
    "pending",
    "待定",
    "未定",
    "待补",
    "待补充",
    "待填",
    "待确认",
    "面议",
}
LONGEST_NOTHING = max(map(len, NOTHING))
ERRORS = re.compile(r"#(?:REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)", re.IGNORECASE)
CUT_DIGITS = re.compile(r"\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
LONGEST_CERTAIN = 10**15
SEPARATORS = re.compile(r"[\r\n;；、,，/／|]+")
HARD_SEPARATORS = re.compile(r"[\r\n;；、|]+")
UNITS_BEHIND = re.compile(
    r" ?(?:months?|个?月|people|persons?|participants?|students?|trainees?|人次?|[名位]?(?:学生|教师|师生|学员|员工)|名|位"
    r"|hours?|hrs?|h|学时|课时|小时|times|次)$",
    re.IGNORECASE,
)
WORDS_BEFORE = re.compile(r"^(?:共计?|合计|总计|师生|学生|学员|提前|total:?|in total) ?", re.IGNORECASE)
# 约30人, 30余人, 30+: the number that is known, with a note.
ABOUT_NUMBER = re.compile(
    r"(?P<about>约|大约|近|about|approx\.?|approximately|ca\.?|over|more than|超过?|逾)? ?(?P<number>.*?\d|[一-龥]+?) ?(?P<more>余|多|\+|左右|以上)?(?P<unit>\D*)",
    re.IGNORECASE,
)
NEGATIVE = re.compile(r"(?:-|负|minus ).+|\(.*\d.*\)", re.IGNORECASE)
LENGTHS_IN_MONTHS = {"notice_months", "recurs_every_months"}
WHOLE_NUMBERS = {"headcount", "recurs_every_months"}
YES = {"yes", "y", "true", "1", "x", "✓", "√", "✔", "是", "有", "对"}
NO = {"no", "n", "false", "0", "×", "✗", "否", "无", "没有", "不"}
FACTORS = {"万": 10**4, "亿": 10**8, "千": 1000, "thousand": 1000, "million": 10**6}
# A decision about words: they are no choice, and are kept among the remarks of the row.
KEEP_AS_NOTE = "@note"
# A decision about words: the office is asked to add them to the choices; until then their rows stay out.
ASK_OFFICE = "@asked"
# Stands in decisions for all words that are not known.
ANY_OTHER = "*"
NO_LONGER_KNOWN = re.compile(r"[\ufffd]")


@dataclass(frozen=True)
class Read:
    """The value of a cell, with what is wrong or worth saying about it.

    ``value`` is, by the kind of field: text, phone, email, code: str; name: PlacedName; person: PersonInCell;
    date: PartialDate, of an end also a Duration (open-ended, or a length in words); duration: Duration; amount: Money;
    choice: the stored value; number: int or Decimal; yes_no: bool. Of a field with several values: a tuple of these.
    None where the cell is empty or has a problem.
    ``problem`` is translated text that refuses the cell; ``note`` is translated text about how it was read.
    """

    value: Any
    problem: str | None = None
    note: str = ""
    kept: str = ""  # words of the cell that go into the remarks of the row


def read_value(
    field: Field,
    cell: Cell,
    *,
    mapping: Mapping[str, str] | None = None,
    epoch_1904: bool = False,
    heading: str = "",
    order: str = "",
) -> Read:
    """Return what a cell says as a value of ``field``.

    ``mapping`` holds decisions about words, such as 企业 -> enterprise; "" leaves the field empty. ``heading`` may name
    the unit of a number: 金额（万元）. ``order`` is that of dates which have two readings, as in a recipe.
    """
    decisions = mapping or {}
    if isinstance(cell, str):
        cell = clean(cell, lines=True)
        if problem := _unreadable(cell):
            return Read(None, problem)
        if _is_nothing(field, cell, decisions):
            return Read(None)
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return Read(None)
    return READERS[field.kind](CellInColumn(field, cell, heading, decisions, epoch_1904, order))


@dataclass(frozen=True)
class CellInColumn:
    """A cell that holds something, with what is known of its column."""

    field: Field
    cell: str | float | bool | dt.date
    heading: str
    mapping: Mapping[str, str]
    epoch_1904: bool
    order: str = ""

    @property
    def text(self) -> str:
        return _text_of(self.cell)

    @property
    def line(self) -> str:
        return " ".join(self.text.split())

    @property
    def number(self) -> float | None:
        return self.cell if isinstance(self.cell, int | float) and not isinstance(self.cell, bool) else None


def _unreadable(text: str) -> str | None:
    if ERRORS.fullmatch(text):
        return _("The formula of this cell failed: %(cell)s. Enter its value.") % {"cell": text}
    if NO_LONGER_KNOWN.search(text):
        return _("Signs of this text were lost. Save the file as UTF-8 or as an Excel workbook.")
    return None


def _is_nothing(field: Field, text: str, mapping: Mapping[str, str]) -> bool:
    """Whether a text stands for an empty cell. 无 is nothing, unless it is a choice of the field."""
    if not text:
        return True
    if len(text) > LONGEST_NOTHING or text.lower() not in NOTHING or _decision(text, mapping) is not None:
        return False
    return field.kind != "yes_no" and not (field.kind == "choice" and find_choice(field, text) is not None)


def clean(text: str, *, lines: bool = False) -> str:
    """Return text with plain spaces and without invisible signs; with ``lines``, in its lines."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # most cells
    kept = [" ".join(_visible(line).split()) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join(line for line in kept if line) if lines else " ".join(line for line in kept if line)


def _visible(line: str) -> str:
    while (found := invisible_character(line.replace("\t", " "))) is not None:
        line = line.replace("\t", " ").replace(found, "")
    return line


def _text_of(cell: Cell) -> str:
    """Return a cell as the text that a person would have typed for it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, float):
        return str(int(cell)) if cell == int(cell) and abs(cell) < LONGEST_CERTAIN else repr(cell)
    return str(cell)


def _decision(text: str, mapping: Mapping[str, str] | None) -> str | None:
    if not mapping:
        return None
    plain = " ".join(text.split())
    found = mapping.get(text, mapping.get(plain))
    return (
        found
        if found is not None
        else next((value for words, value in mapping.items() if fold(words) == fold(plain)), None)
    )


def _read_choices(one: CellInColumn) -> Read:
    if not one.field.several:
        return _read_choice(one.field, one.line, one.mapping)
    if _decision(one.text, one.mapping) is not None:
        whole = _read_choice(one.field, one.text, one.mapping)
        return Read((whole.value,) if whole.value else None, kept=whole.kept)
    pieces = [piece for piece in (part.strip() for part in SEPARATORS.split(one.text)) if piece]
    read = [_read_choice(one.field, piece, one.mapping) for piece in pieces]
    problems = [each.problem for each in read if each.problem]
    if problems:
        alone = find_choice(one.field, one.line, is_whole=True)  # a name with a comma in it
        return Read((alone,)) if alone else Read(None, " ".join(problems))
    kept = "、".join(each.kept for each in read if each.kept)
    return Read(tuple(dict.fromkeys(each.value for each in read if each.value)) or None, kept=kept)


def _read_choice(field: Field, text: str, mapping: Mapping[str, str]) -> Read:
    decided = _decision(text, mapping)
    if decided is None and ANY_OTHER in mapping and _known_choice(field, text).value is None:
        decided = mapping[ANY_OTHER]
    if decided == KEEP_AS_NOTE:
        return Read(None, kept=text)
    if decided == ASK_OFFICE:
        known = find_choice(field, text)  # added since
        return Read(known, None if known else _("The office was asked to add “%(words)s”.") % {"words": text})
    return _known_choice(field, text) if decided is None else Read(decided or None)


def _known_choice(field: Field, text: str) -> Read:
    if field.refers_to == "country":
        code = country_code(text)
        return Read(code) if code else Read(None, _("No country or region is called “%(words)s”.") % {"words": text})
    if field.refers_to == "currency":
        currency = parse_currency(text)
        return Read(currency) if currency else Read(None, _("No currency is called “%(words)s”.") % {"words": text})
    if not field.choices:
        return Read(text)  # names rows that only the office's own records know
    value = find_choice(field, text)
    if value is None and field.refers_to == "user":
        # A colleague who left, or has no account, keeps no row out.
        return Read(None, note=_("Nobody here is called “%(words)s”: kept as a remark.") % {"words": text}, kept=text)
    if value is None:
        return Read(None, _("Choose what “%(words)s” means.") % {"words": text})
    return Read(value)


def _read_date(one: CellInColumn) -> Read:
    if isinstance(one.cell, dt.date):
        return _within_calendar(one, PartialDate(_day(one.cell)))
    if one.number is not None:
        return _read_number_as_date(one.number, epoch_1904=one.epoch_1904)
    date = parse_partial_day(one.line) or date_of_one_reading(one.line) or date_in_order(one.line, one.order)
    if date is not None:
        return _within_calendar(one, date, note=_note_about_date(one.line, date))
    if re.fullmatch(r"\d{5}(?:\.0)?", one.line):
        return _read_number_as_date(float(one.line), epoch_1904=one.epoch_1904)
    term = parse_duration(one.line) if one.field.name in ENDS and not one.line.isdigit() else None
    if term is not None:
        return Read(term.ends if term.ends and term.renewal == "none" else term)
    return Read(None, _why_no_date(one))


def _why_no_date(one: CellInColumn) -> str:
    facts = {"text": one.line, "iso": EXAMPLE.isoformat(), "example": date_format(EXAMPLE)}
    if found := readings_of_date(one.line):
        facts["readings"] = _(" or ").join(f"“{one}”" for one in found)
        return (
            _("“%(text)s” may be %(readings)s: enter it as in %(iso)s, or choose the order of all dates under Rules.")
            % facts
        )
    if names_no_day(one.line):
        return _("There is no such day as “%(text)s”.") % facts
    return (
        _("“%(text)s” is not a date we can read: enter one such as %(iso)s or %(example)s, or a month or year.") % facts
    )


def _within_calendar(one: CellInColumn, date: PartialDate, *, note: str = "") -> Read:
    """Return a date that records may have. The first days of a spreadsheet are small numbers that were formatted as dates."""
    if date.precision == "unknown":
        return Read(date, note=note)
    day = date.first
    is_number = isinstance(one.cell, dt.date) and day.year in ({1904} if one.epoch_1904 else {1899, 1900})
    if is_number:
        return Read(
            None, _("The cell holds a small number that was formatted as a date: %(date)s.") % {"date": f"“{date}”"}
        )
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        facts = {"text": one.line, "first": EARLIEST_DAY.year, "last": LATEST_DAY.year}
        return Read(None, _("“%(text)s” is not between the years %(first)s and %(last)s.") % facts)
    return Read(date, note=note)


def _day(cell: dt.date) -> dt.date:
    return cell.date() if isinstance(cell, dt.datetime) else cell


ENDS = {"ends_on", "valid_until"}


def _note_about_date(text: str, date: PartialDate) -> str:
    words = re.sub(r"[\d.\-/年月 ]|年度", "", unicodedata.normalize("NFKC", text))
    if date.is_complete or not words or date.precision == "unknown" or words.lower().strip(".,") in MONTH_WORDS:
        return ""
    return _("Read as %(date)s: a more exact date is not given.") % {"date": date}


MONTH_WORDS = {name[:length] for name in MONTH_NAMES for length in range(3, 10)}


def _read_number_as_date(number: float, *, epoch_1904: bool) -> Read:
    text = _text_of(number)
    if isinstance(number, float) and re.fullmatch(r"(?:19|20|21)\d\d\.1", text):
        # The spreadsheet dropped the zero of 2021.10, if there was one.
        return Read(None, _("%(text)s may be January or October: enter the month as in 2021-10.") % {"text": text})
    if isinstance(number, float) and re.fullmatch(r"(?:19|20|21)\d\d\.\d\d?", text):
        month = parse_partial_day(text)
        if month is not None:
            return Read(month)
    date = parse_serial_day(number, epoch_1904=epoch_1904) or date_of_one_reading(text)
    if date is None:
        return Read(None, _("The number %(text)s is not a date.") % {"text": text})
    return Read(
        date,
        note="" if not date.is_complete else _("Read the number %(text)s as %(date)s.") % {"text": text, "date": date},
    )


def _read_duration(one: CellInColumn) -> Read:
    if isinstance(one.cell, dt.date):
        return Read(Duration(ends=PartialDate(_day(one.cell))))
    ends = parse_partial_day(one.line)
    if ends is not None and ends.precision != "unknown":
        return Read(
            Duration(ends=ends), note="" if ends.is_complete else _("Read as the end: %(date)s.") % {"date": ends}
        )
    unit = "months" if re.search(r"month|月", one.heading, re.IGNORECASE) else "years"
    found = parse_duration(one.line, unit=unit)
    if found is None:
        return Read(
            None,
            _(
                "“%(text)s” is not a term we can read: enter one such as 5 years, 3 years renewed by 1 year, or open-ended."
            )
            % {"text": one.line},
        )
    return Read(found)


def _factor(heading: str) -> int:
    found = re.search(r"[(（\[【:：/ ](?P<unit>万|亿|千|thousand|million)", heading, re.IGNORECASE)
    return FACTORS[found["unit"].lower()] if found else 1


def _read_amount(one: CellInColumn) -> Read:
    factor = _factor(one.heading)
    if one.number is not None:
        money: Money | None = Money(Decimal(str(one.number)))
    else:
        money = parse_money(one.line)
        factor = 1 if re.search(r"[万亿萬億]|million|thousand|\d ?[wk]\b", one.line, re.IGNORECASE) else factor
    if _is_negative(one, money.amount if money else None):
        return Read(None, _("“%(text)s”: an amount cannot be negative.") % {"text": one.line})
    if money is None:
        return Read(
            None,
            _("“%(text)s” is not an amount we can read: enter one such as 1000000, 100万 or USD 50,000.")
            % {"text": one.line},
        )
    note = _("Multiplied by %(factor)s, as the heading says.") % {"factor": factor} if factor > 1 else ""
    return Read(Money(money.amount * factor, money.currency or _currency_of(one.heading)), note=note)


def _is_negative(one: CellInColumn, number: Decimal | None) -> bool:
    """Whether a cell says less than nothing, which bookkeepers also write in brackets: (5万)."""
    if number is not None:
        return number < 0
    return NEGATIVE.fullmatch(unicodedata.normalize("NFKC", one.line).translate(PLAIN_SIGNS)) is not None


def _currency_of(heading: str) -> str:
    found = re.search(r"[(（\[【](?:万|亿|千)?(?P<name>[^)）\]】]+)[)）\]】]", heading)
    money = parse_money(f"1 {found['name']}") if found else None
    return money.currency if money else ""


def _read_phone(one: CellInColumn) -> Read:
    phone = parse_phone(one.number if one.number is not None else " / ".join(HARD_SEPARATORS.split(one.text)))
    if phone is None and CUT_DIGITS.fullmatch(one.line):
        return Read(None, _("The spreadsheet cut this number to %(text)s: enter all its digits.") % {"text": one.line})
    if phone is None:
        return Read(None, _("“%(text)s” is not a phone number.") % {"text": one.line})
    return Read(phone)


def _read_email(one: CellInColumn) -> Read:
    found = list(dict.fromkeys(EMAIL.findall(unicodedata.normalize("NFKC", one.text))))
    try:
        validate_email(found[0] if found else "")
    except ValidationError:
        return Read(None, _("“%(text)s” is not an e-mail address.") % {"text": one.line})
    others = ", ".join(found[1:])
    return Read(
        found[0],
        note=_("Only the first address is taken; the others: %(others)s.") % {"others": others} if others else "",
    )


def _read_code(one: CellInColumn) -> Read:
    if one.number is not None:
        if abs(one.number) >= LONGEST_CERTAIN:
            return Read(None, _("A spreadsheet keeps 15 digits of a number: enter the code as text."))
        return Read(one.text, note=_("The cell holds a number, so zeros at its beginning may be missing."))
    if isinstance(one.cell, dt.date):
        return Read(
            one.text, note=_("The cell holds a date, which the spreadsheet may have made of a number such as 3-5.")
        )
    text = unicodedata.normalize("NFKC", one.line)
    if CUT_DIGITS.fullmatch(text) and "+" in text:
        return Read(None, _("The spreadsheet cut this number to %(text)s: enter all its digits.") % {"text": text})
    return Read(text.removeprefix("'"))


def _read_text(one: CellInColumn) -> Read:
    if one.field.several:
        return Read(
            tuple(piece for piece in (part.strip() for part in HARD_SEPARATORS.split(one.text)) if piece) or None
        )
    return Read(one.text if one.field.name in NOTE_FIELDS else one.line)


def _read_name(one: CellInColumn) -> Read:
    return Read(split_place(one.text))


def _read_names(one: CellInColumn) -> Read:
    return Read(tuple(dict.fromkeys(split_place(name) for name in split_names(one.text))) or None)


def _read_person(one: CellInColumn) -> Read:
    people = split_people(one.text)
    if any(not person.name for person in people):
        return Read(None, _("“%(text)s” names no person.") % {"text": one.line})
    if one.field.several:
        return Read(tuple(people))
    return Read(people[0], note=_("Only the first person is taken.") if people[1:] else "")


def _read_number(one: CellInColumn) -> Read:
    note = ""
    if one.number is not None:
        number: Decimal | None = Decimal(str(one.number))
    else:
        words = unicodedata.normalize("NFKC", one.line)
        number = _number_in(words)
        if number is None and (found := ABOUT_NUMBER.fullmatch(words)) and (found["about"] or found["more"]):
            number = _number_in(f"{found['number']}{found['unit']}")
            note = _("Read as %(number)s: “%(text)s” is not exact.") % {"number": number, "text": one.line}
        term = parse_duration(words, unit="months") if number is None and one.field.name in LENGTHS_IN_MONTHS else None
        number = Decimal(term.months) if term and term.months and term.renewal == "none" else number
    if _is_negative(one, number):
        return Read(None, _("“%(text)s”: a number cannot be negative.") % {"text": one.line})
    if number is None:
        return Read(None, _("“%(text)s” is not a number.") % {"text": one.line})
    if number != int(number) and one.field.name in WHOLE_NUMBERS:
        return Read(None, _("“%(text)s” is not a whole number.") % {"text": one.line})
    return Read(int(number) if number == int(number) else number, note=note)


def _number_in(words: str) -> Decimal | None:
    return parse_amount(UNITS_BEHIND.sub("", WORDS_BEFORE.sub("", words)))


def _read_yes_no(one: CellInColumn) -> Read:
    folded = fold(one.line)
    if folded in YES | NO:
        return Read(folded in YES)
    return Read(None, _("“%(text)s” is neither yes nor no.") % {"text": one.line})


READERS: Mapping[str, Callable[[CellInColumn], Read]] = {
    "text": _read_text,
    "name": _read_name,
    "names": _read_names,
    "date": _read_date,
    "duration": _read_duration,
    "amount": _read_amount,
    "choice": _read_choices,
    "person": _read_person,
    "phone": _read_phone,
    "email": _read_email,
    "code": _read_code,
    "number": _read_number,
    "yes_no": _read_yes_no,
}
