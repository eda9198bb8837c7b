"""Quiet agreements: who was not heard of for how long, counted by whose they are, with the next step in place."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    ContactNoteFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    UserFactory,
)
from partnerships.models import ContactNote
from tests.views.world import World, make_world


def ago(days: int) -> dt.date:
    return DAY - dt.timedelta(days=days)


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


@pytest.fixture
def silent(world: World) -> dict[str, Any]:
    """Quiet since the signing, since a call, since an activity; the last one with a visit planned."""
    area, forge = CooperationAreaFactory(), EnterpriseFactory(name="Forge")
    common = {"unit": world.unit, "coordinator": world.coordinator, "signed": True, "signed_on": ago(700)}
    rows = {
        "signed": AgreementFactory(title="Only signed", parties=[forge], **common),
        "called": AgreementFactory(title="Called once", areas=[area], **common),
        "visited": AgreementFactory(title="Visited once", parties=[forge], areas=[area], **common),
    }
    ContactNoteFactory(agreement=rows["called"], happened_on=ago(300))
    ActivityFactory(agreement=rows["visited"], completed=True, completed_on=ago(200))
    ActivityFactory(agreement=rows["visited"], title="Visit in spring", starts_on=ago(10))
    return rows


def listed(page: Any) -> list[tuple[str, int]]:
    return [(row.title, days) for row, days in page.context["rows"]]


def test_each_with_its_days_and_the_quietest_first(silent: dict[str, Any], client: Client) -> None:
    assert listed(client.get(reverse("quiet"))) == [("Only signed", 700), ("Called once", 300), ("Visited once", 200)]


@pytest.mark.parametrize(("days", "titles"), [(200, 2), (199, 3), (300, 1), (701, 0)])
def test_how_long_is_in_the_address(days: int, titles: int, silent: dict[str, Any], client: Client) -> None:
    assert len(listed(client.get(reverse("quiet"), {"days": days}))) == titles


def test_what_is_planned_is_shown_and_does_not_count(silent: dict[str, Any], client: Client) -> None:
    page = client.get(reverse("quiet"))

    planned = {row.title: [activity.title for activity in row.planned] for row, _days in page.context["rows"]}
    assert planned == {"Only signed": [], "Called once": [], "Visited once": ["Visit in spring"]}


def test_each_number_opens_what_it_counted(silent: dict[str, Any], client: Client) -> None:
    groups = client.get(reverse("quiet"), {"days": 150}).context["groups"]

    counts = {group["key"]: [item["count"] for item in group["items"]] for group in groups}
    assert (counts["unit"], counts["coordinator"], counts["area"]) == ([3], [3], [2])
    for item in (item for group in groups for item in group["items"]):
        assert len(listed(client.get(item["url"]))) == item["count"]


@pytest.mark.parametrize("query", ["days=x", "days=0", "unit=999999", "party=forge", "area=%F0%9F%98%80", "days=1e9"])
def test_a_bad_value_is_told_and_the_rest_stands(query: str, silent: dict[str, Any], client: Client) -> None:
    page = client.get(f"{reverse('quiet')}?{query}")

    assert len(listed(page)) == 3
    assert "A filter could not be applied; the others are." in page.text


def test_the_twins_quiet_agreements_are_not_counted(silent: dict[str, Any], client: Client) -> None:
    twin = make_world("South")
    AgreementFactory(unit=twin.unit, signed=True, signed_on=ago(700))

    assert len(listed(client.get(reverse("quiet")))) == 3


def test_a_call_is_logged_without_scripts(silent: dict[str, Any], client: Client) -> None:
    address = reverse("quiet_log", args=[silent["signed"].pk]) + "?days=100"
    said = {"channel": "call", "on": DAY.isoformat(), "summary": "They will write"}

    answer = client.post(address, said)

    assert answer.url == "/quiet/?days=100"
    assert ContactNote.objects.get(agreement=silent["signed"]).summary == "They will write"
    assert listed(client.get(reverse("quiet"))) == [("Called once", 300), ("Visited once", 200)]


def test_in_place_only_the_form_and_then_the_word_comes(silent: dict[str, Any], client: Client) -> None:
    address, headers = reverse("quiet_log", args=[silent["signed"].pk]), {"HX-Request": "true"}

    form = client.get(address, headers=headers).text
    wrong = client.post(address, {"channel": "call"}, headers=headers).text
    said = {"channel": "call", "on": DAY.isoformat(), "summary": "They will write"}
    done = client.post(address, said, headers=headers).text

    assert ["<html" in part for part in (form, wrong, done)] == [False] * 3
    assert "This field is required." in wrong
    assert "Logged. “Only signed” is no longer listed here." in done


def test_a_viewer_is_offered_no_next_step(
    silent: dict[str, Any], world: World, client_of: Callable[[Any], Client]
) -> None:
    viewed = client_of(world.people["viewer"]).get(reverse("quiet"))
    worked = client_of(UserFactory(staff=True)).get(reverse("quiet"))

    assert [len(page.context["workable"]) for page in (viewed, worked)] == [0, 3]


@pytest.mark.parametrize("rows", [1, 3])
def test_it_costs_the_same_however_many_there_are(
    rows: int, world: World, client: Client, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        long_quiet = AgreementFactory(
            unit=world.unit,
            coordinator=UserFactory(coordinator_in=world.unit),
            signed=True,
            signed_on=ago(400 + number),
            parties=[EnterpriseFactory()],
            areas=[CooperationAreaFactory()],
        )
        ActivityFactory(agreement=long_quiet)

    with django_assert_num_queries(18):
        client.get(reverse("quiet"))
