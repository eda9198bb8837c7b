"""The database itself refuses to change or delete what is only ever added, on both databases, whoever asks."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from partnerships.factories import ContactFactory, StatusChangeFactory, UserFactory
from partnerships.models import Contact, HistoryPermit, SecurityEvent, StatusChange
from partnerships.models.history_triggers import (
    PREFIX,
    check_triggers,
    drop_triggers,
    protected_models,
    remove_triggers,
    set_triggers,
    unprotected_tables,
)

# ruff: noqa: S608 - the names of tables are ours
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
ERASURE = HistoryPermit.Kind.ERASURE


def run(sql: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def refused(sql: str, *values: object) -> str:
    with pytest.raises(IntegrityError, match="is append-only") as error:
        run(sql, *values)
    return str(error.value)


def a_row_of_each() -> list[models.Model]:
    contact = ContactFactory(name="Li Na")
    event = SecurityEvent.objects.record(SecurityEvent.Kind.LOGGED_IN, UserFactory())
    return [contact.history.get(), StatusChangeFactory(), event]


def test_raw_statements_do_not_change_what_is_only_added() -> None:
    rows = a_row_of_each()
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE waits for no foreign key
    for row in rows:
        table, key = row._meta.db_table, row._meta.pk.column
        before = type(row)._base_manager.filter(pk=row.pk).values().get()

        assert table in refused(f'UPDATE "{table}" SET "{key}" = "{key}"')
        refused(f'DELETE FROM "{table}" WHERE "{key}" = %s', row.pk)
        names = ", ".join(f'"{column.column}"' for column in row._meta.concrete_fields)
        if connection.vendor == "sqlite":
            refused(f'INSERT OR REPLACE INTO "{table}" ({names}) SELECT {names} FROM "{table}"')
        else:
            refused(f'TRUNCATE "{table}" CASCADE')
            same = f'INSERT INTO "{table}" ({names}) SELECT {names} FROM "{table}"'
            refused(f'{same} ON CONFLICT ("{key}") DO UPDATE SET "{key}" = "{table}"."{key}"')
        # No row is no change.
        run(f'DELETE FROM "{table}" WHERE "{key}" = -1')

        assert type(row)._base_manager.filter(pk=row.pk).values().get() == before


def test_every_history_is_protected() -> None:
    tables = {model._meta.db_table for model in protected_models()}
    histories = {name for name in connection.introspection.table_names() if name.startswith("partnerships_historical")}
    assert histories | {"partnerships_statuschange", "partnerships_securityevent"} == tables
    assert unprotected_tables() == []


def test_a_permit_opens_history_for_its_own_transaction_and_stays() -> None:
    contact, actor = ContactFactory(name="Li Na"), UserFactory()

    with HistoryPermit.objects.granted(ERASURE, by=actor, reason="Asked for"):
        Contact.history.filter(id=contact.pk).update(name="Erased")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Contact.history.filter(id=contact.pk).update(name="Somebody")

    assert contact.history.get().name == "Erased"
    permit = HistoryPermit.objects.get()
    assert (permit.kind, permit.by, permit.reason, permit.open_until_id) == (ERASURE, actor, "Asked for", None)


def test_a_permit_goes_with_what_failed_inside_it() -> None:
    contact = ContactFactory(name="Li Na")

    def fail() -> None:
        with HistoryPermit.objects.granted(ERASURE):
            Contact.history.update(name="Erased")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()

    assert contact.history.get().name == "Li Na"
    assert not HistoryPermit.objects.exists()
    refused(f'UPDATE "{Contact.history.model._meta.db_table}" SET "name" = \'x\'')


@pytest.mark.django_db(transaction=True)
def test_an_open_permit_is_never_committed() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        HistoryPermit.objects.create(kind=ERASURE, open_until_id=-1)
    assert not HistoryPermit.objects.exists()


def test_a_permit_is_only_closed() -> None:
    with HistoryPermit.objects.granted(ERASURE, reason="First"):
        pass
    table = HistoryPermit._meta.db_table

    refused(f'UPDATE "{table}" SET "reason" = \'\'')
    refused(f'UPDATE "{table}" SET "open_until_id" = -1')
    refused(f'DELETE FROM "{table}"')
    with HistoryPermit.objects.granted(ERASURE, reason="Second"):
        refused(f'UPDATE "{table}" SET "reason" = \'\', "open_until_id" = NULL')
        refused(f'DELETE FROM "{table}"')

    assert [permit.reason for permit in HistoryPermit.objects.order_by("pk")] == ["First", "Second"]


def _drop_one() -> None:
    table = StatusChange._meta.db_table
    on_table = f' ON "{table}"' if connection.vendor == "postgresql" else ""
    name = f"{PREFIX}_rows" if on_table else f"{PREFIX}_update_{table}"
    run(f'DROP TRIGGER "{name}"{on_table}')


def _switch_one_off() -> None:
    table = StatusChange._meta.db_table
    if connection.vendor == "postgresql":
        run(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
    else:  # as a trigger of an earlier version
        run(f'DROP TRIGGER "{PREFIX}_update_{table}"')
        run(f'CREATE TRIGGER "{PREFIX}_update_{table}" BEFORE UPDATE ON "{table}" BEGIN SELECT 1; END')


@pytest.mark.parametrize("spoil", [_drop_one, _switch_one_off])
def test_a_missing_trigger_is_named_and_set_again(spoil: Callable[[], None]) -> None:
    spoil()

    assert unprotected_tables() == ["partnerships_statuschange"]
    [warning] = check_triggers(databases=["default"])
    assert "partnerships_statuschange" in warning.msg
    assert check_triggers() == []  # no database was asked for

    set_triggers(using="default")
    assert unprotected_tables() == []


@pytest.mark.django_db(transaction=True)
def test_migrate_sets_the_triggers_and_only_looks_when_they_are_there() -> None:
    remove_triggers("default")
    assert len(unprotected_tables()) == len(protected_models()) + 1

    call_command("migrate", verbosity=0, stdout=StringIO())

    assert unprotected_tables() == []
    with CaptureQueriesContext(connection) as asked:
        set_triggers(using="default")
    assert [query["sql"] for query in asked if not query["sql"].lstrip().startswith("SELECT")] == []
    assert len(asked) == 2


@pytest.mark.django_db(transaction=True)
def test_a_migration_changes_what_it_must() -> None:
    drop_triggers(using="default", plan=[])
    assert unprotected_tables() == []  # nothing to do
    drop_triggers(using="default", plan=["a migration"])
    contact = ContactFactory(name="Li Na")
    Contact.history.filter(id=contact.pk).update(name="Filled")
    set_triggers(using="default")
    refused(f'UPDATE "{Contact.history.model._meta.db_table}" SET "name" = \'x\'')
