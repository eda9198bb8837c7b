"""Triggers that keep histories, status changes and the security log append-only, on both databases.

They refuse to change or delete a row unless the same transaction has an open ``HistoryPermit``. A permit itself can only
be closed. ``migrate`` sets the triggers whenever it ends: SQLite drops those of a table that a migration makes anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from simple_history.models import HistoricalChanges

from partnerships.models.history_permits import HistoryPermit
from partnerships.models.security_events import SecurityEvent
from partnerships.models.status_changes import StatusChange

PREFIX = "append_only"
PERMITS = HistoryPermit._meta.db_table
NEEDS_PERMIT = "is append-only: a change needs a HistoryPermit in the same transaction"
IS_PERMITTED = f'EXISTS (SELECT 1 FROM "{PERMITS}" WHERE "open_until_id" IS NOT NULL)'  # noqa: S608 - a name of ours

REFUSED = "USING ERRCODE = 'restrict_violation'"
# The bodies of PostgreSQL's functions.
FUNCTIONS = {
    f"{PREFIX}_rows": f"""
BEGIN
  IF {IS_PERMITTED} THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% {NEEDS_PERMIT}', TG_TABLE_NAME {REFUSED};
END
""",
    f"{PREFIX}_permits": f"""
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.open_until_id IS NOT NULL AND NEW.open_until_id IS NULL THEN
    OLD.open_until_id := NULL;
    IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION '% is append-only: a permit is only closed', TG_TABLE_NAME {REFUSED};
END
""",
    f"{PREFIX}_truncate": f"""
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME {REFUSED};
END
""",
}


@dataclass(frozen=True)
class Trigger:
    """A trigger by name and table; ``shown`` is how the database describes it where it is as it should be."""

    table: str
    name: str
    shown: str
    create: str


def protected_models() -> list[type[models.Model]]:
    """Return the models whose rows are only ever added, except for the permits."""
    ours = apps.get_app_config("partnerships").get_models()
    return [model for model in ours if issubclass(model, HistoricalChanges | StatusChange | SecurityEvent)]


def set_triggers(*, using: str, **_signal: Any) -> None:
    """Set the triggers that are missing or differ. Called after each ``migrate``."""
    connection = connections[using]
    if missing := _missing(connection):
        with transaction.atomic(using), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                for name, body in FUNCTIONS.items():
                    cursor.execute(
                        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $${body}$$ LANGUAGE plpgsql"
                    )
            for trigger in missing:
                cursor.execute(_drop(connection, trigger))
                cursor.execute(trigger.create)


def drop_triggers(*, using: str, plan: list[Any], **_signal: Any) -> None:
    """Drop all triggers before a ``migrate`` that has something to do.

    SQLite refuses to make a table anew that triggers of other tables name, and a migration may have to fill columns of
    a history. Whatever it changes is in the log of migrations.
    """
    if plan:
        remove_triggers(using)


def remove_triggers(using: str) -> None:
    connection = connections[using]
    with transaction.atomic(using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name in FUNCTIONS:
                cursor.execute(f"DROP FUNCTION IF EXISTS {name}() CASCADE")
        else:
            for _table, name in _found(connection):
                cursor.execute(f'DROP TRIGGER "{name}"')


def unprotected_tables(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the tables that lack one of their triggers."""
    return sorted({trigger.table for trigger in _missing(connections[using])})


@checks.register(checks.Tags.database)
def check_triggers(**options: Any) -> list[checks.CheckMessage]:
    """Name the tables that the database does not keep append-only. A warning: ``migrate``, which mends it, runs this, too."""
    return [
        checks.Warning(
            f"The database does not refuse changes of {', '.join(tables)}.",
            hint="Run `manage.py migrate`: it sets the missing triggers.",
            id="partnerships.W002",
        )
        for using in options.get("databases") or ()
        if (tables := unprotected_tables(using))
    ]


def _missing(connection: BaseDatabaseWrapper) -> list[Trigger]:
    tables = set(connection.introspection.table_names())
    if PERMITS not in tables:
        return []  # a migration before that of the permits
    found = _found(connection)
    expected = _for_postgresql() if connection.vendor == "postgresql" else _for_sqlite()
    return [one for one in expected if one.table in tables and found.get((one.table, one.name)) != one.shown]


def _found(connection: BaseDatabaseWrapper) -> dict[tuple[str, str], str]:
    """Return how the database describes the triggers it has, by table and name."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT c.relname, t.tgname, p.prosrc || t.tgenabled::text FROM pg_trigger t"
                " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
                " WHERE c.relnamespace = current_schema()::regnamespace AND starts_with(t.tgname, %s)",
                [PREFIX],
            )
        else:
            cursor.execute(
                "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s", [f"{PREFIX}*"]
            )
        return {(table, name): shown for table, name, shown in cursor.fetchall()}


def _triggered() -> Iterator[tuple[str, type[models.Model]]]:
    for model in protected_models():
        yield model._meta.db_table, model
    yield PERMITS, HistoryPermit


def _for_postgresql() -> Iterator[Trigger]:
    for table, model in _triggered():
        rows = f"{PREFIX}_{'permits' if model is HistoryPermit else 'rows'}"
        for name, acts, level in ((rows, "UPDATE OR DELETE", "ROW"), (f"{PREFIX}_truncate", "TRUNCATE", "STATEMENT")):
            create = f'CREATE TRIGGER {name} BEFORE {acts} ON "{table}" FOR EACH {level} EXECUTE FUNCTION {name}()'
            yield Trigger(table, name, FUNCTIONS[name] + "O", create)  # enabled, as in normal operation


def _for_sqlite() -> Iterator[Trigger]:
    for table, model in _triggered():
        key = model._meta.pk.column
        refuse = f"SELECT RAISE(ABORT, '{table} {NEEDS_PERMIT}')"
        if model is HistoryPermit:
            same = (f'NEW."{one.column}" IS OLD."{one.column}"' for one in model._meta.concrete_fields[:-1])
            closes = " AND ".join([*same, 'OLD."open_until_id" IS NOT NULL', 'NEW."open_until_id" IS NULL'])
            conditions = {"UPDATE": f"WHEN NOT ({closes}) ", "DELETE": ""}
        else:
            conditions = dict.fromkeys(("UPDATE", "DELETE"), f"WHEN NOT {IS_PERMITTED} ")
        # INSERT OR REPLACE deletes the row of the same key, and no trigger hears of it.
        conditions["INSERT"] = f'WHEN EXISTS (SELECT 1 FROM "{table}" WHERE "{key}" = NEW."{key}") '  # noqa: S608
        for act, condition in conditions.items():
            name = f"{PREFIX}_{act.lower()}_{table}"
            create = f'CREATE TRIGGER "{name}" BEFORE {act} ON "{table}" {condition}BEGIN {refuse}; END'
            yield Trigger(table, name, create, create)


def _drop(connection: BaseDatabaseWrapper, trigger: Trigger) -> str:
    on_table = f' ON "{trigger.table}"' if connection.vendor == "postgresql" else ""
    return f'DROP TRIGGER IF EXISTS "{trigger.name}"{on_table}'
