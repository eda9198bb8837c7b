"""Versions of reference data and citations, so that a page made from an older state is refused there, too."""

from django.db import migrations, models

MODELS = ("agreementtype", "citation", "cooperationarea", "region", "workcalendar")


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0002_search_index")]

    operations = [
        migrations.AddField(
            name,
            "version",
            models.PositiveIntegerField(db_default=1, default=1, editable=False, verbose_name="version"),
        )
        for model in MODELS
        for name in (model, f"historical{model}")
    ]
