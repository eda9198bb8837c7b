"""All that a report of a year counts and lists, as plain values: the figures of the overview, a table of units, and lists."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import override

from partnerships.models import Agreement, AgreementParty, AgreementTerm, Honour, Organization, Report, User
from partnerships.models.activities import Activity, ActivityKind
from partnerships.reports.grouped_counts import ALWAYS, ColumnTest, between, grouped_counts
from partnerships.reports.overview import FigureScope, Overview, ReportPeriod, RowName, overview
from partnerships.reports.scoped_rows import ScopedRows
from partnerships.texts import name_a_few

# A list of a report has so many rows at most, and says how many more there are.
MOST_LISTED = 500


@dataclass(frozen=True)
class UnitYear:
    """A unit with those below it: agreements in force before and at the end, what came and went, promised and delivered.

    ``unconfirmed`` of those at the end run on a renewal that nobody has confirmed.
    """

    unit: RowName
    at_start: int
    signed: int
    ended: int
    at_end: int
    unconfirmed: int
    promised: int
    delivered: int


@dataclass(frozen=True)
class FrozenRows:
    """The rows of a list: what it lists, the names of its columns, and how many rows are left out.

    A column whose name ends in ``_on`` holds days in ISO form, or nothing.
    """

    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]
    more: int = 0


@dataclass(frozen=True)
class ReportFigures:
    overview: Overview
    units: Sequence[UnitYear]
    # Completed activities in the period and in the one before.
    activities: int
    activities_before: int
    lists: Sequence[FrozenRows]


def period_of(report: Report) -> ReportPeriod:
    return ReportPeriod(report.year, report.is_academic)


def report_figures(report: Report, user: User, *, today: dt.date, day: dt.date | None = None) -> ReportFigures:
    """Return the figures of a report as ``user`` sees the records, as of ``day``: today, or the end of a period that is over."""
    period, scope = period_of(report), FigureScope(unit=report.unit_id, programme=report.programme_id)
    with override(report.language):
        found = overview(user, scope, period, today=today, day=day)
        rows = ScopedRows(user, scope, found.day, today)
        return ReportFigures(
            found,
            _units(rows, found),
            _activities_in(rows, period.starts_on, rows.day).count(),
            _activities_in(rows, period.previous.starts_on, period.previous.ends_on).count(),
            _lists(rows, period),
        )


def _units(rows: ScopedRows, found: Overview) -> list[UnitYear]:
    starts_on = found.period.starts_on
    recorded = AgreementTerm.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=rows.day), agreement=OuterRef("pk")
    )
    before = rows.agreements.in_force(starts_on - dt.timedelta(days=1)).values("unit_id", "pk")
    now = rows.agreements.in_force(rows.day).values("unit_id", is_unconfirmed=~Exists(recorded))
    moved = rows.agreements.filter(signed_on__isnull=False).with_ended_on(rows.day)
    counted = (
        grouped_counts(before, "unit_id", {"at_start": ALWAYS}),
        grouped_counts(now, "unit_id", {"at_end": ALWAYS, "unconfirmed": ColumnTest("is_unconfirmed")}),
        grouped_counts(
            moved.values("unit_id", "signed_on", "ended_on"),
            "unit_id",
            {"signed": between("signed_on", starts_on, rows.day), "ended": between("ended_on", starts_on, rows.day)},
        ),
    )
    tree, last = rows.named["unit"].tree, len(found.units) - 1
    place = {
        unit: number
        for number, one in enumerate(found.units)
        if one.unit.id is not None
        for unit in tree.with_descendants([one.unit.id])
    }
    names = ("at_start", "signed", "ended", "at_end", "unconfirmed")
    sums = [dict.fromkeys(names, 0) for _row in range(max(len(found.units), 1))]
    for table in counted:
        for unit, numbers in table.items():
            for name, number in numbers.items():
                sums[place.get(unit, last)][name] += number
    return [
        UnitYear(
            unit=one.unit,
            promised=sum(cell.promised for cell in one.promised),
            delivered=sum(cell.delivered.value for cell in one.promised),
            **sums[number],
        )
        for number, one in enumerate(found.units)
    ]


def _activities_in(rows: ScopedRows, first: dt.date, last: dt.date) -> QuerySet[Activity]:
    return rows.activities.completed().filter(completed_on__range=(first, last)).order_by()


def _lists(rows: ScopedRows, period: ReportPeriod) -> list[FrozenRows]:
    within = (period.starts_on, rows.day)
    signed = rows.agreements.filter(signed_on__range=within).order_by("signed_on", "pk")
    ended = rows.agreements.filter(signed_on__isnull=False).with_ended_on(rows.day)
    return [
        _agreements("signed", "signed_on", signed),
        _agreements("ended", "ended_on", ended.filter(ended_on__range=within).order_by("ended_on", "pk")),
        _activities(rows, period),
        _honours(rows, period),
        _partners(rows),
    ]


def _bounded(key: str, columns: Sequence[str], found: QuerySet, rows: Sequence[Sequence[Any]]) -> FrozenRows:
    more = max(found.count() - MOST_LISTED, 0) if len(rows) >= MOST_LISTED else 0
    return FrozenRows(key, columns, rows, more)


def _agreements(key: str, day: str, found: QuerySet[Agreement]) -> FrozenRows:
    shown = found.select_related("unit", "type").prefetch_related("parties__organization")[:MOST_LISTED]
    rows = [
        (getattr(one, day).isoformat(), str(one), _partner_names(one), str(one.unit), str(one.type)) for one in shown
    ]
    return _bounded(key, (day, "agreement", "partners", "unit", "type"), found, rows)


def _partner_names(agreement: Agreement) -> str:
    others = [one for one in agreement.parties.all() if one.organization_id != agreement.unit.organization_id]
    return name_a_few([str(one.organization) for one in others])


def _activities(rows: ScopedRows, period: ReportPeriod) -> FrozenRows:
    found = _activities_in(rows, period.starts_on, rows.day).values("kind").annotate(count=Count("pk"))
    labels = dict(ActivityKind.choices)
    counted = sorted(((str(labels[one["kind"]]), one["count"]) for one in found), key=lambda row: (-row[1], row[0]))
    return FrozenRows("activities", ("kind", "count"), counted)


def _honours(rows: ScopedRows, period: ReportPeriod) -> FrozenRows:
    """Return the honors granted in the period to organizations that the units look after; none for a program."""
    found = Honour.objects.visible_to(rows.user).recorded().filter(granted_on__range=(period.starts_on, rows.day))
    if rows.units is not None:
        found = found.filter(unit__in=rows.units)
    if rows.scope.programme is not None:
        found = found.none()
    found = found.order_by("granted_on", "pk")
    shown = found.select_related("organization", "scheme", "unit")[:MOST_LISTED]
    listed = [(one.granted_on.isoformat(), str(one.organization), str(one.scheme), str(one.unit)) for one in shown]
    return _bounded("honours", ("granted_on", "organization", "honour", "unit"), found, listed)


def _partners(rows: ScopedRows) -> FrozenRows:
    """Return the organizations with an agreement in force at the end, those with most agreements first."""
    in_force = rows.agreements.in_force(rows.day).order_by().values("pk")
    parties = AgreementParty.objects.filter(agreement__in=in_force).exclude(
        organization=F("agreement__unit__organization")
    )
    counted = parties.order_by().values("organization").annotate(count=Count("agreement", distinct=True))
    top = counted.order_by("-count", "organization")[:MOST_LISTED]
    numbers = {row["organization"]: row["count"] for row in top}
    named = Organization.objects.select_related("region").in_bulk(list(numbers))
    listed = [(str(named[pk]), str(named[pk].region or ""), number) for pk, number in numbers.items()]
    return _bounded("partners", ("organization", "region", "count"), counted, listed)
