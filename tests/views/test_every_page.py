"""Every page in a real browser: readable by machines and people, quiet in the console, asking no other host."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client

from tests.views.test_access import TABLE, addresses
from tests.views.world import ROLES, World, make_world

# Beside them what a mail brought along: the page around it is looked at.
FILES_AND_ONE_PERSONS = {"document_download", "export_detail", "export_download", "mail_file", "mail_message"}
# Each page is read by the first of these who may open it.
READERS = ("lead", "staff")


@pytest.fixture(autouse=True)
def on_the_day() -> None:
    """The browser has its own clock: these tests run on today's date."""


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world("North")


def read_by(role: str) -> list[str]:
    """Names of the pages that ``role`` is the first of READERS to open."""
    may = {
        name: {reader for reader in READERS if answers[ROLES.index(reader)] == 200} for name, answers in TABLE.items()
    }
    first = {name: min(readers, key=READERS.index) for name, readers in may.items() if readers}
    return sorted(name for name in first if first[name] == role and name not in FILES_AND_ONE_PERSONS)


def walk(world: World, page: Any, server: Any) -> Iterator[str]:
    """Opens every page in the browser; the name of the one that is open."""
    pages = addresses(world)
    for role in READERS:
        client = Client()
        client.force_login(world.people[role])
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([{**cookie, "url": server.url}])
        for name in read_by(role):
            page.goto(server.url + pages[name])
            yield name


def test_every_address_has_its_reader() -> None:
    assert {name for role in READERS for name in read_by(role)} == TABLE.keys() - FILES_AND_ONE_PERSONS


def violations(page: Any) -> list[str]:
    """In words: the rule and the first element that breaks it."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_to_complain_about(
    width: int, scheme: str, world: World, page: Any, live_server: Any
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    found, too_wide = {}, []

    for name in walk(world, page, live_server):
        found[name] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            too_wide.append(name)

    assert {name: broken for name, broken in found.items() if broken} == {}
    assert too_wide == []


def test_no_page_complains_or_asks_another_host(world: World, page: Any, live_server: Any) -> None:
    problems: list[str] = []
    host = urlsplit(live_server.url).netloc
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: urlsplit(request.url).netloc == host or problems.append(request.url))

    walked = list(walk(world, page, live_server))

    assert problems == []
    assert len(walked) > 40


def test_every_page_is_valid_html(world: World) -> None:
    broken, pages = {}, addresses(world)
    for role in READERS:
        client = Client()
        client.force_login(world.people[role])
        for name in read_by(role):
            parser = html5lib.HTMLParser()
            parser.parse(client.get(pages[name]).text)
            broken[name] = [f"line {place[0]}: {code}" for place, code, _data in parser.errors]

    assert {name: errors for name, errors in broken.items() if errors} == {}
