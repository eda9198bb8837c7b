"""Rules that speak when something appears: the count of holders, and the plans and marks that carry it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("partnerships", "0009_codes_of_currencies"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='reminderplan',
            name='reminder_plan_unique',
        ),
        migrations.AddField(
            model_name='historicalmilestone',
            name='appearance',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='milestone',
            name='appearance',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='remindermark',
            name='appearance',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='reminderplan',
            name='appearance',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='reminderplan',
            name='appeared_on',
            field=models.DateField(null=True, verbose_name='appeared on'),
        ),
        migrations.AlterField(
            model_name='historicalreminderrule',
            name='direction',
            field=models.CharField(choices=[('before', 'before the due date'), ('after', 'after the due date'), ('unanswered', 'after a reminder nobody answered'), ('appears', 'as soon as it appears')], default='before', help_text="After a reminder nobody answered: working days after the owner's reminder, when nobody has changed the milestone or logged a contact since.", max_length=10, verbose_name='when'),
        ),
        migrations.AlterField(
            model_name='reminderrule',
            name='direction',
            field=models.CharField(choices=[('before', 'before the due date'), ('after', 'after the due date'), ('unanswered', 'after a reminder nobody answered'), ('appears', 'as soon as it appears')], default='before', help_text="After a reminder nobody answered: working days after the owner's reminder, when nobody has changed the milestone or logged a contact since.", max_length=10, verbose_name='when'),
        ),
        migrations.AddConstraint(
            model_name='reminderplan',
            constraint=models.UniqueConstraint(condition=models.Q(('appearance__isnull', True), ('wakes_on__isnull', True)), fields=('milestone', 'rule', 'due_on'), name='reminder_plan_unique'),
        ),
        migrations.AddConstraint(
            model_name='reminderplan',
            constraint=models.UniqueConstraint(condition=models.Q(('appearance__isnull', False)), fields=('milestone', 'rule', 'appearance'), name='reminder_plan_appears_once'),
        ),
        migrations.AddConstraint(
            model_name='reminderrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('direction', 'appears'), _negated=True), models.Q(('offset', 0), models.Q(('audience', 'party'), _negated=True)), _connector='OR'), name='reminder_rule_appears_at_once', violation_error_code='direction', violation_error_message='A rule that speaks when something appears counts no days and is for colleagues.'),
        ),
    ]
