"""Pages are read on the factories' day, at noon; in a browser today, because it has its own clock."""

import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client, override_settings

from partnerships.factories import NOON
from tests.views.world import World, make_world


@pytest.fixture(autouse=True)
def on_the_day(request: pytest.FixtureRequest) -> Iterator[None]:
    if "live_server" in request.fixturenames:
        yield
        return
    with time_machine.travel(NOON, tick=False):
        yield


@dataclass
class SharedWorld:
    """A world that the tests of a module find as it was made: each runs in a savepoint and gets a copy of the objects."""

    world: World
    uploads: Path


@pytest.fixture(scope="module")
def shared_world(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SharedWorld | None]:
    """Make the world of a module inside a transaction around its tests; None where a test commits or empties tables."""
    tests = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    if any({"transactional_db", "live_server"} & set(item.fixturenames) or commits(item) for item in tests):
        yield None
        return
    uploads = tmp_path_factory.mktemp("uploads")
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        with time_machine.travel(NOON, tick=False), override_settings(MEDIA_ROOT=uploads):
            world = make_world("North")
    yield SharedWorld(world, uploads)
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


def commits(item: pytest.Function) -> bool:
    return any(mark.kwargs.get("transaction") for mark in item.iter_markers("django_db"))


@pytest.fixture
def world(shared_world: SharedWorld | None, db: Any, media_root: Path) -> World:
    if shared_world is None:
        return make_world("North")
    shutil.copytree(shared_world.uploads, media_root, dirs_exist_ok=True)
    return deepcopy(shared_world.world)


@pytest.fixture
def client_of() -> Callable[[Any], Client]:
    """``client_of(person)`` is their browser, logged in."""

    def login(person: Any) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return login
