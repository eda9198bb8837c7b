"""Long words, addresses, numbers and Chinese without spaces break: no page is wider than the screen of a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db.models import TextField
from django.urls import reverse

from partnerships.models.base import LineField
from tests.admin.test_browser import pages_of
from tests.views.test_every_page import walk
from tests.views.world import World

WIDTH = 360
# Two kinds together, of which each alone is wider than a phone: a walk through all pages takes long.
LONG = {
    "word and address": "Donaudampfschifffahrtsgesellschaftskapitaen https://elsewhere.example/" + "a" * 100,
    "number and chinese": "91350211" * 6 + " " + "绍兴市嵊州市职业技术教育产教融合协同育人合作协议" * 4,
}


def lengthen(text: str) -> None:
    """Begin every title, name and text of the records with ``text``, and end with what was there."""
    for model in apps.get_app_config("partnerships").get_models():
        free = [field for field in model._meta.concrete_fields if isinstance(field, LineField | TextField)]
        columns = [field for field in free if not field.choices and (field.editable or field.name == "summary")]
        if model.__name__.startswith("Historical") or not columns:
            continue
        for row in model._base_manager.all():
            values = {}
            for field in columns:
                longest = getattr(field, "max_length", None) or 2000
                if field.value_from_object(row) and longest > 60:
                    values[field.name] = f"{text[: longest - 50]} {row.pk} {field.value_from_object(row)}"[:longest]
            if values:
                model._base_manager.filter(pk=row.pk).update(**values)


@pytest.mark.parametrize("kind", LONG)
def test_no_page_is_wider_than_a_phone(kind: str, world: World, open_page: Callable[..., Any]) -> None:
    lengthen(LONG[kind])
    too_wide = {}

    for name, page in walk(world, open_page):
        page.set_viewport_size({"width": WIDTH, "height": 740})
        if page.evaluate("document.documentElement.scrollWidth") > WIDTH:
            too_wide[name] = page.evaluate(
                "width => [...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > width)"
                ".slice(-1).map(one => one.outerHTML.slice(0, 200))",
                WIDTH,
            )
    for address in (*pages_of(world), f"{reverse('search')}?q=North"):
        page.goto(address)
        page.set_viewport_size({"width": WIDTH, "height": 740})
        if page.evaluate("document.documentElement.scrollWidth") > WIDTH:
            too_wide[address] = []

    assert too_wide == {}
