"""Dates on record are compared with today where the unit is, not where its people happen to be."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from partnerships.factories import AgreementTypeFactory
from partnerships.forms.office_day import office_today
from partnerships.models import Agreement, ContactNote, Unit, User
from tests.test_layers import REPOSITORY
from tests.views.sent import send
from tests.views.world import World

DAY = "2026-03-02"
# Nine in the morning of that day in Shanghai; three in the afternoon of the day before in Honolulu.
MORNING = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
# Two at night of that day in Auckland; nine in the evening of the day before in Shanghai.
EVENING_BEFORE = dt.datetime(2026, 3, 1, 13, 0, tzinfo=dt.UTC)


def log_call(client: Client, world: World) -> bool:
    address = reverse("agreement_step", args=[world.agreement.pk, "log"])
    client.post(address, {"channel": "call", "on": DAY, "summary": "They agree to May"})
    return ContactNote.objects.filter(summary="They agree to May").exists()


def mark_done(client: Client, world: World) -> bool:
    send(client, reverse("milestone_step", args=[world.milestone.pk, "meet"]), on=DAY, evidence="Minutes")
    world.milestone.refresh_from_db()
    return not world.milestone.is_pending


def register_signed(client: Client, world: World) -> bool:
    college = world.agreement.parties.get(organization__kind="institution").organization
    parties = {"parties__0__organization": str(college.pk), "parties__1__organization": str(world.enterprise.pk)}
    type_ = str(AgreementTypeFactory().pk)
    send(
        client, reverse("agreement_add"), type=type_, title="Signed this morning", on=DAY, is_open_ended="on", **parties
    )
    return Agreement.objects.filter(title="Signed this morning").exists()


ENTRIES = [log_call, mark_done, register_signed]


@pytest.mark.parametrize(
    ("at", "zone", "is_taken"), [(MORNING, "Pacific/Honolulu", True), (EVENING_BEFORE, "Pacific/Auckland", False)]
)
@pytest.mark.parametrize("enter", ENTRIES)
def test_today_is_that_of_the_unit(
    enter: Callable[[Client, World], bool],
    at: dt.datetime,
    zone: str,
    is_taken: bool,
    world: World,
    client_of: Callable[[Any], Client],
) -> None:
    User.objects.filter(pk=world.coordinator.pk).update(time_zone=zone)
    with time_machine.travel(at, tick=False):
        assert enter(client_of(world.coordinator), world) is is_taken


def test_the_helper_knows_units_rows_and_nothing(world: World) -> None:
    Unit.objects.filter(pk=world.unit.pk).update(time_zone="Pacific/Auckland")
    milestone = type(world.milestone).objects.get(pk=world.milestone.pk)
    with time_machine.travel(EVENING_BEFORE, tick=False):
        days = [office_today(row).isoformat() for row in (milestone, milestone.unit, None, Agreement())]

    assert days == [DAY, DAY, "2026-03-01", "2026-03-01"]


def test_no_form_asks_for_the_day_of_the_person() -> None:
    """``my_settings`` is about the person: the days of an absence are theirs."""
    forms = (REPOSITORY / "partnerships" / "forms").rglob("*.py")

    asking = [path.name for path in forms if "timezone.localdate()" in Path(path).read_text(encoding="utf-8")]

    assert asking == ["my_settings.py"]
