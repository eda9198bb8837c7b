"""Old code goes on inserting rows while an update is rolled out, so new columns have a default in the database."""

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField
from django.db.models import NOT_PROVIDED

FIRST_OF_UPGRADES = "0003"


def test_a_column_of_a_later_migration_may_be_left_out_by_old_code() -> None:
    later = [
        (name, migration)
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app == "partnerships" and name >= FIRST_OF_UPGRADES
    ]

    required = [
        f"{name}: {operation.model_name}.{operation.name}"
        for name, migration in later
        for operation in migration.operations
        if isinstance(operation, AddField)
        and not operation.field.many_to_many
        and not operation.field.null
        and operation.field.db_default is NOT_PROVIDED
    ]

    assert later
    assert required == []
