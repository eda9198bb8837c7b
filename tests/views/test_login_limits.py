"""Wrong passwords: strangers pause their own address, never the owner's, whatever they put into X-Forwarded-For."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from partnerships.client_address import client_address, client_network
from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import User

PROXY = "10.0.0.7"
OWNER, STRANGER = "203.0.113.5", "198.51.100.9"


@pytest.fixture
def person() -> User:
    return UserFactory(username="lin", password="a-long-password", coordinator_in=UnitFactory())


def log_in(address: str, username: str = "lin", password: str = "a-long-password", sent: str = "") -> HttpResponse:
    """Log in from ``address`` through one proxy, which appends it to what the client ``sent``."""
    forwarded = f"{sent}, {address}" if sent else address
    return Client(REMOTE_ADDR=PROXY).post(
        reverse("login"), {"username": username, "password": password}, headers={"x-forwarded-for": forwarded}
    )


def is_logged_in(response: HttpResponse) -> bool:
    return (response.status_code, response.headers.get("Location")) == (302, "/")


@pytest.mark.django_db
def test_strangers_behind_the_proxy_do_not_lock_the_owner_out(person: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1

    tried = [log_in(STRANGER, password="wrong").status_code for _turn in range(10)]

    assert tried == [200] * 9 + [429]
    assert log_in(STRANGER).status_code == 429
    assert is_logged_in(log_in(OWNER))


@pytest.mark.django_db
def test_forged_addresses_do_not_give_a_stranger_more_tries(person: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1

    for turn in range(10):
        log_in(STRANGER, password="wrong", sent=f"192.0.2.{turn}")

    assert log_in(STRANGER, sent=OWNER).status_code == 429
    assert is_logged_in(log_in(OWNER))


@pytest.mark.django_db
def test_one_password_tried_on_all_names_pauses_the_address(person: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1

    tried = [log_in(STRANGER, username=f"name-{turn}").status_code for turn in range(31)]

    assert tried == [200] * 29 + [429] * 2
    assert log_in(STRANGER).status_code == 429
    assert is_logged_in(log_in(OWNER))


@pytest.mark.django_db
def test_the_own_account_of_a_stranger_does_not_reset_the_count_of_the_address(person: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    UserFactory(username="mallory", password="a-long-password", coordinator_in=UnitFactory())

    for turn in range(29):
        log_in(STRANGER, username=f"name-{turn}")
    assert is_logged_in(log_in(STRANGER, username="mallory"))

    assert log_in(STRANGER, username="one-more").status_code == 429


@pytest.mark.django_db
def test_guessing_from_many_addresses_is_slowed_down_without_locking_the_owner_out(person: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    for turn in range(30):
        log_in(f"192.0.2.{turn}", password="wrong")

    tried = [log_in(STRANGER, password="wrong").status_code for _turn in range(3)]

    assert tried == [200, 200, 429]
    log_in(OWNER, password="mistyped")
    assert is_logged_in(log_in(OWNER))


@pytest.mark.django_db
def test_without_the_setting_the_header_is_ignored(person: User) -> None:
    for turn in range(10):
        log_in(f"192.0.2.{turn}", password="wrong")

    assert log_in(STRANGER).status_code == 429


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "198.51.100.9", PROXY),
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "192.0.2.1, 198.51.100.9", "198.51.100.9"),
        (2, "192.0.2.1, 198.51.100.9, 10.0.0.8", "198.51.100.9"),
        (2, "198.51.100.9", PROXY),  # came past one of the proxies
        (1, "", PROXY),
        (1, "unknown", PROXY),
        (1, "198.51.100.9:4711", "198.51.100.9"),
        (1, "[2001:db8::9]:4711", "2001:db8::9"),
        (1, "::ffff:198.51.100.9", "198.51.100.9"),
    ],
)
def test_the_client_is_the_entry_that_the_outermost_proxy_appended(
    proxies: int, forwarded: str, found: str, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": forwarded}

    assert client_address(request) == found


def test_addresses_of_one_ipv6_network_count_together(settings: Any) -> None:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": "2001:db8:1:2:3:4:5:6"}

    assert client_network(request) == "2001:db8:1:2::"


def test_a_socket_file_has_no_client_address(settings: Any) -> None:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": ""}

    assert client_network(request) is None
