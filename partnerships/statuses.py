"""Every status, its label and color, and the one transition table per aggregate.

The workflow obeys these tables, the buttons of admin and pages are made from them, the diagrams in docs/ are drawn from
them and the N x N tests walk them. A step that is not here does not exist; there is no force.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AgreementStatus(TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    RETURNED = "returned", _("Returned for changes")
    APPROVED = "approved", _("Approved")
    SIGNED = "signed", _("Signed")
    SUSPENDED = "suspended", _("Suspended")
    COMPLETED = "completed", _("Completed")
    TERMINATED = "terminated", _("Terminated")
    CANCELLED = "cancelled", _("Cancelled")


class MilestoneStatus(TextChoices):
    OPEN = "open", pgettext_lazy("milestone status", "Open")
    SUBMITTED = "submitted", _("Submitted")
    MET = "met", _("Met")
    WAIVED = "waived", _("Waived")
    CANCELLED = "cancelled", _("Cancelled")


class ActivityStatus(TextChoices):
    PLANNED = "planned", _("Planned")
    IN_PROGRESS = "in_progress", _("In progress")
    POSTPONED = "postponed", _("Postponed")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class FacilityStatus(TextChoices):
    PLANNED = "planned", _("Planned")
    OPENED = "opened", _("Opened")
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed")


class DemandStatus(TextChoices):
    RELEASED = "released", _("Released")
    ASKED = "asked", _("Asked")
    ANSWERED = "answered", _("Answered")
    AGREED = "agreed", _("Agreed")
    NO_MATCH = "no_match", _("No match")


class AnswerStatus(TextChoices):
    ASKED = "asked", _("Asked")
    PROPOSED = "proposed", _("Proposed")
    SHORTLISTED = "shortlisted", _("Shortlisted")
    CHOSEN = "chosen", _("Chosen")
    DECLINED = "declined", _("Declined")


class HonourStatus(TextChoices):
    RECORDED = "recorded", _("Recorded")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ExportStatus(TextChoices):
    WAITING = "waiting", pgettext_lazy("export", "Waiting")
    RUNNING = "running", _("Being made")
    DONE = "done", pgettext_lazy("export", "Ready")
    FAILED = "failed", _("Failed")
    REMOVED = "removed", _("Removed")


class PlanStatus(TextChoices):
    PLANNED = "planned", _("Planned")
    EXPANDED = "expanded", _("Made into mail")
    MISSED = "missed", _("Missed")
    SUPERSEDED = "superseded", _("Superseded")
    CANCELLED = "cancelled", _("Cancelled")


class DeliveryStatus(TextChoices):
    QUEUED = "queued", _("Queued")
    CLAIMED = "claimed", _("Claimed")
    HANDING = "handing", _("Being handed over")
    SENT = "sent", _("Sent")
    RETRY = "retry", _("To be tried again")
    UNCONFIRMED = "unconfirmed", _("Unconfirmed")
    UNCERTAIN = "uncertain", _("Uncertain")
    HELD = "held", _("Held")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    SKIPPED = "skipped", _("Skipped")


# Tones, not colors: the stylesheets of pages, admin and mails say what each looks like in light and dark.
TONES: dict[str, str] = {
    AgreementStatus.DRAFT: "neutral",
    AgreementStatus.IN_REVIEW: "info",
    AgreementStatus.RETURNED: "warning",
    AgreementStatus.APPROVED: "info",
    AgreementStatus.SIGNED: "success",
    AgreementStatus.SUSPENDED: "warning",
    AgreementStatus.COMPLETED: "primary",
    AgreementStatus.TERMINATED: "danger",
    AgreementStatus.CANCELLED: "neutral",
    MilestoneStatus.OPEN: "info",
    MilestoneStatus.SUBMITTED: "warning",
    MilestoneStatus.MET: "success",
    MilestoneStatus.WAIVED: "neutral",
    ActivityStatus.IN_PROGRESS: "info",
    ActivityStatus.POSTPONED: "warning",
    FacilityStatus.OPENED: "success",
    FacilityStatus.CLOSED: "neutral",
    DemandStatus.RELEASED: "info",
    DemandStatus.ASKED: "info",
    DemandStatus.ANSWERED: "warning",
    DemandStatus.AGREED: "success",
    DemandStatus.NO_MATCH: "neutral",
    AnswerStatus.PROPOSED: "info",
    AnswerStatus.SHORTLISTED: "warning",
    AnswerStatus.CHOSEN: "success",
    AnswerStatus.DECLINED: "neutral",
    HonourStatus.RECORDED: "success",
    HonourStatus.WITHDRAWN: "neutral",
    PlanStatus.PLANNED: "neutral",
    PlanStatus.EXPANDED: "success",
    PlanStatus.MISSED: "danger",
    PlanStatus.SUPERSEDED: "neutral",
    DeliveryStatus.QUEUED: "info",
    DeliveryStatus.CLAIMED: "info",
    DeliveryStatus.HANDING: "info",
    DeliveryStatus.SENT: "success",
    DeliveryStatus.RETRY: "warning",
    DeliveryStatus.UNCONFIRMED: "warning",
    DeliveryStatus.UNCERTAIN: "danger",
    DeliveryStatus.HELD: "warning",
    DeliveryStatus.FAILED: "danger",
    DeliveryStatus.SKIPPED: "neutral",
}


@dataclass(frozen=True)
class Transition:
    """One named step.

    ``name`` is the verb and the address of its page; ``permission`` the action asked of ``permissions.may``;
    ``stamps`` the date column written with the step, ``clears`` those that are no longer true after it, ``after`` those
    that the step's date may not precede.
    """

    name: str
    label: Any
    sources: frozenset[str]
    target: str
    permission: str
    stamps: str = ""
    clears: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needs_reason: bool = False
    is_correction: bool = False


TransitionTable = Mapping[str, Transition]


def _table(transitions: Iterable[Transition]) -> dict[str, Transition]:
    return {transition.name: transition for transition in transitions}


_A = AgreementStatus
AGREEMENT_TRANSITIONS = _table(
    [
        Transition(
            "submit",
            _("Submit for review"),
            frozenset({_A.DRAFT, _A.RETURNED}),
            _A.IN_REVIEW,
            "agreement.submit",
            stamps="submitted_on",
        ),
        Transition(
            "approve",
            pgettext_lazy("verb", "Approve"),
            frozenset({_A.IN_REVIEW}),
            _A.APPROVED,
            "agreement.approve",
            stamps="approved_on",
        ),
        Transition(
            "return",
            _("Return for changes"),
            frozenset({_A.IN_REVIEW, _A.APPROVED}),
            _A.RETURNED,
            "agreement.return",
            stamps="returned_on",
            clears=("approved_on",),
            needs_reason=True,
        ),
        Transition(
            "sign",
            _("Record the signing"),
            frozenset({_A.APPROVED}),
            _A.SIGNED,
            "agreement.sign",
            stamps="signed_on",
        ),
        Transition(
            "record_signed",
            _("Register as already signed"),
            frozenset({_A.DRAFT}),
            _A.SIGNED,
            "agreement.record_signed",
            stamps="signed_on",
        ),
        Transition(
            "suspend",
            _("Suspend"),
            frozenset({_A.SIGNED}),
            _A.SUSPENDED,
            "agreement.suspend",
            stamps="suspended_on",
            clears=("resumed_on",),
            after=("signed_on",),
            needs_reason=True,
        ),
        Transition(
            "resume",
            _("Resume"),
            frozenset({_A.SUSPENDED}),
            _A.SIGNED,
            "agreement.resume",
            stamps="resumed_on",
            after=("suspended_on",),
        ),
        Transition(
            "complete",
            pgettext_lazy("verb", "Complete"),
            frozenset({_A.SIGNED}),
            _A.COMPLETED,
            "agreement.complete",
            stamps="completed_on",
            after=("signed_on",),
        ),
        Transition(
            "terminate",
            _("Terminate"),
            frozenset({_A.SIGNED, _A.SUSPENDED}),
            _A.TERMINATED,
            "agreement.terminate",
            stamps="terminated_on",
            after=("signed_on",),
            needs_reason=True,
        ),
        Transition(
            "cancel",
            _("Cancel before signature"),
            frozenset({_A.DRAFT, _A.IN_REVIEW, _A.RETURNED, _A.APPROVED}),
            _A.CANCELLED,
            "agreement.cancel",
            stamps="cancelled_on",
            needs_reason=True,
        ),
        Transition(
            "reopen",
            _("Reopen as draft"),
            frozenset({_A.CANCELLED}),
            _A.DRAFT,
            "agreement.correct",
            clears=("cancelled_on", "submitted_on", "approved_on", "returned_on"),
            needs_reason=True,
            is_correction=True,
        ),
        Transition(
            "reinstate",
            _("Reinstate: closed in error"),
            frozenset({_A.COMPLETED, _A.TERMINATED}),
            _A.SIGNED,
            "agreement.correct",
            # It may have been suspended when it was closed; it is reinstated as in force.
            clears=("completed_on", "terminated_on", "suspended_on", "resumed_on"),
            needs_reason=True,
            is_correction=True,
        ),
        Transition(
            "unsign",
            _("Take back the signing: recorded in error"),
            frozenset({_A.SIGNED}),
            _A.DRAFT,
            "agreement.correct",
            clears=(
                "signed_on",
                "submitted_on",
                "approved_on",
                "returned_on",
                "recorded_on",
                "suspended_on",
                "resumed_on",
            ),
            needs_reason=True,
            is_correction=True,
        ),
    ]
)

_M = MilestoneStatus
MILESTONE_TRANSITIONS = _table(
    [
        Transition(
            "submit",
            _("Submit for acceptance"),
            frozenset({_M.OPEN}),
            _M.SUBMITTED,
            "milestone.act",
            stamps="submitted_on",
        ),
        Transition("meet", _("Mark as met"), frozenset({_M.OPEN}), _M.MET, "milestone.act", stamps="met_on"),
        Transition(
            "accept",
            pgettext_lazy("verb", "Accept"),
            frozenset({_M.SUBMITTED}),
            _M.MET,
            "milestone.accept",
            stamps="met_on",
        ),
        Transition(
            "send_back",
            _("Send back"),
            frozenset({_M.SUBMITTED}),
            _M.OPEN,
            "milestone.accept",
            clears=("submitted_on",),
            needs_reason=True,
        ),
        Transition(
            "waive",
            _("Waive"),
            frozenset({_M.OPEN, _M.SUBMITTED}),
            _M.WAIVED,
            "milestone.waive",
            stamps="waived_on",
            needs_reason=True,
        ),
        Transition(
            "cancel",
            pgettext_lazy("verb", "Cancel"),
            frozenset({_M.OPEN, _M.SUBMITTED}),
            _M.CANCELLED,
            "milestone.waive",
            stamps="cancelled_on",
            needs_reason=True,
        ),
        Transition(
            "reopen",
            _("Reopen"),
            frozenset({_M.MET, _M.WAIVED, _M.CANCELLED}),
            _M.OPEN,
            "milestone.correct",
            clears=("submitted_on", "met_on", "waived_on", "cancelled_on"),
            needs_reason=True,
            is_correction=True,
        ),
    ]
)

_F = ActivityStatus
ACTIVITY_TRANSITIONS = _table(
    [
        Transition(
            "start",
            pgettext_lazy("verb", "Start"),
            frozenset({_F.PLANNED, _F.POSTPONED}),
            _F.IN_PROGRESS,
            "activity.edit",
            stamps="started_on",
        ),
        Transition(
            "complete",
            pgettext_lazy("verb", "Complete"),
            frozenset({_F.PLANNED, _F.IN_PROGRESS}),
            _F.COMPLETED,
            "activity.edit",
            stamps="completed_on",
            after=("started_on",),
        ),
        Transition(
            "postpone",
            _("Postpone"),
            frozenset({_F.PLANNED, _F.IN_PROGRESS}),
            _F.POSTPONED,
            "activity.edit",
            stamps="postponed_on",
            needs_reason=True,
        ),
        Transition("replan", _("Plan again"), frozenset({_F.POSTPONED}), _F.PLANNED, "activity.edit"),
        Transition(
            "cancel",
            pgettext_lazy("verb", "Cancel"),
            frozenset({_F.PLANNED, _F.IN_PROGRESS, _F.POSTPONED}),
            _F.CANCELLED,
            "activity.edit",
            stamps="cancelled_on",
            needs_reason=True,
        ),
        Transition(
            "reopen",
            _("Reopen"),
            frozenset({_F.COMPLETED, _F.CANCELLED}),
            _F.IN_PROGRESS,
            "activity.correct",
            clears=("completed_on", "cancelled_on"),
            needs_reason=True,
            is_correction=True,
        ),
    ]
)

_J = FacilityStatus
FACILITY_TRANSITIONS = _table(
    [
        Transition(
            "open",
            pgettext_lazy("verb", "Open"),
            frozenset({_J.PLANNED}),
            _J.OPENED,
            "facility.edit",
            stamps="opened_on",
        ),
        Transition(
            "suspend",
            _("Suspend"),
            frozenset({_J.OPENED}),
            _J.SUSPENDED,
            "facility.edit",
            stamps="suspended_on",
            needs_reason=True,
            after=("opened_on",),
        ),
        Transition(
            "resume",
            _("Resume"),
            frozenset({_J.SUSPENDED}),
            _J.OPENED,
            "facility.edit",
            clears=("suspended_on",),
            after=("suspended_on",),
        ),
        Transition(
            "close",
            pgettext_lazy("verb", "Close"),
            frozenset({_J.PLANNED, _J.OPENED, _J.SUSPENDED}),
            _J.CLOSED,
            "facility.edit",
            stamps="closed_on",
            needs_reason=True,
            after=("opened_on", "suspended_on"),
        ),
        Transition(
            "reopen",
            _("Reopen: closed in error"),
            frozenset({_J.CLOSED}),
            _J.PLANNED,
            "facility.correct",
            clears=("closed_on", "suspended_on", "opened_on"),
            needs_reason=True,
            is_correction=True,
        ),
    ]
)

_D = DemandStatus
DEMAND_TRANSITIONS = _table(
    [
        Transition(
            "ask",
            _("Ask units to answer"),
            frozenset({_D.RELEASED}),
            _D.ASKED,
            "demand.edit",
            stamps="asked_on",
            after=("released_on",),
        ),
        Transition(
            "answer",
            _("Record that it was answered"),
            frozenset({_D.RELEASED, _D.ASKED}),
            _D.ANSWERED,
            "demand.edit",
            stamps="answered_on",
            after=("released_on", "asked_on"),
        ),
        Transition(
            "agree",
            _("Record what came of it"),
            frozenset({_D.RELEASED, _D.ASKED, _D.ANSWERED}),
            _D.AGREED,
            "demand.edit",
            stamps="agreed_on",
            after=("released_on", "asked_on", "answered_on"),
        ),
        Transition(
            "close",
            _("Close without a match"),
            frozenset({_D.RELEASED, _D.ASKED, _D.ANSWERED}),
            _D.NO_MATCH,
            "demand.edit",
            stamps="closed_on",
            needs_reason=True,
            after=("released_on", "asked_on", "answered_on"),
        ),
        Transition(
            "reopen",
            _("Reopen"),
            frozenset({_D.AGREED, _D.NO_MATCH}),
            _D.RELEASED,
            "demand.correct",
            clears=("asked_on", "answered_on", "agreed_on", "closed_on"),
            needs_reason=True,
            is_correction=True,
        ),
    ]
)

_W = AnswerStatus
ANSWER_TRANSITIONS = _table(
    [
        Transition("propose", _("Propose"), frozenset({_W.ASKED}), _W.PROPOSED, "answer.edit", stamps="proposed_on"),
        Transition(
            "shortlist",
            _("Shortlist"),
            frozenset({_W.PROPOSED}),
            _W.SHORTLISTED,
            "demand.edit",
            stamps="shortlisted_on",
            after=("proposed_on",),
        ),
        Transition(
            "choose",
            _("Choose"),
            frozenset({_W.PROPOSED, _W.SHORTLISTED}),
            _W.CHOSEN,
            "demand.edit",
            stamps="chosen_on",
            after=("proposed_on", "shortlisted_on"),
        ),
        Transition(
            "decline",
            _("Decline"),
            frozenset({_W.ASKED, _W.PROPOSED, _W.SHORTLISTED}),
            _W.DECLINED,
            "answer.edit",
            stamps="declined_on",
            needs_reason=True,
            after=("proposed_on", "shortlisted_on"),
        ),
        Transition(
            "reopen",
            _("Reopen"),
            frozenset({_W.CHOSEN, _W.DECLINED}),
            _W.ASKED,
            "demand.correct",
            clears=("proposed_on", "shortlisted_on", "chosen_on", "declined_on"),
            needs_reason=True,
            is_correction=True,
        ),
    ]
)

_H = HonourStatus
HONOUR_TRANSITIONS = _table(
    [
        Transition(
            "withdraw",
            _("Withdraw: recorded in error"),
            frozenset({_H.RECORDED}),
            _H.WITHDRAWN,
            "honour.correct",
            stamps="withdrawn_on",
            needs_reason=True,
            is_correction=True,
        ),
        Transition(
            "restore",
            _("Restore: withdrawn in error"),
            frozenset({_H.WITHDRAWN}),
            _H.RECORDED,
            "honour.correct",
            clears=("withdrawn_on",),
            needs_reason=True,
            is_correction=True,
        ),
    ]
)
