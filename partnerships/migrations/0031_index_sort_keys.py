"""Index the directory of organizations by the sort keys."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0030_fill_sort_keys")]

    operations = [
        migrations.RemoveIndex(
            model_name='organization',
            name='organization_by_kind',
        ),
        migrations.RemoveIndex(
            model_name='organization',
            name='organization_by_name',
        ),
        migrations.AddIndex(
            model_name='organization',
            index=models.Index(fields=['sort_key', 'id'], name='organization_by_name'),
        ),
        migrations.AddIndex(
            model_name='organization',
            index=models.Index(fields=['sort_key_zh', 'id'], name='organization_by_name_zh'),
        ),
        migrations.AddIndex(
            model_name='organization',
            index=models.Index(fields=['kind', 'sort_key', 'id'], name='organization_by_kind'),
        ),
        migrations.AddIndex(
            model_name='organization',
            index=models.Index(fields=['kind', 'sort_key_zh', 'id'], name='organization_by_kind_zh'),
        ),
    ]
