"""Promised against delivered: the one formula behind every such number, on pages, in lists, in files and in warnings.

``docs/promises.md`` says in words what counts. A number and the list it opens ask the same of an activity
(``Activity.objects.credited``) and of a joint facility (``Facility.objects.credited``), so that the two cannot differ.
"""

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Q, prefetch_related_objects

from partnerships.models import (
    Activity,
    ActivityCredit,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    CooperationArea,
    Facility,
    Organization,
    User,
)
from partnerships.models.agreements import AgreementQuerySet
from partnerships.models.terms import automatic_renewals
from partnerships.partial_dates import PartialDate, Precision
from partnerships.reports.related_agreements import ids_below_each
from partnerships.statuses import ActivityStatus, AgreementStatus, FacilityStatus

# A promise is warned about on the last days of its year or term.
LAST_DAYS = 60
# An end of which the year alone is known may be so many days earlier than the last day it may be.
LONGEST_ROUGHNESS = 366
# The page shows the year before, this one and two to come; the term has the sum.
YEARS_BEFORE, YEARS_AFTER = 1, 2


@dataclass(frozen=True)
class Tally:
    """How much was delivered, with the day of the last delivery, and how much is planned.

    ``delivered_by`` and ``planned_by`` say by what: activities, joint facilities or both, whose lists the numbers open.
    ``planned_by`` is empty where more is planned than is counted, as the lists would show that as well.
    """

    delivered: int = 0
    planned: int = 0
    last_on: dt.date | None = None
    delivered_by: frozenset[str] = field(default=frozenset(), compare=False)
    planned_by: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True)
class Credit:
    """A quantity that an activity or a joint facility counts for in an area.

    ``source`` says which of the two and its id. ``organization`` is None for a facility that nobody but us runs. ``on`` is
    the day on which it was done; of what is planned the day for which it is, None where that is open.
    """

    source: tuple[str, int]
    agreement: int
    area: int
    organization: int | None
    quantity: int
    is_done: bool
    on: dt.date | None


@dataclass(frozen=True)
class CountedTerm:
    """The term that an agreement's promises are counted in: the running one, else the last, else the first to come.

    ``years`` are those for which something promised a year is owed. What was delivered from ``since`` until ``until``
    counts in this term; without them everything does, before or after.
    """

    starts_on: dt.date
    ends_on: dt.date | None
    earliest_end: dt.date | None
    since: dt.date | None
    until: dt.date | None
    years: tuple[int, ...]

    def has(self, day: dt.date | None) -> bool:
        return day is None or ((self.since is None or self.since <= day) and (self.until is None or day <= self.until))


@dataclass(frozen=True)
class MatrixCell:
    """A promise and its deliveries in a year, or in the term. ``area`` or ``organization`` None: for all of them.

    ``promised`` is None where nothing was promised. ``own`` counts what was done under the agreement itself, ``family``
    under the agreements below it as well.
    """

    area: CooperationArea | None
    organization: Organization | None
    promised: int | None
    own: Tally
    family: Tally
    year: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def is_promised(self) -> bool:
        return self.promised is not None

    @property
    def is_blank(self) -> bool:
        return not (self.family.delivered or self.family.planned)

    @property
    def kept(self) -> int:
        """Return how much of the promise was delivered; what was done beyond it keeps no other promise."""
        return min(self.family.delivered, self.promised or 0)

    @property
    def missing(self) -> int:
        """Return how much is neither delivered nor planned."""
        return max((self.promised or 0) - self.family.delivered - self.family.planned, 0)

    @property
    def percent_delivered(self) -> int:
        return 100 * self.kept // self.promised if self.promised else 0

    @property
    def percent_with_planned(self) -> int:
        """Return the part of the promise that is delivered or planned."""
        return 100 * (self.promised - self.missing) // self.promised if self.promised else 0


@dataclass(frozen=True)
class AreaRow:
    """One area: the promise (None when it was never promised), each year, the term, and each party in the term."""

    area: CooperationArea
    promise: AgreementArea | None
    years: list[MatrixCell]
    total: MatrixCell
    cells: list[MatrixCell]


@dataclass(frozen=True)
class Matrix:
    """Areas down; years, or parties, across. ``current_year`` is this year, where it is among the ``years``."""

    years: list[int]
    current_year: int
    columns: list[tuple[Organization, AgreementParty | None]]
    lines: list[AreaRow]
    totals: list[MatrixCell]
    term: CountedTerm | None

    @property
    def has_family(self) -> bool:
        """Return whether some number differs with the agreements below.

        That there are agreements below says nothing here: the reader may not be allowed to see them.
        """
        cells = [cell for line in self.lines for cell in (*line.years, line.total, *line.cells)]
        return any(cell.family != cell.own for cell in (*cells, *self.totals))

    @property
    def waiting(self) -> int:
        """Return the promised areas for which nothing was delivered, neither here nor below."""
        return sum(1 for line in self.lines if line.promise and not line.total.family.delivered)


@dataclass(frozen=True)
class Shortfall:
    """A promise of which more is missing than is planned, shortly before the end of its year (or term: ``year`` None)."""

    agreement: Agreement
    promise: AgreementArea
    cell: MatrixCell
    year: int | None
    ends_on: dt.date
    days_left: int


@dataclass(frozen=True)
class KeptPromises:
    """The promises of an agreement with all that counts for them, as one person may see it on one day."""

    agreement: Agreement
    promised: Sequence[AgreementArea]
    credits: Sequence[Credit]
    term: CountedTerm | None
    today: dt.date

    def owed(self, promise: AgreementArea | None, year: int | None = None) -> int | None:
        """Return how much was promised for ``year``, or for the term; None for nothing.

        An agreement that was never signed promises nothing.
        """
        if promise is None or self.term is None:
            return None
        is_yearly = promise.per == AgreementArea.Per.YEAR
        if year is not None:
            return promise.amount if is_yearly and year in self.term.years else None
        return promise.amount * len(self.term.years) if is_yearly else promise.amount

    def cell(
        self,
        area: CooperationArea | None,
        organization: Organization | None = None,
        *,
        promised: int | None = None,
        year: int | None = None,
    ) -> MatrixCell:
        """Count what was delivered and what is planned: of an area, to an organization, in a year or else in the term."""
        family = [
            credit
            for credit in self.credits
            if (area is None or credit.area == area.pk)
            and (organization is None or credit.organization == organization.pk)
        ]
        own = [credit for credit in family if credit.agreement == self.agreement.pk]
        term = self.term
        since, until = (term.since, term.until) if term else (None, None)
        if year is not None:
            since, until = dt.date(year, 1, 1), dt.date(year, 12, 31)
        return MatrixCell(
            area, organization, promised, self._tally(own, year), self._tally(family, year), year, since, until
        )

    def _tally(self, found: Sequence[Credit], year: int | None) -> Tally:
        counted = tally(credit for credit in found if self._is_within(credit, year))
        leaves_planned_out = any(not credit.is_done and not self._is_within(credit, year) for credit in found)
        return replace(counted, planned_by=frozenset()) if leaves_planned_out else counted

    def _is_within(self, credit: Credit, year: int | None) -> bool:
        if year is not None:
            # Late work can only be done from today on.
            day = credit.on if credit.is_done or credit.on is None else max(credit.on, self.today)
            return day is not None and day.year == year
        if self.term is None:
            return True
        if credit.is_done:
            return self.term.has(credit.on)
        ends_on = self.term.ends_on
        return credit.on is None or ends_on is None or max(credit.on, self.today) <= ends_on

    def in_term(self, promise: AgreementArea, organization: Organization | None = None) -> MatrixCell:
        return self.cell(promise.area, organization, promised=self.owed(promise))

    def in_year(self, promise: AgreementArea, year: int) -> MatrixCell:
        return self.cell(promise.area, promised=self.owed(promise, year), year=year)

    def shown_years(self) -> list[int]:
        """Return the years around this one in which the term runs."""
        if self.term is None:
            return []
        first, last = self.term.starts_on.year, self.term.ends_on.year if self.term.ends_on else self.today.year
        middle = min(max(self.today.year, first), max(last, first))
        return list(range(max(first, middle - YEARS_BEFORE), min(last, middle + YEARS_AFTER) + 1))

    def shortfalls(self) -> list[Shortfall]:
        """Return the promises of a running agreement that are missed unless more is planned soon."""
        if self.term is None or self.agreement.status != AgreementStatus.SIGNED:
            return []
        found = []
        for promise in self.promised:
            year = self.today.year if promise.per == AgreementArea.Per.YEAR else None
            begins_on, ends_on = self._last_days(year)
            cell = self.in_year(promise, year) if year else self.in_term(promise)
            # The last year may be missing what the term had before, as where both courses of a school year are held in autumn.
            is_missed = cell.missing and (not self._is_last_owed(year) or self.in_term(promise).missing)
            if ends_on and begins_on and begins_on <= self.today <= ends_on and is_missed:
                left = (ends_on - self.today).days
                found.append(Shortfall(self.agreement, promise, cell, year, ends_on, left))
        return found

    def _is_last_owed(self, year: int | None) -> bool:
        """Return whether nothing is owed after ``year``; an open-ended term has no last year."""
        term = self.term
        return bool(term and term.ends_on and term.years and year == term.years[-1])

    def _last_days(self, year: int | None) -> tuple[dt.date | None, dt.date | None]:
        """Return from when on the end of the year, or of the term, is near, and that end. A rough end may be the earliest."""
        term = self.term
        if term is None:
            return None, None
        ends = [day for day in (term.ends_on, dt.date(year, 12, 31) if year else None) if day]
        earliest = [day for day in (term.earliest_end, *ends) if day]
        if not ends:
            return None, None
        return max(min(earliest) - dt.timedelta(days=LAST_DAYS - 1), dt.date.min), min(ends)


def tally(found: Iterable[Credit]) -> Tally:
    """Add up quantities. An activity that counts for two parties counts once, with the larger quantity."""
    delivered: dict[tuple[str, int], int] = {}
    planned: dict[tuple[str, int], int] = {}
    last_on = None
    for credit in found:
        group = delivered if credit.is_done else planned
        group[credit.source] = max(group.get(credit.source, 0), credit.quantity)
        if credit.is_done and credit.on and (last_on is None or credit.on > last_on):
            last_on = credit.on
    by = [frozenset(kind for kind, _pk in group) for group in (delivered, planned)]
    return Tally(sum(delivered.values()), sum(planned.values()), last_on, *by)


def promises_of(agreements: Sequence[Agreement], user: User, *, today: dt.date) -> dict[int, KeptPromises]:
    """Return the promises of agreements by their ids, in a number of queries that does not grow with them."""
    prefetch_related_objects(list(agreements), "terms")
    promised: dict[int, list[AgreementArea]] = defaultdict(list)
    ids = [agreement.pk for agreement in agreements]
    for promise in AgreementArea.objects.filter(agreement__in=ids).select_related("area"):
        promised[promise.agreement_id].append(promise)
    return _with_credits(agreements, promised, user, today=today)


def shortfalls_of(agreements: AgreementQuerySet, user: User, *, today: dt.date) -> list[Shortfall]:
    """Return the promises of agreements in force that are missed unless more is planned soon, the most urgent first."""
    latest = today + dt.timedelta(days=LAST_DAYS + LONGEST_ROUGHNESS)
    is_ending = Q(current_ends_on__lte=latest)
    if dt.date(today.year, 12, 31) - today < dt.timedelta(days=LAST_DAYS):
        is_ending |= Q(promised_areas__per=AgreementArea.Per.YEAR)
    rows = agreements.in_force(today).filter(is_ending, promised_areas__isnull=False).distinct()
    counted = promises_of(list(rows.order_by("pk")), user, today=today).values()
    return sorted((one for kept in counted for one in kept.shortfalls()), key=lambda one: one.days_left)


def _with_credits(
    agreements: Sequence[Agreement], promised: Mapping[int, Sequence[AgreementArea]], user: User, *, today: dt.date
) -> dict[int, KeptPromises]:
    below = ids_below_each([agreement.pk for agreement in agreements])
    under: dict[int, list[Credit]] = defaultdict(list)
    for credit in credits_under({*below, *(pk for branch in below.values() for pk in branch)}, user, today=today):
        under[credit.agreement].append(credit)
    return {
        agreement.pk: KeptPromises(
            agreement,
            promised.get(agreement.pk, ()),
            [credit for pk in (agreement.pk, *below[agreement.pk]) for credit in under.get(pk, ())],
            counted_term(agreement, today),
            today,
        )
        for agreement in agreements
    }


def credits_under(agreements: set[int], user: User, *, today: dt.date) -> list[Credit]:
    """Return what the activities and joint facilities that ``user`` sees count for under the agreements.

    Where ``today`` is a day in the past, what was done after it was still planned.
    """
    activities = Activity.objects.visible_to(user).credited().filter(agreement__in=agreements)
    rows = ActivityCredit.objects.filter(activity__in=activities.order_by().values("pk")).select_related("activity")
    found = []
    for row in rows:
        activity = row.activity
        completed_on = activity.completed_on
        is_done = activity.status == ActivityStatus.COMPLETED and completed_on is not None and completed_on <= today
        # Nobody knows for when, once it is postponed.
        planned_on = None if activity.status == ActivityStatus.POSTPONED else activity.planned_end
        on = completed_on if is_done else planned_on
        source, agreement = ("activity", activity.pk), activity.agreement_id or 0
        found.append(Credit(source, agreement, row.area_id, row.organization_id, row.quantity, is_done, on))
    facilities = Facility.objects.visible_to(user).credited().filter(agreement__in=agreements)
    sides: dict[int, list[Credit]] = defaultdict(list)
    ours = {}
    for pk, agreement, area, status, opened_on, starts_on, own, organization in facilities.order_by("pk").values_list(
        "pk",
        "agreement",
        "area",
        "status",
        "opened_on",
        "starts_on",
        "unit__organization",
        "partners__organization",
    ):
        is_done = status != FacilityStatus.PLANNED and (opened_on is None or opened_on <= today)
        on = opened_on if is_done else starts_on
        sides[pk].append(Credit(("facility", pk), agreement, area, organization, 1, is_done, on))
        ours[pk] = own
    for pk, lines in sides.items():
        others = [line for line in lines if line.organization != ours[pk]]
        nobody = [Credit(line.source, line.agreement, line.area, None, 1, line.is_done, line.on) for line in lines[:1]]
        found += others or nobody
    return found


def counted_term(agreement: Agreement, today: dt.date) -> CountedTerm | None:
    """Return the term in which the promises are counted; None for an agreement that was not signed or has no term.

    An amendment goes on with the term that it changes; a renewal, recorded or not, begins another one. ``terms`` should be
    prefetched.
    """
    terms = sorted(agreement.terms.all(), key=lambda term: term.number)
    if agreement.signed_on is None or not terms:
        return None
    spans: list[tuple[dt.date, dt.date | None]] = []
    for term in terms:
        if term.basis == AgreementTerm.Basis.AMENDMENT and spans:
            spans[-1] = (spans[-1][0], term.ends_on)
        else:
            spans.append((term.starts_on, term.ends_on))
    closed_on = agreement.terminated_on or agreement.completed_on
    # After it was closed, an agreement neither renews nor begins another term.
    day = min(today, closed_on) if closed_on else today
    renewals = automatic_renewals(terms)
    spans += [(period.starts_on, period.ends_on) for period in (renewals.elapsed(day) if renewals else ())]
    number = max((n for n, (starts_on, _ends_on) in enumerate(spans) if starts_on <= day), default=0)
    starts_on, ends_on = spans[number]
    is_last = number == len(spans) - 1
    if number == 0 and terms[0].starts_precision == Precision.UNKNOWN:
        starts_on = likely_start(agreement, day)
    earliest_end = (
        PartialDate(ends_on, terms[-1].ends_precision if is_last else Precision.DAY).first if ends_on else None
    )
    if closed_on:
        ends_on = min(ends_on or closed_on, closed_on)
        earliest_end = ends_on
    return CountedTerm(
        starts_on,
        ends_on,
        earliest_end,
        starts_on if number else None,
        None if is_last else spans[number + 1][0] - dt.timedelta(days=1),
        _years(starts_on, ends_on or dt.date(max(today.year, starts_on.year), 12, 31)),
    )


def likely_start(agreement: Agreement, day: dt.date) -> dt.date:
    """Return from when an agreement whose start is not known counts: its signing, or else the year of ``day``."""
    if agreement.signed_on and agreement.signed_precision != Precision.UNKNOWN:
        return agreement.signed_on
    return dt.date(day.year, 1, 1)


def _years(starts_on: dt.date, ends_on: dt.date) -> tuple[int, ...]:
    """Return the calendar years for which something a year is owed: those that it runs in for more than half.

    A term that is shorter counts as the year in which most of it lies, so that three years are three of them, whenever
    they begin. Those that begin on 2 July of a leap year run in it for exactly half, which counts for the year of the start.
    """
    if ends_on < starts_on:
        return ()
    days = {
        year: (min(ends_on, dt.date(year, 12, 31)) - max(starts_on, dt.date(year, 1, 1))).days + 1
        for year in range(starts_on.year, ends_on.year + 1)
    }
    half = {year: (365 + calendar.isleap(year)) / 2 for year in days}
    most = tuple(
        year for year, count in days.items() if count > half[year] or (count == half[year] and year == starts_on.year)
    )
    return most or (max(days, key=lambda year: days[year]),)


@dataclass(frozen=True)
class PromiseSum:
    """How many of the things promised were delivered, over several promises."""

    promised: int
    delivered: int
    planned: int


def summed(cells: Iterable[MatrixCell]) -> PromiseSum:
    """Add up promises, those of a unit or a party among them; each counts for no more than was promised."""
    promised = [cell for cell in cells if cell.promised]
    with_planned = sum((cell.promised or 0) - cell.missing for cell in promised)
    kept = sum(cell.kept for cell in promised)
    return PromiseSum(sum(cell.promised or 0 for cell in promised), kept, with_planned - kept)


def promised_and_delivered(
    agreement: Agreement,
    user: User,
    *,
    parties: Sequence[AgreementParty],
    promised: Sequence[AgreementArea],
    today: dt.date,
) -> tuple[Matrix, KeptPromises]:
    """Return the matrix as ``user`` may see it, and what it was counted from.

    Parties across are the other signatories who have not withdrawn, and whoever else something was credited to. ``parties``
    come with their organizations, ``promised`` with their areas, ``agreement`` with its unit and terms.
    """
    kept = _with_credits([agreement], {agreement.pk: promised}, user, today=today)[agreement.pk]
    columns = _columns(agreement, parties, {credit.organization for credit in kept.credits if credit.organization})
    signatories = {organization.pk for organization, party in columns if party and is_promised_to(agreement, party)}
    years = kept.shown_years()
    lines = []
    for area, promise in _areas(promised, {credit.area for credit in kept.credits}):
        # A party is promised what the agreement promises: nobody divides two courses a year among two parties.
        # The page of a draft says what it will promise.
        owed = kept.owed(promise) if kept.term or promise is None else promise.amount
        cells = [kept.cell(area, one, promised=owed if one.pk in signatories else None) for one, _party in columns]
        by_year = [kept.cell(area, promised=kept.owed(promise, year), year=year) for year in years]
        lines.append(AreaRow(area, promise, by_year, kept.cell(area, promised=owed), cells))
    totals = [
        kept.cell(None, one, promised=0 if promised and one.pk in signatories else None) for one, _party in columns
    ]
    return Matrix(years, today.year, columns, lines, totals, kept.term), kept


def is_promised_to(agreement: Agreement, party: AgreementParty) -> bool:
    """Return whether the agreement still promises something to ``party``: a signatory other than our own organization."""
    is_signatory = party.role == party.Role.SIGNATORY and party.withdrew_on is None
    return is_signatory and party.organization_id != agreement.unit.organization_id


def _columns(
    agreement: Agreement, parties: Sequence[AgreementParty], credited: set[int]
) -> list[tuple[Organization, AgreementParty | None]]:
    shown = [
        (party.organization, party)
        for party in parties
        if party.organization_id in credited or is_promised_to(agreement, party)
    ]
    known = {organization.pk for organization, _party in shown}
    others = Organization.objects.filter(pk__in=credited - known) if credited - known else ()
    return [*shown, *((organization, None) for organization in others)]


def _areas(promised: Sequence[AgreementArea], credited: set[int]) -> list[tuple[CooperationArea, AgreementArea | None]]:
    known = {promise.area_id for promise in promised}
    others = CooperationArea.objects.filter(pk__in=credited - known) if credited - known else ()
    return [*((promise.area, promise) for promise in promised), *((area, None) for area in others)]
