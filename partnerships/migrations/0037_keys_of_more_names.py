"""Write the look-alike keys again: a leading "the", "&" and a Japanese legal form in front are folded."""

from importlib import import_module

from django.db import migrations

earlier = import_module("partnerships.migrations.0011_search_folds_more")


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0036_search_places_and_descriptions")]

    operations = [migrations.RunPython(earlier.write_keys, migrations.RunPython.noop)]
