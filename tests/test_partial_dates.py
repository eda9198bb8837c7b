"""Dates of which only the month, the year or nothing is known."""

import datetime as dt

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.partial_dates import PartialDate, Precision, partial_date

DAY = dt.date(2024, 2, 10)


@pytest.mark.parametrize(
    ("precision", "first", "last", "english", "chinese"),
    [
        ("day", DAY, DAY, "Feb. 10, 2024", "2024年2月10日"),
        ("month", dt.date(2024, 2, 1), dt.date(2024, 2, 29), "February 2024", "2024年2月"),
        ("year", dt.date(2024, 1, 1), dt.date(2024, 12, 31), "2024", "2024年"),
        ("unknown", EARLIEST_DAY, LATEST_DAY, "date not known", "日期不详"),
    ],
)
def test_what_is_known_of_a_date(precision: str, first: dt.date, last: dt.date, english: str, chinese: str) -> None:
    known = PartialDate(DAY, precision)
    assert (known.first, known.last) == (first, last)
    with override("en"):
        assert str(known) == english
    with override("zh-hans"):
        assert str(known) == chinese


@given(st.dates(EARLIEST_DAY, LATEST_DAY), st.sampled_from(Precision.values))
def test_a_date_lies_among_the_days_that_it_may_be(day: dt.date, precision: str) -> None:
    known = PartialDate(day, precision)
    assert known.first <= day <= known.last
    assert (PartialDate(known.first, precision).last, PartialDate(known.last, precision).first) == (
        known.last,
        known.first,
    )


def test_no_date_is_not_an_unknown_one() -> None:
    assert partial_date(None, "day") is None
    assert str(partial_date(None, "unknown")) == "date not known"
