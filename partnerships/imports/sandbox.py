"""A place to try an import: what is done there is never saved, and hinders nobody."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction

from partnerships.acts import rehearsal


@contextmanager
def nothing_is_saved() -> Iterator[None]:
    """Roll back what is done inside.

    PostgreSQL does it in a transaction, without the locks of verbs. On SQLite a transaction that writes keeps all other
    writers waiting, so a copy of the database takes its place meanwhile.
    """
    with _copy_of_database(), rehearsal(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def _copy_of_database() -> Iterator[None]:
    # Inside a transaction, such as that of a test, the copy would lack what is not committed.
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    original = str(connection.settings_dict["NAME"])
    with tempfile.TemporaryDirectory(prefix="import-", dir=Path(original).parent) as folder:
        copy = str(Path(folder) / "copy.sqlite3")
        source, target = sqlite3.connect(original), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        connection.close()
        connection.settings_dict["NAME"] = copy
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = original
