from collections.abc import Callable

import pytest
from django.test import Client

from partnerships.models import User
from tests.admin.worlds import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def enter() -> Callable[[User], Client]:
    """A browser in which this person is logged in."""

    def logged_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return logged_in
