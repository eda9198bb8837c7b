"""Advice to the owner of a milestone in one sentence, for mails and for the calendar."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.models import Milestone, MilestoneKind
from partnerships.statuses import MilestoneStatus

ADVICE = {
    MilestoneKind.DECISION_DATE: gettext_noop("Decide whether the agreement goes on, and record the decision."),
    MilestoneKind.REVIEW: gettext_noop("Review the agreement with those concerned, and record the result."),
    MilestoneKind.NEXT_CONTACT: gettext_noop(
        "Nothing has been heard for a while: call or write to the partner, and log it."
    ),
    MilestoneKind.STARTING_ACTIVITY: gettext_noop(
        "Prepare it, and mark it as started on the day. If it cannot be held, postpone it or cancel it."
    ),
    MilestoneKind.UNFINISHED_ACTIVITY: gettext_noop(
        "When it is over, complete it with what came of it. If it takes longer, postpone it and plan it again."
    ),
    MilestoneKind.APPROVAL: gettext_noop("Read the draft, then approve it or return it with a reason."),
    MilestoneKind.ANSWER: gettext_noop("Answer the demand for your unit, decline it, or give it to somebody."),
    MilestoneKind.CONFIRM_REGISTRATION: gettext_noop("Check what was registered as signed, and confirm it."),
    MilestoneKind.CONFIRM_RENEWAL: gettext_noop(
        "The agreement was renewed automatically: record the renewal, or the end if it was ended."
    ),
    MilestoneKind.RECORD_END: gettext_noop("The term has ended: record the renewal, or close the agreement."),
    MilestoneKind.NEW_HOLDER: gettext_noop(
        "Several units work with this partner: agree on who talks to the partner, and mark this as noted."
    ),
    MilestoneKind.REVISION: gettext_noop("Read the reason, change the draft, and submit it again."),
    MilestoneKind.SIGNING: gettext_noop(
        "Have the agreement signed; a lead of the unit or the office then records the signing."
    ),
    MilestoneKind.PAYMENT: gettext_noop(
        "Ask for the payment, and record what was received. If it will not come, a lead waives it."
    ),
    MilestoneKind.NEW_LIAISON: gettext_noop(
        "The liaison of this partner has left: find out who talks to us now, and name them on the agreement's page."
    ),
}
TO_SUBMIT = gettext_noop("When it is done, submit it with a word on the evidence; a lead accepts it.")
TO_MEET = gettext_noop("When it is done, mark it as done. If it cannot be done in time, move the date and say why.")


def appoint_a_lead(milestone: Milestone) -> str:
    """Return what the office does about an approval that no lead may give: it may not approve itself."""
    words = _(
        "No lead of %(unit)s or of a unit above it may approve it: ask a system administrator to give somebody the role of "
        "a lead there who had no part in the draft."
    )
    return words % {"unit": milestone.unit.display_name}


def describe_owner_action(milestone: Milestone) -> str:
    """Return a sentence on what the owner can do about the milestone."""
    if milestone.status == MilestoneStatus.SUBMITTED:
        return _("It was submitted and waits for a lead to accept it or send it back.")
    otherwise = TO_SUBMIT if milestone.requires_acceptance else TO_MEET
    return _(ADVICE.get(MilestoneKind(milestone.kind), otherwise))
