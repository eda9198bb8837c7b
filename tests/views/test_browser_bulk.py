"""Lists in a browser: many rows get another owner by few clicks, with an undo; columns are chosen and kept."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from partnerships.factories import MilestoneFactory, UserFactory
from partnerships.models import Milestone
from tests.views.test_every_page import violations
from tests.views.world import World

MOST_CLICKS = 5


def test_twenty_milestones_are_reassigned_in_few_clicks_and_given_back(
    world: World, open_page: Callable[..., Any]
) -> None:
    Milestone.objects.all().delete()
    for _ in range(20):
        MilestoneFactory(agreement=world.agreement, owner=world.coordinator)
    colleague, clicks = UserFactory(name="Zhao Min", coordinator_in=world.unit), 0
    page = open_page(reverse("milestone_list"), world.lead, reduced_motion="reduce")

    def click(target: Any) -> None:
        nonlocal clicks
        target.click()
        clicks += 1

    click(page.get_by_label("Select all rows of this page"))
    assert page.locator(".bulk-count").inner_text() == "20 selected"
    assert violations(page) == []
    click(page.get_by_role("button", name="Reassign"))
    page.get_by_label("To whom").select_option(label="Zhao Min")
    clicks += 2  # the list, and the name in it
    confirm = page.get_by_role("button", name="Reassign (20)")
    confirm.wait_for()  # the preview comes with the choice
    assert violations(page) == []
    click(confirm)

    page.get_by_text("Reassigned: 20 items.").wait_for()
    assert clicks <= MOST_CLICKS
    assert Milestone.objects.filter(owner=colleague).count() == 20

    page.keyboard.press("z")
    page.get_by_text("Undone: 20 items are restored.").wait_for()
    assert not Milestone.objects.filter(owner=colleague).exists()

    boxes = page.locator("input.pick")
    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    assert page.locator(".bulk-count").inner_text() == "5 selected"
    page.keyboard.press("Escape")
    assert page.locator("input.pick:checked").count() == 0
    boxes.nth(0).focus()
    page.keyboard.press("x")
    page.keyboard.press("s")
    page.get_by_role("heading", level=1, name="Snooze").wait_for()


def test_columns_are_chosen_and_kept(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page(reverse("agreement_list"), world.coordinator, reduced_motion="reduce")
    heads = page.locator("table.list-table thead th")

    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Reference").check()
    page.get_by_label("Next due").uncheck()
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("columnheader", name="Reference").wait_for()
    assert "Next due" not in " ".join(heads.all_inner_texts())

    page.goto(page.url.partition("?")[0])
    assert "Reference" in " ".join(heads.all_inner_texts())
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("link", name="Reset").click()
    page.get_by_role("columnheader", name="Next due").wait_for()
    assert "Reference" not in " ".join(heads.all_inner_texts())
