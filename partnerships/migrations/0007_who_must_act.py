"""Whom a milestone waits for, decisions that wait for leads, and the time to approve of each type of agreement."""

import django.core.validators
from django.db import migrations, models


def give_submitted_to_leads(apps, schema_editor):
    """A submitted milestone waits for the leads. The derived kinds come with the daily sweep, without any mail."""
    apps.get_model("partnerships", "Milestone").objects.filter(status="submitted").update(waits_for="leads")


class Migration(migrations.Migration):

    dependencies = [
        ("partnerships", "0006_plans_not_needed"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='milestone',
            name='milestone_kind_known',
        ),
        migrations.AddField(
            model_name='agreementtype',
            name='review_workdays',
            field=models.PositiveSmallIntegerField(db_default=5, default=5, help_text='An agreement submitted for review should be approved or returned within this time.', validators=[django.core.validators.MaxValueValidator(60)], verbose_name='time to approve (working days)'),
        ),
        migrations.AddField(
            model_name='answer',
            name='asked_on',
            field=models.DateField(editable=False, null=True, verbose_name='asked on'),
        ),
        migrations.AddField(
            model_name='historicalagreementtype',
            name='review_workdays',
            field=models.PositiveSmallIntegerField(db_default=5, default=5, help_text='An agreement submitted for review should be approved or returned within this time.', validators=[django.core.validators.MaxValueValidator(60)], verbose_name='time to approve (working days)'),
        ),
        migrations.AddField(
            model_name='historicalanswer',
            name='asked_on',
            field=models.DateField(editable=False, null=True, verbose_name='asked on'),
        ),
        migrations.AddField(
            model_name='historicalmilestone',
            name='excluded_ids',
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='historicalmilestone',
            name='waits_for',
            field=models.CharField(choices=[('owner', 'its owner'), ('leads', 'the leads of its unit')], db_default='owner', default='owner', editable=False, max_length=10, verbose_name='waits for'),
        ),
        migrations.AddField(
            model_name='milestone',
            name='excluded_ids',
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='milestone',
            name='waits_for',
            field=models.CharField(choices=[('owner', 'its owner'), ('leads', 'the leads of its unit')], db_default='owner', default='owner', editable=False, max_length=10, verbose_name='waits for'),
        ),
        migrations.AlterField(
            model_name='historicalmilestone',
            name='kind',
            field=models.CharField(choices=[('agreement', 'Agreement milestone'), ('obligation', 'Obligation'), ('action_point', 'Action point'), ('review', 'Review'), ('decision_date', 'Decision date'), ('next_contact', 'Next contact'), ('facility_review', 'Facility review'), ('honour_lapse', 'Honour about to lapse'), ('demand_deadline', 'Deadline of a demand'), ('starting_activity', 'Activity about to start'), ('unfinished_activity', 'Activity to complete'), ('approval', 'Approval of an agreement'), ('answer', 'Answer to a demand'), ('confirm_registration', 'Registration to confirm')], default='agreement', max_length=30, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='historicalreminderrule',
            name='milestone_kind',
            field=models.CharField(choices=[('agreement', 'Agreement milestone'), ('obligation', 'Obligation'), ('action_point', 'Action point'), ('review', 'Review'), ('decision_date', 'Decision date'), ('next_contact', 'Next contact'), ('facility_review', 'Facility review'), ('honour_lapse', 'Honour about to lapse'), ('demand_deadline', 'Deadline of a demand'), ('starting_activity', 'Activity about to start'), ('unfinished_activity', 'Activity to complete'), ('approval', 'Approval of an agreement'), ('answer', 'Answer to a demand'), ('confirm_registration', 'Registration to confirm')], max_length=30, verbose_name='kind of milestone'),
        ),
        migrations.AlterField(
            model_name='milestone',
            name='kind',
            field=models.CharField(choices=[('agreement', 'Agreement milestone'), ('obligation', 'Obligation'), ('action_point', 'Action point'), ('review', 'Review'), ('decision_date', 'Decision date'), ('next_contact', 'Next contact'), ('facility_review', 'Facility review'), ('honour_lapse', 'Honour about to lapse'), ('demand_deadline', 'Deadline of a demand'), ('starting_activity', 'Activity about to start'), ('unfinished_activity', 'Activity to complete'), ('approval', 'Approval of an agreement'), ('answer', 'Answer to a demand'), ('confirm_registration', 'Registration to confirm')], default='agreement', max_length=30, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='reminderrule',
            name='milestone_kind',
            field=models.CharField(choices=[('agreement', 'Agreement milestone'), ('obligation', 'Obligation'), ('action_point', 'Action point'), ('review', 'Review'), ('decision_date', 'Decision date'), ('next_contact', 'Next contact'), ('facility_review', 'Facility review'), ('honour_lapse', 'Honour about to lapse'), ('demand_deadline', 'Deadline of a demand'), ('starting_activity', 'Activity about to start'), ('unfinished_activity', 'Activity to complete'), ('approval', 'Approval of an agreement'), ('answer', 'Answer to a demand'), ('confirm_registration', 'Registration to confirm')], max_length=30, verbose_name='kind of milestone'),
        ),
        migrations.AddIndex(
            model_name='milestone',
            index=models.Index(condition=models.Q(('status__in', ['open', 'submitted']), ('waits_for', 'leads')), fields=['unit', 'due_on'], name='milestone_waiting_for_leads'),
        ),
        migrations.AddConstraint(
            model_name='milestone',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['agreement', 'obligation', 'action_point', 'review', 'decision_date', 'next_contact', 'facility_review', 'honour_lapse', 'demand_deadline', 'starting_activity', 'unfinished_activity', 'approval', 'answer', 'confirm_registration'])), name='milestone_kind_known'),
        ),
        migrations.RunPython(give_submitted_to_leads, migrations.RunPython.noop),
    ]
