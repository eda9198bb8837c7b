"""Write the search entries and look-alike keys again: accents, hyphens and traditional signs are folded, and more is searched."""

from django.db import migrations

from partnerships.names import name_keys, search_text

LONGEST_KEY = 200
# The columns of each model; a path leads to the column of a row that it points to.
COLUMNS = {
    "organization": ("name", "name_zh", "uscc", "strengths"),
    "agreement": ("title", "title_as_signed", "reference", "summary"),
    "milestone": ("title", "title_zh", "description", "evidence"),
    "activity": ("title", "place", "summary"),
    "contactnote": ("summary",),
    "event": ("name", "name_zh", "place", "summary"),
    "facility": ("name", "name_zh", "site", "summary"),
    "demand": ("title", "field", "original_wording", "rewritten_wording"),
    "achievement": ("name", "name_zh", "field", "description"),
    "honour": ("scheme__name", "scheme__name_zh", "batch", "evidence"),
    "programme": ("name", "name_zh", "summary"),
    "source": ("title", "publisher", "authors", "note"),
    "reportedfigure": ("name", "name_zh"),
    "contact": ("name", "position"),
    "document": ("title",),
}
# Rows that lend words to the one they belong to: model, its foreign key, their columns.
LENT = {
    "organization": ("organizationname", "organization", ("name",)),
    "source": ("statement", "source", ("text", "text_zh")),
    "document": ("documentversion", "document", ("original_name",)),
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
        lent = words_lent(apps, model)
        new = (
            entries.model(content_type=kind, object_id=pk, text=search_text([*words, *lent.get(pk, ())]))
            for pk, *words in rows.iterator(chunk_size=2000)
        )
        entries.bulk_create(new, batch_size=2000)


def words_lent(apps, model):
    if model not in LENT:
        return {}
    lender, key, columns = LENT[model]
    found = {}
    for pk, *words in apps.get_model("partnerships", lender)._base_manager.values_list(key, *columns):
        found.setdefault(pk, []).extend(words)
    return found


def write_keys(apps, schema_editor):
    keys = apps.get_model("partnerships", "NameKey")._base_manager
    organizations = apps.get_model("partnerships", "Organization")._base_manager
    others = apps.get_model("partnerships", "OrganizationName")._base_manager
    names = {pk: [name, name_zh] for pk, name, name_zh in organizations.values_list("pk", "name", "name_zh")}
    for pk, name in others.filter(source=None).values_list("organization", "name"):
        names[pk].append(name)
    keys.all().delete()
    new = [
        keys.model(organization_id=pk, key=key)
        for pk, of_one in names.items()
        for key in sorted({key[:LONGEST_KEY] for name in of_one for key in name_keys(name)})
    ]
    keys.bulk_create(new, batch_size=2000)


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0010_when_it_appears")]

    operations = [
        migrations.RunPython(write_entries, migrations.RunPython.noop),
        migrations.RunPython(write_keys, migrations.RunPython.noop),
    ]
