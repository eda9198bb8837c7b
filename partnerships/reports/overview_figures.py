"""Figures of the overview and of the reports: each with the list of exactly the rows that it counts.

Everything here is made of plain values, so that a report can freeze it (``dataclasses.asdict``) and draw it again later.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language

# Last contact within so many days, up to the number and from the one before; more than the last number; never.
CONTACT_DAYS = (30, 90, 180, 365)
# The charts by month show so many months up to that of the day; trends as well.
MONTHS = 24


@dataclass(frozen=True)
class ReportPeriod:
    """A calendar year, or an academic year: from 1 September of ``year`` to 31 August of the next."""

    year: int
    is_academic: bool = False

    @property
    def starts_on(self) -> dt.date:
        return dt.date(self.year, 9, 1) if self.is_academic else dt.date(self.year, 1, 1)

    @property
    def ends_on(self) -> dt.date:
        return dt.date(self.year + 1, 8, 31) if self.is_academic else dt.date(self.year, 12, 31)

    @property
    def previous(self) -> "ReportPeriod":
        return ReportPeriod(self.year - 1, self.is_academic)

    @classmethod
    def containing(cls, day: dt.date, *, is_academic: bool = False) -> "ReportPeriod":
        return cls(day.year - (is_academic and day.month < 9), is_academic)


@dataclass(frozen=True)
class FigureScope:
    """The part of the register that figures are about, by ids: a unit or region includes those below it."""

    unit: int | None = None
    type: int | None = None
    area: int | None = None
    region: int | None = None
    programme: int | None = None


@dataclass(frozen=True)
class RowName:
    """The id and both names of a row that figures are grouped by; without an id: all others, or none."""

    id: int | None
    en: str
    zh: str

    def __str__(self) -> str:
        is_chinese = (get_language() or "").startswith("zh")
        return (self.zh or self.en) if is_chinese else (self.en or self.zh)


@dataclass(frozen=True)
class ListedCount:
    """A number, and the list of exactly the rows it counts: the list's key and the filters of its address."""

    value: int
    list: str
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{reverse(self.list)}?{urlencode(self.query)}" if self.query else reverse(self.list)


@dataclass(frozen=True)
class KeyFigure:
    """A key figure with its trend.

    ``key`` is in_force, signed, delivered, overdue, without_contact or unassigned. ``trend`` has a number for each of the last
    ``MONTHS`` months, None where nothing was recorded yet: of "signed" those of the month, of all others the state at its
    end (of the last one, today's). ``year_ago`` is the state a year before the day, or of the period before up to the same
    day; None where nothing is known. ``delivered`` is in per cent, with ``of`` promised; None where nothing was promised.
    ``is_worse_higher`` tells whether more of it is bad news.
    """

    key: str
    count: ListedCount
    year_ago: int | None
    trend: Sequence[int | None]
    of: int | None = None
    is_worse_higher: bool = False

    @property
    def is_share(self) -> bool:
        return self.key == "delivered"

    @property
    def shown(self) -> int | None:
        """The number to show: the count, or how many per cent of ``of`` it is, rounded; None where nothing was promised."""
        if not self.is_share:
            return self.count.value
        return round(100 * self.count.value / self.of) if self.of else None

    @property
    def change(self) -> int | None:
        return None if self.shown is None or self.year_ago is None else self.shown - self.year_ago


@dataclass(frozen=True)
class MonthFigures:
    """Agreements signed and ended in a month, and its completed activities by group: trainings, projects, visits, others."""

    first: dt.date
    signed: ListedCount
    ended: ListedCount
    activities: Mapping[str, ListedCount]


@dataclass(frozen=True)
class PromisedFigures:
    """Promised and delivered of a unit in an area; ``promised`` 0: nothing was."""

    area: RowName
    promised: int
    delivered: ListedCount


@dataclass(frozen=True)
class ComingDate:
    """A decision date or an end of an agreement in the next twelve months.

    ``kind`` is decide (a decision date), proposed (a decision date whose proposal is there) or ends (an end that is decided).
    """

    on: dt.date
    kind: str
    agreement: int
    title: str
    partners: str


@dataclass(frozen=True)
class UnitFigures:
    """The figures of one unit with the units below it, or without an id of all units that are not shown.

    ``contact`` counts its agreements in force by the days since the last contact: one number for each of ``CONTACT_DAYS``
    (up to so many days), and last those with an older one or none.
    """

    unit: RowName
    in_force: ListedCount
    contact: Sequence[ListedCount]
    promised: Sequence[PromisedFigures]
    coming: Sequence[ComingDate]


@dataclass(frozen=True)
class PersonLoad:
    """The pending milestones of a person: those overdue, and all due by the end of the next 30 days."""

    person: RowName
    overdue: ListedCount
    pending: ListedCount


@dataclass(frozen=True)
class RegionFigures:
    """Agreements in force with a partner in a region or below it, now and a year ago."""

    region: RowName
    in_force: ListedCount
    year_ago: int | None


@dataclass(frozen=True)
class Overview:
    """All figures of the overview for one reader, scope and period, as of ``day``: today, or the last day of an earlier period."""

    period: ReportPeriod
    scope: FigureScope
    day: dt.date
    in_force: ListedCount
    renewals_to_confirm: ListedCount
    in_contact: ListedCount
    without_contact: ListedCount
    to_decide: ListedCount
    decide_until: dt.date
    key_figures: Sequence[KeyFigure]
    months: Sequence[MonthFigures]
    areas: Sequence[RowName]
    units: Sequence[UnitFigures]
    people: Sequence[PersonLoad]
    unowned: ListedCount
    regions: Sequence[RegionFigures]
    # False where there are so many promises that they are not added up: ``areas`` is empty, and ``delivered`` counts none.
    are_promises_counted: bool = True
