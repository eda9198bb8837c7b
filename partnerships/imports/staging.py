"""The place where a run does its work: nothing of a check is saved, all of an import at once.

PostgreSQL does both in one transaction. On SQLite a transaction that writes keeps all other writers waiting, so there a
run works in a copy of the database; an import then brings the rows that it wrote there over in one short transaction.
"""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from partnerships import wake_up
from partnerships.acts import to_be_rolled_back, without_locks
from partnerships.exceptions import DomainError
from partnerships.models import Import, ImportRow

# Ids that are kept free for the rows of each table, by row of the file: a name alone has several keys.
IDS_FOR_ROW, LEAST_IDS = 50, 1000
COPY, LOG = "import_copy", "import_log"
LEFT_AFTER = 24 * 60 * 60  # seconds


class ChangedMeanwhile(DomainError):
    """Somebody changed what the import is about while it was made; nothing is imported, and it is checked again."""


@contextmanager
def nothing_is_saved() -> Iterator[None]:
    """Roll back what is done inside."""
    if _needs_copy():
        with _copy_of_database(), to_be_rolled_back(), transaction.atomic():
            yield
            transaction.set_rollback(True)
        return
    with to_be_rolled_back(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def saved_at_once(rows: int, finish: Callable[[], None]) -> Iterator[None]:
    """Save what is done inside, all of it or none, and ``finish`` in the same transaction.

    Verbs take no locks, which others would wait for until the end: a version that changed meanwhile is refused instead.
    """
    if not _needs_copy():
        with without_locks(), transaction.atomic():
            yield
            finish()
        return
    with tempfile.TemporaryDirectory(prefix="import-", dir=_folder()) as folder:
        copy = str(Path(folder) / "copy.sqlite3")
        _copy_to(copy)
        kept = _keep_ids_free(copy, rows * IDS_FOR_ROW + LEAST_IDS)
        try:
            with _working_in(copy):
                tables = _log_changes()
                with without_locks(), transaction.atomic():
                    yield
                last = _last_ids()

            def finish_with_ids() -> None:
                _free_ids(kept, last)
                finish()

            _bring_over(copy, tables, finish_with_ids)
        except BaseException:
            _free_ids(kept, {})
            raise


def _needs_copy() -> bool:
    # Inside a transaction, such as that of a test, a copy would lack what is not committed.
    return connection.vendor == "sqlite" and not connection.in_atomic_block


@contextmanager
def _copy_of_database() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="import-", dir=_folder()) as folder:
        copy = str(Path(folder) / "copy.sqlite3")
        _copy_to(copy)
        with _working_in(copy):
            yield


def _folder() -> Path:
    """Return the folder of the database, without the copies of runs that were killed."""
    folder = Path(str(connection.settings_dict["NAME"])).parent
    for left in folder.glob("import-*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > LEFT_AFTER:
            shutil.rmtree(left, ignore_errors=True)
    return folder


def _copy_to(path: str) -> None:
    source, target = sqlite3.connect(str(connection.settings_dict["NAME"])), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()


@contextmanager
def _working_in(copy: str) -> Iterator[None]:
    """Point the connection of this process at the copy."""
    original = connection.settings_dict
    connection.close()
    connection.settings_dict = {**original, "NAME": copy}  # not changed in place: other threads share it
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")  # a copy that is lost is made again
        yield
    finally:
        connection.close()
        connection.settings_dict = original


def _keep_ids_free(copy: str, number: int) -> dict[str, tuple[int, int]]:
    """Reserve ids in the database, so that those in between are free for the rows of the copy. Return both ends by table."""
    kept = {}
    with sqlite3.connect(copy) as copied, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'")
        tables = [name for (name,) in cursor.fetchall()]
        last = _last_ids()
        for table in tables:
            first = last.get(table, 0)
            kept[table] = first, first + number
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first + number])
            copied.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table])
            copied.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, first])
    copied.close()
    return kept


def _last_ids() -> dict[str, int]:
    """Return the last id that was given in each table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        return dict(cursor.fetchall())


def _free_ids(kept: dict[str, tuple[int, int]], last: dict[str, int]) -> None:
    """Give back the ids of tables that the run did not use, and behind which nobody else saved a row meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        ends = [(last.get(table, first), table, reserved) for table, (first, reserved) in kept.items()]
        cursor.executemany("UPDATE sqlite_sequence SET seq = %s WHERE name = %s AND seq = %s", ends)


def _log_changes() -> list[str]:
    """Add triggers that note each row that is written, and each existing one as it was. Return the tables."""
    # The state of the import itself is written where others read it, see ``finish``.
    own = Import._meta.db_table
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'partnerships_%'")
        tables = sorted({name for (name,) in cursor.fetchall()} - {own})
        cursor.execute(f"CREATE TABLE {LOG} (tab TEXT, id INTEGER, was TEXT, PRIMARY KEY (tab, id)) WITHOUT ROWID")
        for number, table in enumerate(tables):
            was = _as_json(table, "OLD")
            note = f"INSERT OR IGNORE INTO {LOG} VALUES ('{table}'"
            for act, value in (
                ("INSERT", "NEW.rowid, NULL"),
                ("UPDATE", f"OLD.rowid, {was}"),
                ("DELETE", f"OLD.rowid, {was}"),
            ):
                name = f"import_{number}_{act.lower()}"
                cursor.execute(f"CREATE TRIGGER {name} AFTER {act} ON {quote(table)} BEGIN {note}, {value}); END")
    return tables


def _as_json(table: str, row: str) -> str:
    """Return the expression for all values of a row as one text."""
    if table == ImportRow._meta.db_table:
        return "'[]'"  # nobody else writes these during a run
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    return f"json_array({', '.join(f'{row}.{connection.ops.quote_name(name)}' for name in columns)})"


def _bring_over(copy: str, tables: list[str], finish: Callable[[], None]) -> None:
    """Bring the rows that were written in the copy into the database, if those that it changed are as they were."""
    with connection.cursor() as cursor:
        cursor.execute(f"ATTACH DATABASE %s AS {COPY}", [copy])
        try:
            cursor.execute(f"SELECT DISTINCT tab FROM {COPY}.{LOG}")
            written = {tab for (tab,) in cursor.fetchall()}
            with transaction.atomic():
                for table in filter(written.__contains__, tables):
                    _bring_over_table(table)
                finish()
                wake_up.wake_after_commit()
        finally:
            cursor.execute(f"DETACH DATABASE {COPY}")


def _bring_over_table(table: str) -> None:
    name, logged = connection.ops.quote_name(table), f"{COPY}.{LOG} AS logged WHERE logged.tab = '{table}'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {COPY}.{LOG} AS logged LEFT JOIN main.{name} AS live ON live.rowid = logged.id "
            f"WHERE logged.tab = '{table}' AND logged.was IS NOT NULL AND {_as_json(table, 'live')} IS NOT logged.was"
        )
        if cursor.fetchone()[0]:
            raise ChangedMeanwhile(
                _(
                    "Records were changed while they were imported, so nothing was imported. All rows were checked again."
                )
            )
        # Deleted and inserted, never replaced: REPLACE would also remove another row with the same unique value.
        cursor.execute(f"DELETE FROM main.{name} WHERE rowid IN (SELECT id FROM {logged} AND logged.was IS NOT NULL)")
        cursor.execute(f"INSERT INTO main.{name} SELECT * FROM {COPY}.{name} WHERE rowid IN (SELECT id FROM {logged})")
