"""The pages of an agreement and an organization in a real browser: on a phone and a desk, with scripts and without."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from partnerships.factories import ActivityCreditFactory, ActivityFactory, ContactNoteFactory
from tests.views.world import World, make_world


@pytest.fixture(autouse=True)
def on_the_day() -> None:
    """The browser has its own clock: these tests run on today's date."""


@pytest.fixture
def world(transactional_db: None) -> World:
    world = make_world("North")
    activity = ActivityFactory(
        agreement=world.agreement, completed=True, title="Course held", organizations=[world.enterprise]
    )
    ActivityCreditFactory(activity=activity, area=world.area, organization=world.enterprise)
    for number in range(20):
        ContactNoteFactory(agreement=world.agreement, summary=f"Call {number}.")
    return world


def logged_in(context: Any, world: World, server: Any) -> Any:
    client = Client()
    client.force_login(world.coordinator)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    context.add_cookies([{**cookie, "url": server.url}])
    return context.new_page()


@pytest.fixture
def watched(world: World, context: Any, live_server: Any) -> Any:
    """A page of the coordinator's browser with what it complained of, and which other hosts it asked."""
    page = logged_in(context, world, live_server)
    page.problems = []
    host = urlsplit(live_server.url).netloc
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: urlsplit(request.url).netloc == host or page.problems.append(request.url))
    return page


@pytest.fixture
def without_scripts(world: World, browser: Any, live_server: Any) -> Iterator[Any]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    yield logged_in(context, world, live_server)
    context.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_story_is_read_in_place_and_a_number_opens_its_list(
    width: int, world: World, watched: Any, live_server: Any
) -> None:
    watched.set_viewport_size({"width": width, "height": 844})
    watched.goto(live_server.url + world.agreement.get_absolute_url())
    watched.evaluate("window.stayed = true")

    happened = watched.locator("#happened")
    happened.get_by_role("link", name="Calls and messages").click()
    happened.locator("[aria-current]", has_text="Calls and messages").wait_for()
    happened.get_by_role("link", name="Older").click()
    happened.get_by_text("2 / 2").wait_for()
    assert watched.evaluate("window.stayed") is True
    assert watched.url.endswith("?happened=note&moments=2")
    assert happened.get_by_text("North said yes").count() == 1

    watched.go_back()
    watched.go_back()
    watched.get_by_role("heading", level=1, name="North signed").wait_for()
    watched.get_by_role("link", name="1 delivered").first.click()
    watched.get_by_role("link", name="Course held").wait_for()
    assert "1 found" in watched.get_by_role("status").first.inner_text()
    assert watched.problems == []


@pytest.mark.parametrize("width", [390, 1440])
def test_from_a_glance_at_an_organization_to_its_list(width: int, world: World, watched: Any, live_server: Any) -> None:
    watched.set_viewport_size({"width": width, "height": 844})
    watched.goto(live_server.url + world.enterprise.get_absolute_url())

    watched.get_by_role("link", name="1 completed").click()
    watched.get_by_role("link", name="Course held").wait_for()

    assert watched.problems == []


def test_without_scripts_the_same_links_lead_there(world: World, without_scripts: Any, live_server: Any) -> None:
    page = without_scripts
    page.goto(live_server.url + world.agreement.get_absolute_url())

    page.locator("#happened").get_by_role("link", name="Calls and messages").click()
    page.locator("#happened").get_by_role("link", name="Older").click()
    page.locator("#happened").get_by_text("North said yes").wait_for()
    page.get_by_role("link", name="1 delivered").first.click()
    page.get_by_role("link", name="Course held").wait_for()

    assert "1 found" in page.get_by_role("status").first.inner_text()


def test_the_links_of_the_page_are_reached_by_keyboard(world: World, watched: Any, live_server: Any) -> None:
    watched.set_viewport_size({"width": 390, "height": 844})
    watched.goto(live_server.url + world.agreement.get_absolute_url())

    watched.get_by_role("navigation", name="On this page").get_by_role("link", name="Promised and delivered").focus()
    watched.keyboard.press("Enter")
    watched.wait_for_function("location.hash === '#promised'")

    top = watched.locator("#promised").evaluate("element => element.getBoundingClientRect().top")
    bar = watched.locator(".sections").evaluate("element => element.getBoundingClientRect().bottom")
    assert bar <= top < 844
