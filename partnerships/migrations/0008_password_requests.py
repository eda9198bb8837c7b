"""Requests for links to a new password, which the worker answers."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('partnerships', '0007_who_must_act'),
    ]

    operations = [
        migrations.CreateModel(
            name='PasswordRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.CharField(max_length=254)),
                ('network', models.CharField(blank=True, max_length=45)),
                ('asked_at', models.DateTimeField(db_index=True)),
                ('is_done', models.BooleanField(default=False)),
            ],
        ),
    ]
