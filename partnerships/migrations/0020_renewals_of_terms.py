"""Say how each term is renewed, and store the current end of each agreement."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def write_renewals(apps, schema_editor):
    for name in ("AgreementTerm", "HistoricalAgreementTerm"):
        terms = apps.get_model("partnerships", name).objects
        terms.filter(renews_tacitly=True, ends_on__isnull=False).update(renewal="automatic")


def write_current_ends(apps, schema_editor):
    # The end of the last term on record. Where automatic renewals follow it, the first sweep stores the end of the running one.
    terms = apps.get_model("partnerships", "AgreementTerm").objects
    last = terms.filter(agreement=OuterRef("pk")).order_by("-number").values("ends_on")[:1]
    apps.get_model("partnerships", "Agreement").objects.update(current_ends_on=Subquery(last))


def write_tacit_renewals(apps, schema_editor):
    apps.get_model("partnerships", "AgreementTerm").objects.filter(renewal="automatic").update(renews_tacitly=True)


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0019_terms_and_renewal")]

    operations = [
        migrations.RunPython(write_renewals, write_tacit_renewals),
        migrations.RunPython(write_current_ends, migrations.RunPython.noop),
        # The columns stay in the database, see 0019; a later version drops them.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("agreementterm", "renews_tacitly"),
                migrations.RemoveField("historicalagreementterm", "renews_tacitly"),
            ]
        ),
    ]
