"""Terms in the words of offices, in Chinese and English."""

import datetime as dt

import pytest

from partnerships.durations import Duration, parse_duration
from partnerships.partial_dates import PartialDate, Precision

JUNE_2027 = PartialDate(dt.date(2027, 6, 1), Precision.MONTH)


def years(first: int, last: int) -> Duration:
    start, end = (PartialDate(dt.date(year, 1, 1), Precision.YEAR) for year in (first, last))
    return Duration(starts=start, ends=end)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("5 years", 60),
        ("three years", 36),
        ("three (3) years", 36),
        ("Five-year term", 60),
        ("five years from the date of signature", 60),
        ("18 months", 18),
        ("1.5 years", 18),
        ("2 years and 6 months", 30),
        ("half a year", 6),
        ("3", 36),
        ("5 years (not renewable)", 60),
        ("五年", 60),
        ("两年", 24),
        ("一年半", 18),
        ("半年", 6),
        ("36个月", 36),
        ("３年", 36),
        ("十年", 120),
        ("自签署之日起三年有效", 36),
        ("有效期五年，到期不再续签", 60),
        ("5 (five) years", 60),
        ("5 years unless terminated", 60),
        ("叁年", 36),
        ("三年零六个月", 42),
        ("5年，自签署之日起生效", 60),
    ],
)
def test_a_length_alone(text: str, months: int) -> None:
    assert parse_duration(text) == Duration(months)


@pytest.mark.parametrize(
    ("text", "months", "renewal", "renewal_months", "limit"),
    [
        ("3 years, then 1 year at a time", 36, "automatic", 12, None),
        ("1 year, automatically renewed", 12, "automatic", None, None),
        ("3 years, auto renewal for 2 years, at most 2 times", 36, "automatic", 24, 2),
        ("三年，到期自动续一年", 36, "automatic", 12, None),
        ("五年，期满如无异议自动顺延五年", 60, "automatic", 60, None),
        ("3年，每次自动续1年", 36, "automatic", 12, None),
        ("5 yrs (renewable)", 60, "agreed", None, None),
        ("5 years, renewable for another 5 years", 60, "agreed", 60, None),
        ("2 years; extendable once for 1 year", 24, "agreed", 12, 1),
        ("3年（可续签）", 36, "agreed", None, None),
        ("initial 3 years, auto-renewed annually", 36, "automatic", 12, None),
        ("5 years; automatic renewal for one further period of 5 years", 60, "automatic", 60, 1),
        # The months of notice are no length of a renewal.
        ("三年，期满前三个月无异议自动顺延", 36, "automatic", None, None),
        ("3 years, automatic renewal for 2 years unless notice is given 6 months before", 36, "automatic", 24, None),
        ("3+2", 36, "agreed", 24, 1),
        ("1 + 1 + 1", 12, "agreed", 12, 2),
    ],
)
def test_a_length_with_its_renewal(
    text: str, months: int, renewal: str, renewal_months: int | None, limit: int | None
) -> None:
    assert parse_duration(text) == Duration(months, renewal=renewal, renewal_months=renewal_months, renewal_limit=limit)


@pytest.mark.parametrize(
    "text",
    [
        *("长期", "长期有效", "永久", "无固定期限", "indefinite", "Till consent", "until further notice"),
        *("Until terminated by either party", "open-ended", "Unlimited", "No expiry date"),
    ],
)
def test_open_ended(text: str) -> None:
    assert parse_duration(text) == Duration(is_open_ended=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("until June 2027", Duration(ends=JUNE_2027)),
        ("至2027年6月", Duration(ends=JUNE_2027)),
        ("有效期至2027年6月30日", Duration(ends=PartialDate(dt.date(2027, 6, 30)))),
        ("2021-2024", years(2021, 2024)),
        ("五年（2021—2026）", years(2021, 2026)),
        ("2021-2024 (3 years)", years(2021, 2024)),
        ("2021年3月5日起五年", Duration(60, starts=PartialDate(dt.date(2021, 3, 5)))),
        ("5 years from 5 March 2021", Duration(60, starts=PartialDate(dt.date(2021, 3, 5)))),
        (
            "2021.3.1-2024.2.28",
            Duration(starts=PartialDate(dt.date(2021, 3, 1)), ends=PartialDate(dt.date(2024, 2, 28))),
        ),
        (
            "January 1, 2020 to December 31, 2024",
            Duration(starts=PartialDate(dt.date(2020, 1, 1)), ends=PartialDate(dt.date(2024, 12, 31))),
        ),
        (
            "until 31 December 2027, renewed automatically",
            Duration(ends=PartialDate(dt.date(2027, 12, 31)), renewal="automatic"),
        ),
    ],
)
def test_an_end(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "ask the dean",
        "3-5 years",
        "3 years subject to funding",
        "2024-2021",
        "每年续签",
        "0",
        "3+2+1",
        "",
        "2000 years",
    ],
)
def test_what_has_no_one_reading_is_refused(text: str) -> None:
    assert parse_duration(text) is None


def test_a_number_alone_counts_what_the_heading_says() -> None:
    assert parse_duration("36", unit="months") == Duration(36)
