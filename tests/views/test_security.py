"""What a page lets its browser do: nothing inline, nothing from elsewhere."""

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import UserFactory

pytestmark = pytest.mark.django_db

STRICT = {
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


def policy(client: Client, address: str) -> set[str]:
    header = client.get(address)["Content-Security-Policy"]
    return {part.strip() for part in header.split(";")}


@pytest.mark.parametrize("name", ["login", "my_work", "agreement_list", "search", "password_reset"])
def test_own_pages_allow_nothing_inline(name: str, client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))

    assert policy(client, reverse(name)) == STRICT


def test_a_page_that_is_not_there_has_the_same_policy(client: Client) -> None:
    assert policy(client, "/agreements/999999/nothing/here/") == STRICT


def test_the_admin_gets_what_its_theme_needs_and_no_more(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))

    added = policy(client, reverse("admin:index")) - STRICT

    assert added == {"script-src 'self' 'unsafe-eval'", "style-src 'self' 'unsafe-inline'"}
