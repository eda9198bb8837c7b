"""Team work: every number is the length of the list it opens, and work is handed over in one look and one step."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    DemandFactory,
    EnterpriseFactory,
    FacilityFactory,
    MilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.forms.team import item_value
from partnerships.models import BulkAct, Unit
from tests.views.test_lists import more_of_everything
from tests.views.world import World, make_world

COUNTED = re.compile(r'class="counted[^"]*" href="([^"]+)"[^>]*>(\d+)</a>')


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.lead)


def numbers(page: str) -> list[tuple[str, int]]:
    return [(unescape(address), int(count)) for address, count in COUNTED.findall(page)]


def of_everything(world: World) -> None:
    """Late, soon, later, quiet, with nobody, and with somebody away."""
    owner, unit = world.coordinator, world.unit
    for days in (-9, 2, 20, 60):
        MilestoneFactory(agreement=world.agreement, owner=owner, due_on=DAY + dt.timedelta(days=days))
    MilestoneFactory(agreement=world.agreement, owner=owner, met=True)
    long_ago = {"signed": True, "signed_on": DAY - dt.timedelta(days=300)}
    AgreementFactory(unit=unit, coordinator=owner, **long_ago)
    away = {"absent_from": DAY, "absent_until": DAY + dt.timedelta(days=9)}
    alone = UserFactory(coordinator_in=unit, **away)
    covered = UserFactory(coordinator_in=unit, deputy=owner, **away)
    for person in (None, alone, covered, UserFactory(deactivated=True, coordinator_in=unit)):
        MilestoneFactory(agreement=world.agreement, owner=person)
        ActivityFactory(unit=unit, owner=person)
        AgreementFactory(unit=unit, coordinator=person, created_by=None)
        FacilityFactory(unit=unit, owner=person)
        DemandFactory(unit=unit, owner=person)


@pytest.mark.parametrize("in_a_unit", [False, True])
@pytest.mark.parametrize("by", ["person", "partner"])
def test_each_number_is_the_length_of_its_list(in_a_unit: bool, by: str, world: World, client: Client) -> None:
    of_everything(world)
    of_everything(make_world("South"))
    below = make_world("Below")
    Unit.objects.filter(pk=below.unit.pk).update(parent=world.unit)

    asked = {"by": by} | ({"unit": below.unit.pk} if in_a_unit else {})
    counted = numbers(client.get(reverse("team"), asked).text)

    least = {("person", False): 16, ("person", True): 4, ("partner", False): 10, ("partner", True): 4}
    assert len(counted) >= least[by, in_a_unit]
    lengths = [client.get(address).context["page"].paginator.count for address, _count in counted]
    assert lengths == [count for _address, count in counted]


def test_what_nobody_looks_after_is_told_by_why(world: World, client: Client) -> None:
    of_everything(world)

    found = {row["label"]: row for row in client.get(reverse("team")).context["left_alone"]}

    assert {label: (row["orphaned"]["count"], row["away"]["count"]) for label, row in found.items()} == {
        "Milestones": (2, 1),
        "Activities": (2, 1),
        "Agreements": (2, 1),
        "Joint facilities": (2, 1),
        "Demands": (2, 1),
    }


def test_people_show_who_is_away_and_whose_account_is_closed(world: World, client: Client) -> None:
    of_everything(world)

    page = client.get(reverse("team")).text

    assert [words in page for words in ("account closed", "nobody stands in", f"{world.coordinator} stands in")] == [
        True,
        True,
        True,
    ]


def test_a_unit_that_is_not_there_is_told_and_the_rest_stands(world: World, client: Client) -> None:
    page = client.get(reverse("team"), {"unit": UnitFactory().pk}).text

    assert "Select a valid choice" in page
    assert str(world.coordinator) in page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_team_costs_the_same_however_many_there_are(
    rows: int, world: World, client: Client, django_assert_num_queries: Any
) -> None:
    more_of_everything(world, rows - 1)

    with django_assert_num_queries(21):
        client.get(reverse("team"))


@pytest.mark.parametrize("rows", [1, 3])
def test_so_does_the_choice_of_what_to_hand_over(
    rows: int, world: World, client: Client, django_assert_num_queries: Any
) -> None:
    more_of_everything(world, rows - 1)

    with django_assert_num_queries(12):
        client.get(reverse("team_hand_over", args=[world.coordinator.pk]))


def test_choose_look_and_hand_over(world: World, client: Client) -> None:
    new_owner = UserFactory(name="Zhao Min", coordinator_in=world.unit)
    address = reverse("team_hand_over", args=[world.coordinator.pk])
    items = [item_value("milestone", world.milestone), item_value("activity", world.activity)]
    asked = {"new_owner": new_owner.pk, "reason": "On leave", "items": items}

    look = client.post(address, asked | {"step": "preview"})
    world.milestone.refresh_from_db()
    owner_after_look = world.milestone.owner
    done = client.post(address, asked | {"step": "do"}, follow=True)

    assert "2 items would go to Zhao Min" in look.text
    assert owner_after_look == world.coordinator
    assert "2 items went to Zhao Min." in done.text
    for row in (world.milestone, world.activity):
        row.refresh_from_db()
        assert row.owner == new_owner

    undone = client.post(BulkAct.objects.get().get_absolute_url() + "undo/", {"next": address}, follow=True)

    assert "Undone: 2 items are restored." in undone.text
    world.milestone.refresh_from_db()
    assert world.milestone.owner == world.coordinator


def test_what_could_not_move_says_why(world: World, client: Client) -> None:
    new_owner = UserFactory(coordinator_in=world.unit)
    stale = item_value("milestone", world.milestone)
    world.milestone.title = "Renamed"
    world.milestone.save()

    asked = {"new_owner": new_owner.pk, "reason": "Left", "items": [stale], "step": "do"}
    page = client.post(reverse("team_hand_over", args=[world.coordinator.pk]), asked, follow=True).text

    assert "“Renamed” was not changed: Somebody else changed this since you opened it." in page


@pytest.mark.parametrize("bad", ["", "milestone", "user-1-1", "milestone-1-x", "milestone-99999999999999999999-1"])
def test_an_item_that_is_none_is_told(bad: str, world: World, client: Client) -> None:
    asked = {"new_owner": UserFactory(coordinator_in=world.unit).pk, "reason": "Left", "items": bad, "step": "do"}

    page = client.post(reverse("team_hand_over", args=[world.coordinator.pk]), asked)

    assert page.status_code == 200
    assert page.context["form"].errors.keys() == {"items"}


def test_the_choice_survives_a_mistake(world: World, client: Client) -> None:
    item = item_value("milestone", world.milestone)

    page = client.post(reverse("team_hand_over", args=[world.coordinator.pk]), {"items": [item], "step": "preview"})

    ticked = re.findall(r'value="([a-z]+-\d+-\d+)" checked', page.text)
    assert (page.context["form"].errors.keys(), ticked) == ({"new_owner", "reason"}, [item])


def test_a_stranger_to_the_lead_has_no_such_page(world: World, client: Client) -> None:
    twin = make_world("South")

    answers = [client.get(reverse("team_hand_over", args=[pk])).status_code for pk in (twin.coordinator.pk, 0)]

    assert answers == [404, 404]


def test_nobodys_work_is_offered_too(world: World, client: Client) -> None:
    of_everything(world)
    counted = {row["label"]: row["orphaned"]["count"] for row in client.get(reverse("team")).context["left_alone"]}

    page = client.get(reverse("team_hand_over_nobody"))

    offered = {group["label"].partition(",")[0]: len(group["items"]) for group in page.context["groups"]}
    assert (offered, "North milestone" in page.text) == (counted, False)


def test_what_waits_for_a_lead_is_not_handed_over_and_says_so(world: World, client: Client) -> None:
    MilestoneFactory(agreement=world.agreement, owner=world.coordinator, submitted=True)

    page = client.get(reverse("team_hand_over", args=[world.lead.pk]))

    assert (page.context["groups"], page.context["to_decide"]) == ([], 1)
    assert f"waits_for={world.lead.pk}" in page.text


def test_by_partner_it_costs_the_same_for_one_and_for_many(
    world: World, client: Client, django_assert_num_queries: Any
) -> None:
    page = reverse("team") + "?by=partner"
    client.get(page)
    with CaptureQueriesContext(connection) as before:
        client.get(page)
    for number in range(3):
        agreement = AgreementFactory(unit=world.unit, coordinator=world.coordinator)
        agreement.parties.create(organization=EnterpriseFactory(name=f"Works {number}"))
        MilestoneFactory(agreement=agreement)

    with django_assert_num_queries(len(before)):
        page_text = client.get(page).text
    assert all(f"Works {number}" in page_text for number in range(3))
