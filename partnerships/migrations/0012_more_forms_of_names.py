"""Write the search entries and look-alike keys again: they hold more forms of a name."""

from importlib import import_module

from django.db import migrations

earlier = import_module("partnerships.migrations.0011_search_folds_more")


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0011_search_folds_more")]

    operations = [
        migrations.RunPython(earlier.write_entries, migrations.RunPython.noop),
        migrations.RunPython(earlier.write_keys, migrations.RunPython.noop),
    ]
