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

# Files, and what a mail brought along: the page around it is looked at.
FILES = {"document_download", "export_detail", "export_download", "mail_file", "mail_message"}
PAGES = sorted(TABLE.keys() - FILES)


@pytest.fixture(autouse=True)
def on_the_day() -> None:
    """The browser has its own clock: these tests run on today's date."""


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world("North")


@pytest.fixture
def lead_page(world: World, page: Any, live_server: Any) -> Iterator[Any]:
    """A browser in which the unit's lead is logged in."""
    client = Client()
    client.force_login(world.lead)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    page.context.add_cookies([{**cookie, "url": live_server.url}])
    return page


def violations(page: Any) -> list[str]:
    """In words: the rule and the first element that breaks it."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_to_complain_about(
    width: int, scheme: str, world: World, lead_page: Any, live_server: Any
) -> None:
    lead_page.set_viewport_size({"width": width, "height": 844})
    lead_page.emulate_media(color_scheme=scheme)
    pages = addresses(world)
    found, too_wide = {}, []

    for name in PAGES:
        lead_page.goto(live_server.url + pages[name])
        found[name] = violations(lead_page)
        if lead_page.evaluate("document.documentElement.scrollWidth") > width:
            too_wide.append(name)

    assert {name: broken for name, broken in found.items() if broken} == {}
    assert too_wide == []


def test_no_page_complains_or_asks_another_host(world: World, lead_page: Any, live_server: Any) -> None:
    problems: list[str] = []
    host = urlsplit(live_server.url).netloc
    lead_page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    lead_page.on("pageerror", lambda error: problems.append(str(error)))
    lead_page.on("request", lambda request: urlsplit(request.url).netloc == host or problems.append(request.url))

    for name, address in addresses(world).items():
        if name in PAGES and TABLE[name][ROLES.index("lead")] == 200:  # the browser itself complains of a refusal
            lead_page.goto(live_server.url + address)

    assert problems == []


def test_every_page_is_valid_html(world: World) -> None:
    client = Client()
    client.force_login(world.lead)
    broken = {}
    for name, address in addresses(world).items():
        if name not in PAGES:
            continue
        parser = html5lib.HTMLParser()
        parser.parse(client.get(address).text)
        broken[name] = [f"line {place[0]}: {code}" for place, code, _data in parser.errors]

    assert {name: errors for name, errors in broken.items() if errors} == {}
