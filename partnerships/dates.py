"""Calendar arithmetic without a clock and without a database."""

import calendar
import datetime as dt
from collections.abc import Callable

IsWorkday = Callable[[dt.date], bool]
LONGEST_SHIFT_DAYS = 31
# Nobody means a day outside these: it is the year 0024 typed for 2024, or a spreadsheet's 9999-12-31 for "no end". They
# also leave room for every period we add or take away.
EARLIEST_DAY = dt.date(1900, 1, 1)
LATEST_DAY = dt.date(2199, 12, 31)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return ``day`` moved by whole months, clamped to the end of the month (31 January + 1 = 28 or 29 February).

    Count from the first date, never from the last result: chained clamping drifts.
    Raises ``OverflowError`` beyond the years 1 to 9999, as ``datetime`` does for days.
    """
    month_index = day.year * 12 + day.month - 1 + months
    year, month = divmod(month_index, 12)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise OverflowError("date value out of range")
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def whole_months(first: dt.date, last: dt.date) -> int:
    """Return how many whole months the days from ``first`` to ``last`` hold, both included.

    1 March 2021 to 28 February 2026 are 60. The day more of 1 March to 1 March does not count.
    """
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    while months > 0 and last_day_of(first, months) > last:
        months -= 1
    return months


def last_day_of(first: dt.date, months: int) -> dt.date:
    """Return the last of ``months`` that begin on ``first``: five years end on the day before the anniversary."""
    return add_months(first, months) - dt.timedelta(days=1)


def is_weekday(day: dt.date) -> bool:
    return day.weekday() < 5


def add_workdays(day: dt.date, count: int, is_workday: IsWorkday) -> dt.date:
    """Return the ``count``-th working day after ``day``, which need not be one itself.

    Raises ``ValueError`` as ``shift_to_workday`` does.
    """
    for _workday in range(count):
        day = shift_to_workday(day + dt.timedelta(days=1), is_workday, step=1)
    return day


def shift_to_workday(day: dt.date, is_workday: IsWorkday, *, step: int) -> dt.date:
    """Return the nearest working day at or before (``step=-1``) or at or after (``step=1``) ``day``.

    Raises ``ValueError`` when a calendar knows no working day for a month: its data are broken.
    """
    for distance in range(LONGEST_SHIFT_DAYS + 1):
        candidate = day + dt.timedelta(days=distance * step)
        if is_workday(candidate):
            return candidate
    raise ValueError(f"no working day within {LONGEST_SHIFT_DAYS} days of {day.isoformat()}")
