"""The coordinator of an agreement is asked to revise a returned draft, and to have an approved one signed."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import DAY, NOON, EventFactory
from partnerships.models import Agreement, Milestone
from partnerships.workflows.agreements import edit_agreement
from partnerships.workflows.derivation import SIGNING_DAYS
from partnerships.workflows.derived_sweep import sweep_derived
from tests.views.world import World

pytestmark = pytest.mark.django_db

Enter = Callable[[Any], Client]


def step(client: Client, row: Any, name: str, **values: str) -> int:
    row.refresh_from_db()
    sent = {"version": str(row.version), "on": DAY.isoformat(), **values}
    return client.post(reverse(f"{row._meta.model_name}_step", args=[row.pk, name]), sent).status_code


def asked(agreement: Agreement) -> list[tuple[str, str]]:
    rows = Milestone.objects.derived_of(agreement).exclude(kind="approval").order_by("pk")
    return [(row.kind, row.status) for row in rows]


def item(agreement: Agreement, kind: str) -> Milestone:
    return Milestone.objects.get(agreement=agreement, kind=kind)


@pytest.fixture
def submitted(world: World, client_of: Enter) -> Agreement:
    assert step(client_of(world.coordinator), world.draft, "submit") == 302
    return world.draft


@pytest.fixture
def returned(world: World, client_of: Enter, submitted: Agreement) -> Agreement:
    assert step(client_of(world.lead), submitted, "return", reason="The term is missing") == 302
    return submitted


@pytest.fixture
def approved(world: World, client_of: Enter, submitted: Agreement) -> Agreement:
    assert step(client_of(world.lead), submitted, "approve") == 302
    return submitted


def test_a_return_asks_the_coordinator_and_the_page_says_why(
    world: World, client_of: Enter, returned: Agreement
) -> None:
    milestone = item(returned, "revision")
    # Five working days from a Monday.
    due_on = DAY + dt.timedelta(days=7)
    assert (milestone.owner, milestone.waits_for, milestone.due_on) == (world.coordinator, "owner", due_on)
    coordinator = client_of(world.coordinator)
    assert f'href="{returned.get_absolute_url()}#returned"' in coordinator.get("/").text
    assert "Revise the agreement and submit it again" not in client_of(world.lead).get("/").text
    page = coordinator.get(returned.get_absolute_url()).text
    box = page.partition('id="returned"')[2].partition("</div>")[0]
    assert (world.lead.name in box, "The term is missing" in box) == (True, True)


def test_the_next_submission_meets_it_and_another_return_asks_again(
    world: World, client_of: Enter, returned: Agreement
) -> None:
    coordinator, lead = client_of(world.coordinator), client_of(world.lead)

    step(coordinator, returned, "submit")
    assert asked(returned) == [("revision", "met")]
    assert 'id="returned"' not in coordinator.get(returned.get_absolute_url()).text

    step(lead, returned, "return", reason="And the amount")
    assert (asked(returned), item(returned, "revision").appearance) == ([("revision", "open")], 2)
    step(lead, returned, "cancel", reason="They withdrew")
    assert asked(returned) == [("revision", "cancelled")]


def test_an_approved_agreement_waits_for_its_signing(world: World, client_of: Enter, approved: Agreement) -> None:
    lead, milestone = client_of(world.lead), item(approved, "signing")
    due_on = DAY + dt.timedelta(days=SIGNING_DAYS)
    assert (milestone.owner, milestone.waits_for, milestone.due_on) == (world.coordinator, "owner", due_on)
    assert "Record the signing of the agreement" in client_of(world.coordinator).get("/").text

    step(lead, approved, "return", reason="Not yet")
    assert asked(approved) == [("signing", "cancelled"), ("revision", "open")]
    step(client_of(world.coordinator), approved, "submit")
    step(lead, approved, "approve")
    step(lead, approved, "sign")
    assert asked(approved)[:2] == [("signing", "met"), ("revision", "met")]


def test_the_signing_is_due_on_the_day_of_its_event(world: World, approved: Agreement) -> None:
    event = EventFactory(unit=world.unit, starts_on=DAY + dt.timedelta(days=10))
    approved.refresh_from_db()
    edit_agreement(approved, actor=world.coordinator, today=DAY, changes={"event": event})
    assert item(approved, "signing").due_on == event.starts_on


@pytest.mark.parametrize("name", ["waive", "move", "snooze", "meet", "reopen"])
def test_nobody_closes_or_moves_it_by_hand(world: World, client_of: Enter, approved: Agreement, name: str) -> None:
    milestone = item(approved, "signing")
    values = {"reason": "Why not", "due_on": "2026-08-01", "until": "2026-03-10", "evidence": "Signed"}
    for person in ("coordinator", "lead", "staff"):
        assert step(client_of(world.people[person]), milestone, name, **values) in {200, 403}
    assert item(approved, "signing").version == milestone.version


@pytest.mark.parametrize(("status", "column"), [("returned", "returned_on"), ("approved", "approved_on")])
def test_the_sweep_adds_it_without_news(world: World, status: str, column: str) -> None:
    Agreement.objects.filter(pk=world.draft.pk).update(status=status, **{column: DAY})

    sweep_derived(now=NOON)

    [milestone] = Milestone.objects.derived_of(world.draft)
    assert (milestone.owner, milestone.reminder_marks.latest("pk").appearance) == (world.coordinator, 0)
    later = NOON + dt.timedelta(days=1)
    assert sweep_derived(now=later) == 0
