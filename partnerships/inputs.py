"""Form fields for dates, amounts and currencies as people write them in Chinese and English, and lists to choose from."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location
from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.partial_dates import PartialDate, Precision

MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS = {form: number for number, name in enumerate(MONTH_NAMES, 1) for form in (name, name[:3])} | {"sept": 9}
ENGLISH_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CHINESE_DAYS = "一二三四五六日"
PLAIN_SIGNS = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-") | {"。": ".", "號": "号", "○": "〇", "零": "〇"})
# Year first, whatever stands between the numbers. A date with the year last has two readings, unless it names the month.
YEAR_FIRST = re.compile(
    r"(\d{4}) ?(?:- ?(\d\d?) ?- ?(\d\d?)|/ ?(\d\d?) ?/ ?(\d\d?)|\. ?(\d\d?) ?\. ?(\d\d?)|年 ?(\d\d?) ?月 ?(\d\d?) ?[日号]?)"
)
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
MONTH_FIRST = re.compile(r"(?P<month>[a-z]+)\.? (?P<day>\d\d?)(?:st|nd|rd|th)?(?:, ?| )(?P<year>\d{4})")
DAY_FIRST = re.compile(r"(?P<day>\d\d?)(?:st|nd|rd|th)?[ -](?:of )?(?P<month>[a-z]+)\.?,?[ -](?P<year>\d{4})")
MONTH_BETWEEN = re.compile(r"(?P<year>\d{4})(?:[ -]|, )(?P<month>[a-z]+)\.?[ -](?P<day>\d\d?)(?:st|nd|rd|th)?")
CHINESE_MONTH = re.compile(
    r"(?P<day>\d\d?) (?P<month>\d\d?)月,? (?P<year>\d{4})|(?P<month_>\d\d?)月 (?P<day_>\d\d?),? (?P<year_>\d{4})"
)
CHINESE_DIGITS = "〇一二三四五六七八九"
CHINESE_NUMBER = re.compile(f"[{CHINESE_DIGITS}十]+")
ENGLISH_WEEKDAY = re.compile(r"(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?[.,]* (.+)")
CHINESE_WEEKDAY = re.compile(r"(.+?) ?\(?(?:星期|周|週|礼拜)([一二三四五六日天])\)?")
EXAMPLE = dt.date(2026, 3, 5)
LONGEST_DATE = 60
# A month or a year alone. The part of it that somebody added, its first days or a season, is not a date of its own.
MONTH_ALONE = re.compile(
    r"(\d{4}) ?(?:年 ?(\d\d?) ?月(?:份|初|中|底|末|上旬|中旬|下旬)?|[-./] ?(\d\d?))|(\d\d?)/(\d{4})"
)
NAMED_MONTH_ALONE = re.compile(r"(?P<month>[a-z]+)\.?,?[ -](?P<year>\d{4})|(?P<year_>\d{4})[ -](?P<month_>[a-z]+)\.?")
YEAR_ALONE = re.compile(
    r"(?:(?:early|mid|late|spring|summer|autumn|fall|winter|q[1-4])[ -]?(?:of )?)?(\d{4})"
    r" ?(?:年(?:度|初|底|末|中|内|春|夏|秋|冬|上半年|下半年|第?[一二三四1-4]季度)?|上半年|下半年|[ -]?q[1-4])?"
)
TIME_BEHIND = re.compile(r"[t ]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]m)?z?$")
UNKNOWN_DATE = {
    "unknown",
    "not known",
    "date unknown",
    "undated",
    "no date",
    "n.d.",
    "不详",
    "未知",
    "日期不详",
    "时间不详",
}
UNKNOWN_DATE |= {"不明", "无日期", "待查", "待核实"}
# Serial numbers of days in spreadsheets: those of 1950 to 2119. Before them lie years, and behind them amounts.
FIRST_SERIAL, LAST_SERIAL = 18_264, 80_000
DAYS_OF_1904 = 1462

AMOUNT = re.compile(r"(-?)(\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+)(\.\d+)? ?([千万萬百亿億]*) ?[元圆圓]?", re.ASCII)
AMOUNT_IN_TWO_UNITS = re.compile(r"(\d+)[亿億] ?(\d{1,4}(?:\.\d+)?)([千百]?)[万萬] ?[元圆圓]?", re.ASCII)
# Yuan, which the field beside an amount names as well. Another currency is not dropped: that field may say yuan.
YUAN_BEFORE = re.compile(r"(?:¥|RMB|CNY|人民币) ?", re.IGNORECASE)
YUAN_BEHIND = re.compile(r" ?(?:RMB|CNY|人民币)", re.IGNORECASE)
LONGEST_AMOUNT = 60
# Numbers in words, plain and formal: 三十万, 叁拾万元整. 两 counts, as in 两万.
FORMAL_DIGITS = str.maketrans(
    "壹贰貳叁參叄肆伍陆陸柒捌玖拾佰仟萬億零兩两圆圓", "一二二三三三四五六六七八九十百千万亿〇二二元元"
)
_NUMBER = f"[{CHINESE_DIGITS}]|\\d+(?:\\.\\d+)?"
BELOW_TEN_THOUSAND = re.compile(
    rf"(?:(?P<thousands>{_NUMBER})千)?〇?(?:(?P<hundreds>{_NUMBER})百)?〇?(?:(?P<tens>{_NUMBER})?(?P<ten>十))?〇?(?P<ones>[{CHINESE_DIGITS[1:]}])?",
    re.ASCII,
)
IN_WORDS = re.compile(
    f"[{CHINESE_DIGITS}十百千万亿\\d.,]*[{CHINESE_DIGITS}十百千][{CHINESE_DIGITS}十百千万亿\\d.,]*", re.ASCII
)
COINS = re.compile(r"(?P<yuan>\d+)元(?:(?P<ten_cents>\d)角)?(?:(?P<cents>\d)分)?", re.ASCII)
UNITS = {
    "": 1,
    "千": 1000,
    "万": 10**4,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "十亿": 10**9,
    "百亿": 10**10,
    "千亿": 10**11,
    "万亿": 10**12,
}

COMMON_ZONES = (
    *("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Tokyo", "Asia/Seoul", "Asia/Singapore", "Asia/Dubai"),
    *("Europe/Moscow", "Europe/Berlin", "Europe/Paris", "Europe/London"),
    *("America/New_York", "America/Chicago", "America/Los_Angeles", "Australia/Sydney"),
)
COMMON_CURRENCIES = ("CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "MOP", "KRW", "SGD", "AUD", "CAD", "CHF", "RUB")
CURRENCY_WORDS = {
    **dict.fromkeys(("RMB", "RMB¥", "元", "人民币元", "人民幣", "¥", "YUAN", "RENMINBI"), "CNY"),
    **dict.fromkeys(("$", "US$", "DOLLAR", "US DOLLARS", "美金"), "USD"),
    **dict.fromkeys(("€", "EUROS", "歐元"), "EUR"),
    "£": "GBP",
    **dict.fromkeys(("HK$", "港元", "港币", "港幣"), "HKD"),
    **dict.fromkeys(("NT$", "NTD", "台币", "新台币", "新台幣", "新臺幣"), "TWD"),
    **dict.fromkeys(("日圆", "日圓", "日币"), "JPY"),
    **dict.fromkeys(("韩币", "₩"), "KRW"),
    **dict.fromkeys(("卢布", "₽"), "RUB"),
    **dict.fromkeys(("新币", "S$"), "SGD"),
    "A$": "AUD",
    "澳门元": "MOP",
    "加币": "CAD",
    "加元": "CAD",
    "澳元": "AUD",
}


@dataclass(frozen=True)
class Money:
    """An amount, and the code of its currency where it is named."""

    amount: Decimal
    currency: str = ""


def parse_day(text: str) -> dt.date | None:
    """Return the day that a text names without doubt, or None.

    A year has four digits; a month is named, or stands between year and day. A weekday has to be the right one.
    """
    text = " ".join(unicodedata.normalize("NFKC", text).translate(PLAIN_SIGNS).lower().split())
    weekday = None
    if found := ENGLISH_WEEKDAY.fullmatch(text):
        weekday, text = ENGLISH_DAYS.index(found[1][:3]), found[2]
    elif found := CHINESE_WEEKDAY.fullmatch(text):
        weekday, text = CHINESE_DAYS.index(found[2].replace("天", "日")), found[1]
    day = _day(CHINESE_NUMBER.sub(in_digits, text.removesuffix(".")))
    return day if day is None or weekday in {None, day.weekday()} else None


def parse_partial_day(text: str) -> PartialDate | None:
    """Return the date that a text names without doubt as far as it does: a day, a month, a year, or that it is not known."""
    if len(text) > LONGEST_DATE:
        return None
    words = " ".join(unicodedata.normalize("NFKC", text).translate(PLAIN_SIGNS).lower().split()).strip(" .,;()")
    words = TIME_BEHIND.sub("", words)
    day = parse_day(words)
    if day is not None:
        return PartialDate(day)
    if words in UNKNOWN_DATE:
        return PartialDate(EARLIEST_DAY, Precision.UNKNOWN)
    words = CHINESE_NUMBER.sub(in_digits, words)
    year, month = 0, 1
    if found := MONTH_ALONE.fullmatch(words):
        year, month = int(found[1] or found[5]), int(found[2] or found[3] or found[4])
    elif (found := NAMED_MONTH_ALONE.fullmatch(words)) and (found["month"] or found["month_"]) in MONTHS:
        year, month = int(found["year"] or found["year_"]), MONTHS[found["month"] or found["month_"]]
    elif found := YEAR_ALONE.fullmatch(words):
        return _within_calendar(int(found[1]), 1, Precision.YEAR)
    return _within_calendar(year, month, Precision.MONTH)


def _within_calendar(year: int, month: int, precision: Precision) -> PartialDate | None:
    if EARLIEST_DAY.year <= year <= LATEST_DAY.year and 1 <= month <= 12:
        return PartialDate(dt.date(year, month, 1), precision)
    return None


def parse_serial_day(number: float, *, epoch_1904: bool = False) -> PartialDate | None:
    """Return the date that a number in a cell stands for: a serial day of a spreadsheet, a year, or 20230315."""
    if float(number).is_integer() and EARLIEST_DAY.year <= number <= LATEST_DAY.year:
        return _within_calendar(int(number), 1, Precision.YEAR)
    if float(number).is_integer() and 10**7 <= number < 10**8:
        day = parse_day(str(int(number)))
        return PartialDate(day) if day else None
    if FIRST_SERIAL - DAYS_OF_1904 <= number <= LAST_SERIAL:
        return PartialDate(dt.date(1899, 12, 30) + dt.timedelta(days=int(number) + DAYS_OF_1904 * epoch_1904))
    return None


def _why_no_day(text: str) -> str:
    """Return what is wrong with a text that names no day."""
    partial = parse_partial_day(text)
    if partial is not None and partial.precision in {Precision.MONTH, Precision.YEAR}:
        return gettext("Enter the day as well, such as %(iso)s or %(example)s.")
    text = " ".join(unicodedata.normalize("NFKC", text).translate(PLAIN_SIGNS).lower().split())
    if _numbers_of_day(CHINESE_NUMBER.sub(in_digits, text.removesuffix("."))):
        return gettext("There is no such day. Enter a date such as %(iso)s or %(example)s.")
    return gettext("Enter a date such as %(iso)s or %(example)s.")


def in_digits(found: re.Match[str]) -> str:
    """Return a year written sign by sign, or a month or day, in digits: 二〇二六, 十二, 二十五."""
    tens, ten, ones = found[0].rpartition("十")
    digits = "".join(str(CHINESE_DIGITS.index(sign)) for sign in ones)
    if not ten:
        return digits
    return (
        f"{CHINESE_DIGITS.index(tens) if tens else 1}{digits or 0}" if len(tens) < 2 and len(digits) < 2 else found[0]
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date(*numbers) if (numbers := _numbers_of_day(text)) else None
    except ValueError:
        return None


def _numbers_of_day(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day as they were written, whether or not there is such a day."""
    if found := YEAR_FIRST.fullmatch(text) or COMPACT.fullmatch(text):
        year, month, day = (int(number) for number in found.groups() if number)
    elif found := CHINESE_MONTH.fullmatch(text):
        year, month, day = (int(found[name] or found[f"{name}_"]) for name in ("year", "month", "day"))
    elif found := MONTH_FIRST.fullmatch(text) or DAY_FIRST.fullmatch(text) or MONTH_BETWEEN.fullmatch(text):
        year, month, day = int(found["year"]), MONTHS.get(found["month"], 0), int(found["day"])
        if not month:
            return None  # not the name of a month
    else:
        return None
    return year, month, day


def number_in_words(text: str) -> Decimal | None:
    """Return the number that Chinese words or their mixture with digits mean, such as 三十万, 叁拾万 or 2万5千; None for others.

    两万五, which leaves its last unit out, is none.
    """
    text = text.translate(FORMAL_DIGITS)
    if re.fullmatch(rf"[{CHINESE_DIGITS}]+", text):  # sign by sign
        return Decimal("".join(str(CHINESE_DIGITS.index(sign)) for sign in text))
    if re.fullmatch(r"\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?", text, re.ASCII):
        return Decimal(text.replace(",", ""))
    for unit, factor in (("亿", 10**8), ("万", 10**4)):
        head, found, tail = text.rpartition(unit)
        if found:
            return _with_tail(number_in_words(head) if head else None, factor, tail)
    found_below = BELOW_TEN_THOUSAND.fullmatch(text)
    if not text or found_below is None:
        return None
    parts = found_below.groupdict()
    units = {"thousands": 1000, "hundreds": 100, "tens": 10}
    number = sum((_digits(parts[name]) * factor for name, factor in units.items() if parts[name]), Decimal(0))
    if parts["ten"] and not parts["tens"]:
        number += 10
    if parts["ones"]:
        if (parts["thousands"] or parts["hundreds"]) and not parts["ten"] and "〇" not in text:
            return None  # 一百二 is 120, and 一百〇二 is 102
        number += CHINESE_DIGITS.index(parts["ones"])
    return number


def _digits(text: str) -> Decimal:
    return Decimal(CHINESE_DIGITS.index(text)) if text in CHINESE_DIGITS else Decimal(text)


def _with_tail(head: Decimal | None, factor: int, tail: str) -> Decimal | None:
    """Return ``head`` times ``factor`` and what stands behind the unit, which is less than one of it."""
    low = number_in_words(tail.removeprefix("〇")) if tail else Decimal(0)
    if head is None or low is None or low >= factor or (len(tail) == 1 and tail != "十"):
        return None
    return head * factor + low


def parse_amount(text: str) -> Decimal | None:
    """Return the number that a text such as ``1,000,000``, ``100万``, ``1.2亿元`` or ``叁拾万元整`` means, or None."""
    if len(text) > LONGEST_AMOUNT:
        return None  # a number of a million digits is an error of arithmetic, not of the form
    if any(unicodedata.category(sign) == "No" for sign in text):
        return None  # normalizing would make 2 of ² and of ②
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    text = YUAN_BEFORE.sub("", text, count=1) if YUAN_BEFORE.match(text) else text
    text = text.removesuffix("整").removesuffix("正")
    if YUAN_BEHIND.search(text) and not YUAN_BEHIND.split(text)[-1]:
        text = YUAN_BEHIND.split(text)[0]
    if found := AMOUNT_IN_TWO_UNITS.fullmatch(text):
        return int(found[1]) * Decimal(UNITS["亿"]) + Decimal(found[2]) * UNITS[f"{found[3]}万"]
    found = AMOUNT.fullmatch(text)
    if found is None:
        return number_in_words(text.removesuffix("元").removesuffix("圆").removesuffix("圓"))
    factor = UNITS.get(found[4].replace("萬", "万").replace("億", "亿"))
    if factor is None:
        return None
    digits = found[2].replace(",", "").replace(" ", "")
    return Decimal(f"{found[1]}{digits}{found[3] or ''}") * factor


def _in_arabic(text: str) -> str:
    """Return a text with its numbers in Chinese words as digits: 叁拾万元伍角 becomes 300000.50元."""

    def digits(found: re.Match[str]) -> str:
        number = number_in_words(found[0])
        return found[0] if number is None else f"{number:f}"

    def coins(found: re.Match[str]) -> str:
        return f"{found['yuan']}.{found['ten_cents'] or 0}{found['cents'] or 0}元"

    plain = text.translate(FORMAL_DIGITS)
    if not IN_WORDS.search(plain) and "角" not in plain and "分" not in plain:
        return text
    return COINS.sub(coins, IN_WORDS.sub(digits, plain))


NUMBER_IN_MONEY = re.compile(r"-?\d[\d,. ]*(?: ?[十百千]?[万萬亿億]+(?: ?\d+(?:\.\d+)? ?[千百]?[万萬])?)?")
ENGLISH_SCALE = re.compile(r"(thousand|k|w|million|mio|mln|mn|m|billion|bn)\b\.?", re.IGNORECASE)
SCALES = {"thousand": 10**3, "k": 10**3, "w": 10**4, "billion": 10**9, "bn": 10**9}  # all others are millions
# Points between thousands, which only a number with two of them or with a comma behind them has without doubt.
GERMAN_NUMBER = re.compile(
    r"(?<![\d.,])(?:\d{1,3}(?:\.\d{3}){2,}(?:,\d{1,2})?|\d{1,3}(?:\.\d{3})+,\d{1,2})(?![\d.,])", re.ASCII
)
REMARK_ON_MONEY = re.compile(r"\((?:不?含税|大写|小写|税[前后]|in words|incl\. VAT|excl\. VAT)\)", re.IGNORECASE)
SUM_BEFORE = re.compile(r"^(?:共计|合计|总计|总额|共|in total|total)[:： ]*", re.IGNORECASE)
IN_BRACKETS_BEHIND = re.compile(r"(?P<first>[^()]+)\((?P<second>[^()]+)\)")
ABOUT = re.compile(r"^(?:约|大约|近|approx(?:imately|\.)?|about|ca?\.|circa|~|≈) ?", re.IGNORECASE)


def parse_money(text: str) -> Money | None:
    """Return the amount of a text such as ``50万欧元``, ``USD 1.5 million`` or ``约100万元``, with its currency if it names one."""
    if len(text) > LONGEST_AMOUNT:
        return None
    if any(unicodedata.category(sign) == "No" for sign in text):
        return None
    words = REMARK_ON_MONEY.sub("", " ".join(unicodedata.normalize("NFKC", text).translate(PLAIN_SIGNS).split()))
    words = ABOUT.sub("", SUM_BEFORE.sub("", words)).removesuffix("左右").strip()
    if said_twice := IN_BRACKETS_BEHIND.fullmatch(words):
        return _said_twice(said_twice["first"].strip(), said_twice["second"].strip())
    return _money(_in_arabic(words))


def _said_twice(first: str, second: str) -> Money | None:
    """Return an amount with the same amount, or its currency, in brackets behind it."""
    money, again = _money(_in_arabic(first)), _money(_in_arabic(second))
    if money is None:
        return None
    if again is None:
        currency = parse_currency(second)
        return Money(money.amount, currency) if currency and money.currency in {"", currency} else None
    currencies = {money.currency, again.currency} - {""}
    return Money(money.amount, *currencies) if money.amount == again.amount and len(currencies) < 2 else None


def _money(words: str) -> Money | None:
    words = GERMAN_NUMBER.sub(lambda found: found[0].replace(".", "").replace(",", "."), words)
    found = NUMBER_IN_MONEY.search(words)
    if found is None:
        return None
    before, behind = (
        words[: found.start()].strip(" :"),
        words[found.end() :].strip().removesuffix("整").removesuffix("正"),
    )
    factor = 1
    if scale := ENGLISH_SCALE.match(behind):
        factor, behind = SCALES.get(scale[1].lower(), 10**6), behind[scale.end() :].strip()
    behind = behind.removeprefix("元") or behind  # 元人民币
    names = [name for name in (before, behind) if name]
    codes = {parse_currency(name) for name in names}
    number = parse_amount(found[0].strip(" ,."))
    if number is None or None in codes or len(codes) > 1:
        return None
    return Money(number * factor, codes.pop() or "" if codes else "")


SHORTEST_NUMBER, LONGEST_NUMBER = 5, 50
IN_POWERS = re.compile(r"(\d)[.,](\d+)e\+?(\d+)", re.IGNORECASE)


def parse_phone(value: str | float) -> str | None:
    """Return a phone number as it is written, or None for what has too few digits: so many that a spreadsheet cut some off.

    A number in a cell is a number without its leading zero, and 1.38E+10 is one without most of its digits.
    """
    if isinstance(value, float | int):
        return str(int(value)) if float(value).is_integer() and 10**4 <= value < 10**15 else None
    text = " ".join(unicodedata.normalize("NFKC", value).translate(PLAIN_SIGNS).split())
    if found := IN_POWERS.fullmatch(text):
        digits = found[1] + found[2]
        return digits if len(digits) == int(found[3]) + 1 else None
    text = text.removesuffix(".0") if text.replace(".", "", 1).isdigit() else text
    is_number = sum(sign.isdigit() for sign in text) >= SHORTEST_NUMBER
    return text if is_number and len(text) <= LONGEST_NUMBER else None


def parse_currency(text: str) -> str | None:
    """Return the ISO 4217 code that a text is or names, or None."""
    words = " ".join(unicodedata.normalize("NFKC", text).upper().split())
    code, _space, name = words.partition(" ")
    if name and _code_named(name) == code:  # both, as we print them
        words = code
    code = _code_named(words)
    return code if code in chain(*_currencies()) else None


def _code_named(words: str) -> str:
    return CURRENCY_WORDS.get(words) or _codes_by_name().get(words) or words


def validate_currency(code: str) -> None:
    """Refuse what is no code of a currency."""
    if code not in chain(*_currencies()):
        raise ValidationError(_("Choose a currency by its code, such as CNY or USD."), code="invalid_choice")


@cache
def _currencies() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes of today's currencies and of former ones, which old agreements may name."""
    tenders = [one for found in get_global("territory_currencies").values() for one in found if one[3]]
    current = {code for code, _start, end, _is_tender in tenders if end is None}
    former = {code for code, _start, _end, _is_tender in tenders} - current
    return tuple(sorted(current)), tuple(sorted(former))


@cache
def _codes_by_name() -> dict[str, str]:
    names = [Locale.parse(language).currencies for language in ("en", "zh_Hans")]
    return {
        names_of[code].upper(): code
        for names_of in names
        for code in reversed([*chain(*_currencies())])  # of one name, the first code counts: a current one
        if code in names_of
    }


@cache
def _zone_names(locale: str) -> dict[str, str]:
    """Return the time zones and what a reader calls them: in English by their own names, else by the city."""
    zones = sorted(zone for zone in available_timezones() if "/" in zone)
    if locale == "en":
        return {zone: zone.replace("_", " ") for zone in zones}
    return {zone: f"{get_timezone_location(zone, locale=locale, return_city=True)} ({zone})" for zone in zones}


def time_zone_choices(current: str) -> list[tuple[object, list[tuple[str, str]]]]:
    """Return the time zones for a drop-down, common ones first; ``current`` is among them even if it is unknown."""
    names = _zone_names(_locale())
    others = {current: current} | names if current not in names else names
    common = [(zone, names[zone]) for zone in COMMON_ZONES if zone in names]
    return [
        (_("Common"), common),
        (_("Others"), [(zone, name) for zone, name in others.items() if zone not in COMMON_ZONES]),
    ]


def _locale() -> str:
    return "zh_Hans" if (get_language() or "").startswith("zh") else "en"


def currency_choices() -> Iterator[tuple[object, object]]:
    """Return the currencies for a drop-down, named in the reader's language: common ones first, former ones last."""
    locale = Locale.parse(_locale())
    current, former = _currencies()

    def named(codes: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(code, f"{code} {locale.currencies.get(code, '')}".strip()) for code in codes]

    yield _("Common"), named(COMMON_CURRENCIES)
    yield _("Others"), named(tuple(code for code in current if code not in COMMON_CURRENCIES))
    yield _("Former"), named(former)


class DayInput(forms.DateInput):
    """The date picker of the browser; it sends ISO dates in every language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, object] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A date in any form that has one reading."""

    def to_python(self, value: str | dt.date | None) -> dt.date | None:
        if not isinstance(value, str) or value.strip() in self.empty_values:
            return super().to_python("" if isinstance(value, str) else value)
        if (day := parse_day(value)) is None:
            raise ValidationError(
                _why_no_day(value),
                code="invalid",
                params={"iso": EXAMPLE.isoformat(), "example": date_format(EXAMPLE)},
            )
        return day


class AmountField(forms.DecimalField):
    """A number with or without separators of thousands, or counted in 万 or 亿."""

    widget = forms.TextInput  # a number field of the browser takes neither
    default_error_messages = {"min_value": _("An amount cannot be negative.")}

    def widget_attrs(self, widget: forms.Widget) -> dict[str, object]:
        return {**super().widget_attrs(widget), "inputmode": "decimal"}

    def to_python(self, value: object) -> Decimal | None:  # type: ignore[override]  # as DecimalField itself
        if not isinstance(value, str) or value.strip() in self.empty_values:
            return super().to_python("" if isinstance(value, str) else value)
        if (number := parse_amount(value)) is None:
            raise ValidationError(_("Enter a number such as 1000000, 1,000,000 or 100万."), code="invalid")
        return super().to_python(str(number))


class WholeNumberField(forms.IntegerField):
    """A whole number, written as in an ``AmountField``. Django's own field takes 1_000 and digits of any script."""

    widget = forms.TextInput  # a number field of the browser takes no separators

    def __init__(self, *, is_small: bool = False, max_value: int | None = None, **kwargs: Any) -> None:
        super().__init__(max_value=max_value, **kwargs)
        self.is_small = is_small or (max_value is not None and max_value < 10_000)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, object]:
        return {**super().widget_attrs(widget), "inputmode": "numeric"}

    def to_python(self, value: object) -> int | None:
        if not isinstance(value, str) or value.strip() in self.empty_values:
            return super().to_python("" if isinstance(value, str) else value)
        number = parse_amount(value)
        if number is None or number != number.to_integral_value():
            if self.is_small:
                raise ValidationError(_("Enter a whole number such as 3."), code="invalid")
            raise ValidationError(_("Enter a whole number such as 1000, 1,000 or 10万."), code="invalid")
        return super().to_python(int(number))


class CurrencyField(forms.ChoiceField):
    """A currency of ISO 4217, by its code or its name."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)  # a column of text passes its own
        kwargs.pop("empty_value", None)
        super().__init__(choices=currency_choices, **kwargs)

    def to_python(self, value: object) -> str:
        text = super().to_python(value)
        return parse_currency(text) or text
