import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from partnerships.models import CalendarDay, WorkCalendar
from partnerships.seeding.work_calendars import known_days

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

WORKED_2026 = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]
# The 4th is a Sunday, and needs no row to be off.
NATIONAL_DAY = ["2026-10-01", "2026-10-02", "2026-10-03", "2026-10-05", "2026-10-06", "2026-10-07"]


def load() -> str:
    out = StringIO()
    call_command("load_work_calendar", "CN", stdout=out)
    return out.getvalue().strip()


def days(**filters: object) -> list[str]:
    found = CalendarDay.objects.filter(**filters).order_by("day").values_list("day", flat=True)
    return [day.isoformat() for day in found]


def test_2026_is_known_with_its_worked_weekends_and_2027_is_not() -> None:
    load()

    assert WorkCalendar.objects.get().covered_until == dt.date(2026, 12, 31)
    assert days(day__year=2026, is_workday=True) == WORKED_2026
    assert days(day__year=2026, is_workday=False, day__month=10) == NATIONAL_DAY
    assert days(day__year__gte=2027) == []


def test_a_year_the_library_only_guesses_is_not_known() -> None:
    covered_until, found = known_days()

    assert covered_until == max(day.day for day in found).replace(month=12, day=31)
    assert {day.day.year for day in found if day.is_workday} == {day.day.year for day in found}


def test_a_second_time_changes_nothing_and_keeps_what_people_changed_or_removed() -> None:
    load()
    CalendarDay.objects.get(day=dt.date(2026, 10, 7)).delete()
    changed = CalendarDay.objects.get(day=dt.date(2026, 10, 6))
    changed.is_workday = True
    changed.save()

    assert load() == "0 changes; known until 2026-12-31."

    assert days(day__year=2026, is_workday=False, day__month=10) == NATIONAL_DAY[:-2]
    assert changed.history.count() == 2


def test_a_country_whose_guesses_cannot_be_told_from_decrees_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'DE'"):
        call_command("load_work_calendar", "DE")


def test_days_of_an_earlier_version_get_their_chinese_names_and_typed_names_stay() -> None:
    load()
    CalendarDay.objects.filter(day__month=10).update(name_zh="")
    CalendarDay.objects.filter(day=dt.date(2026, 10, 1)).update(name="Our own name")

    load()

    with override("zh-hans"):
        names = [CalendarDay.objects.get(day=dt.date(2026, 10, day)).display_name for day in (1, 2)]
    assert names == ["Our own name", "国庆节"]
