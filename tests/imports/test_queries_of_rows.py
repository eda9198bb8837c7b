"""Queries of each further row of a file: they decide how many rows fit."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partnerships.acts import without_locks
from partnerships.factories import AgreementTypeFactory, InstitutionFactory, UnitFactory
from tests.imports.batches import batch, bring_in, day, named, names, outcomes, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
PLACES = ("Aachen", "Bergen", "Calais", "Dublin", "Exeter", "Firenze")


def row_of(kind: str, place: str) -> dict[str, Any]:
    if kind == "organizations":
        return {"name": named(f"{place} Works Ltd"), "industry": "paper"}
    return {
        "title": f"MoU {place}",
        "partner": names(f"University of {place}"),
        "signed_on": day(2025, 3, 1),
        "ends_on": day(2029, 3, 1),
        "contact": (person(f"Ann {place}"),),
    }


def queries(kind: str, made: Any, places: tuple[str, ...]) -> int:
    with (
        without_locks(),
        CaptureQueriesContext(
            connection,
        ) as captured,
    ):
        works = bring_in(made, *(row_of(kind, place) for place in places))
    assert set(outcomes(works)) == {"new"}
    return len([one for one in captured.captured_queries if "SAVEPOINT" not in one["sql"]])


@pytest.mark.parametrize(("kind", "each"), [("organizations", 8), ("register", 49)])
def test_each_further_row_takes_as_many_queries(kind: str, each: int) -> None:
    AgreementTypeFactory(code="memorandum")
    unit = UnitFactory(organization=InstitutionFactory(name="Our College"))
    made = batch(kind, unit=unit, defaults={"type": "memorandum"})
    queries(kind, made, PLACES[:1])
    one, three = queries(kind, made, PLACES[1:2]), queries(kind, made, PLACES[2:5])
    assert three - one == 2 * each, (one, three)
