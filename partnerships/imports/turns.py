"""One run at a time: each takes much memory and a processor of its own, so the others wait in line."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from django.db import connection

from partnerships.exceptions import TransitionRefused
from partnerships.models import Import

# The key of the lock on PostgreSQL, which is one for each database.
LOCK = 0x494D504F5254
SECONDS_BETWEEN = 1.0


class Turn(Protocol):
    """A lock that ends with its process, however that ends."""

    def take(self) -> bool:
        """Take the lock if it is free."""

    def close(self) -> None:
        """Release the lock."""


class DatabaseTurn:
    """A lock of PostgreSQL on a connection of its own."""

    def __init__(self) -> None:
        self._connection: Any = connection.copy()

    def take(self) -> bool:
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            return bool(cursor.fetchone()[0])

    def close(self) -> None:
        self._connection.close()


class FileTurn:
    """A lock on a file beside the database of SQLite."""

    def __init__(self) -> None:
        name = Path(str(connection.settings_dict["NAME"]))
        self._file: IO[str] = name.with_name(f"{name.name}-import.lock").open("w")

    def take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._file.close()


@contextmanager
def turn_of(imported: Import, *, clock: Callable[[], Any]) -> Iterator[None]:
    """Wait until no other run is under way, and none is before this one in line. Its row says that it waits.

    Inside a transaction, as in a test, nothing is waited for.
    """
    if connection.in_atomic_block:
        yield
        return
    turn: Turn = FileTurn() if connection.vendor == "sqlite" else DatabaseTurn()
    try:
        while not (Import.objects.is_next(imported, clock()) and turn.take()):
            _note_waiting(imported, is_waiting=True)
            time.sleep(SECONDS_BETWEEN)
        _note_waiting(imported, is_waiting=False)
        yield
    finally:
        turn.close()


def _note_waiting(imported: Import, *, is_waiting: bool) -> None:
    """Write whether it waits. Raises ``TransitionRefused`` when the import was started again elsewhere."""
    ours = Import.objects.filter(pk=imported.pk, attempts=imported.attempts, status=imported.status)
    if imported.is_waiting != is_waiting:
        ours.update(is_waiting=is_waiting)
        imported.is_waiting = is_waiting
    if not ours.exists():
        raise TransitionRefused("started again elsewhere")
