from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('partnerships', '0091_past_suspensions'),
    ]

    operations = [
        migrations.AddField(
            model_name='savedview',
            name='is_on_overview',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
