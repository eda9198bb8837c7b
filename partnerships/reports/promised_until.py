"""Promised and delivered in a period until a day, promise by promise.

A promise over the term counts in each period in which the term runs, with all that was delivered in the term. What is
promised a year is owed once for each period that the agreement runs in for more than half, a calendar year or an academic
one, and counts what was delivered in the period. As in ``reports.promises``, deliveries beyond a promise keep no other one.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from partnerships.models import Agreement, AgreementArea, AgreementTerm
from partnerships.partial_dates import Precision
from partnerships.reports.overview_figures import ReportPeriod
from partnerships.reports.promises import CountedTerm, counted_term, credits_under, likely_start
from partnerships.reports.related_agreements import ids_below_each
from partnerships.reports.scoped_rows import ScopedRows

# Promises are added up one by one; more than these would keep the reader waiting.
MOST_PROMISES = 2000


@dataclass(frozen=True)
class PromisedUntil:
    """An amount promised, and how much of it was delivered."""

    promised: int = 0
    delivered: int = 0

    def __add__(self, other: "PromisedUntil") -> "PromisedUntil":
        return PromisedUntil(self.promised + other.promised, self.delivered + other.delivered)


NOTHING = PromisedUntil()


class RunOfAgreement:
    """The days on which a signed agreement runs, by the terms on record."""

    def __init__(self, agreement: Agreement) -> None:
        self.agreement = agreement
        self.terms = sorted(agreement.terms.all(), key=lambda term: term.number)
        self._counted: dict[dt.date, CountedTerm | None] = {}

    @property
    def closed_on(self) -> dt.date | None:
        return self.agreement.terminated_on or self.agreement.completed_on

    @cached_property
    def ends(self) -> list[dt.date]:
        """The last day of each term, automatic renewals included."""
        return [_lasts_until(term, is_last=term is self.terms[-1]) for term in self.terms]

    def runs_between(self, first: dt.date, last: dt.date) -> bool:
        """Return what ``AgreementQuerySet.ran_between`` asks."""
        if self.agreement.signing_date > last or (self.closed_on and self.closed_on <= first):
            return False
        pairs = zip(self.terms, self.ends, strict=True)
        return any(term.starts_on <= last and until >= first for term, until in pairs)

    def is_owed_for(self, period: ReportPeriod, day: dt.date) -> bool:
        """Return whether something promised a year is owed for ``period``, as ``promises.counted_term`` says of calendar years."""
        starts_on, ends_on = self.terms[0].starts_on, max(self.ends)
        if self.terms[0].starts_precision == Precision.UNKNOWN:
            starts_on = likely_start(self.agreement, day)
        if self.closed_on and self.closed_on <= day:
            ends_on = min(ends_on, self.closed_on)
        return is_owed_for(period, starts_on, ends_on)

    def counted_term(self, day: dt.date) -> CountedTerm | None:
        if day not in self._counted:
            self._counted[day] = counted_term(self.agreement, day)
        return self._counted[day]


@dataclass(frozen=True)
class PromiseOfAgreement:
    """A promise with the days and quantities of what was delivered for it, under the agreement and those below it."""

    unit: int
    area: int
    amount: int
    is_yearly: bool
    run: RunOfAgreement
    deliveries: Sequence[tuple[dt.date, int]]

    def until(self, day: dt.date, period: ReportPeriod) -> PromisedUntil:
        """Return what is promised in ``period``, and what was delivered of it by ``day``."""
        if not self.run.runs_between(period.starts_on, day):
            return NOTHING
        if self.is_yearly:
            if not self.run.is_owed_for(period, day):
                return NOTHING
            found = [quantity for on, quantity in self.deliveries if period.starts_on <= on <= day]
        else:
            term = self.run.counted_term(day)
            if term is None:
                return NOTHING
            found = [quantity for on, quantity in self.deliveries if on <= day and term.has(on)]
        return PromisedUntil(self.amount, min(sum(found), self.amount))


def promises_between(rows: ScopedRows, first: dt.date) -> list[PromiseOfAgreement] | None:
    """Return the promises of agreements that ran between ``first`` and the day of ``rows``; None: too many to add up."""
    agreements = rows.agreements.ran_between(first, rows.day)
    promises = AgreementArea.objects.filter(agreement__in=agreements.order_by().values("pk")).order_by("pk")
    if rows.scope.area is not None:
        promises = promises.filter(area=rows.scope.area)
    promises = promises.select_related("agreement").prefetch_related("agreement__terms")
    found = list(promises[: MOST_PROMISES + 1])
    if len(found) > MOST_PROMISES:
        return None
    runs = {promise.agreement_id: RunOfAgreement(promise.agreement) for promise in found}
    deliveries = _deliveries(rows, set(runs))
    return [
        PromiseOfAgreement(
            promise.agreement.unit_id,
            promise.area_id,
            promise.amount,
            promise.per == AgreementArea.Per.YEAR,
            runs[promise.agreement_id],
            deliveries[promise.agreement_id, promise.area_id],
        )
        for promise in found
    ]


def _deliveries(rows: ScopedRows, agreements: set[int]) -> dict[tuple[int, int], list[tuple[dt.date, int]]]:
    """Return the days and quantities of what was delivered, by agreement and area; one activity counts once."""
    below = ids_below_each(agreements) if agreements else {}
    above: dict[int, set[int]] = defaultdict(set)
    for top, branch in below.items():
        for pk in (top, *branch):
            above[pk].add(top)
    quantities: dict[tuple[int, int, tuple[str, int], dt.date], int] = defaultdict(int)
    for credit in credits_under(set(above), rows.user, today=rows.day) if above else ():
        if credit.is_done and credit.on:
            for top in above[credit.agreement]:
                key = (top, credit.area, credit.source, credit.on)
                quantities[key] = max(quantities[key], credit.quantity)
    found: dict[tuple[int, int], list[tuple[dt.date, int]]] = defaultdict(list)
    for (top, area, _source, on), quantity in quantities.items():
        found[top, area].append((on, quantity))
    return found


def _lasts_until(term: AgreementTerm, *, is_last: bool) -> dt.date:
    if term.ends_on is None:
        return dt.date.max
    if is_last and term.renewal == AgreementTerm.Renewal.AUTOMATIC:
        return term.renews_until or dt.date.max
    return term.ends_on


def is_owed_for(period: ReportPeriod, starts_on: dt.date, ends_on: dt.date) -> bool:
    """Return whether a run of days lies in ``period`` for more than half of it.

    Half is enough in the period of its start. A run too short for any period counts for the one with most of its days,
    the first of them.
    """
    if ends_on < starts_on:
        return False
    if _has_half(period, starts_on, ends_on):
        return True
    if (ends_on - starts_on).days > 366:
        return False
    first = ReportPeriod.containing(starts_on, is_academic=period.is_academic)
    others = [first, ReportPeriod(first.year + 1, period.is_academic)]
    if any(_has_half(one, starts_on, ends_on) for one in others):
        return False
    return period == max(others, key=lambda one: _days_in(one, starts_on, ends_on))


def _has_half(period: ReportPeriod, starts_on: dt.date, ends_on: dt.date) -> bool:
    whole = (period.ends_on - period.starts_on).days + 1
    days = 2 * _days_in(period, starts_on, ends_on)
    return days > whole or (days == whole and period.starts_on <= starts_on)


def _days_in(period: ReportPeriod, starts_on: dt.date, ends_on: dt.date) -> int:
    return max((min(ends_on, period.ends_on) - max(starts_on, period.starts_on)).days + 1, 0)
