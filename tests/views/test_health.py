from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from partnerships.models import ComponentHeartbeat
from partnerships.views import health
from tests.services.redis import RedisServer


@pytest.fixture
def broker(redis_server: RedisServer) -> Any:
    """The application's broker is a real one, as long as the test lasts."""
    before = current_app.conf.broker_url
    current_app.conf.broker_url = redis_server.url
    yield redis_server
    current_app.conf.broker_url = before


def tick(*, ago: timedelta) -> None:
    ComponentHeartbeat.objects.create(name="reminders", at=timezone.now() - ago)


def test_healthz_asks_no_database(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.both_databases
@pytest.mark.django_db
def test_readyz_when_all_is_well(client: Client, broker: RedisServer) -> None:
    tick(ago=timedelta(minutes=4))

    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"database": "ok", "broker": "ok", "reminders": "ok"})


@pytest.mark.django_db
def test_readyz_says_that_ticks_are_late(client: Client, broker: RedisServer) -> None:
    tick(ago=timedelta(minutes=6))

    response = client.get("/readyz")

    assert (response.status_code, response.json()["reminders"]) == (503, "late")


@pytest.mark.django_db
def test_readyz_says_that_no_tick_ever_came(client: Client, broker: RedisServer) -> None:
    assert client.get("/readyz").json() == {"database": "ok", "broker": "ok", "reminders": "late"}


@pytest.mark.django_db
def test_readyz_says_that_the_broker_is_gone(client: Client, broker: RedisServer) -> None:
    tick(ago=timedelta())
    broker.kill()

    response = client.get("/readyz")

    assert (response.status_code, response.json()["broker"]) == (503, "unreachable")


def test_readyz_says_that_the_database_is_gone(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class GoneConnection:
        def cursor(self) -> None:
            raise DatabaseError

    monkeypatch.setattr(health, "connection", GoneConnection())

    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (
        503,
        {"database": "unreachable", "broker": "ok", "reminders": "unknown"},
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token", "address", "headers", "is_shown"),
    [
        ("", "127.0.0.1", {}, True),
        ("", "::1", {}, True),
        ("", "192.0.2.1", {}, False),
        ("", "127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, False),  # a proxy on this machine
        ("", "192.0.2.1", {"authorization": "Bearer "}, False),
        ("let-me-see", "192.0.2.1", {"authorization": "Bearer let-me-see"}, True),
        ("let-me-see", "192.0.2.1", {"authorization": "Bearer let-me-in"}, False),
    ],
)
def test_readyz_shows_its_details_to_this_machine_and_with_the_token_alone(
    broker: RedisServer, settings: Any, token: str, address: str, headers: dict[str, str], is_shown: bool
) -> None:
    settings.READYZ_TOKEN = token

    response = Client(REMOTE_ADDR=address).get("/readyz", headers=headers)

    details = {"database": "ok", "broker": "ok", "reminders": "late"}
    assert (response.status_code, response.json()) == (503, details if is_shown else {"status": "unavailable"})


@pytest.mark.both_databases
@pytest.mark.django_db
def test_readyz_where_the_database_takes_no_changes(client: Client, broker: RedisServer) -> None:
    tick(ago=timedelta(minutes=1))
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON" if is_sqlite else "SET TRANSACTION READ ONLY")
    try:
        response = client.get("/readyz")
    finally:
        if is_sqlite:
            connection.cursor().execute("PRAGMA query_only = OFF")

    assert (response.status_code, response.json()["database"]) == (503, "read-only")
