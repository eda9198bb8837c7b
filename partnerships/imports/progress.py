"""How far a run has come, written beside its transaction so that others can read it."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError, connection

from partnerships.exceptions import TransitionRefused
from partnerships.models import Import

SECONDS_BETWEEN = 0.5
# Reading a large file and writing its rows take longer than a run may be silent.
SECONDS_OF_HEARTBEAT = 20


class RunProgress:
    """Writes the heartbeat and the rows done of one run, on a connection of its own.

    Inside a transaction, as in a test, it has none and writes nothing.
    """

    def __init__(self, imported: Import, *, clock: Callable[[], dt.datetime]) -> None:
        self._pk, self._attempts, self._clock = imported.pk, imported.attempts, clock
        self._last = time.monotonic()
        self._connection = None if connection.in_atomic_block else connection.copy()
        self._is_over = threading.Event()
        if self._connection is not None:
            threading.Thread(target=self._beat_regularly, daemon=True).start()

    def _beat_regularly(self) -> None:
        """Write that the process lives, also while no row is done; a killed process ends its thread with it.

        A thread has a connection of its own, also where that of the run points at a copy of the database.
        """
        while not self._is_over.wait(SECONDS_OF_HEARTBEAT):
            # The next one may succeed: on SQLite a commit keeps others from writing.
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE partnerships_import SET heartbeat_at = %s WHERE id = %s AND attempts = %s",
                    [connection.ops.adapt_datetimefield_value(self._clock()), self._pk, self._attempts],
                )
        connection.close()

    def beat(self, rows_done: int) -> None:
        """Write it if that is some time ago. Raises ``TransitionRefused`` when the import was started again elsewhere."""
        if self._connection is None or time.monotonic() - self._last < SECONDS_BETWEEN:
            return
        self._last = time.monotonic()
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE partnerships_import SET heartbeat_at = %s, rows_done = %s WHERE id = %s AND attempts = %s",
                [self._connection.ops.adapt_datetimefield_value(self._clock()), rows_done, self._pk, self._attempts],
            )
            if cursor.rowcount != 1:
                raise TransitionRefused("started again elsewhere")

    def close(self) -> None:
        self._is_over.set()
        if self._connection is not None:
            self._connection.close()
