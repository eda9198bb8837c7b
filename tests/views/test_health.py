from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError
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
