"""Why a reminder did not go out (yet): stored as these English sentences, shown through gettext."""

from django.utils.translation import gettext_noop

BORN_MISSED = gettext_noop("Its time had already passed when the date was recorded.")
EXPIRED = gettext_noop("Its time passed before it could be sent.")
NOT_PENDING = gettext_noop("The milestone is no longer open.")
DUE_DATE_MOVED = gettext_noop("The due date was moved.")
RULE_DISABLED = gettext_noop("The rule was switched off.")
RULE_DOES_NOT_APPLY = gettext_noop("The rule does not apply to this milestone any more.")
RULE_REPLACED = gettext_noop("A rule of its agreement, or of the agreement's type, replaces this one.")
ANSWERED = gettext_noop("Somebody has seen to it since the reminder.")
FEED_ONLY = gettext_noop("This person asked for no mail: it shows in My work and in the calendar feed.")
NEWER_REMINDER = gettext_noop("It was late, and a newer reminder of the same milestone took its place.")
GATHERED = gettext_noop(
    "It had waited for the mail server for more than a day: it goes out in a digest with the others."
)
SNOOZED = gettext_noop("The milestone was snoozed; one reminder came or comes at the end of the snooze.")
# The plan was given up although milestone and rule still ask for it.
ON_PURPOSE = (NEWER_REMINDER, SNOOZED)
SNOOZE_CHANGED = gettext_noop("The snooze was changed or ended.")
# What the milestone and the rules said no longer, and may say again.
NOT_CURRENT = (
    NOT_PENDING,
    DUE_DATE_MOVED,
    RULE_DISABLED,
    RULE_DOES_NOT_APPLY,
    RULE_REPLACED,
    ANSWERED,
    SNOOZE_CHANGED,
)
NOBODY_TO_TELL = gettext_noop(
    "Nobody can be told: neither the people the rule names nor a fallback person or a lead of the unit or of a unit "
    "above it is active, has an e-mail address and may see the milestone. It is tried again every hour."
)
WRONG_PERSON = gettext_noop("It is for somebody else now.")
NOTHING_LEFT = gettext_noop("Nothing in this mail is due to this person any more.")
CANNOT_BE_WRITTEN = gettext_noop("The mail could not be written.")
REFUSED = gettext_noop("The mail server refused the mail for good.")
BROKE_OFF_OFTEN = gettext_noop("The mail server broke off each time it was given this mail, while it took others.")
GAVE_UP = gettext_noop("The mail server put it off for five days.")
PUT_OFF = gettext_noop("The mail server asked to try again later.")
RELAY_TROUBLE = gettext_noop("The mail server could not be used; this does not count as an attempt.")
INTERRUPTED = gettext_noop("The mail server broke off while it was given this mail; this does not count as an attempt.")
PROCESS_ENDED_EARLY = gettext_noop("The sending process ended before the mail was handed over; it is sent again.")
PROCESS_ENDED_OFTEN = gettext_noop("The sending process ended three times while it had this mail.")
SENT_AGAIN = gettext_noop("It was sent again on request.")
OUTCOME_UNKNOWN = gettext_noop(
    "The mail server may or may not have taken the mail; it is not sent again by itself, so that nobody gets it twice."
)
FAR_MORE_THAN_USUAL = gettext_noop("Far more mail than usual would go out at once; somebody has to let it go.")
HELD_BY_HAND = gettext_noop("All mail was held by hand; somebody has to let it go.")
HELD_SINCE_RESTORE = gettext_noop(
    "All mail is held since the data came back from a backup: it may have been sent already; somebody has to let it go."
)
REPORTED = gettext_noop("Somebody who can help is told by mail.")
NOBODY_TO_REPORT_TO = gettext_noop(
    "Nobody else can be told of it: there is no other fallback person, and no other lead of the unit or of a unit above "
    "it, who is active, has an e-mail address and may see the milestone."
)
UNCONFIRMED = gettext_noop(
    "The sending process ended after it had written the whole mail and before it read the answer: it has most likely "
    "arrived, and is not sent again by itself."
)
SENT_ONCE_MORE = gettext_noop(
    "The mail server may or may not have taken the mail; the very same mail is sent once more, as this site is set to."
)
LEASE_LOST = gettext_noop("The sending process was held up too long and stopped before the mail was complete.")
