"""Limits on how long a run waits for a row that somebody else has locked, and for one statement."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, OperationalError, connection

logger = logging.getLogger(__name__)

LOCK_WAIT = 10_000  # milliseconds; on SQLite the settings name how long a writer waits for another
STATEMENT_LIMIT = 60_000  # milliseconds
# PostgreSQL's codes for "lock not available", "deadlock" and "statement cancelled"; and SQLite's "database is locked".
TRANSIENT = {"55P03", "40P01", "57014"}
SQLITE_BUSY = 5


@contextmanager
def time_limits() -> Iterator[None]:
    """Limit the statements of this connection inside the block. Needed on PostgreSQL alone, which would wait for ever."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {LOCK_WAIT}; SET statement_timeout = {STATEMENT_LIMIT}")
    try:
        yield
    finally:
        # A connection that broke meanwhile takes its limits along.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout; RESET statement_timeout")


def run_stage(name: str, stage: Callable[[], object]) -> None:
    """Run a stage; when it waits too long for a row that others use, log that and leave its rest to the next run.

    Its transaction is rolled back, so nothing is half done: a mail that was claimed is taken back after its lease.
    """
    try:
        stage()
    except OperationalError as error:
        if not _is_transient(error.__cause__):
            raise
        logger.warning("Reminders: %s waited too long for a row that others use; the next run goes on.", name)


def _is_transient(cause: Any) -> bool:
    if getattr(cause, "sqlstate", None) in TRANSIENT:
        return True
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF == SQLITE_BUSY
