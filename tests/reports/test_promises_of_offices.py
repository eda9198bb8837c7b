"""The formula against a slow count, in offices made at random: every area, party, year, term and unit."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

import pytest

from partnerships.factories import (
    ActivityCreditFactory,
    ActivityFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AgreementTermFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    FacilityFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Activity, Agreement, AgreementArea, AgreementTerm, Facility
from partnerships.reports.promises import KeptPromises, promises_of, summed

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 29)
YEARS = range(2023, 2030)
AREAS, PARTIES = 2, 2

# The kind of the terms that an agreement may have, these, and the one of them that counts today: its first and last day, and
# since which day deliveries count in it. An agreement of the kind "terminated" was terminated on that last day.
Terms = tuple[str, list[dict[str, Any]], dt.date, dt.date | None, dt.date | None]


def terms(chance: random.Random) -> Terms:
    start = dt.date(chance.randint(2023, 2026), chance.randint(1, 12), chance.randint(1, 28))
    kind = chance.choice(["one", "renewed", "automatic", "terminated", "amended", "open"])
    if kind == "open":
        return kind, [{"starts_on": start, "ends_on": None, "review_on": dt.date(2030, 1, 1)}], start, None, None
    if kind == "one":
        end = start + dt.timedelta(days=chance.randint(20, 1400))
        return kind, [{"starts_on": start, "ends_on": end}], start, end, None
    if kind == "amended":
        end = dt.date(2027, 6, 30)
        first = {"starts_on": start, "ends_on": dt.date(2027, 3, 31)}
        second = {
            "starts_on": dt.date(2026, 12, 1),
            "ends_on": end,
            "basis": AgreementTerm.Basis.AMENDMENT,
            "number": 2,
        }
        return kind, [first, second], start, end, None
    if kind == "renewed":
        first = {"starts_on": dt.date(2023, 2, 1), "ends_on": dt.date(2025, 1, 31)}
        second = {
            "starts_on": dt.date(2025, 2, 1),
            "ends_on": dt.date(2028, 1, 31),
            "basis": AgreementTerm.Basis.EXPRESS,
            "number": 2,
        }
        return kind, [first, second], second["starts_on"], second["ends_on"], second["starts_on"]
    one = {"starts_on": dt.date(2024, 4, 1), "ends_on": dt.date(2025, 3, 31), "renewal": "automatic"}
    if kind == "terminated":
        return kind, [one], dt.date(2025, 4, 1), dt.date(2025, 11, 30), dt.date(2025, 4, 1)
    return kind, [one], dt.date(2026, 4, 1), dt.date(2027, 3, 31), dt.date(2026, 4, 1)


class Office:
    """Units with agreements, some under others, some drafts, and what was done and planned under them."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.units = [UnitFactory(organization=InstitutionFactory()) for _unit in "ab"]
        self.areas = [CooperationAreaFactory() for _area in range(AREAS)]
        self.parties = [EnterpriseFactory() for _party in range(PARTIES)]
        self.agreements: list[Any] = []
        self.counted: dict[int, tuple[dt.date, dt.date | None, dt.date | None] | None] = {}
        for _agreement in range(4):
            self.agree(chance)
        for _activity in range(14):
            self.do(chance)
        for _facility in range(4):
            self.open(chance)
        self.deeds = deeds()
        self.parents = {row.pk: row.parent_id for row in self.agreements}
        self.years = {row.pk: slow_years(self, row) for row in self.agreements}
        self.promises = {(row.agreement_id, row.area_id): row for row in AgreementArea.objects.all()}

    def agree(self, chance: random.Random) -> None:
        is_signed = chance.random() < 0.8
        parent = chance.choice([None, *self.agreements])
        kind, rows, first, last, since = terms(chance)
        stage: dict[str, Any] = {"signed": True} if is_signed else {}
        if is_signed and kind == "terminated":
            stage = {"recorded": True, "signed_on": rows[0]["starts_on"], "status": kind, "terminated_on": last}
        agreement = AgreementFactory(unit=chance.choice(self.units), parties=self.parties, parent=parent, **stage)
        agreement.terms.all().delete()
        for row in rows:
            AgreementTermFactory(agreement=agreement, **row)
        for area in self.areas:
            quantity = chance.choice([None, 1, 2, 12])
            if chance.random() < 0.8:
                per = "term" if quantity is None else chance.choice(["year", "term"])
                AgreementAreaFactory(agreement=agreement, area=area, quantity=quantity, per=per)
        self.agreements.append(agreement)
        self.counted[agreement.pk] = (first, last, since) if is_signed else None

    def do(self, chance: random.Random) -> None:
        day = TODAY + dt.timedelta(days=chance.randint(-900, 700))
        stages: list[dict[str, Any]] = [
            {"starts_on": day},
            {"starts_on": None},
            {"cancelled": True},
            {"status": "postponed", "postponed_on": TODAY, "starts_on": day},
        ]
        done = {"completed": True, "completed_on": min(day, TODAY), "starts_on": None}
        activity = ActivityFactory(
            agreement=chance.choice(self.agreements), **chance.choice([*stages, done, done, done])
        )
        for area in chance.sample(self.areas, chance.randint(0, AREAS)):
            for party in chance.sample(self.parties, chance.randint(1, PARTIES)):
                ActivityCreditFactory(
                    activity=activity, area=area, organization=party, quantity=chance.choice([1, 1, 2, 5])
                )

    def open(self, chance: random.Random) -> None:
        day = TODAY - dt.timedelta(days=chance.randint(0, 900))
        never = {"status": "closed", "closed_on": TODAY}
        stage = chance.choice([{}, {"opened": True, "opened_on": day}, {"closed": True, "opened_on": day}, never])
        unit = chance.choice(self.units)
        sides = [unit.organization, *chance.sample(self.parties, chance.randint(0, PARTIES))]
        FacilityFactory(
            unit=unit,
            agreement=chance.choice(self.agreements),
            area=chance.choice([None, *self.areas]),
            partners=sides,
            **stage,
        )


@dataclass(frozen=True)
class Deed:
    """An activity or a facility as a delivery in an area. ``amounts``: party -> quantity; None where it is for no party."""

    agreement: int
    area: int
    amounts: dict[int | None, int]
    is_done: bool
    day: dt.date | None


def deeds() -> list[Deed]:
    found = []
    for activity in Activity.objects.exclude(status="cancelled"):
        is_done = activity.status == "completed"
        day = activity.completed_on if is_done else activity.starts_on if activity.status == "planned" else None
        for area in {credit.area_id for credit in activity.credits.all()}:
            amounts = {
                credit.organization_id: credit.quantity for credit in activity.credits.all() if credit.area_id == area
            }
            found.append(Deed(activity.agreement_id, area, amounts, is_done, day))
    for facility in Facility.objects.exclude(area=None):
        if facility.status == "closed" and facility.opened_on is None:
            continue
        sides = {side.organization_id for side in facility.partners.all()} - {facility.unit.organization_id}
        amounts = dict.fromkeys(sides or {None}, 1)
        day = facility.opened_on or facility.starts_on
        found.append(Deed(facility.agreement_id, facility.area_id, amounts, facility.opened_on is not None, day))
    return found


def is_under(parents: dict[int, int | None], agreement: int | None, framework: int) -> bool:
    while agreement is not None:
        if agreement == framework:
            return True
        agreement = parents[agreement]
    return False


def slow(
    office: Office, agreement: Any, area: Any, party: Any, year: int | None, *, with_below: bool
) -> tuple[int, int]:
    """Count what was delivered and what is planned, one deed after the other."""
    delivered = planned = 0
    counted = office.counted[agreement.pk]
    for deed in office.deeds:
        belongs = (
            is_under(office.parents, deed.agreement, agreement.pk) if with_below else deed.agreement == agreement.pk
        )
        amount = deed.amounts.get(party.pk, 0) if party else max(deed.amounts.values())
        if deed.area != area.pk or not belongs or office.counted[deed.agreement] is None:
            continue
        day = max(deed.day, TODAY) if deed.day and not deed.is_done else deed.day
        if year is not None:
            counts = day is not None and day.year == year
        else:
            _first, last, since = counted or (None, None, None)
            if deed.is_done:
                counts = since is None or (day is not None and day >= since)
            else:
                counts = day is None or last is None or day <= last
        delivered += amount if counts and deed.is_done else 0
        planned += amount if counts and not deed.is_done else 0
    return delivered, planned


def slow_years(office: Office, agreement: Any) -> set[int]:
    """The years for which something a year is owed, found by counting days."""
    counted = office.counted[agreement.pk]
    if counted is None:
        return set()
    days: dict[int, int] = {}
    day, last = counted[0], counted[1] or dt.date(TODAY.year, 12, 31)
    while day <= last:
        days[day.year] = days.get(day.year, 0) + 1
        day += dt.timedelta(days=1)
    half = {year: dt.date(year, 12, 31).timetuple().tm_yday / 2 for year in days}
    longest = {
        year for year, count in days.items() if count > half[year] or (count == half[year] and year == min(days))
    }
    return longest or {min(year for year, count in days.items() if count == max(days.values()))}


def slow_promise(office: Office, agreement: Any, area: Any, year: int | None) -> int | None:
    promise = office.promises.get((agreement.pk, area.pk))
    if promise is None or office.counted[agreement.pk] is None:
        return None
    years = office.years[agreement.pk]
    if year is not None:
        return promise.quantity if promise.per == "year" and year in years else None
    return (promise.quantity or 1) * (len(years) if promise.per == "year" else 1)


def read(office: Office) -> dict[int, KeptPromises]:
    rows = list(Agreement.objects.filter(pk__in=[row.pk for row in office.agreements]))
    return promises_of(rows, UserFactory(staff=True), today=TODAY)


@pytest.mark.parametrize("seed", range(8))
def test_each_number_is_what_a_slow_count_finds(seed: int) -> None:
    office = Office(seed)
    kept = read(office)

    for agreement in office.agreements:
        mine = kept[agreement.pk]
        promises = {promise.area_id: promise for promise in mine.promised}
        for area in office.areas:
            for year in (None, *YEARS):
                assert mine.owed(promises.get(area.pk), year) == slow_promise(office, agreement, area, year)
                for party in (None, *office.parties):
                    cell = mine.cell(area, party, year=year)
                    for tally, with_below in ((cell.own, False), (cell.family, True)):
                        wanted = slow(office, agreement, area, party, year, with_below=with_below)
                        assert (tally.delivered, tally.planned) == wanted, (agreement, area, party, year, with_below)


@pytest.mark.both_databases
def test_the_sums_of_a_unit_are_those_of_its_promises() -> None:
    office = Office(100)
    kept = read(office)

    for unit in office.units:
        mine = [kept[agreement.pk] for agreement in office.agreements if agreement.unit == unit]
        found = summed(one.in_term(promise) for one in mine for promise in one.promised)
        promised = delivered = planned = 0
        for one in mine:
            for promise in one.promised:
                owed = slow_promise(office, one.agreement, promise.area, None) or 0
                done, ahead = slow(office, one.agreement, promise.area, None, None, with_below=True)
                promised += owed
                delivered += min(done, owed)
                planned += min(done + ahead, owed) - min(done, owed)
        assert (found.promised, found.delivered, found.planned) == (promised, delivered, planned)
