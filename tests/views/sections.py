"""The page of an agreement is read in sections, each at an address of its own."""

from typing import Any

from django.test import Client

SECTIONS = ("overview", "work", "terms", "files", "history")


def section_url(row: Any, name: str) -> str:
    return f"{row.get_absolute_url()}?section={name}"


def whole_page(client: Client, row: Any) -> str:
    """Return all sections of the page, one after another."""
    return "".join(client.get(section_url(row, name)).text for name in SECTIONS)
