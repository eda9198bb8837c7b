"""Agreements from draft to their end: reviewed, signed, renewed, amended, closed."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any

from django.db import models, transaction
from django.db.models import ProtectedError, Sum
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from partnerships.dates import add_months
from partnerships.exceptions import InvalidInput, PossibleDuplicate, TransitionRefused
from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AgreementUnit,
    ApprovalRecord,
    ApprovalStep,
    Contact,
    CustodyStep,
    Organization,
    PastSuspension,
    ProgrammeItem,
    Receipt,
    ReminderMark,
    ReminderPlan,
    StatusChange,
    User,
)
from partnerships.models.approvals import missing_approval_steps
from partnerships.models.run_indexes import text_key, that_may_have
from partnerships.models.terms import automatic_renewals
from partnerships.partial_dates import PartialDate, Precision
from partnerships.permissions import may, require
from partnerships.statuses import AGREEMENT_TRANSITIONS, AgreementStatus
from partnerships.texts import name_all
from partnerships.workflows.activities import follow_activity, lock_unfinished
from partnerships.workflows.derivation import (
    derive_milestones,
    make_type_milestones,
    meet_by_closing,
    update_current_end,
)
from partnerships.workflows.edits import (
    Aggregate,
    changed_columns,
    check_not_cited,
    check_not_in_future,
    concerning,
)
from partnerships.workflows.milestones import (
    cancel_pending_milestones,
    give_milestones_to,
    move_milestones_along,
    reassign,
)
from partnerships.workflows.organizations import update_holders
from partnerships.workflows.terms import lock_signed
from partnerships.workflows.transitions import (
    check_input,
    check_new_owner,
    delete_as,
    hold,
    lock,
    lock_as_read,
    refuse_erased,
    save_as,
    take_step,
)

LEAST_SIGNATORIES = 2
UNIQUE_IN_UNIT = frozenset({"unit", "title", "title_zh"})
TITLE_IS_THERE = gettext_lazy("This unit has an agreement of this title already.")
THROUGH_SIGNATORY = gettext_lazy("A signatory cannot also be the intermediary.")
SIGNINGS = ("sign", "record_signed")
# Columns of what was signed; they can be edited again only after a return or a correction.
LOCKED = (
    "title",
    "title_zh",
    "title_as_signed",
    "type",
    "unit",
    "amount",
    "currency",
    "is_party_list_complete",
    "parent",
    "predecessor",
)
LOCKED_PARTS = (AgreementParty, AgreementArea, AgreementTerm)
# Columns of a party that say how the paper was signed; they are often known only after the signing.
SIGNING_FACTS = ("signatory_person", "signatory_position", "signs_as", "seal", "copies")


AGREEMENT = Aggregate(
    Agreement,
    "agreement.add",
    "agreement.edit",
    parts=(AgreementParty, AgreementArea, AgreementTerm, AgreementUnit, CustodyStep, ProgrammeItem),
)


def register_agreement(
    agreement: Agreement,
    *,
    actor: User | None,
    today: dt.date,
    parts: Sequence[models.Model] = (),
    confirmed_different: Collection[int] = (),
) -> Agreement:
    """Register a draft with its parts: parties, areas promised, a term, units taking part, programmes.

    The actor is its creator. Raises ``PossibleDuplicate`` when the unit has an agreement of this title that is not among
    ``confirmed_different``.
    """
    with transaction.atomic():
        # A form that is sent twice waits here, and then finds the agreement that the first one made.
        hold(agreement.unit)
        agreement.created_by = actor
        require(actor, "agreement.add", agreement)
        _ask_about_title(agreement, confirmed_different)
        _check_custody(parts, today=today)
        _check_people(parts, actor)
        AGREEMENT.register(agreement, parts, actor=actor)
        _check_through(agreement)
        _check_copies(agreement)
        update_current_end(agreement, on=today)
        if agreement.coordinator:
            check_new_owner(agreement, agreement.coordinator, field="coordinator")
    return agreement


def register_signed_agreement(
    agreement: Agreement,
    *,
    actor: User | None,
    today: dt.date,
    on: dt.date,
    precision: str = Precision.DAY,
    is_gap_meant: bool = False,
    parts: Sequence[models.Model] = (),
    confirmed_different: Collection[int] = (),
) -> Agreement:
    """Register an agreement that was signed on ``on``; see ``register_agreement`` and ``record_signed_agreement``."""
    check_not_in_future(PartialDate(on, precision).first, today=today, field="on")
    more: dict[str, Any] = {"parts": parts, "confirmed_different": confirmed_different}
    signing: dict[str, Any] = {"on": on, "precision": precision, "is_gap_meant": is_gap_meant}
    with transaction.atomic():
        registered = register_agreement(agreement, actor=actor, today=today, **more)
        return record_signed_agreement(registered, actor=actor, today=today, **signing)


def _ask_about_title(agreement: Agreement, confirmed_different: Collection[int]) -> None:
    check_input(agreement)  # the database cannot look for a title with a NUL in it
    found = set(agreements_of_title(agreement).values_list("pk", flat=True))
    if found - set(confirmed_different):
        raise PossibleDuplicate(TITLE_IS_THERE, found=found)


def agreements_of_title(agreement: Agreement) -> models.QuerySet[Agreement]:
    """Return the other agreements of its unit with the same title, in either language, that were not cancelled."""
    is_same = models.Q()
    for title in filter(None, (agreement.title, agreement.title_zh)):
        is_same |= models.Q(title__iexact=title) | models.Q(title_zh__iexact=title)
    same = Agreement.objects.filter(is_same, unit=agreement.unit_id).exclude(pk=agreement.pk)
    same = same.filter(that_may_have_title(agreement.title, agreement.title_zh))
    return same.exclude(status=AgreementStatus.CANCELLED)


def that_may_have_title(*titles: str) -> models.Q:
    """Return the condition for agreements that may have one of these titles, in either language; see ``that_may_have``."""
    return that_may_have(_title_keys(*titles), Agreement, ("title", "title_zh"), _title_keys)


def _title_keys(*titles: str) -> set[str]:
    return {text_key(title) for title in titles if title}


def edit_agreement(
    agreement: Agreement,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
    confirmed_different: Collection[int] = (),
    put_back: Collection[int] | None = None,
) -> Agreement:
    """Change an agreement and its parts as one version.

    From the review on ``LOCKED`` and ``LOCKED_PARTS`` stay as they are, with three exceptions: a missing Chinese title, the
    liaisons, and, once it is signed, the signatories and ``SIGNING_FACTS``. Milestones go along to another unit; those of
    the former coordinator, or of nobody, to the new one. After a move to another unit the coordinator must still see it.
    Another title or unit may raise ``PossibleDuplicate``, as in ``register_agreement``. ``put_back`` undoes a move to
    another unit, see ``move_milestones_along``.
    """
    with transaction.atomic():
        before, after = AGREEMENT.begin(agreement, changes, actor=actor)
        changed = changed_columns(before, after)
        if not before.is_editable:
            _check_nothing_locked(before, after, parts, removed)
        if changed & UNIQUE_IN_UNIT:
            _ask_about_title(after, confirmed_different)
        _check_custody(parts, today=today)
        _check_people(parts, actor)
        AGREEMENT.finish(before, after, parts, removed, actor=actor)
        _check_through(after)
        _check_copies(after)
        if any(isinstance(part, AgreementTerm) for part in (*parts, *removed)):
            update_current_end(after, on=today)
        if after.coordinator and changed & {"unit", "coordinator"}:
            # After the save: whether a person may see the row is asked of the database, with the new unit.
            check_new_owner(after, after.coordinator, field="coordinator")
        if "type" in changed:
            # The other type may have reminder rules of its own.
            ReminderMark.leave_on(after.milestones.pending())
        if "unit" in changed:
            move_milestones_along(before, after, actor=actor, put_back=put_back)
        if "event" in changed and after.status == AgreementStatus.APPROVED:
            derive_milestones(after, actor=actor, on=today)  # the signing is due on the day of the event
        if after.is_signed and any(isinstance(part, AgreementParty) for part in parts):
            derive_milestones(after, actor=actor, on=today)  # a milestone may ask for the liaison just named
        if "coordinator" in changed:
            give_milestones_to(after, owner_id=after.coordinator_id, actor=actor, previous=before.coordinator)
    return after


def submit_agreement(agreement: Agreement, *, actor: User | None, on: dt.date) -> Agreement:
    """Submit a draft to the unit's leads. It needs two signatories at least: reviewers judge what will be signed."""
    with transaction.atomic():
        locked = lock(agreement)
        for record in locked.approval_records.all():
            delete_as(record, actor)  # of an earlier submission; the history keeps them
        submitted = _step_and_derive(agreement, "submit", actor=actor, on=on)
        # The step holds the lock that an edit of the parties needs, so none can be removed after this check.
        _check_signatories(submitted)
    return submitted


def approve_agreement(agreement: Agreement, *, actor: User | None, on: dt.date) -> Agreement:
    """Approve a draft of other people. The lead who approves is never the creator, a submitter or an editor since the last return.

    Refused until each approval step of its type is recorded.
    """
    with transaction.atomic():
        approved = _step_and_derive(agreement, "approve", actor=actor, on=on)
        # The step holds the lock that recording needs.
        if missing := missing_steps_refusal(approved):
            raise TransitionRefused(missing)
    return approved


def missing_steps_refusal(agreement: Agreement) -> str:
    """Return which approval steps are to be recorded before the approval; empty if none is missing."""
    names = name_all(step.display_name for step in missing_approval_steps(agreement))
    return _("Record the approval steps first: %(steps)s.") % {"steps": names} if names else ""


def record_approval_step(
    agreement: Agreement,
    step: ApprovalStep,
    *,
    actor: User | None,
    on: dt.date,
    today: dt.date,
    meeting: str = "",
    number: str = "",
    note: str = "",
) -> ApprovalRecord:
    """Record that an agreement in review passed ``step`` on ``on``; the steps of its type go in order."""
    check_not_in_future(on, today=today, field="on")
    with transaction.atomic():
        locked = lock_as_read(agreement)
        require(actor, "agreement.record_approval", locked)
        if locked.status != AgreementStatus.IN_REVIEW:
            raise TransitionRefused(_("Approval steps are recorded while the agreement is in review."))
        missing = missing_approval_steps(locked)
        if not missing or missing[0].pk != step.pk:
            raise TransitionRefused(_("This step is not the next one. Please open the page again."))
        last = locked.approval_records.order_by("-decided_on").first()
        if last is not None and on < last.decided_on:
            raise InvalidInput(_("The step before it was decided later."), field="on")
        if missing[0].needs_meeting and not (meeting and number):
            field = "number" if meeting else "meeting"
            raise InvalidInput(_("This step is decided by a meeting: name it and the number."), field=field)
        record = ApprovalRecord(agreement=locked, step=missing[0], decided_on=on, recorded_by=actor)
        record.meeting, record.number, record.note = meeting, number, note
        save_as(record, actor)
        derive_milestones(locked, actor=actor, on=today)  # its milestone names the next step
    return record


def return_agreement(agreement: Agreement, *, actor: User | None, on: dt.date, reason: str) -> Agreement:
    return _step_and_derive(agreement, "return", actor=actor, on=on, reason=reason)


def sign_agreement(
    agreement: Agreement, *, actor: User | None, on: dt.date, today: dt.date, is_gap_meant: bool = False
) -> Agreement:
    """Record the signing on ``on``. Days between the agreement it follows and its first term have to be meant.

    Effects in order: status; names as signed are snapshots from here on; an open-ended term where none was entered;
    the unit holds the parties; the type's milestones and the derived ones appear.
    """
    dates = {"on": on, "today": today, "not_before": on}
    return _become_signed(agreement, "sign", actor=actor, known={}, is_gap_meant=is_gap_meant, **dates)


def record_signed_agreement(
    agreement: Agreement,
    *,
    actor: User | None,
    on: dt.date,
    today: dt.date,
    precision: str = Precision.DAY,
    is_gap_meant: bool = False,
) -> Agreement:
    """Register an agreement that was signed on ``on``, as far as that is known, already, without inventing an approval or past milestones.

    The same effects as a signing, but nothing is asked for before ``today``, the day of the registration, and the unit
    holds the parties only when the office registers it, or a lead who neither created, submitted nor edited the draft:
    nobody else has confirmed that it was signed.
    """
    signed = PartialDate(on, precision)
    known: dict[str, object] = {}
    if not signed.is_complete:
        known = {"signed_precision": precision, "signed_at_latest": min(signed.last, today)}
    dates = {"on": signed.first, "today": today, "not_before": today}
    return _become_signed(agreement, "record_signed", actor=actor, known=known, is_gap_meant=is_gap_meant, **dates)


def suspend_agreement(
    agreement: Agreement, *, actor: User | None, on: dt.date, reason: str, today: dt.date | None = None
) -> Agreement:
    """Suspend it: nobody is asked for the next contact, but dates and obligations stay."""
    with transaction.atomic():
        suspended = _step_and_derive(agreement, "suspend", actor=actor, on=on, today=today, reason=reason)
        _keep_suspension(agreement, until=agreement.resumed_on)
    return suspended


def _keep_suspension(before: Agreement, *, until: dt.date | None) -> None:
    """Keep the suspension that a step has overwritten; ``before`` is the agreement as it was, whose version the step compared."""
    if before.suspended_on and until and before.suspended_on < until:
        PastSuspension.objects.create(agreement=before, suspended_on=before.suspended_on, resumed_on=until)


def resume_agreement(
    agreement: Agreement, *, actor: User | None, on: dt.date, today: dt.date | None = None
) -> Agreement:
    return _step_and_derive(agreement, "resume", actor=actor, on=on, today=today)


def complete_agreement(agreement: Agreement, *, actor: User | None, on: dt.date) -> Agreement:
    """Complete it: all is done. Refused while a promise is open, which has to be met, waived or cancelled first.

    So is it while a payment is owed. Nobody is asked any more to start or complete the activities that are left.
    """
    with transaction.atomic():
        # Before the step, which locks the agreement: everybody locks activities before agreements.
        activities = lock_unfinished(agreement)
        completed = _step_and_derive(agreement, "complete", actor=actor, on=on)
        _follow_activities(activities, completed, actor=actor, on=on)
        _check_nothing_is_open(completed)
        _check_nothing_is_owed(completed)
    return completed


def terminate_agreement(agreement: Agreement, *, actor: User | None, on: dt.date, reason: str) -> Agreement:
    """End it before its time; what was still to be done is cancelled with the reason."""
    return _end(agreement, "terminate", actor=actor, on=on, reason=reason)


def close_ended_agreement(
    agreement: Agreement, *, actor: User | None, today: dt.date, is_terminated: bool = False
) -> Agreement:
    """Close an agreement that had ended before it was registered ``today``: nobody is asked to record its end.

    It is closed on its last day, or today where that is not known or lies ahead. Who may register a signed agreement
    may register one that is over.
    """
    with transaction.atomic():
        locked = lock_as_read(agreement)
        require(actor, "agreement.record_signed", locked)
        if locked.recorded_on != today:
            raise TransitionRefused(_("Only an agreement registered today as already signed is closed like this."))
        term = locked.current_term
        ended_on = term.ends_on if term and term.ends_on and term.ends_on < today else today
        reason, name = _("It had ended before it was registered."), "terminate" if is_terminated else "complete"
        closed = _step(locked, name, actor=actor, on=ended_on, reason=reason, is_consequence=True)
        _cancel_the_rest(closed, actor=actor, on=today, reason=reason)
    return closed


def end_agreement_by_notice(agreement: Agreement, *, actor: User | None, on: dt.date) -> Agreement:
    """Record that it ended by the notice that was given, on the day after its last period or later."""
    with transaction.atomic():
        locked = lock_as_read(agreement)
        if not locked.is_signed:
            return _step(locked, "end_by_notice", actor=actor, on=on)  # refused, as the table says
        require(actor, "agreement.end_by_notice", locked)
        term = locked.current_term
        given_on = term.notice_given_on if term else None
        if given_on is None:
            raise TransitionRefused(_("No notice was given; record it first."))
        renewals = automatic_renewals(locked.terms.all())
        if renewals and renewals.until and on <= renewals.until:
            day = date_format(renewals.until)
            raise InvalidInput(_("By the notice it runs until %(day)s.") % {"day": day}, field="on")
        reason = _("Notice was given on %(day)s.") % {"day": date_format(given_on)}
        ended = _step(agreement, "end_by_notice", actor=actor, on=on)
        _cancel_the_rest(ended, actor=actor, on=on, reason=reason)
    return ended


def cancel_agreement(agreement: Agreement, *, actor: User | None, on: dt.date, reason: str) -> Agreement:
    """Cancel it: it will not be signed. What was planned for it is cancelled with the reason."""
    return _end(agreement, "cancel", actor=actor, on=on, reason=reason)


def reopen_agreement(agreement: Agreement, *, actor: User | None, on: dt.date, reason: str) -> Agreement:
    """Correct a cancellation in error. It is a draft again and needs a new approval."""
    return _step(agreement, "reopen", actor=actor, on=on, reason=reason)


def reinstate_agreement(
    agreement: Agreement, *, actor: User | None, on: dt.date, reason: str, today: dt.date | None = None
) -> Agreement:
    """Correct a closing in error. The derived milestones come back, and those of its activities."""
    with transaction.atomic():
        activities = lock_unfinished(agreement)
        reinstated = _step_and_derive(agreement, "reinstate", actor=actor, on=on, today=today, reason=reason)
        # One that was suspended when it was closed is in force again from the day on which it had been closed.
        closed_on = agreement.terminated_on or agreement.completed_on
        _keep_suspension(agreement, until=agreement.resumed_on or closed_on)
        _follow_activities(activities, reinstated, actor=actor, on=on)
    return reinstated


def unsign_agreement(agreement: Agreement, *, actor: User | None, on: dt.date, reason: str) -> Agreement:
    """Correct a signing that was recorded in error. It is a draft again.

    Effects in order: what the signing wrote by itself (names as signed that are today's names, the term by the type's
    rule) is taken back, so that the next signing writes it anew; status; its milestones are cancelled; the unit no longer
    holds the parties by it. Refused once something was received of its payments: a draft has no receipts.
    """
    # The signing copied the title where nobody had typed the title as signed; only such a copy is taken back.
    typed = "" if agreement.title_as_signed in {agreement.title, agreement.title_zh} else agreement.title_as_signed
    with transaction.atomic():
        locked = lock_as_read(agreement)
        if locked.is_signed:
            # Before the step: edits after it count for the next approval, and the person who takes the signing back
            # would not be allowed to approve the draft.
            _take_back_names(locked, actor=actor)
            _take_back_term(locked, actor=actor)
            cancel_pending_milestones(locked, actor=actor, on=on, reason=reason)
        changes = {"title_as_signed": typed, "is_signing_confirmed": False, "signed_precision": Precision.DAY}
        changes["signed_at_latest"] = None
        unsigned = _end(agreement, "unsign", actor=actor, on=on, reason=reason, **changes)
        unsigned.past_suspensions.all().delete()
        _check_nothing_was_received(unsigned)
        _update_party_holders(unsigned, actor=actor, on=on)
    return unsigned


def confirm_signing(agreement: Agreement, *, actor: User | None, on: dt.date) -> Agreement:
    """Confirm that an agreement registered as already signed was signed.

    Effects in order: the confirmation, with its history row; from then on the unit holds the parties; the milestone that
    asked for it is met.
    """
    with transaction.atomic():
        locked = lock_as_read(agreement)
        require(actor, "agreement.confirm_signing", locked)
        if not locked.is_signing_to_confirm:
            raise TransitionRefused(_("There is no signing to confirm."))
        locked.is_signing_confirmed = True
        save_as(locked, actor, reason=_("Signing confirmed"))
        _update_party_holders(locked, actor=actor, on=on)
        derive_milestones(locked, actor=actor, on=on)
    return locked


def assign_agreement(
    agreement: Agreement,
    *,
    actor: User | None,
    coordinator: User | None,
    reason: str = "",
    given_back: Mapping[int, int | None] | None = None,
) -> Agreement:
    """Give it to another coordinator, with its milestones; they must be able to see it and be reached.

    ``given_back`` undoes that, see ``reassign``.
    """
    pending, action = Agreement.objects.not_closed(), "agreement.edit"
    more: dict[str, Any] = {"field": "coordinator", "reason": reason, "given_back": given_back}
    return reassign(agreement, coordinator, actor=actor, action=action, pending=pending, **more)


STEPS: dict[str, Callable[..., Agreement]] = {
    "submit": submit_agreement,
    "approve": approve_agreement,
    "return": return_agreement,
    "sign": sign_agreement,
    "record_signed": record_signed_agreement,
    "suspend": suspend_agreement,
    "resume": resume_agreement,
    "complete": complete_agreement,
    "terminate": terminate_agreement,
    "end_by_notice": end_agreement_by_notice,
    "cancel": cancel_agreement,
    "reopen": reopen_agreement,
    "reinstate": reinstate_agreement,
    "unsign": unsign_agreement,
}


def accede_party(
    agreement: Agreement,
    *,
    actor: User | None,
    on: dt.date,
    today: dt.date,
    organization: Organization,
    signatory_person: str = "",
    role: str = AgreementParty.Role.SIGNATORY,
) -> AgreementParty:
    """Add a party that signs later: the organization joins a signed agreement on ``on``."""
    check_not_in_future(on, today=today, field="on")
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        if on < locked.signing_date:
            raise InvalidInput(_("Nobody can accede before the agreement was signed."), field="on")
        if locked.parties.filter(organization=organization).exists():
            raise InvalidInput(_("This organization is a party already."), field="organization")
        if role == AgreementParty.Role.SIGNATORY and organization.pk == locked.through_id:
            raise InvalidInput(THROUGH_SIGNATORY, field="organization")
        party = AgreementParty(
            agreement=locked,
            organization=organization,
            role=role,
            signatory_person=signatory_person,
            signed_on=on,
            acceded_on=on,
            name_as_signed=_name_to_sign(organization),
        )
        save_as(party, actor)
        _update_party_holders(locked, actor=actor, on=today)
        locked.touch()
    return party


def withdraw_party(party: AgreementParty, *, actor: User | None, on: dt.date, today: dt.date) -> AgreementParty:
    """Record that a party left on ``on``; its row stays."""
    # Not in advance: from the entry on the party no longer counts as one, whatever its day.
    check_not_in_future(on, today=today, field="on")
    with transaction.atomic():
        locked = lock_signed(party.agreement, actor)
        party = lock(party)
        if party.withdrew_on:
            raise InvalidInput(_("It withdrew already."))
        if on < (party.acceded_on or locked.signing_date):
            raise InvalidInput(_("A party cannot withdraw before it signed."), field="on")
        party.withdrew_on = on
        save_as(party, actor)
        derive_milestones(locked, actor=actor, on=today)  # it needs no liaison any more
        locked.touch()
    return party


def delete_draft(agreement: Agreement, *, actor: User | None, reason: str) -> None:
    """Delete a draft with its parts and milestones; refused once anything was done under it, mailed about it or cited."""
    with transaction.atomic():
        # Before the agreement, as when one of them is edited.
        list(agreement.payments.select_for_update(no_key=True).values_list("pk"))
        locked = lock_as_read(agreement)
        require(actor, "agreement.delete", locked)
        try:
            # Plans protect their milestone, so they go first. A plan that became mail is protected by its reminders.
            ReminderPlan.objects.filter(milestone__agreement=locked).delete()
            for part in (*locked.milestones.all(), *_own_parts(locked), locked):
                check_not_cited(part)
                delete_as(part, actor, reason=reason)
        except ProtectedError as error:
            raise TransitionRefused(_("Something was done under this draft already; cancel it instead.")) from error


def delete_registered_agreement(agreement: Agreement, *, actor: User | None, on: dt.date, reason: str) -> None:
    """Delete an agreement that an import registered as already signed, with its parts and milestones.

    For the undo of that import alone, which asked for its permission and found nothing that a person did to it. Refused
    once anything was done under it, mailed about it or cited. The unit no longer holds the parties by it.
    """
    with transaction.atomic():
        activities = lock_unfinished(agreement)
        locked = lock_as_read(agreement)
        if activities or locked.recorded_on is None:
            raise TransitionRefused(_("Something was done under this agreement already."))
        organizations = list(Organization.objects.filter(party_rows__agreement=locked))
        unit, coordinator = locked.unit, locked.coordinator
        try:
            ReminderPlan.objects.filter(milestone__agreement=locked).delete()
            for part in (*locked.milestones.all(), *_own_parts(locked), locked):
                check_not_cited(part)
                delete_as(part, actor, reason=reason)
        except ProtectedError as error:
            raise TransitionRefused(_("Something was done under this agreement already.")) from error
        update_holders(organizations, unit=unit, coordinator=coordinator, actor=actor, on=on)


def locked_columns(agreement: Agreement) -> frozenset[str]:
    """Return the columns that can no longer be edited. A Chinese title that is missing may still be added."""
    if agreement.is_editable:
        return frozenset()
    return frozenset(LOCKED) if agreement.title_zh else frozenset(LOCKED) - {"title_zh"}


def _check_nothing_locked(
    before: Agreement, after: Agreement, parts: Sequence[models.Model], removed: Sequence[models.Model]
) -> None:
    # The liaison may change at any time.
    open_columns = ("liaison", *(("signatory", *SIGNING_FACTS) if before.signed_on else ()))
    locked = [*removed, *(part for part in parts if not _changes_nothing_but(part, open_columns))]
    locked = [part for part in locked if isinstance(part, LOCKED_PARTS)]
    if changed_columns(before, after) & locked_columns(before) or locked:
        raise TransitionRefused(_("It is under review or signed: what was agreed is locked."))


def _changes_nothing_but(part: models.Model, columns: Collection[str]) -> bool:
    """Whether the part is a party that differs from its row in nothing but ``columns``."""
    row = AgreementParty.objects.filter(pk=part.pk).first() if isinstance(part, AgreementParty) else None
    return row is not None and changed_columns(row, part) <= set(columns)


def _check_people(parts: Iterable[models.Model], actor: User | None) -> None:
    """Check new liaisons and signatories: contacts of the party whom the actor sees; a liaison must still work there.

    A signatory fills in the name and position of the person who signed where nobody typed them.
    """
    parties = [part for part in parts if isinstance(part, AgreementParty) and (part.liaison or part.signatory)]
    rows = (
        AgreementParty.objects.select_related("signatory").in_bulk([party.pk for party in parties]) if parties else {}
    )
    for party in parties:
        row = rows.get(party.pk)
        for name, contact in (("liaison", party.liaison), ("signatory", party.signatory)):
            if contact is None:
                continue
            if row is None or getattr(row, f"{name}_id") != contact.pk:
                with concerning(party):
                    _check_person(contact, party.organization, name, actor)
            elif row.organization_id != party.organization_id and not contact.has_been_at(party.organization):
                setattr(party, name, None)  # another organization took the line
        _copy_signatory(party, row.signatory if row else None)


def _copy_signatory(party: AgreementParty, before: Contact | None) -> None:
    """Copy name and position of the signatory where nobody typed others."""
    is_copy = before is not None and party.signatory_person == before.name
    if party.signatory is not None and party.signatory != before and (is_copy or not party.signatory_person):
        position = party.signatory.position_at(party.organization)
        party.signatory_person, party.signatory_position = party.signatory.name, position


def _check_person(contact: Contact, organization: Organization, name: str, actor: User | None) -> None:
    refuse_erased(contact)
    is_seen = actor is None or Contact.objects.visible_to(actor).filter(pk=contact.pk).exists()
    is_of_party = contact.works_at(organization) if name == "liaison" else contact.has_been_at(organization)
    if not (is_seen and is_of_party):
        words = _(
            "Choose a contact who still works at this party, at a part of it, or at the organization it is part of."
        )
        raise InvalidInput(words if name == "liaison" else _("Choose a contact of this party."), field=name)


def _check_custody(parts: Sequence[models.Model], *, today: dt.date) -> None:
    for part in parts:
        if isinstance(part, CustodyStep):
            with concerning(part):
                check_not_in_future(part.since, today=today, field="since")


def _check_copies(agreement: Agreement) -> None:
    kept = agreement.parties.aggregate(kept=Sum("copies"))["kept"] if agreement.copies else None
    if kept and agreement.copies and kept > agreement.copies:
        raise InvalidInput(_("The parties keep more copies than were made."), field="copies")


def _own_parts(agreement: Agreement) -> list[models.Model]:
    """Return the rows that are deleted with it, one by one, so that each history says by whom."""
    # Payments before the parties that promise them.
    promised = (agreement.payments, agreement.parties, agreement.terms, agreement.promised_areas)
    beside = (
        agreement.participating_units,
        agreement.custody_steps,
        agreement.approval_records,
        agreement.programme_items,
    )
    return [row for rows in (*promised, *beside) for row in rows.all()]


def signing_warnings(agreement: Agreement) -> list[str]:
    """Return what a person should know before recording the signing; none of it blocks."""
    warnings = []
    undated = [str(party.organization) for party in _signatories(agreement) if party.signed_on is None]
    if undated:
        names = name_all(undated)
        warnings.append(
            _("Without a signing date of their own, these get the date below: %(names)s.") % {"names": names}
        )
    if not agreement.promised_areas.exists():
        warnings.append(_("No cooperation area is promised: there will be nothing to compare activities with."))
    if agreement.coordinator is None or not agreement.coordinator.is_reachable:
        warnings.append(_("It has no coordinator who can be reached: reminders go to the unit's fallback person."))
    return warnings


def _ask_about_gap(agreement: Agreement) -> None:
    """Raise ``InvalidInput`` when days lie between the end of the agreement it follows and its own first term."""
    former = agreement.predecessor.current_ends_on if agreement.predecessor else None
    first = agreement.terms.order_by("number").first()
    if former is None or first is None or first.starts_on <= former + dt.timedelta(days=1):
        return
    days = {"former": date_format(former), "first": date_format(first.starts_on)}
    words = _(
        "The agreement it follows ran until %(former)s, and this one starts on %(first)s. "
        "Please confirm that this gap is intended."
    )
    raise InvalidInput(words % days, field="is_gap_meant")


def _step(agreement: Agreement, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Agreement:
    return take_step(agreement, AGREEMENT_TRANSITIONS, name, actor=actor, on=on, **more)


def _step_and_derive(
    agreement: Agreement,
    name: str,
    *,
    actor: User | None,
    on: dt.date,
    today: dt.date | None = None,
    **more: object,
) -> Agreement:
    """Take a step on ``on``, and derive as of ``today``, the day of the entry, where that is another one."""
    with transaction.atomic():
        changed = _step(agreement, name, actor=actor, on=on, **more)
        derive_milestones(changed, actor=actor, on=today or on)
    return changed


def _follow_activities(
    activities: Iterable[Activity], agreement: Agreement, *, actor: User | None, on: dt.date
) -> None:
    reason = _("Its agreement: %(status)s.") % {"status": agreement.get_status_display()}
    for activity in activities:
        follow_activity(activity, actor=actor, on=on, reason=reason)


def _end(agreement: Agreement, name: str, *, actor: User | None, on: dt.date, reason: str, **more: object) -> Agreement:
    with transaction.atomic():
        ended = _step(agreement, name, actor=actor, on=on, reason=reason, **more)
        _cancel_the_rest(ended, actor=actor, on=on, reason=reason)
    return ended


def _cancel_the_rest(ended: Agreement, *, actor: User | None, on: dt.date, reason: str) -> None:
    meet_by_closing(ended, actor=actor, on=on)  # before they would be cancelled
    update_current_end(ended, on=on)
    cancel_pending_milestones(ended, actor=actor, on=on, reason=reason)


def _become_signed(
    agreement: Agreement,
    name: str,
    *,
    actor: User | None,
    on: dt.date,
    today: dt.date,
    not_before: dt.date,
    known: Mapping[str, object],
    is_gap_meant: bool,
) -> Agreement:
    check_not_in_future(on, today=today, field="on")
    is_registration = name == "record_signed"
    confirms = "agreement.confirm_signing" if is_registration else "agreement.sign"
    changes: dict[str, object] = {
        **known,
        "title_as_signed": agreement.title_as_signed or _title_to_sign(agreement),
        # Only a confirmed signing makes the unit a holder of the parties, which opens their details to its people.
        "is_signing_confirmed": actor is None or may(actor, confirms, agreement),
    }
    if is_registration:
        changes["recorded_on"] = today
    with transaction.atomic():
        signed = _step(agreement, name, actor=actor, on=on, **changes)
        _check_signatories(signed)
        _snapshot_parties(signed, actor=actor)
        _ensure_term(signed, actor=actor, not_before=not_before)
        if not is_gap_meant:
            _ask_about_gap(signed)
        _update_party_holders(signed, actor=actor, on=today)
        make_type_milestones(signed, actor=actor, not_before=not_before)
        # Today counts, because a term of a signing long ago may have ended or been renewed since.
        derive_milestones(signed, actor=actor, on=today)
    return signed


def _check_nothing_is_open(agreement: Agreement) -> None:
    # Derived milestones are no promises: each is closed with the record that it derives from.
    count = agreement.milestones.pending().filter(derived_key="").count()
    if count:
        raise TransitionRefused(
            ngettext(
                "%(count)s milestone is still open: meet, waive or cancel it first.",
                "%(count)s milestones are still open: meet, waive or cancel them first.",
                count,
            )
            % {"count": count}
        )


def _check_nothing_is_owed(agreement: Agreement) -> None:
    owed = [payment.due_on for payment in agreement.payments.outstanding()]
    if not owed:
        return
    words = ngettext(
        "%(count)s promised payment was not received in full: record it, or have a lead waive it.",
        "%(count)s promised payments were not received in full: record them, or have a lead waive them.",
        len(owed),
    ) % {"count": len(owed)}
    if None in owed:  # without a day it has no milestone that a lead could waive
        words = _("%(refusal)s A payment without a day gets a day first.") % {"refusal": words}
    raise TransitionRefused(words)


def _check_nothing_was_received(agreement: Agreement) -> None:
    if Receipt.objects.filter(payment__agreement=agreement).exists():
        raise TransitionRefused(
            _(
                "Something was received of its promised payments. If the receipts were recorded in error, remove them first."
            )
        )


def _signatories(agreement: Agreement) -> list[AgreementParty]:
    return list(agreement.parties.filter(role=AgreementParty.Role.SIGNATORY).select_related("organization"))


def _check_signatories(agreement: Agreement) -> None:
    if len(_signatories(agreement)) < LEAST_SIGNATORIES:
        raise InvalidInput(_("An agreement needs at least two signatories; add the parties first."))


def _check_through(agreement: Agreement) -> None:
    """Raise ``InvalidInput`` when who arranged the agreement signs it, too; it may be a witness or the host."""
    # Asked of the saved rows: an edit may add the party or change its role alone.
    if agreement.through_id and any(party.organization_id == agreement.through_id for party in _signatories(agreement)):
        raise InvalidInput(THROUGH_SIGNATORY, field="through")


def _title_to_sign(agreement: Agreement) -> str:
    return agreement.title_zh or agreement.title


def _name_to_sign(organization: Organization) -> str:
    return organization.name_zh or organization.name


def _snapshot_parties(agreement: Agreement, *, actor: User | None) -> None:
    for party in agreement.parties.filter(name_as_signed="").select_related("organization"):
        party.name_as_signed = _name_to_sign(party.organization)
        save_as(party, actor)


def _ensure_term(agreement: Agreement, *, actor: User | None, not_before: dt.date) -> None:
    """Add an open-ended term where none was entered, with a review by the type's rule.

    The review is the first of the type's intervals since the signing that does not lie before ``not_before``.
    """
    if agreement.terms.exists():
        return
    # An agreement is in force while a day lies in one of its terms: without a term it never would be.
    term = AgreementTerm(
        agreement=agreement,
        starts_on=agreement.signing_date,
        starts_precision=agreement.signed_precision,
        review_on=_first_review(agreement, not_before=not_before),
        lead_days=agreement.type.lead_days,
    )
    save_as(term, actor)


def _first_review(agreement: Agreement, *, not_before: dt.date) -> dt.date:
    # An interval of 0 months would never reach ``not_before``.
    interval = max(agreement.type.review_months, 1)
    reviews = (add_months(agreement.latest_signing, number * interval) for number in count(1))
    return next(day for day in reviews if day >= not_before)


def _take_back_names(agreement: Agreement, *, actor: User | None) -> None:
    for party in agreement.parties.exclude(name_as_signed="").select_related("organization"):
        if party.name_as_signed == _name_to_sign(party.organization):
            party.name_as_signed = ""
            save_as(party, actor)


def _take_back_term(agreement: Agreement, *, actor: User | None) -> None:
    terms = list(agreement.terms.all())
    signing = StatusChange.objects.of(agreement).filter(transition__in=SIGNINGS).last()
    if len(terms) != 1 or terms[0].ends_on or signing is None:
        return
    # Only the term that _ensure_term made, after the step: one that a person typed is older. Its dates do not tell,
    # because those of the signing and of the term may have been completed since.
    if terms[0].history.filter(history_type="+", history_date__gte=signing.at).exists():
        delete_as(terms[0], actor)


def _update_party_holders(agreement: Agreement, *, actor: User | None, on: dt.date) -> None:
    organizations = Organization.objects.filter(party_rows__agreement=agreement)
    update_holders(organizations, unit=agreement.unit, coordinator=agreement.coordinator, actor=actor, on=on)
