from django.db import migrations, models


def were_sent(apps, schema_editor):
    """Until now a rule waited for an answer to a sent mail alone."""
    plans = apps.get_model("partnerships", "ReminderPlan").objects.filter(unanswered_at__isnull=False)
    plans.update(unanswered_status="sent")


class Migration(migrations.Migration):

    dependencies = [
        ('partnerships', '0004_ceremony_drafts'),
    ]

    operations = [
        migrations.AddField(
            model_name='reminderplan',
            name='unanswered_status',
            field=models.CharField(blank=True, choices=[('queued', 'Queued'), ('claimed', 'Claimed'), ('handing', 'Being handed over'), ('sent', 'Sent'), ('retry', 'To be tried again'), ('unconfirmed', 'Unconfirmed'), ('uncertain', 'Uncertain'), ('held', 'Held'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('skipped', 'Skipped')], default='', max_length=20),
            preserve_default=False,
        ),
        migrations.RunPython(were_sent, migrations.RunPython.noop, elidable=True),
    ]
