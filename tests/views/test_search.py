"""Search: over everything one may see, as a page, as the results alone, and below the field while one types."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    AgreementFactory,
    ContactNoteFactory,
    EnterpriseFactory,
    InstitutionFactory,
    ReportedFigureFactory,
)
from tests.views.test_lists import more_of_everything
from tests.views.world import World, make_world

TYPING = {"HX-Request": "true", "HX-Target": "found"}


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def found(page: Any) -> dict[str, int]:
    return {group.label: group.count for group in page.context["groups"]}


def test_it_finds_whatever_carries_the_word(world: World, client: Client) -> None:
    make_world("Northern")
    ContactNoteFactory(agreement=world.agreement, summary="North is where they want to go")

    counts = found(client.get(reverse("search"), {"q": "north"}))

    assert counts == {
        "Agreements": 2,
        "Organizations": 4,
        "Milestones": 2,
        "Activities": 1,
        "Joint facilities": 1,
        "Demands": 1,
        "Contacts": 1,
        "Documents": 1,
        "Calls and messages": 2,
    }


def test_a_figure_leads_to_its_page_and_names_its_source(world: World, client: Client) -> None:
    figure = ReportedFigureFactory(name="Looms in use", source__title="Harbor News", source__publisher="Harbor Press")

    found_figure, found_source = (
        client.get(reverse("search"), {"q": words}).context["groups"][0].texts[0] for words in ("looms", "harbor news")
    )

    assert (found_figure["url"], found_figure["about"]) == (figure.get_absolute_url(), figure.source)
    assert (found_source["url"], found_source["about"]) == (figure.source.get_absolute_url(), "Harbor Press")


@pytest.mark.parametrize("headers", [{}, TYPING])
def test_parts_come_after_their_whole_and_name_it(headers: dict[str, str], client: Client) -> None:
    college = InstitutionFactory(name="Harbor College")
    EnterpriseFactory(name="Business School", part_of=college)

    html = client.get(reverse("search"), {"q": "harbor"}, headers=headers).text

    assert -1 < html.find(">Harbor College") < html.find(">Business School") < html.find("part of Harbor College")


@pytest.mark.parametrize("words", ["中益", "机械", "north w", "nort wor"])
def test_two_characters_and_beginnings_are_enough(words: str, world: World, client: Client) -> None:
    assert found(client.get(reverse("search"), {"q": words}))["Organizations"] == 1


def test_a_number_opens_the_list_it_counts(world: World, client: Client) -> None:
    for number in range(9):
        AgreementFactory(unit=world.unit, title=f"Harbor {number}")

    group = client.get(reverse("search"), {"q": "harbor"}).context["groups"][0]

    assert (len(group.rows), group.count, group.has_more) == (8, 9, True)
    assert client.get(group.url).context["page"].paginator.count == 9


def test_a_script_gets_the_results_alone(world: World, client: Client) -> None:
    short = client.get(reverse("search"), {"q": "north"}, headers=TYPING).text
    results = client.get(reverse("search"), {"q": "north"}, headers={**TYPING, "HX-Target": "results"}).text

    assert ["<html" in part for part in (short, results)] == [False, False]
    assert ["North signed" in part for part in (short, results)] == [True, True]


def test_one_letter_is_not_looked_for_while_one_types(world: World, client: Client) -> None:
    assert client.get(reverse("search"), {"q": "n"}, headers=TYPING).context["groups"] == []


def test_contacts_are_for_the_holders_of_their_organization(world: World, client_of: Callable[[Any], Client]) -> None:
    counts = found(client_of(world.people["outsider"]).get(reverse("search"), {"q": "north"}))

    assert counts == {"Organizations": 2}


@pytest.mark.parametrize("rows", [1, 3])
def test_it_costs_the_same_however_many_there_are(
    rows: int, world: World, client: Client, django_assert_num_queries: Any
) -> None:
    more_of_everything(world, rows - 1)

    client.get(reverse("search"), {"q": "r"})  # the types of rows are read once for each process
    with django_assert_num_queries(21):
        client.get(reverse("search"), {"q": "r"})


class TestInABrowser:
    @pytest.mark.parametrize("width", [390, 1440])
    def test_slash_type_walk_and_enter(self, width: int, world: World, open_page: Callable[..., Any]) -> None:
        page = open_page("/search/" if width < 500 else "/", world.coordinator, width=width)

        if width > 500:
            page.keyboard.press("/")
        page.keyboard.insert_text("north sig")
        page.locator("#found a, #results a").filter(has_text="North signed").first.wait_for()
        page.keyboard.press("ArrowDown")
        if page.evaluate("document.activeElement.textContent.trim().startsWith('Agreements')"):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/agreements/*/")

        assert "North signed" in page.title()
