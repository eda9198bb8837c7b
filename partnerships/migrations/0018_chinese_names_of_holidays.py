"""Give holidays a Chinese name."""

import partnerships.models.base
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('partnerships', '0017_preferences_by_kind'),
    ]

    operations = [
        migrations.AddField(
            model_name='calendarday',
            name='name_zh',
            field=partnerships.models.base.LineField(blank=True, db_default='', default='', max_length=100, verbose_name='Chinese name'),
        ),
        migrations.AddField(
            model_name='historicalcalendarday',
            name='name_zh',
            field=partnerships.models.base.LineField(blank=True, db_default='', default='', max_length=100, verbose_name='Chinese name'),
        ),
    ]
