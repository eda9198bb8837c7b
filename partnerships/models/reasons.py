"""Why a reminder did not go out, or not yet: codes that are stored, with labels that are shown."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """The reason of a plan, a reminder, a delivery or a step of its log. Code compares the codes, never the labels."""

    NOT_NEEDED = "not-needed", _("Its time had already passed when the date was recorded.")
    EXPIRED = "expired", _("Its time passed before it could be sent.")
    NOT_PENDING = "not-pending", _("The milestone is no longer open.")
    DUE_DATE_MOVED = "due-date-moved", _("The due date was moved.")
    RULE_DISABLED = "rule-disabled", _("The rule was switched off.")
    RULE_DOES_NOT_APPLY = "rule-does-not-apply", _("The rule does not apply to this milestone any more.")
    RULE_REPLACED = "rule-replaced", _("A rule of its agreement, or of the agreement's type, replaces this one.")
    ANSWERED = "answered", _("Somebody has seen to it since the reminder.")
    FEED_ONLY = "feed-only", _("This person asked for no mail: it shows in My work and in the calendar feed.")
    CONTACT_STOPPED_MAIL = "contact-stopped-mail", _("The contact asked for no mail.")
    NEWER_REMINDER = "newer-reminder", _("It was late, and a newer reminder of the same milestone took its place.")
    GATHERED = (
        "gathered",
        _("It had waited for the mail server for more than a day: it goes out in a digest with the others."),
    )
    SNOOZED = "snoozed", _("The milestone was snoozed; one reminder came or comes at the end of the snooze.")
    SNOOZE_CHANGED = "snooze-changed", _("The snooze was changed or ended.")
    NOBODY_TO_TELL = (
        "nobody-to-tell",
        _(
            "Nobody can be notified: neither the people the rule names nor a fallback person or a lead of the unit or of a unit "
            "above it is active, has an e-mail address and may see the milestone. It is tried again every hour."
        ),
    )
    WRONG_PERSON = "wrong-person", _("It is for somebody else now.")
    NOTHING_LEFT = "nothing-left", _("Nothing in this mail is due to this person any more.")
    CANNOT_BE_WRITTEN = "cannot-be-written", _("The mail could not be written.")
    REFUSED = "refused", _("The mail server refused the mail for good.")
    BROKE_OFF_OFTEN = (
        "broke-off-often",
        _("The mail server broke off each time it was given this mail, while it took others."),
    )
    GAVE_UP = "gave-up", _("The mail server put it off for five days.")
    PUT_OFF = "put-off", _("The mail server asked to try again later.")
    RELAY_TROUBLE = "relay-trouble", _("The mail server could not be used; this does not count as an attempt.")
    INTERRUPTED = (
        "interrupted",
        _("The mail server broke off while it was given this mail; this does not count as an attempt."),
    )
    PROCESS_ENDED_EARLY = (
        "process-ended-early",
        _("The sending process ended before the mail was handed over; it is sent again."),
    )
    PROCESS_ENDED_OFTEN = "process-ended-often", _("The sending process ended three times while it had this mail.")
    SENT_AGAIN = "sent-again", _("It was sent again on request.")
    OUTCOME_UNKNOWN = (
        "outcome-unknown",
        _(
            "The mail server may or may not have taken the mail; it is not sent again by itself, so that nobody gets it twice."
        ),
    )
    TOO_MANY_AT_ONCE = (
        "too-many-at-once",
        _("One edit, rule change or import made very many mails; somebody has to release them."),
    )
    HELD_BY_HAND = "held-by-hand", _("Sending was paused manually; somebody has to release this mail.")
    HELD_SINCE_RESTORE = (
        "held-since-restore",
        _(
            "Sending was paused when the data came back from a backup: this mail may have been sent already; somebody has to release it."
        ),
    )
    REPORTED = "reported", _("Somebody who can help is notified by e-mail.")
    NOBODY_TO_REPORT_TO = (
        "nobody-to-report-to",
        _(
            "Nobody else can be notified of it: there is no other fallback person, and no other lead of the unit or of a unit above "
            "it, who is active, has an e-mail address and may see the milestone."
        ),
    )
    UNCONFIRMED = (
        "unconfirmed",
        _(
            "The sending process ended after it had written the whole mail and before it read the answer: it has most likely "
            "arrived, and is not sent again by itself."
        ),
    )
    SENT_ONCE_MORE = (
        "sent-once-more",
        _(
            "The mail server may or may not have taken the mail; the very same mail is sent once more, as this site is set to."
        ),
    )
    LEASE_LOST = "lease-lost", _("The sending process was held up too long and stopped before the mail was complete.")


# The plan was given up although milestone and rule still ask for it.
ON_PURPOSE = (Reason.NEWER_REMINDER, Reason.SNOOZED)
# The milestone and the rules no longer asked for the reminder, and may ask for it again.
NOT_CURRENT = (
    Reason.NOT_PENDING,
    Reason.DUE_DATE_MOVED,
    Reason.RULE_DISABLED,
    Reason.RULE_DOES_NOT_APPLY,
    Reason.RULE_REPLACED,
    Reason.ANSWERED,
    Reason.SNOOZE_CHANGED,
)


def is_reason_or_empty(field: str) -> models.Q:
    """Return the condition of a constraint: the column holds a code of ``Reason``, or nothing."""
    return models.Q(**{f"{field}__in": ["", *Reason.values]})


def reason_label(code: str) -> str:
    """Return the label of a stored code in the reader's language; "" for none."""
    return str(Reason(code).label) if code else ""
