"""Working days."""

import datetime as dt

import factory

from partnerships.factories.base import DAY, ModelFactory
from partnerships.models import CalendarDay, WorkCalendar


class WorkCalendarFactory(ModelFactory):
    class Meta:
        model = WorkCalendar

    code = factory.Sequence("calendar-{}".format)
    name = factory.Sequence("Calendar {}".format)
    covered_until = dt.date(2026, 12, 31)


class CalendarDayFactory(ModelFactory):
    """A holiday, each one a day later; ``is_workday=True``: a weekend day that is worked."""

    class Meta:
        model = CalendarDay

    calendar = factory.SubFactory(WorkCalendarFactory)
    day = factory.Sequence(lambda number: DAY + dt.timedelta(days=number))
    is_workday = False
