"""A ceremony entered in a real browser: typed, kept by itself, gone on with elsewhere, recorded; and without scripts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from partnerships.factories import AgreementTypeFactory, EnterpriseFactory, InstitutionFactory, ProgrammeFactory
from partnerships.models import CeremonyDraft, Event
from tests.views.test_every_page import violations
from tests.views.world import World


@pytest.fixture
def world(world: World) -> World:
    AgreementTypeFactory(name="Strategic cooperation agreement")
    InstitutionFactory(name="Shaoxing College")
    EnterpriseFactory(name="Panda Electronic Equipment")
    ProgrammeFactory(name="Zijin action", unit=world.unit)
    return world


def fill_event(page: Any) -> None:
    page.get_by_label("Name of the event").fill("Docking meeting")
    page.get_by_label("Date", exact=True).first.fill(timezone.localdate().isoformat())
    page.get_by_label("Signing ceremony").check()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_ceremony_is_typed_and_recorded(width: int, world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/events/", world.coordinator, width=width)
    page.get_by_role("link", name="Record a signing event").click()
    fill_event(page)
    page.get_by_label("Program: words to look for").press_sequentially("zij")
    page.get_by_label("Zijin action").check()
    page.locator("[name=present-0-name]").press_sequentially("shaoxing college")
    page.locator("#who-0 summary", has_text="Shaoxing College").wait_for()  # by its short name, too
    page.locator("[name=present-1-name]").fill("panda")
    page.locator("#who-1").get_by_label("Panda Electronic Equipment").check()
    assert page.locator("[name=present-1-name]").input_value() == "Panda Electronic Equipment"
    page.locator("[name=present-2-name]").press_sequentially("Another")
    page.locator("#who-2 summary", has_text="New").wait_for()

    page.locator("#add-agreements-count").fill("2")
    page.locator("#add-agreements").click()
    page.locator("[name=agreements-0-partner]:focus").wait_for()
    page.locator("[name=agreements-0-partner]").select_option("Panda Electronic Equipment")
    page.locator("[name=present-2-name]").fill("Another Works")
    page.locator("[name=agreements-1-partner]").select_option("Another Works")  # known at once
    page.locator("#who-2 summary", has_text="New").wait_for()
    page.locator("#counts-agreements", has_text="2 named").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.get_by_role("button", name="Save event").click()
    page.get_by_text("Recorded: the event · 3 taking part · 1 new organization · 2 agreements.").wait_for()

    event = Event.objects.get(name="Docking meeting")
    labelled = [str(item) for item in event.programme_items.get().programme.items.all()]
    assert labelled == ["Docking meeting", *["Strategic cooperation agreement"] * 2]
    parties = {tuple(str(party.organization) for party in row.parties.all()) for row in event.agreements.all()}
    assert parties == {
        ("Shaoxing College", "Panda Electronic Equipment"),
        ("Shaoxing College", "Another Works"),
    }


def test_a_draft_saves_itself_and_is_continued_on_another_device(world: World, open_page: Callable[..., Any]) -> None:
    desk = open_page("/events/ceremony/", world.coordinator)
    with desk.expect_response(lambda answer: "signing_ceremony" in (answer.request.post_data or "")):
        fill_event(desk)
    desk.get_by_text("Draft saved").wait_for()
    desk.wait_for_url("**/?draft=*")

    phone = open_page("/events/ceremony/drafts/", world.coordinator, width=390)
    phone.get_by_role("link", name="Docking meeting").click()
    assert phone.get_by_label("Name of the event").input_value() == "Docking meeting"
    assert phone.get_by_text("Draft saved").is_visible()
    with phone.expect_response(lambda answer: answer.request.method == "POST"):
        phone.get_by_label("Place").fill("Shengzhou")

    desk.get_by_label("Place").fill("Shaoxing")
    desk.get_by_text("changed in another tab or on another device").wait_for()
    assert violations(desk) == []
    with desk.expect_navigation():
        desk.get_by_role("button", name="Overwrite").click()
    assert desk.get_by_label("Place").input_value() == "Shaoxing"
    assert CeremonyDraft.objects.get().content["place"] == ["Shaoxing"]

    phone.get_by_label("Place").fill("Nanjing")
    phone.get_by_text("changed in another tab or on another device").wait_for()
    phone.get_by_role("link", name="Reload").click()
    phone.wait_for_function("document.querySelector('[name=place]').value === 'Shaoxing'")
    assert CeremonyDraft.objects.get().content["place"] == ["Shaoxing"]


def test_lines_are_added_by_keyboard(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/events/ceremony/", world.coordinator)
    page.locator("[name=present-0-name]").focus()
    page.keyboard.insert_text("shaoxing")
    page.locator("#who-0 [type=radio]").first.wait_for()
    page.keyboard.press("Enter")  # sends nothing
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.locator("#who-0 summary", has_text="Shaoxing College").wait_for()
    page.locator("#add-present").focus()
    page.keyboard.press("Enter")
    page.locator("[name=present-3-name]:focus").wait_for()
    page.locator("[name=action][value=remove-present-3]").focus()
    page.keyboard.press("Enter")
    page.locator("#add-present:focus").wait_for()

    assert page.locator(".line-present").count() == 5


def test_what_is_chosen_while_lines_are_added_is_kept(world: World, open_page: Callable[..., Any]) -> None:
    page, held = open_page("/events/ceremony/", world.coordinator), []
    page.locator("#add-facilities-kind").select_option("Employment base")

    def hold(route: Any) -> None:
        if "add-facilities" in (route.request.post_data or "") and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/events/ceremony/", hold)
    with page.expect_request(lambda request: "add-facilities" in (request.post_data or "")):
        page.locator("#add-facilities").click()
    page.locator("#add-facilities-kind").select_option("Professor (doctoral) workstation")
    page.locator("#add-facilities-count").fill("8")
    page.get_by_label("Name of the event").fill("Docking meeting")
    page.get_by_label("Signing ceremony").check()
    held[0].continue_()
    page.locator("[name=facilities-0-partner]").wait_for()
    assert page.locator("#add-facilities-kind option:checked").inner_text() == "Professor (doctoral) workstation"
    page.locator("#add-facilities").click()
    page.locator("[name=facilities-8-partner]").wait_for()

    kinds = [page.locator(f"[name=facilities-{number}-kind] option:checked").inner_text() for number in range(9)]
    assert kinds == ["Employment base", *["Professor (doctoral) workstation"] * 8]
    assert page.get_by_label("Name of the event").input_value() == "Docking meeting"
    assert page.get_by_label("Signing ceremony").is_checked()


def test_a_list_is_pasted_into_a_field_that_was_made_taller(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/events/ceremony/", world.coordinator)
    page.locator("details.paste > summary").click()
    page.locator("#pasted").fill("North Works\tFramework")
    page.evaluate("document.getElementById('pasted').style.height = '300px'")  # as dragging its corner does

    # An inline style that the policy refuses is logged as an error, and fails the test.
    page.get_by_role("button", name="Make lines of it").click()
    page.locator("#pasted:not([style])").wait_for(state="attached")


def test_without_scripts_the_buttons_do_the_same(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page("/events/ceremony/", world.coordinator, width=390, has_scripts=False)
    fill_event(page)
    page.get_by_label("Program: words to look for").fill("zijin")
    page.get_by_role("button", name="Find: Program").click()
    page.get_by_label("Zijin action").check()
    page.locator("[name=present-0-name]").fill("Shaoxing College")
    page.locator("[name=present-1-name]").fill("Panda")
    page.get_by_role("button", name="Save draft").last.click()
    page.locator("#who-1").get_by_label("Panda Electronic Equipment").check()
    page.locator("#add-facilities-kind").select_option("Employment base")
    page.locator("#add-facilities").click()
    page.locator("[name=facilities-0-partner]").select_option("Panda")
    page.get_by_role("button", name="Save event").click()
    page.get_by_text("Recorded: the event · 2 taking part · 1 facility.").wait_for()

    event = Event.objects.get(name="Docking meeting")
    facility = event.facilities.get()
    assert event.programme_items.get().programme.items.filter(facility=facility).exists()
    assert [str(partner.organization) for partner in facility.partners.all()] == [
        "Shaoxing College",
        "Panda Electronic Equipment",
    ]
