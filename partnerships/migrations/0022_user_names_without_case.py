"""User names differ in more than their case."""

import django.db.models.functions.text
from django.db import migrations, models


def tell_apart(apps, schema_editor):
    """Append its number to each user name that differs from another in case alone, except to the one used last."""
    User = apps.get_model("partnerships", "User")
    taken = set()
    rows = User.objects.order_by(models.F("last_login").desc(nulls_last=True), "pk").values_list("pk", "username")
    for pk, username in list(rows):
        if username.lower() in taken:
            new = f"{username[:130]}-{pk}"
            print(f"  The user name {username} is {new} now: another differed from it in case alone.")
            User.objects.filter(pk=pk).update(username=new)
            username = new
        taken.add(username.lower())


class Migration(migrations.Migration):
    dependencies = [
        ("partnerships", "0021_hashed_sessions"),
    ]

    operations = [
        migrations.RunPython(tell_apart, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("username"),
                name="user_username_unique",
                violation_error_code="username",
                violation_error_message="Another person has this user name already; upper and lower case make no difference.",
            ),
        ),
    ]
