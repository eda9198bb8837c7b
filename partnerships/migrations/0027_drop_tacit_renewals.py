"""Drop the column that migrations 0019 and 0020 left on PostgreSQL for processes of the version before them."""

from django.db import migrations

TABLES = ("partnerships_agreementterm", "partnerships_historicalagreementterm")


def drop_columns(apps, schema_editor):
    # A new database never had it, and SQLite lost it when a later migration remade the tables.
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS renews_tacitly")


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0026_contact_details_mailed")]

    operations = [migrations.RunPython(drop_columns, migrations.RunPython.noop)]
