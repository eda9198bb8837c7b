"""Fill the columns that rows are sorted by name by, in batches, so that a large table needs neither memory nor long locks."""

from django.db import migrations

from partnerships.models.sort_keys import fill_sort_keys, sort_keys


def fill(apps, schema_editor):
    for model in apps.get_app_config("partnerships").get_models():
        if sort_keys(model) and not model._meta.proxy:
            fill_sort_keys(model)


class Migration(migrations.Migration):
    # Each batch is a transaction of its own. When it is interrupted, it begins again and finds fewer rows to change.
    atomic = False
    dependencies = [("partnerships", "0029_sort_keys")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=False)]
