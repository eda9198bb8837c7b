"""A list's address kept under a name, the columns one chose, the rows on a page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.models import SavedView
from tests.views.world import World

pytestmark = pytest.mark.django_db


def save(client: Client, name: str, query: str, key: str = "agreement_list") -> Any:
    return client.post(reverse("saved_view_add"), {"list": key, "query": query, "name": name})


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def test_a_view_opens_the_list_as_it_stood(client: Client) -> None:
    answer = save(client, "Signed ones", "status=signed&columns=status&page=3")

    assert answer.url == "/agreements/?status=signed&columns=status"
    page = client.get(answer.url).text
    [tag] = re.findall(r"<a ([^>]*)>\s*Signed ones", page)
    assert "?status=signed&amp;columns=status" in tag
    assert 'aria-current="true"' in tag


def test_the_same_name_takes_the_new_address(client: Client) -> None:
    save(client, "Mine", "status=signed")
    save(client, "Mine", "status=draft")

    assert list(SavedView.objects.values_list("name", "query")) == [("Mine", "status=draft")]


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        (" ", "", "Give the view a name."),
        ("x" * 61, "", "at most 60 characters"),
        ("Long", "q=" + "x" * 2000, "These filters are too long to be saved."),
    ],
)
def test_what_cannot_be_saved_says_why(name: str, query: str, said: str, client: Client) -> None:
    answer = save(client, name, query)

    assert said in client.get(answer.url[:20]).text
    assert SavedView.objects.count() == 0


def test_thirty_are_enough(client: Client, world: World) -> None:
    for number in range(31):
        save(client, f"View {number}", "")

    assert SavedView.objects.filter(user=world.coordinator).count() == 30


def test_another_persons_view_is_not_there(client: Client, world: World, client_of: Callable[[Any], Client]) -> None:
    save(client, "My own", "")
    view = SavedView.objects.get()
    other = client_of(world.lead)

    assert "My own</a>" not in other.get(reverse("agreement_list")).text
    assert other.post(reverse("saved_view_delete", args=[view.pk])).status_code == 404
    assert client.post(reverse("saved_view_delete", args=[view.pk])).url == "/agreements/"
    assert SavedView.objects.count() == 0


@pytest.mark.parametrize("key", ["", "login", "admin:index", "agreement_list\0"])
def test_only_lists_have_views(key: str, client: Client) -> None:
    assert save(client, "Mine", "", key=key).status_code == 404


def test_columns_that_are_not_chosen_are_left_out(client: Client) -> None:
    page = client.get(reverse("agreement_list"), {"columns": ["status", "password"]})

    assert [cell.heading for cell in page.context["table"][0].cells] == ["Partner", "Agreement", "Status"]
    assert [heading.label for heading in page.context["list"].headings()] == ["Partner", "Agreement", "Status"]
    assert "“password” is not a column of this list; it was left out." in page.text


def test_filters_keep_columns_and_columns_keep_filters(client: Client) -> None:
    asked = {"columns": "status", "status": "signed", "sort": "title", "filters": "open"}
    page = client.get(reverse("agreement_list"), asked).text

    filters, columns = page.split('aria-label="Filter the list"')[1], page.split("column-chooser")[1]
    assert '<input type="hidden" name="columns" value="status">' in filters.split("</form>")[0]
    assert '<input type="hidden" name="status" value="signed">' in columns.split("</form>")[0]
    assert '<input type="hidden" name="sort" value="title">' in columns.split("</form>")[0]


@pytest.mark.parametrize(("asked", "size"), [("25", 25), ("200", 200), ("7", 50), ("x", 50)])
def test_the_rows_on_a_page_are_one_of_four_numbers(asked: str, size: int, client: Client) -> None:
    page = client.get(reverse("agreement_list"), {"size": asked})

    assert page.context["page"].paginator.per_page == size
