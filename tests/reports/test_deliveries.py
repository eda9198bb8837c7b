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
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.lists.activities import ActivityList
from partnerships.models import Agreement
from partnerships.reports.deliveries import Matrix, MatrixCell, Tally, promised_and_delivered

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
        return promised_and_delivered(agreement, user or self.person, parties=parties, promised=promised)


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

    with django_assert_num_queries(6):  # three levels, the credits, an organization and an area beside those promised
        promised_and_delivered(agreement, hand.person, parties=parties, promised=promised)
