"""The overview: all figures of one page, for one reader, scope and period, in a number of queries that does not grow.

``docs/figures.md`` says in words what each figure counts.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, Q, Value, When
from django.db.models.functions import TruncMonth

from partnerships.dates import add_months
from partnerships.models import Agreement, AgreementParty, AgreementTerm, Milestone, MilestoneKind, User
from partnerships.models.activities import ACTIVITY_GROUPS, OTHER_GROUP, QUIET_AFTER_DAYS, with_contacted_on
from partnerships.reports.grouped_counts import ALWAYS, ColumnTest, between, counts, grouped_counts
from partnerships.reports.overview_figures import (
    CONTACT_DAYS,
    MONTHS,
    ComingDate,
    FigureScope,
    KeyFigure,
    ListedCount,
    MonthFigures,
    Overview,
    PersonLoad,
    PromisedFigures,
    RegionFigures,
    ReportPeriod,
    RowName,
    UnitFigures,
)
from partnerships.reports.promised_until import PromisedUntil, PromiseOfAgreement, promises_between
from partnerships.reports.scoped_rows import ScopedRows
from partnerships.reports.trends import Trend, month_ends, month_starts, trend_of_overdue, trends_of_agreements
from partnerships.statuses import MilestoneStatus
from partnerships.texts import name_a_few

__all__ = [
    "CONTACT_DAYS",
    "MONTHS",
    "ComingDate",
    "FigureScope",
    "KeyFigure",
    "ListedCount",
    "MonthFigures",
    "Overview",
    "PersonLoad",
    "PromisedFigures",
    "RegionFigures",
    "ReportPeriod",
    "RowName",
    "UnitFigures",
    "overview",
]

# More units than these are added up in a last row.
MOST_UNITS = 12
MOST_PEOPLE = MOST_REGIONS = 8
# The timeline shows the next ones of each kind.
MOST_COMING = 500
# A milestone counts for the load of its owner when it is due within so many days.
LOAD_DAYS = 30
OTHER_UNITS = RowName(None, "Other units", "其他单位")
# The filter of the list of activities that leaves those of a group.
KIND_OF_GROUP = {group: kinds[0] for group, kinds in ACTIVITY_GROUPS.items()} | {OTHER_GROUP: "rest"}


def overview(
    user: User, scope: FigureScope, period: ReportPeriod, *, today: dt.date, day: dt.date | None = None
) -> Overview:
    """Return the figures as of ``today``, or as of the last day of a period that is over, or as of ``day``."""
    rows = ScopedRows(user, scope, day or min(today, period.ends_on), today)
    return _Builder(rows, period).build()


def decide_until(day: dt.date) -> dt.date:
    """Return the last day of the month after the next three."""
    return add_months(day.replace(day=1), 5) - dt.timedelta(days=1)


@dataclass(frozen=True)
class _UnitRow:
    """A row of units that are counted together, and the filters that leave their agreements."""

    name: RowName
    units: frozenset[int] | None  # None: all that no other row has
    query: Mapping[str, Any]


class _Builder:
    def __init__(self, rows: ScopedRows, period: ReportPeriod) -> None:
        self.rows, self.period, self.day = rows, period, rows.day
        self.year_ago = add_months(self.day, -12)
        self.quiet_before = self.day - dt.timedelta(days=QUIET_AFTER_DAYS)

    def build(self) -> Overview:
        rows = self.rows
        by_unit = self._by_unit()
        total = {name: sum(unit[name] for unit in by_unit.values()) for name in self._unit_tests()}
        days = [self.year_ago, *month_ends(self.day)]
        in_force, quiet = trends_of_agreements(rows, days)
        until = decide_until(self.day)
        decisions = Q(kind=MilestoneKind.DECISION_DATE, due_on__lte=until)
        if rows.is_past:
            decisions &= Q(pk__in=rows.pending_milestones.order_by().values("pk"))
        else:
            decisions &= Q(status__in=(MilestoneStatus.OPEN, MilestoneStatus.SUBMITTED))
        late, more = trend_of_overdue(rows, days, {"decisions": decisions})
        overdue = Trend(late, in_force.first_day)
        signed = self._signed_and_ended()
        unowned = ListedCount(signed["orphaned"], "agreement_list", rows.query(orphaned="yes"))
        months = self._months(signed)
        first_period = ReportPeriod.containing(min(days), is_academic=self.period.is_academic)
        promises = promises_between(rows, first_period.starts_on)
        without_contact = rows.agreements_listed(total["quiet"], quiet="yes")
        listed = {
            "in_force": rows.agreements_listed(total["in_force"], in_force="yes"),
            "overdue": rows.milestones_listed(overdue.values[-1], due="overdue"),
            "without_contact": without_contact,
            "unassigned": unowned,
        }
        areas, units = self._units(by_unit, promises or [])
        return Overview(
            period=self.period,
            scope=rows.scope,
            day=self.day,
            in_force=listed["in_force"],
            renewals_to_confirm=rows.agreements_listed(total["unconfirmed"], to_confirm="yes"),
            in_contact=rows.agreements_listed(
                total["in_force"] - total["quiet"], in_force="yes", contact_from=self.quiet_before
            ),
            without_contact=without_contact,
            to_decide=rows.milestones_listed(
                more["decisions"], kind=MilestoneKind.DECISION_DATE.value, due_until=until
            ),
            decide_until=until,
            key_figures=[
                _state("in_force", listed["in_force"], in_force, days),
                self._signed(signed, months),
                self._delivered(promises or [], days),
                _state("overdue", listed["overdue"], overdue, days, is_worse_higher=True),
                _state("without_contact", without_contact, quiet, days, is_worse_higher=True),
                KeyFigure("unassigned", unowned, None, [None] * (MONTHS - 1) + [unowned.value], is_worse_higher=True),
            ],
            months=months,
            areas=areas,
            units=units,
            people=self._people(),
            unowned=unowned,
            regions=self._regions(),
            are_promises_counted=promises is not None,
        )

    # Agreements in force, by unit

    def _unit_tests(self) -> dict[str, ColumnTest]:
        buckets = {f"bucket_{n}": between("contacted_on", *limits) for n, limits in enumerate(self._buckets())}
        return {
            "in_force": ALWAYS,
            "quiet": between("contacted_on", None, self.quiet_before - dt.timedelta(days=1)),
            "unconfirmed": ColumnTest("is_unconfirmed"),
            **buckets,
        }

    def _buckets(self) -> list[tuple[dt.date | None, dt.date | None]]:
        """Return the first and the last day of contact of each bucket, the latest first; None: without limit."""
        limits = [self.day - dt.timedelta(days=days) for days in CONTACT_DAYS]
        before = [None, *(day - dt.timedelta(days=1) for day in limits)]
        return list(zip([*limits, None], before, strict=True))

    def _by_unit(self) -> dict[int, dict[str, int]]:
        recorded = AgreementTerm.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=self.day), agreement=OuterRef("pk")
        )
        found = with_contacted_on(self.rows.agreements.in_force(self.day), self.day)
        values = found.values("unit_id", "contacted_on", is_unconfirmed=~Exists(recorded))
        return grouped_counts(values, "unit_id", self._unit_tests())

    def _unit_rows(self, by_unit: Mapping[int, Mapping[str, int]]) -> list[_UnitRow]:
        """Return the units below that of the scope, or below the top, those with most agreements first."""
        named, visible = self.rows.named["unit"], self.rows.visible_units()
        top = self.rows.scope.unit
        if top is None:
            shown = [unit for unit in named.names if unit in visible and named.tree.parents[unit] not in visible]
            top = shown[0] if len(shown) == 1 else None
        if top is not None:
            below = [unit for unit in named.names if unit in visible and named.tree.parents[unit] == top]
            shown = below or [top]
        found = [
            _UnitRow(named.names[unit], frozenset(named.tree.with_descendants([unit])), {"unit": unit})
            for unit in shown
        ]
        found.sort(key=lambda row: -sum(by_unit[unit]["in_force"] for unit in row.units or () if unit in by_unit))
        found = found[:MOST_UNITS]
        beside = [row.name.id for row in found]
        return [*found, _UnitRow(OTHER_UNITS, None, {"beside": beside})]

    def _units(
        self, by_unit: Mapping[int, Mapping[str, int]], promises: Sequence[PromiseOfAgreement]
    ) -> tuple[list[RowName], list[UnitFigures]]:
        """Return the areas in which something was promised, and the figures of each row of units."""
        unit_rows = self._unit_rows(by_unit)
        place = {unit: n for n, row in enumerate(unit_rows) for unit in row.units or ()}
        last = len(unit_rows) - 1
        sums = [dict.fromkeys(self._unit_tests(), 0) for _row in unit_rows]
        for unit, found in by_unit.items():
            for name, value in found.items():
                sums[place.get(unit, last)][name] += value
        coming: dict[int, list[ComingDate]] = defaultdict(list)
        for unit, date in self._coming():
            coming[place.get(unit, last)].append(date)
        cells: dict[tuple[int, int], PromisedUntil] = defaultdict(PromisedUntil)
        for promise in promises:
            cells[place.get(promise.unit, last), promise.area] += promise.until(self.day, self.period)
        promised_areas = {area for (_row, area), cell in cells.items() if cell.promised}
        areas = [name for area, name in self.rows.named["area"].names.items() if area in promised_areas]
        units = [
            UnitFigures(
                row.name,
                self.rows.agreements_listed(sums[n]["in_force"], in_force="yes", **row.query),
                [
                    self.rows.agreements_listed(
                        sums[n][f"bucket_{number}"],
                        in_force="yes",
                        contact_from=first,
                        contact_until=until,
                        **row.query,
                    )
                    for number, (first, until) in enumerate(self._buckets())
                ],
                [
                    PromisedFigures(
                        area,
                        cells[n, area.id or 0].promised,
                        self._promises_listed(cells[n, area.id or 0].delivered, area=area.id, **row.query),
                    )
                    for area in areas
                ],
                coming[n],
            )
            for n, row in enumerate(unit_rows)
        ]
        is_last_shown = sums[last]["in_force"] or coming[last] or any(one.promised for one in units[last].promised)
        return areas, units if is_last_shown else units[:-1]

    def _coming(self) -> list[tuple[int, ComingDate]]:
        """Return the decisions and ends of the next twelve months with their units, in order of their days."""
        until = add_months(self.day, 12)
        agreements = self.rows.agreements
        pending = Milestone.objects.pending_on(self.day) if self.rows.is_past else Milestone.objects.pending()
        decisions = pending.filter(kind=MilestoneKind.DECISION_DATE).order_by()
        to_decide = decisions.filter(
            agreement__in=agreements.order_by().values("pk"), due_on__range=(self.day, until)
        ).order_by("due_on", "pk")
        open_here = Exists(decisions.filter(agreement=OuterRef("pk")))
        ends = agreements.expiring(self.day, until=until).filter(~open_here).with_last_day()
        found = [
            (on, "proposed" if status == MilestoneStatus.SUBMITTED else "decide", agreement)
            for on, status, agreement in to_decide.values_list("due_on", "status", "agreement")[:MOST_COMING]
        ] + [
            (on, "ends", agreement)
            for on, agreement in ends.order_by("last_day", "pk").values_list("last_day", "pk")[:MOST_COMING]
        ]
        named = (
            Agreement.objects.select_related("unit")
            .prefetch_related(_partners())
            .in_bulk({agreement for _on, _kind, agreement in found})
        )
        return [
            (
                named[agreement].unit_id,
                ComingDate(on, kind, agreement, str(named[agreement]), _partner_names(named[agreement])),
            )
            for on, kind, agreement in sorted(found)
        ]

    # By month

    def _signed_and_ended(self) -> dict[str, Any]:
        """Return the numbers of agreements signed and ended by month and period, and of those without a coordinator."""
        signed = self.rows.agreements.filter(signed_on__isnull=False)
        values = signed.with_ended_on(self.day).values("signed_on", "ended_on")
        previous, starts_on = self.period.previous, self.period.starts_on
        tests = {
            "period": between("signed_on", starts_on, self.day),
            "previous": between("signed_on", previous.starts_on, self.year_ago),
        }
        for n, (first, last) in enumerate(self._month_limits()):
            tests[f"signed_{n}"] = between("signed_on", first, last)
            tests[f"ended_{n}"] = between("ended_on", first, last)
        return counts(values, tests, beside={"orphaned": self.rows.agreements.orphaned().values("pk")})

    def _month_limits(self) -> list[tuple[dt.date, dt.date]]:
        return list(zip(month_starts(self.day), month_ends(self.day), strict=True))

    def _months(self, signed: Mapping[str, int]) -> list[MonthFigures]:
        done = self._activities_by_month()
        query = self.rows.query
        return [
            MonthFigures(
                first,
                self.rows.agreements_listed(
                    signed[f"signed_{n}"], as_of_day=False, signed_from=first, signed_until=last
                ),
                self.rows.agreements_listed(signed[f"ended_{n}"], ended_from=first, ended_until=last),
                {
                    group: ListedCount(
                        done[first, group],
                        "activity_list",
                        query(status="completed", kind=kind, completed_from=first, completed_until=last),
                    )
                    for group, kind in KIND_OF_GROUP.items()
                },
            )
            for n, (first, last) in enumerate(self._month_limits())
        ]

    def _activities_by_month(self) -> dict[tuple[dt.date, str], int]:
        first = month_starts(self.day)[0]
        done = self.rows.activities.completed().filter(completed_on__range=(first, self.day)).order_by()
        found = done.annotate(month=TruncMonth("completed_on")).values("month", "kind").annotate(count=Count("pk"))
        groups = {kind: group for group, kinds in ACTIVITY_GROUPS.items() for kind in kinds}
        by_month: dict[tuple[dt.date, str], int] = defaultdict(int)
        for row in found:
            by_month[row["month"], groups.get(row["kind"], OTHER_GROUP)] += row["count"]
        return by_month

    def _signed(self, signed: Mapping[str, int], months: Sequence[MonthFigures]) -> KeyFigure:
        listed = self.rows.agreements_listed(
            signed["period"], as_of_day=False, signed_from=self.period.starts_on, signed_until=self.day
        )
        return KeyFigure("signed", listed, signed["previous"], [month.signed.value for month in months])

    # Promised and delivered

    def _delivered(self, promises: Sequence[PromiseOfAgreement], days: Sequence[dt.date]) -> KeyFigure:
        """Return the share of the promises that is delivered; each of ``days`` counts those of its own period until then."""
        shares = []
        for day in days:
            period = ReportPeriod.containing(day, is_academic=self.period.is_academic)
            found = [promise.until(day, period) for promise in promises]
            promised = sum(one.promised for one in found)
            shares.append(round(100 * sum(one.delivered for one in found) / promised) if promised else None)
        year_ago, *trend = shares
        found = [promise.until(self.day, self.period) for promise in promises]
        listed = self._promises_listed(sum(one.delivered for one in found))
        return KeyFigure("delivered", listed, year_ago, trend, of=sum(one.promised for one in found))

    def _promises_listed(self, value: int, **query: Any) -> ListedCount:
        """Return a number of deliveries, with the agreements that promised them."""
        first, last = self.period.starts_on, self.day
        return self.rows.agreements_listed(value, as_of_day=False, ran_from=first, ran_until=last, **query)

    # By person and region

    def _people(self) -> list[PersonLoad]:
        """Return the people with most milestones to look after, at most ``MOST_PEOPLE``."""
        until = self.day + dt.timedelta(days=LOAD_DAYS)
        due = self.rows.pending_milestones.filter(owner__isnull=False, due_on__lte=until).order_by()
        found = due.values("owner", "owner__name", "owner__username").annotate(
            pending=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=self.day))
        )
        listed = self.rows.milestones_listed
        return [
            PersonLoad(
                RowName(row["owner"], *[row["owner__name"] or row["owner__username"]] * 2),
                listed(row["overdue"], owner=row["owner"], due="overdue"),
                listed(row["pending"], owner=row["owner"], due_until=until),
            )
            for row in found.order_by("-pending", "-overdue", "owner")[:MOST_PEOPLE]
        ]

    def _regions(self) -> list[RegionFigures]:
        """Return the regions with most agreements in force, at most ``MOST_REGIONS``.

        A region is left out where another one that holds partners lies in it, because their agreements would be counted twice.
        """
        agreements = self.rows.agreements
        now, then = (
            Q(agreement__in=agreements.in_force(day).order_by().values("pk")) for day in (self.day, self.year_ago)
        )
        parties = AgreementParty.objects.filter(organization__region__isnull=False, agreement__signed_on__lte=self.day)
        parties = parties.exclude(organization=F("agreement__unit__organization"))
        if self.rows.regions is not None:
            parties = parties.filter(organization__region__in=self.rows.regions)
        values = parties.values(
            "agreement_id",
            region=F("organization__region"),
            is_now=Case(When(now, then=Value(True)), default=Value(False)),
            was_then=Case(When(then, then=Value(True)), default=Value(False)),
        )
        tests = {"now": ColumnTest("is_now"), "year_ago": ColumnTest("was_then")}
        counted = grouped_counts(values, "region", tests, of="agreement_id")
        found = {region: row for region, row in counted.items() if any(row.values())}
        named = self.rows.named["region"]
        above = {up for region in found for up in named.tree.with_ancestors(region)[1:]}
        lowest = [region for region in found if region not in above]
        lowest.sort(key=lambda region: (-found[region]["now"], -found[region]["year_ago"], region))
        return [
            RegionFigures(
                named.names[region],
                self.rows.agreements_listed(found[region]["now"], in_force="yes", region=region),
                found[region]["year_ago"],
            )
            for region in lowest[:MOST_REGIONS]
        ]


def _state(
    key: str, count: ListedCount, trend: Trend, days: Sequence[dt.date], *, is_worse_higher: bool = False
) -> KeyFigure:
    """Return the key figure of a state; the first of ``days`` is a year ago."""
    year_ago, *known = trend.known(days)
    known[-1] = count.value
    return KeyFigure(key, count, year_ago, known, is_worse_higher=is_worse_higher)


def _partners() -> Any:
    return Prefetch("parties", AgreementParty.objects.select_related("organization"))


def _partner_names(agreement: Agreement) -> str:
    """Return the names of the parties but our own organization."""
    others = [party for party in agreement.parties.all() if party.organization_id != agreement.unit.organization_id]
    return name_a_few([str(party.organization) for party in others])
