"""A status of its own for plans whose time had passed when their date was entered; they counted as missed."""

from django.db import migrations, models

STATUSES = [
    ("planned", "Planned"),
    ("expanded", "Made into mail"),
    ("missed", "Missed"),
    ("not_needed", "Not needed"),
    ("superseded", "Superseded"),
    ("cancelled", "Cancelled"),
]


def tell_apart(apps, schema_editor):
    plans = apps.get_model("partnerships", "ReminderPlan").objects
    plans.filter(status="missed", reason="not-needed").update(status="not_needed")


def count_as_missed(apps, schema_editor):
    apps.get_model("partnerships", "ReminderPlan").objects.filter(status="not_needed").update(status="missed")


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0005_words_of_mail")]

    operations = [
        migrations.AlterField(
            "reminderplan",
            "status",
            models.CharField(choices=STATUSES, default="planned", max_length=20, verbose_name="status"),
        ),
        migrations.RemoveConstraint("reminderplan", "reminder_plan_status_known"),
        migrations.AddConstraint(
            "reminderplan",
            models.CheckConstraint(
                condition=models.Q(status__in=[status for status, _label in STATUSES]),
                name="reminder_plan_status_known",
            ),
        ),
        migrations.RunPython(tell_apart, count_as_missed),
    ]
