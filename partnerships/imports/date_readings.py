"""Dates of old registers that no form takes: the year last or of two digits. One reading is taken, several are named."""

import datetime as dt
import re
import unicodedata

from django.utils.formats import date_format

from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.inputs import (
    CHINESE_NUMBER,
    FORMAL_DIGITS,
    LONGEST_DATE,
    MONTHS,
    PLAIN_SIGNS,
    in_digits,
    parse_partial_day,
)
from partnerships.partial_dates import PartialDate, Precision

SIGN = r" ?([-./\\、,]| ) ?"
# Three numbers with the same sign between them; a year of four digits or of two.
YEAR_BEFORE = re.compile(rf"(\d{{4}}){SIGN}(\d\d?)\2 ?(\d\d?)", re.ASCII)
YEAR_BEHIND = re.compile(rf"(\d\d?){SIGN}(\d\d?)\2 ?(\d{{4}})", re.ASCII)
SHORT_YEAR = re.compile(rf"(\d\d?){SIGN}(\d\d?)\2 ?(\d\d?)", re.ASCII)
MONTH_AND_YEAR = re.compile(r"(\d\d?) ?[-./] ?(\d{4})", re.ASCII)
YEAR_AND_MONTH = re.compile(r"(\d{4})(0[1-9]|1[0-2])", re.ASCII)
NAMED = re.compile(r"(?P<day>\d\d?)(?:st|nd|rd|th)?[- .](?P<month>[a-z]+)\.?[- ,.]+'?(?P<year>\d\d)", re.ASCII)
NAMED_MONTH = re.compile(
    r"(?P<month>[a-z]+)\.?[- ,.]*'?(?P<year>\d\d)|(?P<year_>\d\d)[- .](?P<month_>[a-z]+)\.?", re.ASCII
)
# A year of two digits that says that it is one: 21年3月, '21.
MARKED_YEAR = re.compile(r"'?(?P<year>\d\d)年(?P<rest> ?(?:\d\d?) ?月(?: ?\d\d? ?[日号])?)?|'(?P<year_>\d\d)", re.ASCII)
SEASON_BEHIND = re.compile(r"(\d{4})[ -](?:spring|summer|autumn|fall|winter)", re.ASCII)
CHINESE_DAY = re.compile(r"(\d{4})年 ?(\d\d?)月 ?(\d\d?)[日号]?", re.ASCII)
PIVOT = 50  # '49 is 2049, '50 is 1950


def _plain(text: str) -> str:
    words = " ".join(unicodedata.normalize("NFKC", text).translate(PLAIN_SIGNS).lower().split()).strip(" .,;()")
    words = re.sub(r"[t ]0?0:00(?::00(?:\.0+)?)?$", "", words).replace("’", "'").translate(FORMAL_DIGITS)
    return CHINESE_NUMBER.sub(in_digits, words)


def date_of_one_reading(text: str) -> PartialDate | None:
    """Return the date of a text that has one reading although its year is last, of two digits, or run together with the month."""
    return parse_partial_day(_year_first(_plain(text))) if len(text) <= LONGEST_DATE else None


def _year_first(words: str) -> str:
    """Return a date as it is written elsewhere; empty where that is in doubt."""
    if found := YEAR_BEFORE.fullmatch(words):
        words = f"{found[1]}-{found[3]}-{found[4]}"
    elif found := YEAR_BEHIND.fullmatch(words):
        days = _days_with_year_behind(found)
        words = days[0].isoformat() if len(days) == 1 else ""
    elif found := MONTH_AND_YEAR.fullmatch(words):
        words = f"{found[2]}-{found[1]}"
    elif found := YEAR_AND_MONTH.fullmatch(words):
        words = f"{found[1]}-{found[2]}"
    elif found := SEASON_BEHIND.fullmatch(words):
        words = found[1]
    elif found := MARKED_YEAR.fullmatch(words):
        words = f"{_long(found['year'] or found['year_'])}年{found['rest'] or ''}"
    return words


def date_in_order(text: str, order: str) -> PartialDate | None:
    """Return the date that a text means where all dates of a file have an order: day_first, month_first or year_first."""
    words = _plain(text) if order and len(text) <= LONGEST_DATE else ""
    if found := YEAR_BEHIND.fullmatch(words) or SHORT_YEAR.fullmatch(words):
        numbers = found[1], found[3], found[4]
        places = {"day_first": (2, 1, 0), "month_first": (2, 0, 1), "year_first": (0, 1, 2)}[order]
        year, month, day = (numbers[place] for place in places)
        found_day = _day(_long(year) if len(year) == 2 else year, month, day)
        return PartialDate(found_day) if found_day else None
    if (found := NAMED.fullmatch(words)) and order != "year_first":
        return parse_partial_day(f"{found['day']} {found['month']} {_long(found['year'])}")
    if found := NAMED_MONTH.fullmatch(words):
        name, year = found["month"] or found["month_"], found["year"] or found["year_"]
        return parse_partial_day(f"{name} {_long(year)}")
    return None


def readings_of_date(text: str) -> list[str]:
    """Return what a text may mean that names a date in more than one way, or with a year of two digits; empty for others."""
    if len(text) > LONGEST_DATE:
        return []
    words = _plain(text)
    days: list[dt.date | None] = []
    others: list[str] = []
    if found := YEAR_BEHIND.fullmatch(words):
        days += _days_with_year_behind(found)
    elif found := SHORT_YEAR.fullmatch(words):
        first, second, third = found[1], found[3], found[4]
        days += [_day(_long(first), second, third) if len(first) == 2 else None]
        days += [_day(_long(third), second, first), _day(_long(third), first, second)] if len(third) == 2 else []
    elif (found := NAMED.fullmatch(words)) and found["month"] in MONTHS:
        month = str(MONTHS[found["month"]])
        days += [_day(_long(found["year"]), month, found["day"])]
        days += [_day(_long(found["day"]), month, found["year"])] if len(found["day"]) == 2 else []
    elif (found := NAMED_MONTH.fullmatch(words)) and (found["month"] or found["month_"]) in MONTHS:
        number, named = found["year"] or found["year_"], MONTHS[found["month"] or found["month_"]]
        others.append(str(PartialDate(dt.date(int(_long(number)), named, 1), Precision.MONTH)))
        if as_day := _day("2024", str(named), number):
            others.append(date_format(as_day, "MONTH_DAY_FORMAT"))
    return [*dict.fromkeys(date_format(day) for day in days if day), *others]


def names_no_day(text: str) -> bool:
    """Whether a text is written as a day that does not exist, such as February 30."""
    words = _plain(text)
    found = YEAR_BEFORE.fullmatch(words) or CHINESE_DAY.fullmatch(words)
    return found is not None or YEAR_BEHIND.fullmatch(words) is not None


def _days_with_year_behind(found: re.Match[str]) -> list[dt.date]:
    """Return the days that a text with the year last may mean: the day or the month first."""
    days = _day(found[4], found[3], found[1]), _day(found[4], found[1], found[3])
    return [day for day in dict.fromkeys(days) if day]


def _long(year: str) -> str:
    return str(int(year) + (2000 if int(year) < PIVOT else 1900))


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        found = dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if EARLIEST_DAY <= found <= LATEST_DAY else None
