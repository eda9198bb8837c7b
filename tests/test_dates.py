"""Months counted from the first date, and days moved to one that is worked."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.dates import EARLIEST_DAY, LATEST_DAY, add_months, add_workdays, is_weekday, shift_to_workday


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2027-01-31", 1, "2027-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2027-03-31", -1, "2027-02-28"),
        ("2027-12-31", 1, "2028-01-31"),
        ("2027-01-15", -1, "2026-12-15"),
        ("2027-01-15", 0, "2027-01-15"),
        ("2027-08-31", 1200, "2127-08-31"),
    ],
)
def test_months_are_clamped_to_the_end_of_the_month(day: str, months: int, expected: str) -> None:
    assert add_months(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(expected)


@pytest.mark.parametrize("months", [10**9, -(10**9)])
def test_months_beyond_the_calendar_overflow_as_days_do(months: int) -> None:
    with pytest.raises(OverflowError):
        add_months(dt.date(2027, 1, 31), months)


@given(st.dates(EARLIEST_DAY, LATEST_DAY), st.integers(-1200, 1200))
def test_a_month_added_is_the_month_meant(day: dt.date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day <= day.day


@pytest.mark.parametrize(
    ("day", "step", "expected"),
    [
        ("2026-03-02", -1, "2026-03-02"),
        ("2026-03-01", -1, "2026-02-27"),
        ("2026-03-01", 1, "2026-03-02"),
        ("2026-02-28", 1, "2026-03-02"),
    ],
)
def test_moved_over_the_weekend(day: str, step: int, expected: str) -> None:
    assert shift_to_workday(dt.date.fromisoformat(day), is_weekday, step=step) == dt.date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2026-03-02", 0, "2026-03-02"),
        ("2026-03-02", 5, "2026-03-09"),  # Monday to Monday
        ("2026-02-27", 1, "2026-03-02"),
        ("2026-02-28", 1, "2026-03-02"),
    ],
)
def test_working_days_are_counted_over_the_weekend(day: str, count: int, expected: str) -> None:
    assert add_workdays(dt.date.fromisoformat(day), count, is_weekday) == dt.date.fromisoformat(expected)


def test_a_calendar_without_working_days_is_an_error() -> None:
    with pytest.raises(ValueError, match="no working day within 31 days of 2026-03-02"):
        shift_to_workday(dt.date(2026, 3, 2), lambda day: False, step=-1)
