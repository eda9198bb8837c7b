"""Rows that the tests of a module share: made once, in a transaction around them all."""

import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
import time_machine
from django.db import transaction
from django.test import override_settings

from partnerships.factories import NOON

Made = TypeVar("Made")


@dataclass
class SharedRows(Generic[Made]):
    """Rows that each test of a module finds as they were made: it runs in a savepoint and gets a copy of the objects."""

    made: Made
    uploads: Path

    def copy(self, media_root: Path) -> Made:
        """Return the objects for one test, and put their files in its folder of uploads."""
        shutil.copytree(self.uploads, media_root, dirs_exist_ok=True)
        return deepcopy(self.made)


def rows_of_module(
    request: pytest.FixtureRequest,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[], Made],
) -> Iterator[SharedRows[Made] | None]:
    """Call ``make`` on the factories' day inside a transaction around the tests; None where a test commits or empties tables."""
    tests = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    if any({"transactional_db", "live_server"} & set(item.fixturenames) or _commits(item) for item in tests):
        yield None
        return
    uploads = tmp_path_factory.mktemp("uploads")
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        with time_machine.travel(NOON, tick=False), override_settings(MEDIA_ROOT=uploads):
            made = make()
    yield SharedRows(made, uploads)
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


def _commits(item: pytest.Function) -> bool:
    return any(mark.kwargs.get("transaction") for mark in item.iter_markers("django_db"))
