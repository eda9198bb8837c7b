"""A person's browser: logged in, and watched, so that whatever its pages complain of fails the test."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Request

from partnerships.models import User

HARMLESS = re.compile(
    # Whoever types on while a field still looks something up ends that request, and nobody notices. htmx logs two errors
    # for a request without an answer; the second says why, and any other than this one (htmx:sendError) is a problem.
    r"htmx:(afterRequest|sendAbort)\b"
    # The page that says somebody else changed this meanwhile.
    r"|Failed to load resource: the server responded with a status of 409 "
)


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
