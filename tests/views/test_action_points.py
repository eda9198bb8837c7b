"""Action points: added in a line of what they belong to, met in place, each once and for somebody who can do it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import DAY, EventFactory, MilestoneFactory, UnitFactory, UserFactory
from partnerships.models import Milestone, ReminderMark
from tests.views.world import World

DUE = DAY + dt.timedelta(days=20)


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def address(world: World, target: str) -> str:
    row = EventFactory(unit=world.unit) if target == "event" else getattr(world, target)
    return reverse("milestone_add", args=[target, row.pk])


def point(world: World, **values: Any) -> dict[str, Any]:
    return {"title": "Send the minutes", "due_on": DUE.isoformat(), "owner": world.coordinator.pk, **values}


def added() -> Any:
    return Milestone.objects.filter(title="Send the minutes")


@pytest.mark.parametrize("target", ["agreement", "activity", "event"])
def test_it_belongs_to_what_it_was_added_to(target: str, world: World, client: Client) -> None:
    where = address(world, target)

    response = client.post(where, point(world))

    milestone = added().get()
    page = (milestone.target or world.agreement).get_absolute_url()
    assert response.url == f"{page}#milestones"
    assert (milestone.kind, milestone.unit, milestone.owner, milestone.due_on) == (
        "action_point",
        world.unit,
        world.coordinator,
        DUE,
    )
    assert milestone.agreement == (None if target == "event" else world.agreement)
    assert [milestone.activity_id is not None, milestone.event_id is not None] == [
        target == "activity",
        target == "event",
    ]
    assert milestone.history.get().history_user == world.coordinator
    assert ReminderMark.objects.filter(milestone=milestone).exists() is True
    assert f"Mark as done: {milestone}" in client.get(page).text


def test_a_second_click_adds_nothing(world: World, client: Client) -> None:
    where = address(world, "activity")
    client.post(where, point(world))
    response = client.post(where, point(world))

    assert response.context["form"].errors == {"title": ["This is on the list already."]}
    assert added().count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 10_000}, "title"),
        ({"title": "a\r\nBcc: b@example.org"}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"due_on": ""}, "due_on"),
        ({"due_on": "2026-02-30"}, "due_on"),
        ({"due_on": "9999-12-31"}, "due_on"),
        ({"due_on": "2001-01-01"}, "due_on"),  # before the agreement was signed
        ({"owner": ""}, "owner"),
        ({"owner": "x"}, "owner"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    values: dict[str, Any], field: str, world: World, client: Client
) -> None:
    count = Milestone.objects.count()
    response = client.post(address(world, "agreement"), point(world, **values))

    assert (response.status_code, set(response.context["form"].errors)) == (200, {field})
    assert Milestone.objects.count() == count


def test_its_owner_must_be_able_to_see_it(world: World, client_of: Callable[[Any], Client]) -> None:
    stranger = UserFactory(coordinator_in=UnitFactory())

    response = client_of(world.people["staff"]).post(address(world, "activity"), point(world, owner=stranger.pk))

    assert "owner" in response.context["form"].errors
    assert added().exists() is False


def test_under_an_agreement_that_has_ended_there_is_nothing_to_add(world: World, client: Client) -> None:
    type(world.agreement).objects.filter(pk=world.agreement.pk).update(status="terminated", terminated_on=DAY)

    response = client.post(address(world, "agreement"), point(world))

    assert "The agreement has ended: nothing more is to be done under it." in response.text
    assert "Add an action point" not in client.get(world.agreement.get_absolute_url()).text
    assert added().exists() is False


@pytest.mark.parametrize("target", ["agreement", "activity"])
@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("outsider", 404), ("nobody", 404)])
def test_others_add_nothing(
    role: str, status: int, target: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    assert client_of(world.people[role]).post(address(world, target), point(world)).status_code == status
    assert added().exists() is False


def test_everybody_reads_an_event_and_its_unit_adds_to_it(world: World, client_of: Callable[[Any], Client]) -> None:
    event = EventFactory(unit=world.unit)
    where = reverse("milestone_add", args=["event", event.pk])
    MilestoneFactory(event=event, agreement=None, unit=world.unit, title="Thank the hosts")
    outsider = client_of(world.people["outsider"])

    assert outsider.post(where, point(world)).status_code == 403
    page = outsider.get(event.get_absolute_url()).text
    assert ["Add an action point" in page, "Thank the hosts" in page] == [False, False]
    assert "Thank the hosts" in client_of(world.coordinator).get(event.get_absolute_url()).text


@pytest.mark.parametrize("target", ["milestone", "user", "organization"])
def test_nothing_else_has_action_points(target: str, world: World, client: Client) -> None:
    assert client.get(f"/milestones/add/{target}/{world.milestone.pk}/").status_code == 404


def test_a_viewer_is_offered_no_step(world: World, client_of: Callable[[Any], Client]) -> None:
    MilestoneFactory(activity=world.activity, agreement=world.agreement, title="Send the minutes")

    mine = client_of(world.coordinator).get(world.activity.get_absolute_url()).text
    theirs = client_of(world.people["viewer"]).get(world.activity.get_absolute_url()).text

    offered = "Mark as done: Send the minutes"
    assert [offered in mine, offered in theirs, "Send the minutes" in theirs] == [True, False, True]


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_cost_the_same_for_one_milestone_and_three(
    count: int, world: World, client: Client, django_assert_num_queries: Any
) -> None:
    event = EventFactory(unit=world.unit)
    for _number in range(count):
        MilestoneFactory(event=event, agreement=None, unit=world.unit)
        MilestoneFactory(activity=world.activity, agreement=world.agreement)
    client.get(world.activity.get_absolute_url())

    with django_assert_num_queries(15):
        client.get(world.activity.get_absolute_url())
    with django_assert_num_queries(15):
        client.get(event.get_absolute_url())


class TestInABrowser:
    @pytest.mark.parametrize(("width", "has_scripts"), [(390, False), (390, True), (1440, True)])
    def test_added_and_met_without_leaving_the_page(
        self, width: int, has_scripts: bool, world: World, open_page: Callable[..., Any]
    ) -> None:
        page = open_page(world.activity.get_absolute_url(), world.coordinator, width=width, has_scripts=has_scripts)

        page.get_by_role("link", name="Add an action point").click()
        page.get_by_label("Task").fill("Send the minutes")
        page.get_by_label("By when").fill((timezone.localdate() + dt.timedelta(days=5)).isoformat())
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text("Added.").wait_for()
        page.get_by_role("link", name="Mark as done: Send the minutes").click()
        page.get_by_label("Evidence").fill("Sent by post")
        page.get_by_role("button", name="Mark as done").click()
        page.get_by_text("Marked as done.").wait_for()

        assert added().get().status == "met"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
