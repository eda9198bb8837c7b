"""Pages are read on the factories' day, at noon; in a browser today, because it has its own clock."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from partnerships.factories import NOON
from tests.views.world import World, make_world


@pytest.fixture(autouse=True)
def on_the_day(request: pytest.FixtureRequest) -> Iterator[None]:
    if "live_server" in request.fixturenames:
        yield
        return
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def world(db: Any) -> World:
    return make_world("North")


@pytest.fixture
def client_of() -> Callable[[Any], Client]:
    """``client_of(person)`` is their browser, logged in."""

    def login(person: Any) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return login
