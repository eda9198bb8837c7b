"""The choices of an office: the rows that a cell may name, with the words that stand for each."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from partnerships.models import AgreementType, CooperationArea, HonourScheme, Region, Unit, User

Words = Mapping[str, tuple[str, ...]]
Rows = Mapping[str, models.Model]


def office_choices(reader: User | None) -> tuple[dict[str, Rows], dict[str, Words]]:
    """Return the rows and the words of each ``refers_to`` of a field, by the value that stands for a row.

    A reader finds the people that they see elsewhere. None is the system.
    """
    people = User.objects.filter(is_active=True).order_by("pk")
    if reader is not None:
        people = people.filter(pk__in=User.objects.visible_to(reader).values("pk"))
    rows: dict[str, Rows] = {
        "agreement_type": _by_code(AgreementType.objects.order_by("pk")),
        "area": _by_code(CooperationArea.objects.order_by("pk")),
        "scheme": _by_code(HonourScheme.objects.order_by("pk")),
        "region": _by_code(Region.objects.order_by("pk")),
        "unit": _by_code(Unit.objects.order_by("pk")),
        "user": {person.username: person for person in people},
    }
    words: dict[str, Words] = {
        name: {value: _words(row) for value, row in found.items()} for name, found in rows.items()
    }
    return rows, words


def _by_code(rows: Iterable[Any]) -> dict[str, models.Model]:
    """Return rows by their code; one without a code, which a person entered, by its id."""
    return {row.code or f"#{row.pk}": row for row in rows}


def _words(row: Any) -> tuple[str, ...]:
    if isinstance(row, User):
        return tuple(filter(None, (row.name, row.username, row.email)))
    # A unit has a short name, by which a register calls it.
    return tuple(
        filter(None, (row.name, row.name_zh, getattr(row, "short_name", ""), getattr(row, "short_name_zh", "")))
    )
