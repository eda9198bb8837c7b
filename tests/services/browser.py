"""A person's browser: logged in, and watched, so that whatever its pages complain of fails the test."""

import functools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request

from partnerships.models import User

HARMLESS = re.compile(
    # Whoever types on while a field still looks something up ends that request, and nobody notices. htmx logs two errors
    # for a request without an answer; the second says why, and any other than this one (htmx:sendError) is a problem.
    r"htmx:(afterRequest|sendAbort)\b"
    # The page that says somebody else changed this meanwhile.
    r"|Failed to load resource: the server responded with a status of 409 "
)

# What is done on a page, and what is read of it at once. Waits for a text or an element are not among them.
ACTS = (
    *("check", "click", "drag_to", "fill", "focus", "press", "press_sequentially", "select_option"),
    *("set_input_files", "uncheck"),
)
READS = (
    *("all_inner_texts", "bounding_box", "count", "evaluate", "evaluate_all", "get_attribute", "inner_text"),
    *("input_value", "is_checked", "is_hidden", "is_visible"),
)


def use_loaded_pages() -> None:
    """Make each act and each read wait until the page has its style sheets and scripts.

    A click ends as soon as the next page begins to arrive. Before its style sheets are there, every field is visible;
    before its scripts are, a key does nothing.
    """

    def waiting(act: Any, page_of: Callable[[Any], Page]) -> Any:
        @functools.wraps(act)
        def wait_and_act(self: Any, *args: Any, **options: Any) -> Any:
            page_of(self).wait_for_load_state()
            return act(self, *args, **options)

        return wait_and_act

    for name in (*ACTS, *READS):
        setattr(Locator, name, waiting(getattr(Locator, name), lambda locator: locator.page))
    page_class: Any = Page
    page_class.evaluate = waiting(Page.evaluate, lambda page: page)
    page_class.keyboard = property(waiting(page_class.keyboard.fget, lambda page: page))


def log_in(context: BrowserContext, person: User, address: str) -> None:
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])


def watch(context: BrowserContext, address: str, problems: list[str]) -> None:
    """Notes what the pages of this browser log as an error or do not catch, and what they ask of another host."""
    host = urlsplit(address).netloc

    def note_logged(message: ConsoleMessage) -> None:
        if message.type == "error" and not HARMLESS.match(message.text):
            problems.append(f"{message.page.url}: {message.text}")

    def note_asked(request: Request) -> None:
        asked = urlsplit(request.url)
        # The browser's own viewer of PDF files asks for its parts, which are inside the browser.
        if asked.netloc != host and not asked.scheme.startswith("chrome"):
            problems.append(f"asked for {request.url}")

    context.on("console", note_logged)
    context.on("weberror", lambda uncaught: problems.append(f"{uncaught.page.url}: {uncaught.error}"))
    context.on("request", note_asked)
