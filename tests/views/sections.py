"""The pages of longer records are read in sections, each at an address of its own."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

SECTIONS = ("overview", "work", "terms", "files", "history")  # of an agreement


def section_url(row: Any, name: str) -> str:
    return f"{row.get_absolute_url()}?section={name}"


def whole_page(client: Client, row: Any) -> str:
    """Return all sections of the page of a record, one after another; the page itself where it has none."""
    names = ["overview", *dict.fromkeys(getattr(type(row), "page_sections", {}).values())]
    return "".join(client.get(section_url(row, name)).text for name in names)


def cost(client: Client, address: str) -> int:
    """Return how many queries the page at ``address`` makes."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)
