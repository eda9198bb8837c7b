"""Add to the search entries what else the pages of organizations and events show: region, address, industry, description."""

from importlib import import_module

from django.db import migrations

from partnerships.names import search_text

earlier = import_module("partnerships.migrations.0011_search_folds_more")
REGION = ("region__name", "region__name_zh")
COLUMNS = {
    "organization": (*earlier.COLUMNS["organization"], "industry", "address", "description", *REGION),
    "event": (*earlier.COLUMNS["event"], *REGION),
}


def write_entries(apps, schema_editor):
    entries = apps.get_model("partnerships", "SearchEntry")._base_manager
    types = apps.get_model("contenttypes", "ContentType")._base_manager
    for model, columns in COLUMNS.items():
        rows = apps.get_model("partnerships", model)._base_manager.values_list("pk", *columns)
        if not rows.exists():
            continue
        kind, _made = types.get_or_create(app_label="partnerships", model=model)
        entries.filter(content_type=kind).delete()
        lent = earlier.words_lent(apps, model)
        new = (
            entries.model(content_type=kind, object_id=pk, text=search_text([*words, *lent.get(pk, ())]))
            for pk, *words in rows.iterator(chunk_size=2000)
        )
        entries.bulk_create(new, batch_size=2000)


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0035_agreement_step_kinds")]

    operations = [migrations.RunPython(write_entries, migrations.RunPython.noop)]
