"""Rows with typed values, brought in as a run does it."""

import datetime as dt
from typing import Any

from django.db import transaction

from partnerships.factories import UserFactory
from partnerships.imports.office import office_choices
from partnerships.imports.recipes import Recipe
from partnerships.imports.rows import Batch, WorkRow, process
from partnerships.imports.runs import APPLY
from partnerships.imports.values import PersonInCell, PlacedName
from partnerships.late_inserts import late_inserts
from partnerships.models import Unit, User
from partnerships.models.run_indexes import run_indexes
from partnerships.partial_dates import PartialDate, Precision

TODAY = dt.date(2026, 3, 2)
NOW = dt.datetime(2026, 3, 2, 4, tzinfo=dt.UTC)


def batch(kind: str, *, unit: Unit | None = None, actor: User | None = None, **recipe: Any) -> Batch:
    actor = actor or UserFactory(staff=True)
    return Batch(actor, unit, NOW, TODAY, Recipe(**recipe), kind, "Import 1", office_choices(actor)[0])


def bring_in(made: Batch, *rows: dict[str, Any], **decisions: str) -> list[WorkRow]:
    works = [WorkRow(number, values=values, decisions=dict(decisions)) for number, values in enumerate(rows, 2)]
    with transaction.atomic(), late_inserts(), run_indexes():
        for work in works:
            process(work, made, APPLY[made.kind])
    return works


def outcomes(works: list[WorkRow]) -> list[str]:
    return [str(work.outcome) for work in works]


def messages(work: WorkRow) -> list[str]:
    return [problem["message"] for problem in work.problems]


def named(name: str, country: str = "") -> PlacedName:
    return PlacedName(name, country=country)


def names(*found: str) -> tuple[PlacedName, ...]:
    return tuple(named(name) for name in found)


def person(name: str, **more: str) -> PersonInCell:
    return PersonInCell(name, **more)


def day(year: int, month: int = 0, number: int = 0) -> PartialDate:
    precision = Precision.DAY if number else Precision.MONTH if month else Precision.YEAR
    return PartialDate(dt.date(year, month or 1, number or 1), precision)
