"""Every page in a real browser: readable by machines and people, quiet in the console, asking no other host."""

from collections.abc import Callable, Iterator
from typing import Any

import html5lib
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client

from tests.views.test_access import TABLE, addresses
from tests.views.world import ROLES, World

# Beside them what a mail brought along: the page around it is looked at.
FILES_AND_ONE_PERSONS = {
    "bulk_act",
    "document_download",
    "document_inline",
    "export_detail",
    "export_download",
    "import_recipe",
    "import_rejected",
    "import_template",
    "mail_file",
    "mail_message",
    "overview_tables",
}
# Each page is read by the first of these who may open it.
READERS = ("lead", "staff", "system_admin")
# Each page is examined once in whole; dark pages differ from light ones in their colours alone.
LOOKS = ((1440, "light", ()), (390, "dark", ("color-contrast", "link-in-text-block")))


def read_by(role: str) -> list[str]:
    """Names of the pages that ``role`` is the first of READERS to open."""
    may = {
        name: {reader for reader in READERS if answers[ROLES.index(reader)] == 200} for name, answers in TABLE.items()
    }
    first = {name: min(readers, key=READERS.index) for name, readers in may.items() if readers}
    return sorted(name for name in first if first[name] == role and name not in FILES_AND_ONE_PERSONS)


def walk(world: World, open_page: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Opens every page in a browser: its name, and the page."""
    pages = addresses(world)
    for role in READERS:
        # Colours that fade into each other have no contrast to look at.
        page = open_page("/", world.people[role], reduced_motion="reduce")
        for name in read_by(role):
            page.goto(pages[name])
            yield name, page


def test_every_address_has_its_reader() -> None:
    assert {name for role in READERS for name in read_by(role)} == TABLE.keys() - FILES_AND_ONE_PERSONS


def violations(page: Any, *rules: str) -> list[str]:
    """In words: the rule and the first element that breaks it. Without rules, all of them."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def test_every_page_is_readable_fits_and_complains_of_nothing(world: World, open_page: Callable[..., Any]) -> None:
    found, too_wide = {}, []

    for name, page in walk(world, open_page):
        for width, scheme, rules in LOOKS:
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                too_wide.append((name, width))
            found[name, width, scheme] = violations(page, *rules)

    assert ({look: broken for look, broken in found.items() if broken}, too_wide) == ({}, [])
    assert len(found) > 80 * len(LOOKS)


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
