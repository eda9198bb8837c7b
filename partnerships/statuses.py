"""Every status with its label and tone, and one transition table per aggregate.

The workflow verbs follow these tables; the buttons of admin and pages and the diagrams in docs/ are made from them, and
the tests try every step from every status. A step that is not in a table does not exist; there is no force.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.texts import LazyText


class Status(TextChoices):
    """A set of statuses; each member is written as value, tone, label, and the first is where every row begins.

    A tone is not a color: the stylesheets of pages, admin and mails say what each tone looks like in light and dark.
    """

    tone: str

    def __new__(cls, value: str, tone: str = "neutral") -> Self:
        status = str.__new__(cls, value)
        status._value_ = value
        status.tone = tone
        return status


class AgreementStatus(Status):
    DRAFT = "draft", "neutral", _("Draft")
    IN_REVIEW = "in_review", "info", _("In review")
    RETURNED = "returned", "warning", _("Returned for changes")
    APPROVED = "approved", "info", _("Approved")
    SIGNED = "signed", "success", _("Signed")
    SUSPENDED = "suspended", "warning", _("Suspended")
    COMPLETED = "completed", "primary", _("Completed")
    TERMINATED = "terminated", "danger", _("Terminated")
    CANCELLED = "cancelled", "neutral", _("Cancelled")


class MilestoneStatus(Status):
    OPEN = "open", "info", pgettext_lazy("milestone status", "Open")
    SUBMITTED = "submitted", "warning", _("Submitted")
    MET = "met", "success", _("Done")
    WAIVED = "waived", "neutral", _("Waived")
    CANCELLED = "cancelled", "neutral", _("Cancelled")


class ActivityStatus(Status):
    PLANNED = "planned", "neutral", _("Planned")
    IN_PROGRESS = "in_progress", "info", _("In progress")
    POSTPONED = "postponed", "warning", _("Postponed")
    COMPLETED = "completed", "primary", _("Completed")
    CANCELLED = "cancelled", "neutral", _("Cancelled")


class FacilityStatus(Status):
    PLANNED = "planned", "neutral", _("Planned")
    OPENED = "opened", "success", _("Opened")
    SUSPENDED = "suspended", "warning", _("Suspended")
    CLOSED = "closed", "neutral", _("Closed")


class DemandStatus(Status):
    RELEASED = "released", "info", _("Released")
    ASKED = "asked", "info", _("Asked")
    ANSWERED = "answered", "warning", _("Answered")
    AGREED = "agreed", "success", _("Agreed")
    NO_MATCH = "no_match", "neutral", _("No match")


class AnswerStatus(Status):
    ASKED = "asked", "info", _("Asked")
    PROPOSED = "proposed", "info", _("Proposed")
    SHORTLISTED = "shortlisted", "warning", _("Shortlisted")
    CHOSEN = "chosen", "success", _("Chosen")
    DECLINED = "declined", "neutral", _("Declined")


class HonourStatus(Status):
    RECORDED = "recorded", "success", _("Recorded")
    WITHDRAWN = "withdrawn", "neutral", _("Withdrawn")


class EventStatus(Status):
    RECORDED = "recorded", "success", _("Recorded")
    WITHDRAWN = "withdrawn", "neutral", _("Withdrawn")


class ReportStatus(Status):
    DRAFT = "draft", "neutral", _("Draft")
    CONFIRMED = "confirmed", "success", pgettext_lazy("report", "Confirmed")


class ExportStatus(Status):
    WAITING = "waiting", "neutral", pgettext_lazy("export", "Waiting")
    RUNNING = "running", "neutral", _("Being made")
    DONE = "done", "neutral", pgettext_lazy("export", "Ready")
    FAILED = "failed", "danger", _("Failed")
    REMOVED = "removed", "neutral", _("Removed")


class ImportStatus(Status):
    DRAFT = "draft", "neutral", _("Draft")
    CHECKING = "checking", "neutral", pgettext_lazy("import", "Being checked")
    CHECKED = "checked", "info", pgettext_lazy("import", "Checked")
    COMMITTING = "committing", "neutral", pgettext_lazy("import", "Being imported")
    COMMITTED = "committed", "success", pgettext_lazy("import", "Imported")
    UNDOING = "undoing", "neutral", pgettext_lazy("import", "Being undone")
    UNDONE = "undone", "neutral", pgettext_lazy("import", "Undone")
    FAILED = "failed", "danger", _("Failed")


class PlanStatus(Status):
    PLANNED = "planned", "neutral", _("Planned")
    EXPANDED = "expanded", "success", _("Made into mail")
    MISSED = "missed", "danger", _("Missed")
    NOT_NEEDED = "not_needed", "neutral", _("Not needed")
    SUPERSEDED = "superseded", "neutral", _("Superseded")
    CANCELLED = "cancelled", "neutral", _("Cancelled")


class DeliveryStatus(Status):
    QUEUED = "queued", "info", _("Queued")
    CLAIMED = "claimed", "info", _("Claimed")
    HANDING = "handing", "info", _("Being handed over")
    SENT = "sent", "success", _("Sent")
    RETRY = "retry", "warning", _("To be tried again")
    UNCONFIRMED = "unconfirmed", "warning", _("Unconfirmed")
    UNCERTAIN = "uncertain", "danger", _("Uncertain")
    HELD = "held", "warning", _("Held")
    FAILED = "failed", "danger", _("Failed")
    CANCELLED = "cancelled", "neutral", _("Cancelled")
    SKIPPED = "skipped", "neutral", _("Skipped")


# Statuses of deliveries that are sent once they are due.
WAITING_DELIVERIES = (DeliveryStatus.QUEUED, DeliveryStatus.RETRY)


@dataclass(frozen=True)
class Transition:
    """One named step from any of ``sources`` to ``target``.

    ``name`` is the verb and part of the address of its page; ``label`` stands on its button; ``past`` says that it was
    done, in the history and after a click; ``permission`` is an action of ``permissions.ACTIONS``; ``stamps`` is the
    date column written with the step, ``clears`` are those that are no longer true after it, and ``after`` are those
    that the step's date may not precede.
    """

    name: str
    label: LazyText
    past: LazyText
    sources: AbstractSet[str]
    target: Status
    permission: str
    stamps: str = ""
    clears: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needs_reason: bool = False

    @property
    def is_correction(self) -> bool:
        """Whether the step puts right what was recorded in error; everything else is an ordinary step."""
        return self.permission.endswith(".correct")

    @property
    def is_forward(self) -> bool:
        """Whether the step takes the record on. One that returns, pauses, ends or corrects it asks for a reason."""
        return not self.needs_reason and not self.is_correction


TransitionTable = Mapping[str, Transition]


def _table(transitions: Iterable[Transition]) -> dict[str, Transition]:
    return {transition.name: transition for transition in transitions}


_A = AgreementStatus
AGREEMENT_TRANSITIONS = _table(
    [
        Transition(
            "submit",
            _("Submit for review"),
            _("Submitted for review"),
            {_A.DRAFT, _A.RETURNED},
            _A.IN_REVIEW,
            "agreement.submit",
            stamps="submitted_on",
        ),
        Transition(
            "approve",
            pgettext_lazy("verb", "Approve"),
            _("Approved"),
            {_A.IN_REVIEW},
            _A.APPROVED,
            "agreement.approve",
            stamps="approved_on",
        ),
        Transition(
            "return",
            _("Return for changes"),
            _("Returned for changes"),
            {_A.IN_REVIEW, _A.APPROVED},
            _A.RETURNED,
            "agreement.return",
            stamps="returned_on",
            clears=("approved_on",),
            needs_reason=True,
        ),
        Transition(
            "sign",
            _("Record the signing"),
            _("Signing recorded"),
            {_A.APPROVED},
            _A.SIGNED,
            "agreement.sign",
            stamps="signed_on",
        ),
        Transition(
            "record_signed",
            _("Register as already signed"),
            _("Registered as already signed"),
            {_A.DRAFT},
            _A.SIGNED,
            "agreement.record_signed",
            stamps="signed_on",
        ),
        Transition(
            "suspend",
            _("Suspend"),
            _("Suspended"),
            {_A.SIGNED},
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
            _("Resumed"),
            {_A.SUSPENDED},
            _A.SIGNED,
            "agreement.resume",
            stamps="resumed_on",
            after=("suspended_on",),
        ),
        Transition(
            "complete",
            pgettext_lazy("verb", "Complete"),
            _("Completed"),
            {_A.SIGNED},
            _A.COMPLETED,
            "agreement.complete",
            stamps="completed_on",
            after=("signed_on",),
        ),
        Transition(
            "terminate",
            _("Terminate"),
            _("Terminated"),
            {_A.SIGNED, _A.SUSPENDED},
            _A.TERMINATED,
            "agreement.terminate",
            stamps="terminated_on",
            after=("signed_on",),
            needs_reason=True,
        ),
        Transition(
            "end_by_notice",
            _("Record the end by notice"),
            _("Ended by notice"),
            {_A.SIGNED, _A.SUSPENDED},
            _A.TERMINATED,
            "agreement.end_by_notice",
            stamps="terminated_on",
            after=("signed_on",),
        ),
        Transition(
            "cancel",
            _("Cancel before signature"),
            _("Cancelled before signature"),
            {_A.DRAFT, _A.IN_REVIEW, _A.RETURNED, _A.APPROVED},
            _A.CANCELLED,
            "agreement.cancel",
            stamps="cancelled_on",
            needs_reason=True,
        ),
        Transition(
            "reopen",
            _("Reopen as draft"),
            _("Reopened as draft"),
            {_A.CANCELLED},
            _A.DRAFT,
            "agreement.correct",
            clears=("cancelled_on", "submitted_on", "approved_on", "returned_on"),
            needs_reason=True,
        ),
        Transition(
            "reinstate",
            _("Reinstate: closed in error"),
            _("Reinstated: it was closed in error"),
            {_A.COMPLETED, _A.TERMINATED},
            _A.SIGNED,
            "agreement.correct",
            # It may have been suspended when it was closed; it is reinstated as in force.
            clears=("completed_on", "terminated_on", "suspended_on", "resumed_on"),
            needs_reason=True,
        ),
        Transition(
            "unsign",
            _("Take back the signing: recorded in error"),
            _("Signing taken back: it was recorded in error"),
            {_A.SIGNED},
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
        ),
    ]
)

_M = MilestoneStatus
MILESTONE_TRANSITIONS = _table(
    [
        Transition(
            "submit",
            _("Submit for acceptance"),
            _("Submitted for acceptance"),
            {_M.OPEN},
            _M.SUBMITTED,
            "milestone.act",
            stamps="submitted_on",
        ),
        Transition("meet", _("Mark as done"), _("Marked as done"), {_M.OPEN}, _M.MET, "milestone.act", stamps="met_on"),
        Transition(
            "note", _("Mark as noted"), _("Marked as noted"), {_M.OPEN}, _M.MET, "milestone.accept", stamps="met_on"
        ),
        Transition(
            "accept",
            pgettext_lazy("verb", "Accept"),
            _("Accepted"),
            {_M.SUBMITTED},
            _M.MET,
            "milestone.accept",
            stamps="met_on",
        ),
        Transition(
            "send_back",
            _("Send back"),
            _("Sent back"),
            {_M.SUBMITTED},
            _M.OPEN,
            "milestone.accept",
            clears=("submitted_on",),
            needs_reason=True,
        ),
        Transition(
            "waive",
            _("Waive"),
            _("Waived"),
            {_M.OPEN, _M.SUBMITTED},
            _M.WAIVED,
            "milestone.waive",
            stamps="waived_on",
            needs_reason=True,
        ),
        Transition(
            "cancel",
            pgettext_lazy("verb", "Cancel"),
            _("Cancelled"),
            {_M.OPEN, _M.SUBMITTED},
            _M.CANCELLED,
            "milestone.waive",
            stamps="cancelled_on",
            needs_reason=True,
        ),
        Transition(
            "reopen",
            _("Reopen"),
            _("Reopened"),
            {_M.MET, _M.WAIVED, _M.CANCELLED},
            _M.OPEN,
            "milestone.correct",
            clears=("submitted_on", "met_on", "waived_on", "cancelled_on"),
            needs_reason=True,
        ),
    ]
)

_F = ActivityStatus
ACTIVITY_TRANSITIONS = _table(
    [
        Transition(
            "start",
            pgettext_lazy("verb", "Start"),
            _("Started"),
            {_F.PLANNED, _F.POSTPONED},
            _F.IN_PROGRESS,
            "activity.edit",
            stamps="started_on",
        ),
        Transition(
            "complete",
            pgettext_lazy("verb", "Complete"),
            _("Completed"),
            {_F.PLANNED, _F.IN_PROGRESS},
            _F.COMPLETED,
            "activity.edit",
            stamps="completed_on",
            after=("started_on",),
        ),
        Transition(
            "postpone",
            _("Postpone"),
            _("Postponed"),
            {_F.PLANNED, _F.IN_PROGRESS},
            _F.POSTPONED,
            "activity.edit",
            stamps="postponed_on",
            needs_reason=True,
        ),
        Transition("replan", _("Plan again"), _("Planned again"), {_F.POSTPONED}, _F.PLANNED, "activity.edit"),
        Transition(
            "cancel",
            pgettext_lazy("verb", "Cancel"),
            _("Cancelled"),
            {_F.PLANNED, _F.IN_PROGRESS, _F.POSTPONED},
            _F.CANCELLED,
            "activity.edit",
            stamps="cancelled_on",
            needs_reason=True,
        ),
        Transition(
            "reopen",
            _("Reopen"),
            _("Reopened"),
            {_F.COMPLETED, _F.CANCELLED},
            _F.IN_PROGRESS,
            "activity.correct",
            clears=("completed_on", "cancelled_on"),
            needs_reason=True,
        ),
    ]
)

_J = FacilityStatus
FACILITY_TRANSITIONS = _table(
    [
        Transition(
            "open",
            pgettext_lazy("verb", "Open"),
            _("Opened"),
            {_J.PLANNED},
            _J.OPENED,
            "facility.edit",
            stamps="opened_on",
        ),
        Transition(
            "suspend",
            _("Suspend"),
            _("Suspended"),
            {_J.OPENED},
            _J.SUSPENDED,
            "facility.edit",
            stamps="suspended_on",
            needs_reason=True,
            after=("opened_on",),
        ),
        Transition(
            "resume",
            _("Resume"),
            _("Resumed"),
            {_J.SUSPENDED},
            _J.OPENED,
            "facility.edit",
            clears=("suspended_on",),
            after=("suspended_on",),
        ),
        Transition(
            "close",
            pgettext_lazy("verb", "Close"),
            _("Closed"),
            {_J.PLANNED, _J.OPENED, _J.SUSPENDED},
            _J.CLOSED,
            "facility.edit",
            stamps="closed_on",
            needs_reason=True,
            after=("opened_on", "suspended_on"),
        ),
        Transition(
            "reopen",
            _("Reopen: closed in error"),
            _("Reopened: it was closed in error"),
            {_J.CLOSED},
            _J.PLANNED,
            "facility.correct",
            clears=("closed_on", "suspended_on", "opened_on"),
            needs_reason=True,
        ),
    ]
)

_D = DemandStatus
DEMAND_TRANSITIONS = _table(
    [
        Transition(
            "ask",
            _("Ask units to answer"),
            _("Units asked to answer"),
            {_D.RELEASED},
            _D.ASKED,
            "demand.edit",
            stamps="asked_on",
            after=("released_on",),
        ),
        Transition(
            "answer",
            _("Record that it was answered"),
            _("Recorded as answered"),
            {_D.RELEASED, _D.ASKED},
            _D.ANSWERED,
            "demand.edit",
            stamps="answered_on",
            after=("released_on", "asked_on"),
        ),
        Transition(
            "agree",
            _("Record the outcome"),
            _("Outcome recorded"),
            {_D.RELEASED, _D.ASKED, _D.ANSWERED},
            _D.AGREED,
            "demand.edit",
            stamps="agreed_on",
            after=("released_on", "asked_on", "answered_on"),
        ),
        Transition(
            "close",
            _("Close without a match"),
            _("Closed without a match"),
            {_D.RELEASED, _D.ASKED, _D.ANSWERED},
            _D.NO_MATCH,
            "demand.edit",
            stamps="closed_on",
            needs_reason=True,
            after=("released_on", "asked_on", "answered_on"),
        ),
        Transition(
            "reopen",
            _("Reopen"),
            _("Reopened"),
            {_D.AGREED, _D.NO_MATCH},
            _D.RELEASED,
            "demand.correct",
            clears=("asked_on", "answered_on", "agreed_on", "closed_on"),
            needs_reason=True,
        ),
    ]
)

_W = AnswerStatus
ANSWER_TRANSITIONS = _table(
    [
        Transition(
            "propose", _("Propose"), _("Proposed"), {_W.ASKED}, _W.PROPOSED, "answer.edit", stamps="proposed_on"
        ),
        Transition(
            "shortlist",
            _("Shortlist"),
            _("Shortlisted"),
            {_W.PROPOSED},
            _W.SHORTLISTED,
            "demand.edit",
            stamps="shortlisted_on",
            after=("proposed_on",),
        ),
        Transition(
            "choose",
            _("Choose"),
            _("Chosen"),
            {_W.PROPOSED, _W.SHORTLISTED},
            _W.CHOSEN,
            "demand.edit",
            stamps="chosen_on",
            after=("proposed_on", "shortlisted_on"),
        ),
        Transition(
            "decline",
            _("Decline"),
            _("Declined"),
            {_W.ASKED, _W.PROPOSED, _W.SHORTLISTED},
            _W.DECLINED,
            "answer.edit",
            stamps="declined_on",
            needs_reason=True,
            after=("proposed_on", "shortlisted_on"),
        ),
        Transition(
            "reopen",
            _("Reopen"),
            _("Reopened"),
            {_W.CHOSEN, _W.DECLINED},
            _W.ASKED,
            "demand.correct",
            clears=("proposed_on", "shortlisted_on", "chosen_on", "declined_on"),
            needs_reason=True,
        ),
    ]
)

_H = HonourStatus
HONOUR_TRANSITIONS = _table(
    [
        Transition(
            "withdraw",
            _("Withdraw: recorded in error"),
            _("Withdrawn: it was recorded in error"),
            {_H.RECORDED},
            _H.WITHDRAWN,
            "honour.correct",
            stamps="withdrawn_on",
            needs_reason=True,
        ),
        Transition(
            "restore",
            _("Restore: withdrawn in error"),
            _("Restored: it was withdrawn in error"),
            {_H.WITHDRAWN},
            _H.RECORDED,
            "honour.correct",
            clears=("withdrawn_on",),
            needs_reason=True,
        ),
    ]
)

_E = EventStatus
EVENT_TRANSITIONS = _table(
    [
        Transition(
            "withdraw",
            _("Withdraw: recorded in error"),
            _("Withdrawn: it was recorded in error"),
            {_E.RECORDED},
            _E.WITHDRAWN,
            "event.correct",
            stamps="withdrawn_on",
            needs_reason=True,
        ),
        Transition(
            "restore",
            _("Restore: withdrawn in error"),
            _("Restored: it was withdrawn in error"),
            {_E.WITHDRAWN},
            _E.RECORDED,
            "event.correct",
            clears=("withdrawn_on",),
            needs_reason=True,
        ),
    ]
)

REPORT_TRANSITIONS = _table(
    [
        Transition(
            "confirm",
            _("Confirm the figures"),
            _("Figures confirmed"),
            {ReportStatus.DRAFT},
            ReportStatus.CONFIRMED,
            "report.confirm",
        ),
    ]
)
