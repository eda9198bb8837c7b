"""The main job in a real browser, on a phone and on a desk: log in, my work, the milestone, mark it as met."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from partnerships.factories import AgreementFactory, MilestoneFactory, UnitFactory, UserFactory
from partnerships.models import Milestone


@pytest.fixture
def milestone(transactional_db: None) -> Milestone:
    unit = UnitFactory()
    person = UserFactory(username="lin", password="a-long-password", coordinator_in=unit)
    agreement = AgreementFactory(unit=unit, coordinator=person, signed=True)
    due_on = timezone.localdate() + dt.timedelta(days=2)
    return MilestoneFactory(agreement=agreement, owner=person, title="Annual report exchanged", due_on=due_on)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_a_reminder_is_answered_by_doing_the_work(
    width: int, scheme: str, milestone: Milestone, open_page: Callable[..., Any]
) -> None:
    page = open_page(milestone.get_absolute_url(), width=width, color_scheme=scheme)
    page.get_by_label("Username").fill("lin")
    page.get_by_label("Password").fill("a-long-password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="My work").first.click()
    page.get_by_role("link", name="Mark as done: Annual report exchanged").click()
    page.get_by_label("Evidence").fill("Sent by post on Monday")
    page.get_by_role("button", name="Mark as done").click()
    page.get_by_text("Marked as done.").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    met = Milestone.objects.get(pk=milestone.pk)
    assert (met.status, met.evidence) == ("met", "Sent by post on Monday")


def test_the_keyboard_reaches_the_content_first(db: None, open_page: Callable[..., Any]) -> None:
    page = open_page("/password/reset/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.locator("#main:focus").wait_for()


@pytest.mark.parametrize(("width", "is_under_more"), [(390, True), (1440, False)])
def test_every_page_is_reached_from_the_menu_at_any_width(
    width: int, is_under_more: bool, milestone: Milestone, open_page: Callable[..., Any]
) -> None:
    page = open_page("/", milestone.owner, width=width)

    if is_under_more:
        page.get_by_role("navigation", name="Main").get_by_text("More").click()
    page.get_by_role("link", name="Calendar", exact=True).click()

    page.wait_for_url("**/calendar/")
    assert page.get_by_role("navigation", name="Main").get_by_role("link", name="Calendar", exact=True).is_visible()
