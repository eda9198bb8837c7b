"""Dates of which only the month, the year or nothing is known."""

import calendar
import datetime as dt
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from partnerships.dates import EARLIEST_DAY, LATEST_DAY


class Precision(TextChoices):
    """How much of a date is known."""

    DAY = "day", gettext_lazy("the day is known")
    MONTH = "month", gettext_lazy("only month and year are known")
    YEAR = "year", gettext_lazy("only the year is known")
    UNKNOWN = "unknown", gettext_lazy("the date is not known")


@dataclass(frozen=True)
class PartialDate:
    """A date as far as it is known. ``day`` is any of the days that it may be."""

    day: dt.date
    precision: str = Precision.DAY

    @property
    def is_complete(self) -> bool:
        return self.precision == Precision.DAY

    @property
    def first(self) -> dt.date:
        """Return the first day that it may be."""
        if self.precision == Precision.MONTH:
            return self.day.replace(day=1)
        if self.precision == Precision.YEAR:
            return self.day.replace(month=1, day=1)
        return EARLIEST_DAY if self.precision == Precision.UNKNOWN else self.day

    @property
    def last(self) -> dt.date:
        """Return the last day that it may be."""
        if self.precision == Precision.MONTH:
            return self.day.replace(day=calendar.monthrange(self.day.year, self.day.month)[1])
        if self.precision == Precision.YEAR:
            return self.day.replace(month=12, day=31)
        return LATEST_DAY if self.precision == Precision.UNKNOWN else self.day

    def __str__(self) -> str:
        """Return what is known of it, in the reader's language; never the first of January for a year."""
        if self.precision == Precision.UNKNOWN:
            return _("date not known")
        if self.precision == Precision.YEAR:
            return pgettext("a year alone", "%(year)s") % {"year": self.day.year}
        return date_format(self.day, "YEAR_MONTH_FORMAT" if self.precision == Precision.MONTH else "DATE_FORMAT")


def partial_date(day: dt.date | None, precision: str) -> PartialDate | None:
    """Return the date of two columns; None where there is none and nobody said that it is unknown."""
    if day is None:
        return PartialDate(EARLIEST_DAY, Precision.UNKNOWN) if precision == Precision.UNKNOWN else None
    return PartialDate(day, precision)
