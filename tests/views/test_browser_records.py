"""The pages of an agreement and an organization in a real browser: on a phone and a desk, with scripts and without."""

from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import ActivityCreditFactory, ActivityFactory, ContactNoteFactory
from tests.views.world import World


@pytest.fixture
def world(world: World) -> World:
    activity = ActivityFactory(
        agreement=world.agreement, completed=True, title="Course held", organizations=[world.enterprise]
    )
    ActivityCreditFactory(activity=activity, area=world.area, organization=world.enterprise)
    for number in range(20):
        ContactNoteFactory(agreement=world.agreement, summary=f"Call {number}.")
    return world


@pytest.mark.parametrize("width", [390, 1440])
def test_the_story_is_read_in_place_and_a_number_opens_its_list(
    width: int, world: World, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{world.agreement.get_absolute_url()}#happened", world.coordinator, width=width)
    page.locator("#happened").wait_for()
    page.evaluate("window.stayed = true")

    happened = page.locator("#happened")
    happened.get_by_role("link", name="Calls and messages").click()
    happened.locator("[aria-current]", has_text="Calls and messages").wait_for()
    happened.get_by_role("link", name="Older").click()
    happened.get_by_text("2 / 2").wait_for()
    page.wait_for_url("**?happened=note&moments=2")
    assert page.evaluate("window.stayed") is True
    assert happened.get_by_text("North said yes").count() == 1

    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="1 delivered").first.click()
    page.get_by_role("link", name="Course held").wait_for()
    assert "1 of 2" in page.get_by_role("status").first.inner_text()


@pytest.mark.parametrize("width", [390, 1440])
def test_from_a_glance_at_an_organization_to_its_list(width: int, world: World, open_page: Callable[..., Any]) -> None:
    page = open_page(world.enterprise.get_absolute_url(), world.coordinator, width=width)

    page.get_by_role("link", name="1 completed").click()
    page.get_by_role("link", name="Course held").wait_for()


def test_without_scripts_the_same_links_lead_there(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page(world.agreement.get_absolute_url(), world.coordinator, width=390, has_scripts=False)
    tabs = page.get_by_role("navigation", name="Sections")

    tabs.get_by_role("link", name="History").click()
    page.locator("#happened").get_by_role("link", name="Calls and messages").click()
    page.locator("#happened").get_by_role("link", name="Older").click()
    page.locator("#happened").get_by_text("North said yes").wait_for()
    tabs.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="1 delivered").first.click()
    page.get_by_role("link", name="Course held").wait_for()

    assert "1 of 2" in page.get_by_role("status").first.inner_text()
