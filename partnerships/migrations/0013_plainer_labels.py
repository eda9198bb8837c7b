"""Plainer labels; no column changes."""

import django.db.models.deletion
import partnerships.models.base
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('partnerships', '0012_more_forms_of_names'),
    ]

    operations = [
        migrations.AlterField(
            model_name='activity',
            name='event',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='activities', to='partnerships.event', verbose_name='origin'),
        ),
        migrations.AlterField(
            model_name='amendment',
            name='term',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='amendment', to='partnerships.agreementterm', verbose_name='resulting term'),
        ),
        migrations.AlterField(
            model_name='custodystep',
            name='desk',
            field=partnerships.models.base.LineField(help_text='A person, an organization or a shelf.', max_length=200, verbose_name='location'),
        ),
        migrations.AlterField(
            model_name='historicalactivity',
            name='event',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partnerships.event', verbose_name='origin'),
        ),
        migrations.AlterField(
            model_name='historicalamendment',
            name='term',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partnerships.agreementterm', verbose_name='resulting term'),
        ),
        migrations.AlterField(
            model_name='historicalcustodystep',
            name='desk',
            field=partnerships.models.base.LineField(help_text='A person, an organization or a shelf.', max_length=200, verbose_name='location'),
        ),
        migrations.AlterField(
            model_name='historicalmilestone',
            name='met_on',
            field=models.DateField(editable=False, null=True, verbose_name='done on'),
        ),
        migrations.AlterField(
            model_name='historicalmilestone',
            name='requires_acceptance',
            field=models.BooleanField(default=False, help_text='Otherwise the owner marks it as done.', verbose_name='a lead accepts it'),
        ),
        migrations.AlterField(
            model_name='historicalmilestone',
            name='status',
            field=models.CharField(choices=[('open', 'Open'), ('submitted', 'Submitted'), ('met', 'Done'), ('waived', 'Waived'), ('cancelled', 'Cancelled')], default='open', editable=False, max_length=20, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='historicalreminderrule',
            name='audience',
            field=models.CharField(choices=[('owner', 'The owner'), ('deputy', "The owner's deputy"), ('lead', "The unit's leads"), ('named', 'A named person'), ('party', 'Contacts of the party that owes it'), ('nobody', 'Nobody (no reminder)')], default='owner', help_text='Contacts of the party: by e-mail, once the agreement is signed, without those to ask before contacting; where there is none, the owner. Nobody: silences what a rule of a type or an agreement replaces.', max_length=10, verbose_name='to'),
        ),
        migrations.AlterField(
            model_name='historicalreminderrule',
            name='direction',
            field=models.CharField(choices=[('before', 'before the due date'), ('after', 'after the due date'), ('unanswered', 'after an unanswered reminder'), ('appears', 'as soon as it appears')], default='before', help_text="After an unanswered reminder: working days after the owner's reminder, when nobody has changed the milestone or logged a contact since.", max_length=10, verbose_name='when'),
        ),
        migrations.AlterField(
            model_name='milestone',
            name='met_on',
            field=models.DateField(editable=False, null=True, verbose_name='done on'),
        ),
        migrations.AlterField(
            model_name='milestone',
            name='requires_acceptance',
            field=models.BooleanField(default=False, help_text='Otherwise the owner marks it as done.', verbose_name='a lead accepts it'),
        ),
        migrations.AlterField(
            model_name='milestone',
            name='status',
            field=models.CharField(choices=[('open', 'Open'), ('submitted', 'Submitted'), ('met', 'Done'), ('waived', 'Waived'), ('cancelled', 'Cancelled')], default='open', editable=False, max_length=20, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='reminderrule',
            name='audience',
            field=models.CharField(choices=[('owner', 'The owner'), ('deputy', "The owner's deputy"), ('lead', "The unit's leads"), ('named', 'A named person'), ('party', 'Contacts of the party that owes it'), ('nobody', 'Nobody (no reminder)')], default='owner', help_text='Contacts of the party: by e-mail, once the agreement is signed, without those to ask before contacting; where there is none, the owner. Nobody: silences what a rule of a type or an agreement replaces.', max_length=10, verbose_name='to'),
        ),
        migrations.AlterField(
            model_name='reminderrule',
            name='direction',
            field=models.CharField(choices=[('before', 'before the due date'), ('after', 'after the due date'), ('unanswered', 'after an unanswered reminder'), ('appears', 'as soon as it appears')], default='before', help_text="After an unanswered reminder: working days after the owner's reminder, when nobody has changed the milestone or logged a contact since.", max_length=10, verbose_name='when'),
        ),
    ]
