"""Fill the columns by which agreements, activities and demands are sorted by their Chinese titles."""

from importlib import import_module

from django.db import migrations

earlier = import_module("partnerships.migrations.0030_fill_sort_keys")


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own
    dependencies = [("partnerships", "0053_titles_in_chinese")]

    operations = [migrations.RunPython(earlier.fill, migrations.RunPython.noop, elidable=False)]
