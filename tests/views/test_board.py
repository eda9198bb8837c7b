"""The board: every activity under its status, the steps its reader may take, by mouse, by keys, without JavaScript."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import DAY, ActivityFactory
from partnerships.models import Activity
from partnerships.views.board import BoardColumn
from tests.views.test_lists import more_of_everything
from tests.views.world import World, make_world


def columns(client: Client, **query: str) -> dict[str, BoardColumn]:
    page = client.get(reverse("activity_board"), query)
    return {str(column.status.value): column for column in page.context["columns"]}


def titles(client: Client, **query: str) -> dict[str, list[str]]:
    found = columns(client, **query)
    return {status: [card["row"].title for card in column.cards] for status, column in found.items()}


def one_of_each_status(world: World) -> None:
    for status in ("in_progress", "postponed", "completed", "cancelled"):
        ActivityFactory(agreement=world.agreement, title=status, owner=world.coordinator, **{status: True})


@pytest.mark.parametrize("rows", [1, 3])
def test_the_board_costs_the_same_for_one_card_and_three(
    rows: int, world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    more_of_everything(world, rows - 1)
    client = client_of(world.coordinator)

    with django_assert_num_queries(8):
        page = client.get(reverse("activity_board"))

    assert page.context["total"] == rows


def test_each_stands_under_its_status(world: World, client_of: Callable[[Any], Client]) -> None:
    one_of_each_status(world)

    assert titles(client_of(world.coordinator)) == {
        "planned": ["North training"],
        "in_progress": ["in_progress"],
        "postponed": ["postponed"],
        "completed": ["completed"],
        "cancelled": ["cancelled"],
    }


def test_what_starts_next_comes_first_and_of_the_past_the_last(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    for number in (2, 1, 3):
        common = {"agreement": world.agreement, "starts_on": DAY + dt.timedelta(days=number)}
        ActivityFactory(title=f"next {number}", **common)
        ActivityFactory(title=f"past {number}", completed=True, **common)
    ActivityFactory(title="next someday", agreement=world.agreement, starts_on=None)
    found = titles(client_of(world.coordinator), q="next") | titles(client_of(world.coordinator), q="past")
    upcoming = titles(client_of(world.coordinator), q="next")["planned"]

    assert upcoming == ["next 1", "next 2", "next 3", "next someday"]
    assert found["completed"] == ["past 3", "past 2", "past 1"]


def test_a_long_column_opens_the_list_that_has_all_of_it(
    world: World, client_of: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partnerships.views.board.SHOWN", 2)
    ActivityFactory.create_batch(3, agreement=world.agreement, kind="visit")
    client = client_of(world.coordinator)

    planned = columns(client, kind="visit")["planned"]

    assert (len(planned.cards), planned.count, planned.more) == (2, 3, 1)
    assert planned.url == "/activities/?kind=visit&status=planned"
    assert len(client.get(planned.url).context["rows"]) == 3


def test_the_filters_of_the_list_hold_and_a_bad_one_is_named(world: World, client_of: Callable[[Any], Client]) -> None:
    one_of_each_status(world)
    client = client_of(world.coordinator)

    assert titles(client, status="unfinished")["completed"] == []
    assert titles(client, kind="training")["planned"] == ["North training"]
    assert "bogus is not one of the available choices." in client.get("/activities/board/?kind=bogus").text


def test_the_other_units_cards_are_not_there(world: World, client_of: Callable[[Any], Client]) -> None:
    make_world("South")

    assert titles(client_of(world.coordinator))["planned"] == ["North training"]


@pytest.mark.parametrize(
    ("role", "expected"),
    [("viewer", []), ("coordinator", ["start", "complete", "postpone", "cancel"])],
)
def test_a_card_offers_what_its_reader_may_do(
    role: str, expected: list[str], world: World, client_of: Callable[[Any], Client]
) -> None:
    card = columns(client_of(world.people[role]))["planned"].cards[0]

    assert [step.name for step, _is_direct in card["steps"]] == expected


def test_a_step_leads_back_to_the_board_as_it_was(world: World, client_of: Callable[[Any], Client]) -> None:
    address = reverse("activity_step", args=[world.activity.pk, "start"]) + "?board=kind%3Dtraining"
    client = client_of(world.coordinator)

    asked = client.get(address)
    done = client.post(address, {"version": world.activity.version, "on": DAY.isoformat()})

    back = f"/activities/board/?kind=training#card-{world.activity.pk}"
    assert f'href="{back}"' in asked.text
    assert (done.status_code, done.url) == (302, back)
    assert Activity.objects.get(pk=world.activity.pk).status == "in_progress"


@pytest.mark.parametrize("query", ["//evil.example", "a%0D%0ASet-Cookie:x", "%2F%2Fevil.example"])
def test_the_way_back_stays_on_the_board(query: str, world: World, client_of: Callable[[Any], Client]) -> None:
    address = reverse("activity_step", args=[world.activity.pk, "start"]) + f"?board={query}"

    done = client_of(world.coordinator).post(address, {"version": world.activity.version, "on": DAY.isoformat()})

    assert done.url.startswith("/activities/board/?")
    assert "\n" not in done.url


def test_a_card_that_changed_meanwhile_is_not_moved(world: World, client_of: Callable[[Any], Client]) -> None:
    address = reverse("activity_step", args=[world.activity.pk, "start"]) + "?board="

    answer = client_of(world.coordinator).post(address, {"version": 0, "on": DAY.isoformat()})

    assert answer.status_code == 409
    assert "Somebody changed this while you were writing." in answer.text
    assert Activity.objects.get(pk=world.activity.pk).status == "planned"


class TestInABrowser:
    @pytest.fixture
    def activity(self, world: World) -> Activity:
        return world.activity

    @pytest.mark.parametrize(("width", "has_scripts"), [(390, False), (390, True), (1440, True)])
    def test_the_menu_takes_a_step(
        self, width: int, has_scripts: bool, activity: Activity, open_page: Callable[..., Any]
    ) -> None:
        page = open_page(reverse("activity_board"), activity.owner, width=width, has_scripts=has_scripts)

        page.locator(".ticket summary").click()
        page.get_by_role("button", name="Start").click()

        page.locator("#in_progress .ticket", has_text="North training").wait_for()
        activity.refresh_from_db()
        assert activity.status == "in_progress"

    def test_a_card_is_dragged_to_where_it_may_go_alone(
        self, activity: Activity, open_page: Callable[..., Any]
    ) -> None:
        page = open_page(reverse("activity_board"), activity.owner)

        page.locator(".ticket").drag_to(page.locator("#in_progress"))
        page.locator("#in_progress .ticket").wait_for()
        page.locator(".ticket").drag_to(page.locator("#planned"))
        page.locator(".ticket").drag_to(page.locator("#completed"))
        page.get_by_label("Outcome").wait_for()

        activity.refresh_from_db()
        assert activity.status == "in_progress"

    def test_shift_and_an_arrow_take_the_step(self, activity: Activity, open_page: Callable[..., Any]) -> None:
        page = open_page(reverse("activity_board"), activity.owner)

        page.locator(".ticket .row-title").focus()
        page.keyboard.press("Shift+ArrowRight")
        page.wait_for_function("document.activeElement.closest('.column')?.id === 'in_progress'")

        activity.refresh_from_db()
        assert activity.status == "in_progress"
