from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from partnerships.models import User
from tests.admin.worlds import World, make_world
from tests.services.shared_rows import SharedRows, rows_of_module


@pytest.fixture(scope="module")
def shared_world(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SharedRows[World] | None]:
    yield from rows_of_module(request, django_db_blocker, tmp_path_factory, make_world)


@pytest.fixture
def world(shared_world: SharedRows[World] | None, db: Any, media_root: Path) -> World:
    return shared_world.copy(media_root) if shared_world else make_world()


@pytest.fixture
def enter() -> Callable[[User], Client]:
    """A browser in which this person is logged in."""

    def logged_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return logged_in
