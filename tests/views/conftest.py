"""Pages are read on the factories' day, at noon; in a browser today, because it has its own clock."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from partnerships.factories import NOON
from tests.services.shared_rows import SharedRows, rows_of_module
from tests.views.world import World, make_world


@pytest.fixture(autouse=True)
def on_the_day(request: pytest.FixtureRequest) -> Iterator[None]:
    if "live_server" in request.fixturenames:
        yield
        return
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture(scope="module")
def shared_world(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SharedRows[World] | None]:
    yield from rows_of_module(request, django_db_blocker, tmp_path_factory, partial(make_world, "North"))


@pytest.fixture
def world(shared_world: SharedRows[World] | None, db: Any, media_root: Path) -> World:
    return shared_world.copy(media_root) if shared_world else make_world("North")


@pytest.fixture
def client_of() -> Callable[[Any], Client]:
    """``client_of(person)`` is their browser, logged in."""

    def login(person: Any) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return login
