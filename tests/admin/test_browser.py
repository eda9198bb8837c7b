"""The admin in a real browser: its theme works under the policy and asks no other host."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from partnerships.factories import UserFactory
from tests.views.world import make_world


def pages_of(world: Any) -> list[str]:
    rows = (world.agreement, world.milestone, world.activity, world.enterprise)
    names = [(row, f"admin:partnerships_{row._meta.model_name}") for row in rows]
    return [
        reverse("admin:index"),
        *(reverse(f"{name}_changelist") for _row, name in names),
        *(reverse(f"{name}_add") for _row, name in names),
        *(reverse(f"{name}_change", args=[row.pk]) for row, name in names),
    ]


def test_no_page_of_the_admin_complains_or_asks_another_host(db: None, open_page: Callable[..., Any]) -> None:
    pages = pages_of(make_world("North"))
    page = open_page(pages[0], UserFactory(is_staff=True))

    for address in pages:
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.emulate_media(color_scheme="dark")
