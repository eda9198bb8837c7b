"""Reported against recorded: the number is the length of its list, and every record counts for every reader."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from partnerships.factories import (
    DAY,
    AgreementFactory,
    AssociationFactory,
    AssociationMembershipFactory,
    DemandFactory,
    EnterpriseFactory,
    EventFactory,
    FacilityFactory,
    GovernmentBodyFactory,
    HonourFactory,
    HonourSchemeFactory,
    ParticipationFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    ProgrammeTargetFactory,
    RegionFactory,
    ReportedFigureFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import CountingRule, Programme, ReportedFigure
from partnerships.reports.figures import (
    RULES,
    hidden_count,
    measured,
    programme_progress,
    recorded,
    to_register,
    with_recorded,
    with_some_to_register,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

Made = tuple[ReportedFigure, list[Any]]


def of_event(rule: str, count: Any) -> Made:
    """A figure about an event, and the rows that ``count(event)`` makes and expects to be counted."""
    event = EventFactory()
    return ReportedFigureFactory(event=event, counting_rule=rule), count(event)


def agreements(event: Any) -> list[Any]:
    AgreementFactory(event=event)  # a draft
    AgreementFactory(event=EventFactory(), signed=True)
    AgreementFactory(event=event, signed=True, is_sample=True)
    return [AgreementFactory(event=event, signed=True), AgreementFactory(event=event, terminated=True)]


def facilities(kind: str, other: str) -> Any:
    def make(event: Any) -> list[Any]:
        FacilityFactory(event=event, kind=kind)  # planned
        FacilityFactory(event=event, kind=other, opened=True)
        FacilityFactory(event=event, kind=kind, opened=True, is_sample=True)
        return [
            FacilityFactory(event=event, kind=kind, opened=True),
            FacilityFactory(event=event, kind=kind, closed=True),
        ]

    return make


def demands(event: Any) -> list[Any]:
    DemandFactory(event=event, is_sample=True)
    DemandFactory()
    return [DemandFactory(event=event), DemandFactory(event=event, unpublished=True, no_match=True)]


def participants(event: Any) -> list[Any]:
    ParticipationFactory(event=event, organization=GovernmentBodyFactory())
    ParticipationFactory(event=event, unresolved=True)
    ParticipationFactory(event=event, organization=EnterpriseFactory(is_sample=True))
    taking_part = [EnterpriseFactory(), EnterpriseFactory()]
    for enterprise in taking_part:
        ParticipationFactory(event=event, organization=enterprise)
    return taking_part


def programme_enterprises() -> Made:
    """One that came to two events counts once."""
    programme, enterprise = ProgrammeFactory(), EnterpriseFactory()
    for _ in range(2):
        item = ProgrammeItemFactory(programme=programme)
        ParticipationFactory(event=item.event, organization=enterprise)
    ParticipationFactory(organization=EnterpriseFactory())
    return ReportedFigureFactory(programme=programme, counting_rule=CountingRule.PROGRAMME_ENTERPRISES), [enterprise]


def members_with_honour() -> Made:
    """Two honours of one member count once; the sample's honour of a true member does not."""
    association, scheme = AssociationFactory(), HonourSchemeFactory()
    holder, other, sampled = (
        row.member for row in AssociationMembershipFactory.create_batch(3, association=association)
    )
    HonourFactory(scheme=scheme, organization=holder)
    HonourFactory(scheme=scheme, organization=holder, granted_on=DAY + dt.timedelta(days=1))
    HonourFactory(scheme=HonourSchemeFactory(), organization=other)
    HonourFactory(scheme=scheme, organization=other, withdrawn=True)
    HonourFactory(scheme=scheme, organization=sampled, is_sample=True)
    HonourFactory(scheme=scheme, organization=EnterpriseFactory())
    return ReportedFigureFactory(of_members=True, organization=association, scheme=scheme), [holder]


def region_with_honour() -> Made:
    """Whoever sits in the region or anywhere below it."""
    scheme, country = HonourSchemeFactory(), RegionFactory(level="country")
    province = RegionFactory(level="province", parent=country)
    county = RegionFactory(level="county", parent=RegionFactory(level="city", parent=province))
    holders = [EnterpriseFactory(region=region) for region in (country, province, county.parent, county)]
    for holder in [*holders, EnterpriseFactory(region=RegionFactory())]:
        HonourFactory(scheme=scheme, organization=holder)
    figure = ReportedFigureFactory(region=country, scheme=scheme, counting_rule=CountingRule.REGION_WITH_HONOUR)
    return figure, holders


MAKERS: dict[str, Any] = {
    "event_agreements": lambda: of_event("event_agreements", agreements),
    "event_employment_bases": lambda: of_event(
        "event_employment_bases", facilities("employment_base", other="workstation")
    ),
    "event_workstations": lambda: of_event("event_workstations", facilities("workstation", other="employment_base")),
    "event_demands": lambda: of_event("event_demands", demands),
    "event_participants": lambda: of_event("event_participants", participants),
    "programme_enterprises": programme_enterprises,
    "members_with_honour": members_with_honour,
    "region_with_honour": region_with_honour,
}


def counted(figure: ReportedFigure) -> int | None:
    return with_recorded(ReportedFigure.objects.filter(pk=figure.pk)).get().recorded_count


def pks(rows: Any) -> list[int]:
    return sorted(row.pk for row in rows)


def test_every_rule_is_tried_here() -> None:
    assert sorted(MAKERS) == sorted(RULES) == sorted(CountingRule.values)


@pytest.mark.parametrize("rule", MAKERS)
def test_the_number_is_the_length_of_its_list(rule: str) -> None:
    figure, expected = MAKERS[rule]()
    assert pks(recorded(figure)) == pks(expected)
    assert counted(figure) == len(expected)


@pytest.mark.parametrize("rule", MAKERS)
def test_what_a_reader_may_not_see_is_counted(rule: str) -> None:
    figure, expected = MAKERS[rule]()
    is_shared = rule in {"event_participants", "programme_enterprises", "members_with_honour", "region_with_honour"}
    hidden = {
        reader: hidden_count(recorded(figure), UserFactory(**{reader: True if reader == "staff" else UnitFactory()}))
        for reader in ("lead_in", "staff")
    }
    assert hidden == {"lead_in": 0 if is_shared else len(expected), "staff": 0}


def test_two_units_see_their_own_rows_and_count_both() -> None:
    event = EventFactory()
    rows = [FacilityFactory(event=event, opened=True) for _ in range(2)]
    figure = ReportedFigureFactory(event=event, counting_rule=CountingRule.EVENT_EMPLOYMENT_BASES)
    people = [UserFactory(viewer_in=row.unit) for row in rows]
    assert [list(recorded(figure).visible_to(person)) for person in people] == [[row] for row in rows]
    assert ([hidden_count(recorded(figure), person) for person in people], counted(figure)) == ([1, 1], 2)


def test_what_is_quoted_alone_is_not_counted() -> None:
    figure = ReportedFigureFactory(share=True)
    assert (recorded(figure), counted(figure)) == (None, None)
    assert to_register(with_recorded(ReportedFigure.objects.all()).get()) is None


@pytest.mark.parametrize(
    ("qualifier", "difference"), [("exact", 7), ("at_least", 7), ("nearly", None), ("more_than", None)]
)
def test_a_rounded_figure_has_no_difference(qualifier: str, difference: int | None) -> None:
    figure, _rows = MAKERS["event_demands"]()
    ReportedFigure.objects.update(value=9, qualifier=qualifier)
    assert to_register(with_recorded(ReportedFigure.objects.all()).get()) == difference
    assert list(with_some_to_register(ReportedFigure.objects.all())) == ([figure] if difference else [])


@pytest.mark.parametrize(("value", "expected"), [(9, 7), (2, 0), (1, 0)])
def test_the_difference_is_never_less_than_nothing(value: int, expected: int) -> None:
    figure, _rows = MAKERS["event_demands"]()
    figure.value = value
    figure.save()
    row = with_recorded(ReportedFigure.objects.all()).get()
    assert to_register(row) == Decimal(expected)


@pytest.mark.parametrize("count", [1, 3])
def test_counting_costs_one_query(count: int, django_assert_num_queries: Any) -> None:
    ReportedFigureFactory.create_batch(count, compared=True)
    with django_assert_num_queries(1):
        rows = list(with_recorded(ReportedFigure.objects.all()))
    assert [row.recorded_count for row in rows] == [0] * count


# Programmes


def programme_with_everything() -> Programme:
    programme = ProgrammeFactory()
    event, figure_event = EventFactory(), EventFactory()
    for held in (event, figure_event):
        ProgrammeItemFactory(programme=programme, event=held)
    for signed in (True, False):
        ProgrammeItemFactory(programme=programme, agreement=AgreementFactory(signed=signed))
    ProgrammeItemFactory(programme=programme, facility=FacilityFactory(opened=True))
    ProgrammeItemFactory(programme=programme, facility=FacilityFactory())
    ProgrammeItemFactory(programme=programme, demand=DemandFactory())
    ParticipationFactory(event=event, organization=EnterpriseFactory())
    ProgrammeTargetFactory(programme=programme, measure="agreements", value=20, by_on=DAY)
    ReportedFigureFactory(event=figure_event, value=9, counting_rule=CountingRule.EVENT_AGREEMENTS)
    ReportedFigureFactory(programme=programme, value=500, counting_rule=CountingRule.PROGRAMME_ENTERPRISES)
    ReportedFigureFactory(value=8, counting_rule=CountingRule.EVENT_AGREEMENTS)  # of an event beside it
    return programme


def test_a_programmes_progress_side_by_side() -> None:
    lines = programme_progress(programme_with_everything())
    shown = {line.measure: (line.recorded, line.target, [int(row.value) for row in line.reported]) for line in lines}
    assert shown == {
        "events": (2, None, []),
        "agreements": (1, 20, [9]),
        "facilities": (1, None, []),
        "demands": (1, None, []),
        "enterprises": (1, None, [500]),
    }


def test_each_of_its_numbers_opens_its_list() -> None:
    programme = programme_with_everything()
    lines = programme_progress(programme)
    assert [len(measured(programme, line.measure)) for line in lines] == [line.recorded for line in lines]


def test_a_programmes_progress_costs_seven_queries(django_assert_num_queries: Any) -> None:
    programme = programme_with_everything()
    with django_assert_num_queries(7):  # five counts, the targets, the figures
        programme_progress(programme)
