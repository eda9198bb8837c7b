"""The admin in a real browser: its theme works under the policy, asks no other host, and axe finds no grave fault."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
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
    scheme: str, transactional_db: None, page: Any, live_server: Any
) -> None:
    world = make_world("North")
    client = Client()
    client.force_login(UserFactory(is_staff=True))
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    page.context.add_cookies([{**cookie, "url": live_server.url}])
    page.emulate_media(color_scheme=scheme)
    problems: list[str] = []
    host = urlsplit(live_server.url).netloc
    page.on("console", lambda message: message.type == "error" and problems.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("request", lambda request: urlsplit(request.url).netloc == host or problems.append(request.url))

    for address in pages_of(world):
        page.goto(live_server.url + address)

    assert problems == []
