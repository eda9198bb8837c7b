"""The admin in a real browser: its theme works under the policy and asks no other host."""

from collections.abc import Callable
from typing import Any

import pytest
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_the_admin_complains_or_asks_another_host(
    scheme: str, transactional_db: None, open_page: Callable[..., Any]
) -> None:
    first, *others = pages_of(make_world("North"))
    page = open_page(first, UserFactory(is_staff=True), color_scheme=scheme)

    for address in others:
        page.goto(address)
