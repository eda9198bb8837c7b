"""The overview in a real browser: a bar opens its list, chips and charts by keyboard, charts as tables, a decision in its line."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.factories import AgreementFactory, MilestoneFactory
from partnerships.models import Milestone, MilestoneKind
from tests.services.stack import PATIENCE
from tests.views.test_every_page import violations
from tests.views.world import World, make_world

SOON = PATIENCE * 1000


@pytest.fixture
def world(transactional_db: None) -> World:
    world = make_world("North")
    for number in range(3):
        AgreementFactory(
            unit=world.unit,
            coordinator=world.coordinator,
            title=f"Signed now {number}",
            signed=True,
            signed_on=timezone.localdate().replace(day=1),
        )
    return world


def test_a_bar_opens_the_list_of_what_it_counts(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/overview/", world.lead)
    bar = page.locator('.chart-months a[aria-label$=" signed"]').last
    said = bar.get_attribute("aria-label")

    bar.click()

    page.wait_for_url("**/agreements/?**")
    count = int(said.removesuffix(" signed").split(": ")[1])
    assert count == 3
    assert page.locator(".list-table tbody tr").count() == count


def test_a_chip_is_opened_and_chosen_by_keyboard(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/overview/", world.lead)
    summary = page.get_by_role("navigation", name="Scope and period").locator("summary").nth(1)
    summary.focus()

    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text(f"Year {timezone.localdate().year - 1}", timeout=SOON)
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/overview/?period={timezone.localdate().year - 1}")


def test_arrow_keys_lead_through_a_chart_that_is_one_stop(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/overview/", world.lead)
    marks = page.locator(".chart-months a")
    assert page.locator('.chart-months a:not([tabindex="-1"])').count() == 1
    marks.first.focus()

    page.keyboard.press("End")
    expect(marks.last).to_be_focused(timeout=SOON)
    page.keyboard.press("ArrowRight")

    expect(marks.first).to_be_focused(timeout=SOON)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_as_tables_are_readable(scheme: str, world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/overview/", world.lead, color_scheme=scheme)
    for summary in page.locator(".as-table > summary").all():
        summary.click()

    assert page.locator(".chart-months").is_hidden()
    assert page.get_by_role("table").count() == page.locator(".as-table").count()
    assert violations(page) == []


def test_a_decision_is_taken_in_its_line(world: World, open_page: Callable[..., Any]) -> None:
    milestone = MilestoneFactory(
        agreement=world.agreement,
        unit=world.unit,
        kind=MilestoneKind.DECISION_DATE,
        derived_key="decision_date:1",
        due_on=timezone.localdate() + dt.timedelta(days=9),
        status="submitted",
        requires_acceptance=True,
    )
    page = open_page("/overview/", world.lead)

    page.locator(f"#work-milestone-{milestone.pk}").get_by_role("button", name="Accept").click()

    expect(page.locator(f"#work-milestone-{milestone.pk}.done-row")).to_be_visible(timeout=SOON)
    assert Milestone.objects.get(pk=milestone.pk).status == "met"
