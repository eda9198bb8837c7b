"""China's working days as the ``holidays`` library knows them."""

import datetime as dt
from collections.abc import Iterator, Mapping

import holidays

from partnerships.models import CalendarDay, WorkCalendar

COUNTRY = "CN"  # the one whose decrees we can tell from guesses
FIRST_YEAR = 2024  # the articles' year; nothing on record lies before
LAST_YEAR = 2100  # the library stops long before


def known_days() -> tuple[dt.date, list[CalendarDay]]:
    """Return the last day known, and every holiday and weekend day worked until then, not saved.

    A year counts as known when the library has its worked weekends: they are decreed each autumn, and beyond them the
    library goes on guessing without saying so.
    """
    days: list[CalendarDay] = []
    for year in range(FIRST_YEAR, LAST_YEAR):
        known = holidays.country_holidays(COUNTRY, years=year, language="en_US")
        worked = sorted(day for day in known.weekend_workdays if day.year == year)
        if not worked:
            break
        in_chinese = holidays.country_holidays(COUNTRY, years=year, language="zh_CN")
        days += _days_of_year(known, in_chinese, worked)
    return dt.date(days[-1].day.year, 12, 31), days


def _days_of_year(
    off: Mapping[dt.date, str], in_chinese: Mapping[dt.date, str], worked: list[dt.date]
) -> Iterator[CalendarDay]:
    for day, name in sorted(off.items()):
        yield CalendarDay(day=day, is_workday=False, name=name, name_zh=in_chinese[day])
    for day in worked:
        yield CalendarDay(day=day, is_workday=True, name="Worked in place of a holiday", name_zh="调休上班")


def seed_work_calendar() -> int:
    """Create the calendar and the days it lacks, move on its last known day, and return the number of changes.

    A day that people changed or removed stays as they left it.

    Unlike what staff edit it follows its source: with a newer library a later year becomes known.
    """
    covered_until, days = known_days()
    calendar, is_new = WorkCalendar.objects.get_or_create(
        code=COUNTRY,
        defaults={"name": "Working days in China", "name_zh": "中国工作日", "covered_until": covered_until},
    )
    _name_in_chinese(calendar, days)
    removed = CalendarDay.history.filter(calendar=calendar, history_type="-")
    known = {*calendar.days.values_list("day", flat=True), *removed.values_list("day", flat=True)}
    missing = [day for day in days if day.day not in known]
    for day in missing:
        day.calendar = calendar
        day.save()
    is_longer = calendar.covered_until < covered_until
    if is_longer:
        calendar.covered_until = covered_until
        calendar.save(update_fields=["covered_until"])
    return len(missing) + is_new + is_longer


def _name_in_chinese(calendar: WorkCalendar, days: list[CalendarDay]) -> None:
    """Give days of earlier seedings their Chinese name, unless somebody changed the English one."""
    names = {(day.day, day.name): day.name_zh for day in days}
    for day in calendar.days.filter(name_zh=""):
        if name_zh := names.get((day.day, day.name)):
            day.name_zh = name_zh
            day.save(update_fields=["name_zh"])
