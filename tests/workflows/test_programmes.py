"""A label on a record changes what its programme counts, so only those who may edit the programme put it there."""

from collections.abc import Callable
from typing import Any

import pytest

from partnerships.exceptions import NotAllowed
from partnerships.factories import (
    DAY,
    AgreementFactory,
    DemandFactory,
    EventFactory,
    FacilityFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Event, Programme, ProgrammeItem
from partnerships.reports.figures import measured
from partnerships.workflows.agreements import edit_agreement
from partnerships.workflows.demands import edit_demand
from partnerships.workflows.facilities import edit_facility
from partnerships.workflows.records import edit_record, register_record

pytestmark = pytest.mark.django_db

LABELED: dict[str, tuple[Any, Callable[..., Any]]] = {
    "event": (EventFactory, edit_record),
    "agreement": (AgreementFactory, edit_agreement),
    "facility": (FacilityFactory, edit_facility),
    "demand": (DemandFactory, edit_demand),
}


@pytest.fixture
def programme() -> Programme:
    return ProgrammeFactory()


def labeled(row: Any, name: str, programme: Programme) -> ProgrammeItem:
    item: ProgrammeItem = ProgrammeItemFactory(**{"event": None, name: row}, programme=programme)
    return item


def new(programme: Programme, row: Any, name: str) -> dict[str, Any]:
    return {"parts": [ProgrammeItem(programme=programme)]}


def moved_here(programme: Programme, row: Any, name: str) -> dict[str, Any]:
    item = labeled(row, name, ProgrammeFactory(unit=row.unit))
    item.programme = programme
    return {"parts": [item]}


def moved_away(programme: Programme, row: Any, name: str) -> dict[str, Any]:
    item = labeled(row, name, programme)
    item.programme = ProgrammeFactory(unit=row.unit)
    return {"parts": [item]}


def removed(programme: Programme, row: Any, name: str) -> dict[str, Any]:
    return {"removed": [labeled(row, name, programme)]}


@pytest.mark.parametrize("change", [new, moved_here, moved_away, removed])
@pytest.mark.parametrize("name", LABELED)
def test_the_label_of_another_units_programme_is_refused(
    name: str, change: Callable[..., dict[str, Any]], programme: Programme
) -> None:
    make, edit = LABELED[name]
    row: Any = make(unit=UnitFactory())
    parts = change(programme, row, name)
    before = list(ProgrammeItem.objects.values())

    with pytest.raises(NotAllowed) as refusal:
        edit(row, actor=UserFactory(lead_in=row.unit), today=DAY, **parts)

    assert (refusal.value.field, list(ProgrammeItem.objects.values())) == ("programme", before)


@pytest.mark.parametrize("name", LABELED)
def test_people_of_the_programmes_unit_and_the_office_put_it_on(name: str, programme: Programme) -> None:
    make, edit = LABELED[name]
    for actor in (UserFactory(coordinator_in=programme.unit), UserFactory(staff=True)):
        row: Any = make(unit=programme.unit)
        edit(row, actor=actor, today=DAY, parts=[ProgrammeItem(programme=programme)])
        assert [item.programme for item in row.programme_items.all()] == [programme]


def test_a_new_event_of_another_unit_does_not_move_the_target(programme: Programme) -> None:
    event: Event = EventFactory.build(unit=UnitFactory())
    coordinator: Any = UserFactory(coordinator_in=event.unit)

    with pytest.raises(NotAllowed):
        register_record(event, actor=coordinator, today=DAY, parts=[ProgrammeItem(programme=programme)])

    assert measured(programme, "events").count() == 0
