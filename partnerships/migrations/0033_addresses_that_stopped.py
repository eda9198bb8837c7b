"""Keep the address at which a contact stopped our mails; that of the contact may be corrected."""

from django.db import migrations, models
from django.db.models import F


def write_addresses(apps, schema_editor):
    stopped = apps.get_model("partnerships", "Contact").objects.filter(mail_stopped_on__isnull=False)
    stopped.update(mail_stopped_address=F("email"))


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0032_times_of_marks")]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="mail_stopped_address",
            field=models.EmailField(blank=True, db_default="", default="", editable=False, max_length=254),
        ),
        migrations.RunPython(write_addresses, migrations.RunPython.noop),
    ]
