"""Why a reminder did not go out (yet): stored as these English sentences, shown through gettext."""

from django.utils.translation import gettext_noop

BORN_MISSED = gettext_noop("Its time had already passed when the date was recorded.")
EXPIRED = gettext_noop("Its time passed before it could be sent.")
NOT_PENDING = gettext_noop("The milestone is no longer open.")
DUE_DATE_MOVED = gettext_noop("The due date was moved.")
RULE_DISABLED = gettext_noop("The rule was switched off.")
RULE_DOES_NOT_APPLY = gettext_noop("The rule does not apply to this milestone any more.")
# What the milestone and the rules said no longer, and may say again.
NOT_CURRENT = (NOT_PENDING, DUE_DATE_MOVED, RULE_DISABLED, RULE_DOES_NOT_APPLY)
NOBODY_TO_TELL = gettext_noop(
    "Nobody can be told: neither the people the rule names nor a fallback person of the unit or of a unit above it is "
    "active, has an e-mail address and may see the milestone. It is tried again every hour."
)
WRONG_PERSON = gettext_noop("It is for somebody else now.")
NOTHING_LEFT = gettext_noop("Nothing in this mail is due to this person any more.")
CANNOT_BE_WRITTEN = gettext_noop("The mail could not be written.")
REFUSED = gettext_noop("The mail server refused the mail for good.")
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
