"""Working days as data: statutory holidays and the weekends worked in their place."""

import datetime as dt
from collections import defaultdict

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from partnerships.dates import IsWorkday, is_weekday
from partnerships.models.base import BilingualModel, DayColumn, History, LineField, OfficeModel, ReferenceModel
from partnerships.models.sort_keys import ByName


class WorkCalendar(BilingualModel, ReferenceModel):
    """A country's working days, known until ``covered_until``; after it, Monday to Friday is a guess."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    covered_until = DayColumn(
        _("known until"), help_text=_("Beyond it reminders are provisional, and counted again once it is moved on.")
    )

    history = History()

    class Meta:
        verbose_name = _("calendar of working days")
        verbose_name_plural = _("calendars of working days")
        ordering = [ByName(), "pk"]


class CalendarDay(OfficeModel):
    """A day that is not what its weekday says: a holiday, or a weekend day that is worked."""

    calendar = models.ForeignKey(WorkCalendar, models.CASCADE, related_name="days", verbose_name=_("calendar"))
    day = DayColumn(_("day"))
    is_workday = models.BooleanField(_("worked"))
    name = LineField(_("name"), max_length=100, blank=True)
    name_zh = LineField(_("Chinese name"), max_length=100, blank=True, default="", db_default="")

    history = History()

    class Meta:
        verbose_name = _("day")
        verbose_name_plural = _("days")
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "day"],
                name="calendar_day_unique",
                violation_error_code="day",
                violation_error_message=_("This calendar has that day already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.display_name}"

    @property
    def display_name(self) -> str:
        """The name in the reader's language, or what there is."""
        names = self.name, self.name_zh
        first, second = names[::-1] if (get_language() or "").startswith("zh") else names
        return first or second


def workday_test(calendar: WorkCalendar | None) -> IsWorkday:
    """Return a function that says whether a day is worked; it reads the calendar's days once."""
    if calendar is None:
        return is_weekday
    return _test_of(dict(calendar.days.values_list("day", "is_workday")))


def workday_tests() -> defaultdict[int | None, IsWorkday]:
    """Return the test of each calendar by its id, read in one query; for any other id that of weekdays."""
    exceptions: dict[int, dict[dt.date, bool]] = defaultdict(dict)
    for calendar, day, is_workday in CalendarDay.objects.values_list("calendar", "day", "is_workday"):
        exceptions[calendar][day] = is_workday
    return defaultdict(lambda: is_weekday, {calendar: _test_of(days) for calendar, days in exceptions.items()})


def _test_of(exceptions: dict[dt.date, bool]) -> IsWorkday:
    return lambda day: exceptions.get(day, is_weekday(day))
