"""Words on screen about mail: sending is paused, people are notified. The tables stay as they are."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

REASONS = [
    ("not-needed", "Its time had already passed when the date was recorded."),
    ("expired", "Its time passed before it could be sent."),
    ("not-pending", "The milestone is no longer open."),
    ("due-date-moved", "The due date was moved."),
    ("rule-disabled", "The rule was switched off."),
    ("rule-does-not-apply", "The rule does not apply to this milestone any more."),
    ("rule-replaced", "A rule of its agreement, or of the agreement's type, replaces this one."),
    ("answered", "Somebody has seen to it since the reminder."),
    ("feed-only", "This person asked for no mail: it shows in My work and in the calendar feed."),
    ("newer-reminder", "It was late, and a newer reminder of the same milestone took its place."),
    ("gathered", "It had waited for the mail server for more than a day: it goes out in a digest with the others."),
    ("snoozed", "The milestone was snoozed; one reminder came or comes at the end of the snooze."),
    ("snooze-changed", "The snooze was changed or ended."),
    (
        "nobody-to-tell",
        "Nobody can be notified: neither the people the rule names nor a fallback person or a lead of the unit or of a unit above it is active, has an e-mail address and may see the milestone. It is tried again every hour.",
    ),
    ("wrong-person", "It is for somebody else now."),
    ("nothing-left", "Nothing in this mail is due to this person any more."),
    ("cannot-be-written", "The mail could not be written."),
    ("refused", "The mail server refused the mail for good."),
    ("broke-off-often", "The mail server broke off each time it was given this mail, while it took others."),
    ("gave-up", "The mail server put it off for five days."),
    ("put-off", "The mail server asked to try again later."),
    ("relay-trouble", "The mail server could not be used; this does not count as an attempt."),
    ("interrupted", "The mail server broke off while it was given this mail; this does not count as an attempt."),
    ("process-ended-early", "The sending process ended before the mail was handed over; it is sent again."),
    ("process-ended-often", "The sending process ended three times while it had this mail."),
    ("sent-again", "It was sent again on request."),
    (
        "outcome-unknown",
        "The mail server may or may not have taken the mail; it is not sent again by itself, so that nobody gets it twice.",
    ),
    ("too-many-at-once", "One edit, rule change or import made very many mails; somebody has to release them."),
    ("held-by-hand", "Sending was paused manually; somebody has to release this mail."),
    (
        "held-since-restore",
        "Sending was paused when the data came back from a backup: this mail may have been sent already; somebody has to release it.",
    ),
    ("reported", "Somebody who can help is notified by e-mail."),
    (
        "nobody-to-report-to",
        "Nobody else can be notified of it: there is no other fallback person, and no other lead of the unit or of a unit above it, who is active, has an e-mail address and may see the milestone.",
    ),
    (
        "unconfirmed",
        "The sending process ended after it had written the whole mail and before it read the answer: it has most likely arrived, and is not sent again by itself.",
    ),
    (
        "sent-once-more",
        "The mail server may or may not have taken the mail; the very same mail is sent once more, as this site is set to.",
    ),
    ("lease-lost", "The sending process was held up too long and stopped before the mail was complete."),
]


class Migration(migrations.Migration):
    dependencies = [
        ("partnerships", "0004_authors_and_strengths"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="mailhold",
            options={"ordering": ["-pk"], "verbose_name": "sending pause", "verbose_name_plural": "sending pauses"},
        ),
        migrations.AlterField(
            model_name="delivery",
            name="reason",
            field=models.CharField(blank=True, choices=REASONS, max_length=30, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="deliveryevent",
            name="reason",
            field=models.CharField(blank=True, choices=REASONS, max_length=30, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="historicalunit",
            name="fallback_person",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Is notified when nobody else can be. Without one, the unit above is asked.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="fallback person",
            ),
        ),
        migrations.AlterField(
            model_name="mailhold",
            name="cause",
            field=models.CharField(
                choices=[("by_hand", "Paused manually"), ("restore", "Restored from a backup")],
                default="by_hand",
                max_length=10,
                verbose_name="cause",
            ),
        ),
        migrations.AlterField(
            model_name="reminderitem",
            name="cancel_reason",
            field=models.CharField(blank=True, choices=REASONS, max_length=30, verbose_name="why not"),
        ),
        migrations.AlterField(
            model_name="reminderplan",
            name="reason",
            field=models.CharField(blank=True, choices=REASONS, max_length=30, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="unit",
            name="fallback_person",
            field=models.ForeignKey(
                blank=True,
                help_text="Is notified when nobody else can be. Without one, the unit above is asked.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="fallback_for",
                to=settings.AUTH_USER_MODEL,
                verbose_name="fallback person",
            ),
        ),
        migrations.AlterConstraint(
            model_name="mailhold",
            name="mail_hold_one_active",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("is_active",),
                name="mail_hold_one_active",
                violation_error_message="Sending is paused already.",
            ),
        ),
    ]
