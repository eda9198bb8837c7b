"""Authors of a source, and the fields in which an organization is strong; one seeded figure is compared no longer."""

from django.db import migrations, models

import partnerships.models.base

COLUMNS = {
    "source": ("authors", {"verbose_name": "authors"}),
    "organization": (
        "strengths",
        {
            "verbose_name": "strengths",
            "help_text": "The fields in which it does good research or work, separated by commas.",
        },
    ),
}


def quote_alone(apps, schema_editor):
    """The enterprises that were brought to three universities were compared with the participants of another event."""
    figures = apps.get_model("partnerships", "ReportedFigure").objects
    figures.filter(code="zijin-action-enterprises", counting_rule="programme_enterprises").update(counting_rule="")


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0003_versions_of_reference_data")]

    operations = [
        *(
            migrations.AddField(
                f"{prefix}{model}",
                name,
                partnerships.models.base.LineField(blank=True, db_default="", default="", max_length=300, **words),
            )
            for model, (name, words) in COLUMNS.items()
            for prefix in ("", "historical")
        ),
        migrations.RunPython(quote_alone, migrations.RunPython.noop),
    ]
