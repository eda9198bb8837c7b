import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from partnerships.dates import is_weekday
from partnerships.models import ReminderRule
from partnerships.reminders.schedule import Moment, WorkingDays, moment

WEEKDAYS = WorkingDays(is_weekday)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


def rule(offset: int = 0, unit: str = "days", direction: str = "before", **fields: object) -> ReminderRule:
    return ReminderRule(offset=offset, offset_unit=unit, direction=direction, **fields)


def local(
    a_rule: ReminderRule, due_on: dt.date, zone: ZoneInfo = SHANGHAI, working: WorkingDays = WEEKDAYS
) -> dt.datetime:
    found = moment(a_rule, due_on, zone, working)
    assert found is not None
    return found.send_at.astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("offset", "unit", "direction", "due_on", "expected"),
    [
        (0, "days", "before", "2026-12-01", "2026-12-01"),
        (7, "days", "before", "2026-12-01", "2026-11-24"),
        (3, "days", "after", "2026-12-30", "2027-01-02"),
        (2, "weeks", "before", "2027-01-05", "2026-12-22"),
        (1, "months", "before", "2026-03-31", "2026-02-28"),
        (1, "months", "before", "2028-03-31", "2028-02-29"),
        (12, "months", "before", "2028-02-29", "2027-02-28"),
        (1, "months", "after", "2027-01-31", "2027-02-28"),
        (13, "months", "before", "2027-01-31", "2025-12-31"),
        (1, "days", "before", "2028-03-01", "2028-02-29"),
    ],
)
def test_the_day_is_counted_from_the_due_date(
    offset: int, unit: str, direction: str, due_on: str, expected: str
) -> None:
    assert local(rule(offset, unit, direction), dt.date.fromisoformat(due_on)).date().isoformat() == expected


@pytest.mark.parametrize(
    ("zone", "send_time", "due_on", "expected"),
    [
        ("Asia/Shanghai", "08:00", "2026-12-01", "2026-12-01T00:00:00+00:00"),
        # The gap of 8 March 2026, 02:00 to 03:00: half past two is sent at half past three.
        ("America/New_York", "02:30", "2026-03-08", "2026-03-08T07:30:00+00:00"),
        # The fold of 1 November 2026: the first half past one, in daylight time.
        ("America/New_York", "01:30", "2026-11-01", "2026-11-01T05:30:00+00:00"),
        # Lord Howe moves by half an hour.
        ("Australia/Lord_Howe", "02:15", "2026-10-04", "2026-10-03T15:45:00+00:00"),
        # Samoa had no 30 December 2011 at all.
        ("Pacific/Apia", "08:00", "2011-12-30", "2011-12-30T18:00:00+00:00"),
    ],
)
def test_the_local_time_becomes_one_moment(zone: str, send_time: str, due_on: str, expected: str) -> None:
    a_rule = rule(send_time=dt.time.fromisoformat(send_time))

    found = moment(a_rule, dt.date.fromisoformat(due_on), ZoneInfo(zone), WEEKDAYS)

    assert found is not None
    assert found.send_at.isoformat() == expected


@pytest.mark.parametrize(
    ("shift", "expected"),
    [("none", "2026-12-05"), ("previous", "2026-12-04"), ("next", "2026-12-07")],
)
def test_a_day_off_is_shifted_as_the_rule_says(shift: str, expected: str) -> None:
    assert local(rule(shift=shift), dt.date(2026, 12, 5)).date().isoformat() == expected


def test_holidays_and_make_up_workdays_come_from_the_calendar() -> None:
    # National Day 2026: 1 to 7 October off, Saturday 10 October worked.
    exceptions = {dt.date(2026, 10, day): False for day in range(1, 8)} | {dt.date(2026, 10, 10): True}
    working = WorkingDays(lambda day: exceptions.get(day, is_weekday(day)), covered_until=dt.date(2026, 12, 31))

    assert local(rule(shift="previous"), dt.date(2026, 10, 4), working=working).date() == dt.date(2026, 9, 30)
    assert local(rule(shift="next"), dt.date(2026, 10, 4), working=working).date() == dt.date(2026, 10, 8)
    assert local(rule(shift="next"), dt.date(2026, 10, 10), working=working).date() == dt.date(2026, 10, 10)


@pytest.mark.parametrize(
    ("shift", "due_on", "expected"),
    [("none", "2027-03-01", False), ("previous", "2026-12-31", False), ("previous", "2027-01-02", True)],
)
def test_beyond_the_known_working_days_a_shifted_moment_is_provisional(shift: str, due_on: str, expected: bool) -> None:
    working = WorkingDays(is_weekday, covered_until=dt.date(2026, 12, 31))

    found = moment(rule(shift=shift), dt.date.fromisoformat(due_on), SHANGHAI, working)

    assert found is not None
    assert found.is_provisional is expected


@pytest.mark.parametrize(
    ("offset", "direction", "expected"),
    [
        (30, "before", dt.datetime(2026, 12, 1, 16, tzinfo=dt.UTC)),  # the due date is over in Shanghai
        (0, "before", dt.datetime(2026, 12, 8, 0, tzinfo=dt.UTC)),
        (3, "after", dt.datetime(2026, 12, 11, 0, tzinfo=dt.UTC)),
    ],
)
def test_it_expires_with_the_due_date_or_a_week_after_its_time(
    offset: int, direction: str, expected: dt.datetime
) -> None:
    found = moment(rule(offset, direction=direction), dt.date(2026, 12, 1), SHANGHAI, WEEKDAYS)

    assert found is not None
    assert found.expires_at == expected


@pytest.mark.parametrize(
    ("offset", "unit", "direction", "due_on"),
    [
        (3, "days", "after", dt.date.max),
        (3650, "months", "before", dt.date(100, 1, 1)),
        (0, "days", "before", dt.date.min),
    ],
)
def test_outside_the_calendar_there_is_no_moment(offset: int, unit: str, direction: str, due_on: dt.date) -> None:
    found: Moment | None = moment(rule(offset, unit, direction), due_on, SHANGHAI, WEEKDAYS)

    assert found is None


def test_a_calendar_without_working_days_does_not_lose_the_reminder() -> None:
    found = moment(rule(shift="previous"), dt.date(2026, 12, 1), SHANGHAI, WorkingDays(lambda day: False))

    assert found is not None
    assert (found.send_at.isoformat(), found.is_provisional) == ("2026-12-01T00:00:00+00:00", True)
