"""The matrix against a world made by hand, cell by cell; each number against the list it opens."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict

from partnerships.factories import (
    DAY,
    ActivityCreditFactory,
    ActivityFactory,
    AgreementFactory,
    AgreementPartyFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    FacilityFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.lists.activities import ActivityList
from partnerships.lists.facilities import FacilityList
from partnerships.models import Activity, ActivityCredit, Agreement
from partnerships.reports.promises import (
    Matrix,
    MatrixCell,
    PromiseSum,
    Shortfall,
    Tally,
    promised_and_delivered,
    promises_of,
    shortfalls_of,
    summed,
)
from partnerships.templatetags.numbers import delivered_links

pytestmark = pytest.mark.django_db

LATER = DAY + dt.timedelta(days=9)


class Hand:
    """A framework of our college with a forge and a mill, an agreement below it, and another unit's below that."""

    def __init__(self) -> None:
        college = InstitutionFactory(name="College")
        self.unit = UnitFactory(organization=college)
        self.person = UserFactory(coordinator_in=self.unit)
        self.forge, self.mill, self.guest = (EnterpriseFactory(name=name) for name in ("Forge", "Mill", "Guest"))
        self.training, self.research, self.extra = (
            CooperationAreaFactory(name=name) for name in ("Training", "Research", "Extra")
        )
        self.framework = AgreementFactory(
            unit=self.unit,
            signed=True,
            parties=[college, self.forge, self.mill],
            areas=[self.training, self.research],
        )
        self.child = AgreementFactory(unit=self.unit, signed=True, parent=self.framework)
        self.foreign = AgreementFactory(signed=True, parent=self.child)

    def did(self, agreement: Agreement, area: Any, *organizations: Any, on: dt.date | None = None, **more: Any) -> Any:
        stage = {"completed": True, "completed_on": on} if on else {}
        activity = ActivityFactory(agreement=agreement, **stage, **more)
        for organization in organizations:
            ActivityCreditFactory(activity=activity, area=area, organization=organization)
        return activity

    def matrix(self, agreement: Agreement | None = None, user: Any = None) -> Matrix:
        agreement = Agreement.objects.get(pk=(agreement or self.framework).pk)
        parties = list(agreement.parties.select_related("organization"))
        promised = list(agreement.promised_areas.select_related("area"))
        rows = {"parties": parties, "promised": promised}
        return promised_and_delivered(agreement, user or self.person, **rows, today=LATER)[0]


@pytest.fixture
def hand() -> Hand:
    hand = Hand()
    hand.did(hand.framework, hand.training, hand.forge, hand.mill, on=DAY)
    hand.did(hand.framework, hand.training, hand.forge, on=LATER)
    hand.did(hand.framework, hand.training, hand.forge)
    hand.did(hand.framework, hand.training, hand.mill, cancelled=True)
    hand.did(hand.framework, hand.extra, hand.guest, on=DAY)
    hand.did(hand.child, hand.research, hand.mill, on=LATER)
    hand.did(hand.foreign, hand.research, hand.mill, on=LATER)
    return hand


def shown(cells: list[MatrixCell]) -> list[tuple[Any, ...]]:
    return [(one.is_promised, one.own.delivered, one.own.planned, one.own.last_on) for one in cells]


def test_each_cell_counts_its_own_follow_ups(hand: Hand) -> None:
    matrix = hand.matrix()

    assert [organization.name for organization, _party in matrix.columns] == ["Forge", "Mill", "Guest"]
    assert [(line.area.name, line.promise is not None) for line in matrix.lines] == [
        ("Training", True),
        ("Research", True),
        ("Extra", False),
    ]
    assert shown(matrix.lines[0].cells) == [(True, 2, 1, LATER), (True, 1, 0, DAY), (False, 0, 0, None)]
    assert shown(matrix.lines[1].cells) == [(True, 0, 0, None), (True, 0, 0, None), (False, 0, 0, None)]
    assert shown(matrix.lines[2].cells) == [(False, 0, 0, None), (False, 0, 0, None), (False, 1, 0, DAY)]


def test_an_activity_for_two_parties_is_one_in_the_totals(hand: Hand) -> None:
    matrix = hand.matrix()

    assert shown([line.total for line in matrix.lines]) == [(True, 2, 1, LATER), (True, 0, 0, None), (False, 1, 0, DAY)]
    assert shown(matrix.totals) == [(True, 2, 1, LATER), (True, 1, 0, DAY), (False, 1, 0, DAY)]


def test_what_was_done_below_stands_beside_ones_own(hand: Hand) -> None:
    matrix = hand.matrix()

    research = matrix.lines[1]
    assert matrix.has_family
    assert research.cells[1].family == Tally(1, 0, LATER)
    assert (research.total.own, research.total.family) == (Tally(), Tally(1, 0, LATER))
    assert matrix.waiting == 0


def test_the_office_counts_what_a_unit_does_not_see(hand: Hand) -> None:
    everything = hand.matrix(user=UserFactory(staff=True))

    assert everything.lines[1].cells[1].family == Tally(2, 0, LATER)


def test_without_agreements_below_there_is_no_family(hand: Hand) -> None:
    alone = hand.matrix(hand.foreign, UserFactory(staff=True))

    assert not alone.has_family
    assert [(line.total.own, line.total.family) for line in alone.lines] == [(Tally(1, 0, LATER), Tally(1, 0, LATER))]


def test_agreements_below_that_one_does_not_see_are_not_hinted_at(hand: Hand) -> None:
    below, office = hand.matrix(hand.child), hand.matrix(hand.child, UserFactory(staff=True))

    assert [below.has_family, office.has_family] == [False, True]


def test_nothing_is_promised_to_ourselves_or_to_a_party_that_withdrew(hand: Hand) -> None:
    college, forge, _mill = hand.framework.parties.order_by("pk")
    forge.withdrew_on = DAY
    forge.save()
    hand.did(hand.framework, hand.training, college.organization, on=DAY)

    matrix = hand.matrix()

    names = [organization.name for organization, _party in matrix.columns]
    assert names == ["College", "Forge", "Mill", "Guest"]
    for cells in (matrix.lines[0].cells, matrix.totals):
        assert [cell.is_promised for cell in cells] == [False, False, True, False]


def test_a_party_that_withdrew_stays_for_what_was_delivered_to_it(hand: Hand) -> None:
    gone = AgreementPartyFactory(agreement=hand.framework, organization=EnterpriseFactory(), withdrew_on=DAY)
    before = [organization for organization, _party in hand.matrix().columns]
    hand.did(hand.framework, hand.training, gone.organization, on=DAY)

    after = [organization for organization, _party in hand.matrix().columns]

    assert [gone.organization in columns for columns in (before, after)] == [False, True]


def opened(user: Any, **query: Any) -> int:
    data = QueryDict(mutable=True)
    data.update({name: str(value) for name, value in query.items()})
    rows = ActivityList(data, user=user, today=DAY)
    assert (rows.filterset.form.errors, rows.filterset.unknown) == ({}, [])
    return rows.ids().count()


def test_every_number_is_the_length_of_its_list(hand: Hand) -> None:
    matrix = hand.matrix()
    cells = [*(cell for line in matrix.lines for cell in [*line.cells, line.total]), *matrix.totals]

    for cell in cells:
        where = {"area": cell.area and cell.area.pk, "credited": cell.organization and cell.organization.pk}
        for of, tally in (("agreement", cell.own), ("framework", cell.family)):
            asked = {name: value for name, value in where.items() if value} | {of: hand.framework.pk}
            assert opened(hand.person, **asked, status="completed") == tally.delivered
            assert opened(hand.person, **asked, status="unfinished") == tally.planned


def test_a_quantity_and_a_facility_open_what_they_are_made_of(hand: Hand) -> None:
    hand.framework.promised_areas.filter(area=hand.training).update(quantity=2, counted="courses", per="year")
    twelve = hand.did(hand.framework, hand.research, hand.forge, on=DAY)
    twelve.credits.update(quantity=12)
    sides = [hand.unit.organization, hand.forge]
    same = {"agreement": hand.child, "area": hand.extra, "unit": hand.unit, "partners": sides}
    FacilityFactory(opened=True, opened_on=DAY, **same)
    FacilityFactory(**same)

    matrix = hand.matrix()
    training, research, extra = matrix.lines

    assert [(cell.year, cell.promised) for cell in training.years] == [(2026, 2), (2027, 2), (2028, 2)]
    assert (training.total.promised, training.total.kept, training.total.missing) == (6, 2, 3)
    assert (research.total.promised, research.total.own.delivered) == (1, 12)
    assert [(cell.own.delivered, cell.family.delivered) for cell in extra.cells] == [(0, 1), (0, 0), (1, 1)]
    [(_label, address)] = delivered_links(hand.framework, extra.cells[0], "framework", is_done=True)
    assert listed(FacilityList, hand.person, address) == extra.cells[0].family.delivered == 1
    [(_label, address)] = delivered_links(hand.framework, extra.cells[0], "framework", is_done=False)
    assert listed(FacilityList, hand.person, address) == extra.cells[0].family.planned == 1
    both = delivered_links(hand.framework, extra.total, "framework", is_done=True)
    assert [label for label, _address in both] == ["Activities", "Joint facilities"]
    [(_label, address)] = delivered_links(hand.framework, training.years[0], "agreement", is_done=True)
    assert listed(ActivityList, hand.person, address) == training.years[0].own.delivered == 2


def listed(rows: Any, user: Any, address: str) -> int:
    found = rows(QueryDict(address.partition("?")[2]), user=user, today=LATER)
    assert (found.filterset.form.errors, found.filterset.unknown) == ({}, [])
    return found.ids().count()


def test_a_draft_promises_nothing_yet(hand: Hand) -> None:
    draft = AgreementFactory(unit=hand.unit, ready=True, areas=[hand.training], parent=hand.framework)
    before = hand.matrix().lines[0].total.family
    hand.did(draft, hand.training, hand.forge, on=DAY)

    kept = promises_of([draft], hand.person, today=LATER)[draft.pk]

    assert [kept.owed(promise) for promise in kept.promised] == [None]
    assert hand.matrix(draft).lines[0].total.own == Tally()
    assert hand.matrix().lines[0].total.family == before


def test_a_promise_is_missed_when_its_last_days_begin_without_enough_planned(hand: Hand) -> None:
    hand.framework.promised_areas.filter(area=hand.research).delete()
    hand.framework.promised_areas.filter(area=hand.training).update(quantity=4, per="year")
    hand.framework.terms.update(ends_on=dt.date(2029, 3, 1))

    def missed(day: str) -> list[tuple[int | None, int, int]]:
        rows = Agreement.objects.filter(pk=hand.framework.pk)
        found = shortfalls_of(rows, hand.person, today=dt.date.fromisoformat(day))
        return [(one.year, one.cell.missing, one.days_left) for one in found]

    # Two were delivered and one is planned.
    assert [missed("2026-11-01"), missed("2026-11-02"), missed("2026-12-31")] == [[], [(2026, 1, 59)], [(2026, 1, 0)]]
    assert [missed("2027-11-02"), missed("2029-01-05")] == [[(2027, 3, 59)], []]
    hand.framework.promised_areas.update(per="term")
    assert [missed("2026-12-31"), missed("2028-12-31"), missed("2029-01-01")] == [[], [], [(None, 1, 59)]]
    hand.did(hand.child, hand.training, hand.forge)
    assert missed("2029-01-01") == []
    hand.framework.promised_areas.update(quantity=9)
    # An end of which the year alone is known may be on its first day.
    hand.framework.terms.update(ends_on=dt.date(2029, 12, 31), ends_precision="year")
    assert [missed("2028-11-02"), len(missed("2028-11-03")), len(missed("2029-12-31"))] == [[], 1, 1]
    Agreement.objects.filter(pk=hand.framework.pk).update(status="suspended", suspended_on=LATER)
    assert missed("2029-12-31") == []


def shortfalls(hand: Hand, today: dt.date) -> list[Shortfall]:
    agreement = Agreement.objects.get(pk=hand.framework.pk)
    return promises_of([agreement], hand.person, today=today)[agreement.pk].shortfalls()


def test_what_is_planned_for_after_the_end_does_not_keep_the_promise_of_the_term(hand: Hand) -> None:
    hand.framework.promised_areas.filter(area=hand.research).delete()
    hand.framework.promised_areas.update(quantity=4)
    ends_on = DAY + dt.timedelta(days=40)
    hand.framework.terms.update(ends_on=ends_on)
    later = hand.did(hand.framework, hand.training, hand.forge, starts_on=ends_on + dt.timedelta(days=1))

    def missed(today: dt.date = LATER) -> list[int]:
        return [one.cell.missing for one in shortfalls(hand, today)]

    # Two were delivered; one is planned without a day.
    assert missed() == [1]
    Activity.objects.filter(pk=later.pk).update(starts_on=ends_on)
    assert missed() == []
    assert missed(ends_on) == []
    hand.framework.terms.update(ends_on=DAY + dt.timedelta(days=39))
    assert missed() == [1]


def test_the_last_year_is_not_missed_where_the_term_is_kept(hand: Hand) -> None:
    hand.framework.promised_areas.filter(area=hand.research).delete()
    hand.framework.promised_areas.update(quantity=2, per="year")
    hand.framework.terms.update(starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 8, 31))
    ActivityCredit.objects.all().delete()
    courses = [hand.did(hand.framework, hand.training, hand.forge, on=dt.date(2026, 10, day)) for day in (5, 12)]
    july = dt.date(2027, 7, 15)

    kept = shortfalls(hand, july)
    courses[0].credits.all().delete()
    [missed] = shortfalls(hand, july)
    # Without an end there is no last year: each is warned about.
    hand.did(hand.framework, hand.training, hand.forge, on=dt.date(2026, 10, 6))
    hand.framework.terms.update(ends_on=None, review_on=dt.date(2029, 9, 1), starts_on=dt.date(2027, 1, 1))
    [open_ended] = shortfalls(hand, dt.date(2027, 12, 1))

    assert kept == []
    assert [(one.year, one.cell.missing) for one in (missed, open_ended)] == [(2027, 2), (2027, 2)]


def test_a_planned_number_opens_a_list_only_where_all_that_is_planned_is_counted(hand: Hand) -> None:
    Activity.objects.unfinished().update(starts_on=dt.date(2026, 5, 4))

    def lists() -> list[tuple[int, int]]:
        training = hand.matrix().lines[0]
        cells = [*training.years, training.total]
        links = [delivered_links(hand.framework, cell, "agreement", is_done=False) for cell in cells]
        for cell, addresses in zip(cells, links, strict=True):
            for _label, address in addresses:
                assert listed(ActivityList, hand.person, address) == cell.own.planned
        return [(cell.own.planned, len(addresses)) for cell, addresses in zip(cells, links, strict=True)]

    assert lists() == [(1, 1), (0, 0), (0, 0), (1, 1)]
    hand.did(hand.framework, hand.training, hand.forge, starts_on=dt.date(2027, 5, 4))
    assert lists() == [(1, 0), (1, 0), (0, 0), (2, 1)]
    hand.framework.terms.update(ends_on=dt.date(2027, 5, 3))
    assert lists() == [(1, 0), (1, 0), (1, 0)]


def test_a_closed_agreement_keeps_what_was_delivered_before(hand: Hand) -> None:
    hand.framework.terms.update(ends_on=DAY + dt.timedelta(days=30), renewal="automatic", renewal_months=1)
    closed_on = DAY + dt.timedelta(days=20)
    Agreement.objects.filter(pk=hand.framework.pk).update(status="terminated", terminated_on=closed_on)
    agreement = Agreement.objects.get(pk=hand.framework.pk)

    kept = promises_of([agreement], hand.person, today=DAY + dt.timedelta(days=400))[agreement.pk]

    assert kept.term
    assert (kept.term.starts_on, kept.term.ends_on, kept.term.years) == (DAY, closed_on, (2026,))
    assert [kept.in_term(promise).own.delivered for promise in kept.promised] == [2, 0]


@pytest.mark.parametrize(
    ("first", "last", "years"),
    [
        ("2024-07-01", "2027-06-30", [2024, 2025, 2026]),
        ("2024-07-02", "2027-07-01", [2024, 2025, 2026]),  # exactly half of a leap year
        ("2024-07-03", "2027-07-02", [2025, 2026, 2027]),
        ("2024-07-02", "2028-07-01", [2024, 2025, 2026, 2027]),
        ("2026-09-01", "2027-08-31", [2027]),
    ],
)
def test_a_term_owes_as_many_years_as_it_lasts(first: str, last: str, years: list[int], hand: Hand) -> None:
    hand.framework.terms.update(starts_on=first, ends_on=last)
    agreement = Agreement.objects.get(pk=hand.framework.pk)

    term = promises_of([agreement], hand.person, today=LATER)[agreement.pk].term

    assert term
    assert list(term.years) == years


@pytest.mark.parametrize("count", [1, 3])
def test_many_agreements_cost_what_one_does(
    count: int, hand: Hand, django_assert_num_queries: Callable[..., Any]
) -> None:
    same = {"unit": hand.unit, "signed": True, "areas": [hand.training], "parent": hand.framework}
    rows = [AgreementFactory(**same) for _number in range(count)]
    for row in rows:
        hand.did(row, hand.training, hand.forge, on=DAY)
    assert hand.person.scope.unit_ids
    fresh = list(Agreement.objects.filter(pk__in=[row.pk for row in rows]))

    with django_assert_num_queries(5):  # terms, promises, one level, credits of activities and facilities
        found = promises_of(fresh, hand.person, today=LATER)

    assert summed(one.in_term(promise) for one in found.values() for promise in one.promised) == PromiseSum(
        promised=count, delivered=count, planned=0
    )


@pytest.mark.parametrize("count", [1, 3])
def test_it_costs_the_same_however_many_cells(
    count: int, hand: Hand, django_assert_num_queries: Callable[..., Any]
) -> None:
    for number in range(count - 1):
        area, organization = CooperationAreaFactory(), EnterpriseFactory()
        child = AgreementFactory(unit=hand.unit, signed=True, parent=hand.framework, areas=[area])
        AgreementPartyFactory(agreement=hand.framework, organization=organization)
        hand.did(child, area, organization, on=DAY + dt.timedelta(days=number))
    agreement = Agreement.objects.select_related("unit").get(pk=hand.framework.pk)
    parties = list(agreement.parties.select_related("organization"))
    promised = list(agreement.promised_areas.select_related("area"))
    assert hand.person.scope.unit_ids

    # Three levels, credits of activities and facilities, the terms, an organization and an area beside those promised.
    with django_assert_num_queries(8):
        promised_and_delivered(agreement, hand.person, parties=parties, promised=promised, today=LATER)
