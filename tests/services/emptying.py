"""After a test that commits: what it wrote is deleted, and nothing else is touched.

Django's own way truncates all of a hundred tables and then writes the content types and permissions again, which took
longer than most tests. Those two and the log of migrations stay as they are.
"""

import time
from functools import cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

from partnerships.models import HistoryPermit
from partnerships.models.history_triggers import PERMITS, PREFIX, protected_models, set_triggers
from tests.services.processes import PATIENCE

KEPT = {"django_content_type", "auth_permission", "django_migrations"}


def empty_after_tests() -> None:
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]


def empty_tables(_case: TransactionTestCase | None = None) -> None:
    if connection.vendor == "postgresql":
        _wait_for_others()
    tables = sorted(set(connection.introspection.django_table_names(only_existing=False)) - KEPT)
    with connection.constraint_checks_disabled(), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign key is looked at
        filled = _filled(cursor, tables)
        has_history = connection.vendor == "sqlite" and not protected_tables().isdisjoint(filled)
        if has_history:  # PostgreSQL skips triggers for a replica
            _open_history(cursor)
            filled = [*(table for table in filled if table != PERMITS), PERMITS]
        for table in filled:
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608 - names of tables
        if has_history:
            set_triggers(using="default")


@cache
def protected_tables() -> set[str]:
    return {model._meta.db_table for model in (*protected_models(), HistoryPermit)}


def _open_history(cursor: CursorWrapper) -> None:
    """SQLite cannot switch triggers off: those of the permits go, and a permit opens the rest."""
    cursor.execute(f"DROP TRIGGER IF EXISTS {PREFIX}_delete_{PERMITS}")
    cursor.execute(f"INSERT INTO {PERMITS} (kind, reason, at, open_until_id) VALUES ('tests', '', '2026-01-01', -1)")  # noqa: S608 - as above


def _wait_for_others() -> None:
    """What another connection has not committed yet cannot be seen, and would be the next test's."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    asked += " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while cursor.execute(asked).fetchone()[0]:
            assert time.monotonic() < deadline, "The test left a transaction open"
            time.sleep(0.01)


def _filled(cursor: CursorWrapper, tables: list[str]) -> list[str]:
    asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables)  # noqa: S608 - as above
    cursor.execute(asked)
    return [table for (table,) in cursor.fetchall()]
