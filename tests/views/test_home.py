"""The page that people start with: the overview for leads, the office and viewers, their own work for all others."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import UnitFactory, UserFactory
from tests.views.world import ROLES, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.lead)


HOMES = {
    "viewer": "/overview/",
    "coordinator": "/",
    "lead": "/overview/",
    "staff": "/overview/",
    "user_admin": "/",
    "system_admin": "/overview/",
    "nobody": "/",
    "outsider": "/",
}


@pytest.mark.parametrize("role", ROLES)
def test_leads_the_office_and_viewers_start_with_the_overview(
    role: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    html = client_of(world.people[role]).get(reverse("my_work")).text

    assert re.findall(r'<a class="brand" href="([^"]+)"', html) == [HOMES[role]]
    places = re.findall(r'<a href="([^"]+)"[^>]*>', html.split('<nav class="places"')[1].split("</nav>")[0])
    assert sorted(places[:2]) == ["/", "/overview/"]
    assert places[0] == HOMES[role]


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("", "/overview/"),
        ("/", "/overview/"),
        ("/agreements/", "/agreements/"),
        ("/overview/?period=2025", "/overview/?period=2025"),
    ],
)
def test_a_log_in_leads_home_or_to_the_page_asked_for(asked: str, place: str) -> None:
    UserFactory(username="lin", password="a-long-password", lead_in=UnitFactory())
    address = f"{reverse('login')}?next={asked}" if asked else reverse("login")

    answer = Client().post(address, {"username": "lin", "password": "a-long-password"})

    assert answer.url == place


def test_the_palette_and_the_bottom_bar_know_the_overview(world: World, lead: Client) -> None:
    found = lead.get(reverse("search"), {"q": "overview"}, headers={"hx-request": "true", "hx-target": "found"}).text
    bar = lead.get(reverse("my_work")).text.split('class="bottom-bar"')[1].split("<details")[0]

    assert 'href="/overview/"' in found
    assert re.findall(r'href="([^"]+)"', bar) == ["/overview/", "/", "/agreements/", "/calendar/"]
