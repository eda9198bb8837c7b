"""Milestones: met, submitted, accepted, moved, waived; and those that follow from an agreement."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from partnerships.dates import IsWorkday, add_months
from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    Activity,
    Agreement,
    AgreementTerm,
    ContactNote,
    Event,
    Milestone,
    MilestoneKind,
    StatusChange,
    TypeMilestone,
    User,
    workday_test,
)
from partnerships.models.activities import QUIET_AFTER_DAYS
from partnerships.models.base import none_of
from partnerships.models.milestones import ACCEPTED_KINDS, ACTIVITY_KINDS, FIRM_KINDS, MILESTONE_TARGETS
from partnerships.permissions import require
from partnerships.statuses import MILESTONE_TRANSITIONS, AgreementStatus, MilestoneStatus
from partnerships.workflows.transitions import (
    check_day,
    check_heir,
    check_input,
    lock,
    lock_as_read,
    save_as,
    take_step,
)

# An agreement registered long after its signing is not overdue at once: the office first gets time to make contact.
FIRST_CONTACT_DAYS = 14
# Longer than that it is not snoozed but moved.
SNOOZE_DAYS = 90
# So long whoever did something takes it back themselves.
UNDO_MINUTES = 5
TAKEN_BACK_BY = {"meet": "reopen", "submit": "send_back"}
# A later date of these asks anew, whatever became of the last and wherever somebody had moved it.
COUNTED_ANEW = frozenset(
    {
        MilestoneKind.NEXT_CONTACT,
        MilestoneKind.FACILITY_REVIEW,
        MilestoneKind.HONOUR_LAPSE,
        MilestoneKind.DEMAND_DEADLINE,
        *ACTIVITY_KINDS,
    }
)
# What to do about those that nobody meets by a word.
INSTEAD = {
    MilestoneKind.NEXT_CONTACT: gettext_noop(
        "Log the call, message or follow-up: that is what this milestone waits for."
    ),
    MilestoneKind.STARTING_ACTIVITY: gettext_noop("Start the activity: that is what this milestone waits for."),
    MilestoneKind.UNFINISHED_ACTIVITY: gettext_noop("Complete the activity: that is what this milestone waits for."),
}


def add_action_point(
    target: Agreement | Activity | Event, *, actor: User | None, title: str, due_on: dt.date, owner: User
) -> Milestone:
    """Something that came up and that ``owner``, who must be able to see it and be reached, does by ``due_on``.

    Raises ``InvalidInput`` when the same is open already: a second click sends it again.
    """
    with transaction.atomic():
        milestone = _place_action_point(lock(target), title=title.strip(), due_on=due_on, owner=owner)
        require(actor, "milestone.add", milestone)
        if milestone.agreement and milestone.agreement.has_ended:
            raise TransitionRefused(_("The agreement has ended: nothing more is to be done under it."))
        _check_due(milestone, due_on)
        check_input(milestone)
        if target.milestones.pending().filter(title=milestone.title, due_on=due_on).exists():
            raise InvalidInput(_("This is to be done already."), field="title")
        save_as(milestone, actor)
        check_heir(milestone, owner, field="owner")
    return milestone


def _place_action_point(target: Agreement | Activity | Event, **columns: Any) -> Milestone:
    """A new one of a locked ``target``; its agreement is locked, too, and cannot end before it is kept."""
    milestone = Milestone(**_place(target), kind=MilestoneKind.ACTION_POINT, **columns)
    setattr(milestone, str(target._meta.model_name), target)
    if milestone.agreement and milestone.agreement is not target:
        milestone.agreement = lock(milestone.agreement)
    return milestone


def meet_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, evidence: str) -> Milestone:
    """Marks it as met on ``on`` with its evidence; a recurring one leaves the next behind.

    A milestone that a lead accepts has to be submitted instead; one of ``INSTEAD`` is met by doing what it waits for.
    """
    if milestone.requires_acceptance:
        raise TransitionRefused(_("A lead accepts this milestone: submit it instead."))
    return _close_as_met(milestone, "meet", actor=actor, on=on, evidence=_evidence(milestone, evidence))


def submit_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, evidence: str) -> Milestone:
    """Hands it to a lead for acceptance, with the evidence."""
    if not milestone.requires_acceptance:
        raise TransitionRefused(_("Nobody has to accept this milestone: mark it as met."))
    return _step(milestone, "submit", actor=actor, on=on, evidence=_evidence(milestone, evidence))


def accept_milestone(milestone: Milestone, *, actor: User | None, on: dt.date) -> Milestone:
    """A lead confirms a submitted milestone: it is met on the day it was submitted."""
    return _close_as_met(milestone, "accept", actor=actor, on=milestone.submitted_on or on)


def send_back_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    return _step(milestone, "send_back", actor=actor, on=on, reason=reason)


def waive_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    """It need not be done after all; one that recurs does not come back."""
    return _step(milestone, "waive", actor=actor, on=on, reason=reason)


def cancel_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    """It should not have been there, or what it belonged to has ended. A derived one would only come back: waive it."""
    if milestone.is_derived:
        raise TransitionRefused(_("This date follows from the agreement and would come back: waive it instead."))
    return _step(milestone, "cancel", actor=actor, on=on, reason=reason)


def reopen_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    """A correction: it was closed in error."""
    return _step(milestone, "reopen", actor=actor, on=on, reason=reason)


def take_back_step(milestone: Milestone, *, actor: User, on: dt.date, now: dt.datetime) -> Milestone:
    """Undoes what ``actor`` themselves did within ``UNDO_MINUTES``: met or submitted. It is open again.

    Later, or for somebody else, it is a correction, which is a lead's. What comes back has left its next one already.
    """
    with transaction.atomic():
        locked = lock_as_read(milestone)
        require(actor, "milestone.act", locked)
        last = StatusChange.objects.of(locked).last()
        is_own = last is not None and last.actor_id == actor.pk and last.transition in TAKEN_BACK_BY
        if last is None or not is_own or now - last.at > dt.timedelta(minutes=UNDO_MINUTES):
            raise TransitionRefused(_("It is too late to take this back; a lead of the unit can correct it."))
        if locked.recurs_every_months is not None:
            raise TransitionRefused(_("The next one is planned already; a lead of the unit can correct it."))
        step, reason = TAKEN_BACK_BY[last.transition], _("Taken back at once.")
        return _step(locked, step, actor=actor, on=on, reason=reason, is_consequence=True)


def move_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, due_on: dt.date, reason: str) -> Milestone:
    """Gives it another due date, with a reason. ``on`` is the day of the move.

    A derived milestone stays where it was put: it no longer follows what it derives from.
    """
    if not reason.strip():
        raise InvalidInput(_("Please give a reason."), field="reason")
    with transaction.atomic():
        locked = lock(milestone)
        require(actor, "milestone.move", locked)
        if not locked.is_pending:
            raise TransitionRefused(_("Only an open milestone can be moved."))
        if due_on == locked.due_on:
            raise InvalidInput(_("This is its due date already."), field="due_on")
        _check_due(locked, due_on)
        locked.version = milestone.version  # save() refuses a stale one
        locked.scheduled_on = locked.scheduled_on or locked.due_on
        locked.due_on = due_on
        _end_snooze(locked)
        locked.override_reason = reason.strip()
        locked.overridden_at = timezone.now() if locked.is_derived else locked.overridden_at
        save_as(locked, actor, reason=reason.strip())
    return locked


def snooze_milestone(
    milestone: Milestone, *, actor: User | None, on: dt.date, until: dt.date, reason: str
) -> Milestone:
    """Nobody is reminded of it before ``until``; on that day one reminder comes. ``on`` is today.

    Snoozing it again changes day and reason. At most ``SNOOZE_DAYS`` ahead; a firm date (decision, obligation) not
    beyond its due date. Another due date or the next step ends the snooze.
    """
    if not reason.strip():
        raise InvalidInput(_("Please give a reason."), field="reason")
    with transaction.atomic():
        locked = _lock_pending(milestone, actor, "milestone.snooze")
        _check_snooze(locked, on, until)
        locked.version = milestone.version
        locked.snoozed_until, locked.snooze_reason = until, reason.strip()
        check_input(locked, ["snooze_reason"])
        save_as(locked, actor, reason=reason.strip())
    return locked


def unsnooze_milestone(milestone: Milestone, *, actor: User | None) -> Milestone:
    """Ends a snooze at once: reminders whose time is still to come are sent again, none is made up for."""
    with transaction.atomic():
        locked = _lock_pending(milestone, actor, "milestone.snooze")
        if locked.snoozed_until is None:
            raise TransitionRefused(_("This milestone is not snoozed."))
        locked.version = milestone.version
        _end_snooze(locked)
        save_as(locked, actor)
    return locked


def _lock_pending(milestone: Milestone, actor: User | None, action: str) -> Milestone:
    locked = lock(milestone)
    require(actor, action, locked)
    if not locked.is_pending:
        raise TransitionRefused(_("Only an open milestone can be snoozed."))
    return locked


def _check_snooze(milestone: Milestone, on: dt.date, until: dt.date) -> None:
    latest = last_day_of_snooze(milestone, on)
    if latest <= on:
        raise TransitionRefused(_("Its due date has come, and it is not one to put off: do it, or move the date."))
    if not on < until <= latest:
        days = {"first": (on + dt.timedelta(days=1)).isoformat(), "last": latest.isoformat()}
        raise InvalidInput(_("Choose a day from %(first)s to %(last)s.") % days, field="until")


def last_day_of_snooze(milestone: Milestone, on: dt.date) -> dt.date:
    """Up to when it can be snoozed on the day ``on``."""
    latest = on + dt.timedelta(days=SNOOZE_DAYS)
    return min(latest, milestone.due_on) if milestone.kind in FIRM_KINDS else latest


def _end_snooze(milestone: Milestone) -> None:
    milestone.snoozed_until, milestone.snooze_reason = None, ""


def assign_milestone(milestone: Milestone, *, actor: User | None, owner: User, reason: str = "") -> Milestone:
    """Gives it to another person, who must be able to see it and be reached."""
    with transaction.atomic():
        locked = lock(milestone)
        require(actor, "milestone.assign", locked)
        check_heir(locked, owner, field="owner")
        locked.version = milestone.version
        locked.owner = owner
        save_as(locked, actor, reason=reason)
    return locked


STEPS: dict[str, Callable[..., Milestone]] = {
    "meet": meet_milestone,
    "submit": submit_milestone,
    "accept": accept_milestone,
    "send_back": send_back_milestone,
    "waive": waive_milestone,
    "cancel": cancel_milestone,
    "reopen": reopen_milestone,
}


def _step(milestone: Milestone, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Milestone:
    """A step of the table; whatever it is, it ends a snooze."""
    more |= {"snoozed_until": None, "snooze_reason": ""}
    return take_step(milestone, MILESTONE_TRANSITIONS, name, actor=actor, on=on, **more)


def _close_as_met(milestone: Milestone, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Milestone:
    with transaction.atomic():
        key = milestone.derived_key
        if milestone.kind == MilestoneKind.FACILITY_REVIEW:
            more["derived_key"] = ""  # the next review takes it over: it is the one that follows the facility
        met = _step(milestone, name, actor=actor, on=on, **more)
        _leave_the_next(met, key=key, actor=actor)
    return met


def _evidence(milestone: Milestone, evidence: str) -> str:
    instead = INSTEAD.get(MilestoneKind(milestone.kind))
    if instead:
        raise TransitionRefused(_(instead))
    if not evidence.strip():
        raise InvalidInput(_("Say what shows that it was done."), field="evidence")
    return evidence.strip()


def _check_due(milestone: Milestone, due_on: dt.date) -> None:
    check_day(due_on, field="due_on")
    signed_on = milestone.agreement.signed_on if milestone.agreement else None
    if signed_on and due_on < signed_on:
        raise InvalidInput(
            _("The agreement was signed on %(day)s; nothing can be due before that.") % {"day": signed_on.isoformat()},
            field="due_on",
        )


def _leave_the_next(met: Milestone, *, key: str, actor: User | None) -> None:
    """The next occurrence after the due date just met, counted from the first one: never chained, never a drift.

    One that was moved does not move those after it, nor come once more on the day it had before.
    """
    if met.recurs_every_months is None or met.is_derived:
        return
    first = met.recurs_from or met.scheduled_on or met.due_on
    passed = max(met.due_on, met.scheduled_on or met.due_on)
    occurrences = (add_months(first, number * met.recurs_every_months) for number in count(1))
    due_on = next(day for day in occurrences if day > passed)
    following = Milestone.objects.get(pk=met.pk)
    following.pk, following.code, following.version = None, None, 1
    following._state.adding = True
    following.status, following.met_on, following.submitted_on = MilestoneStatus.OPEN, None, None
    following.evidence, following.override_reason = "", ""
    following.derived_key = key
    following.overridden_at, following.scheduled_on = None, None
    following.due_on, following.recurs_from = due_on, first
    save_as(following, actor)


# Milestones that follow from an agreement


@dataclass(frozen=True)
class Derived:
    """What a row asks for: one milestone per ``key``.

    ``title`` may hold a place for ``name``, what the row is called. With ``asks_late`` it is asked for even where its
    day has passed already.
    """

    key: str
    kind: MilestoneKind
    title: str
    due_on: dt.date
    recurs_every_months: int | None = None
    name: str = ""
    asks_late: bool = False

    def titles(self) -> dict[str, str]:
        """Its title and its Chinese title; the latter empty where nobody translated it."""
        longest = Milestone._meta.get_field("title").max_length or 0
        with override("zh-hans"):
            title_zh = _(self.title)
        named = [title % {"name": self.name} if self.name else title for title in (self.title, title_zh)]
        title, title_zh = (Truncator(words).chars(longest) for words in named)
        return {"title": title, "title_zh": title_zh if title_zh != title else ""}

    def is_over(self, not_before: dt.date | None) -> bool:
        """Too late to ask for it: its day had passed when its row came to ask."""
        return not_before is not None and self.due_on < not_before and not self.asks_late


@dataclass(frozen=True)
class Basis:
    """What the derived dates of an agreement are counted from, beside its own columns and terms."""

    contact_on: dt.date | None
    is_workday: IsWorkday


def last_contacts(agreements: Collection[Agreement]) -> dict[int, dt.date]:
    """Agreement id -> the latest of signing, completed activities and contact notes: what *quiet* is counted from."""
    latest = {agreement.pk: agreement.signed_on for agreement in agreements if agreement.signed_on}
    done = Activity.objects.completed().filter(agreement__in=agreements).values("agreement")
    notes = ContactNote.objects.filter(agreement__in=agreements).values("agreement")
    for rows, day in ((done, "completed_on"), (notes, "happened_on")):
        for agreement, contact_on in rows.order_by().annotate(day=Max(day)).values_list("agreement", "day"):
            latest[agreement] = max(latest.get(agreement, contact_on), contact_on)
    return latest


def last_contact_on(agreement: Agreement) -> dt.date | None:
    return last_contacts([agreement]).get(agreement.pk)


def derived_milestones(agreement: Agreement, basis: Basis) -> list[Derived]:
    """What should be there for the agreement as it is now; the one formula for each derived date.

    An agreement registered after its signing asks for nothing before the day it was registered.
    """
    wanted: list[Derived] = []
    if agreement.is_signed:
        wanted += _from_term(agreement, basis.is_workday)
    if agreement.status == AgreementStatus.SIGNED:
        wanted += _from_last_contact(agreement, basis.contact_on)
    return wanted


def _from_term(agreement: Agreement, is_workday: IsWorkday) -> Iterable[Derived]:
    term = agreement.current_term
    if term is None:
        return
    decision = term.decision_date(is_workday)
    if decision:
        derived = _decision(term, max(decision.decide_on, agreement.signing_date))
    elif term.review_on:
        derived = _review(term, term.review_on)
    else:
        return
    if agreement.recorded_on is None or derived.due_on >= agreement.recorded_on:
        yield derived


def _decision(term: AgreementTerm, due_on: dt.date) -> Derived:
    title = gettext_noop("Decide whether the agreement goes on")
    return Derived(f"decision_date:{term.number}", MilestoneKind.DECISION_DATE, title, due_on)


def _review(term: AgreementTerm, due_on: dt.date) -> Derived:
    return Derived(f"review:{term.number}", MilestoneKind.REVIEW, gettext_noop("Review the agreement"), due_on)


def _from_last_contact(agreement: Agreement, contact_on: dt.date | None) -> Iterable[Derived]:
    if contact_on is None:
        return
    due_on = contact_on + dt.timedelta(days=QUIET_AFTER_DAYS)
    if agreement.recorded_on:
        due_on = max(due_on, agreement.recorded_on + dt.timedelta(days=FIRST_CONTACT_DAYS))
    yield Derived("next_contact", MilestoneKind.NEXT_CONTACT, gettext_noop("Get in touch with the partners"), due_on)


def derive_milestones(agreement: Agreement, *, actor: User | None, on: dt.date) -> None:
    """Brings the derived milestones of an agreement in step with it; see ``keep_in_step``."""
    with transaction.atomic():
        agreement = lock(agreement)
        reason = _("The agreement no longer asks for it (%(status)s).") % {"status": agreement.get_status_display()}
        basis = Basis(last_contact_on(agreement), workday_test(agreement.unit.effective_calendar))
        wanted = derived_milestones(agreement, basis)
        decided = _decided_by_renewal(agreement)
        keep_in_step(agreement, wanted, owner=agreement.coordinator, actor=actor, on=on, reason=reason, met=decided)


def _decided_by_renewal(agreement: Agreement) -> dict[str, str]:
    """Keys of the dates of earlier terms, with the evidence that they were decided: the agreement goes on."""
    term = agreement.current_term
    if term is None or not agreement.is_signed:
        return {}
    evidence = _("Renewed: term %(number)s.") % {"number": term.number}
    return {f"{key}:{number}": evidence for key in ("decision_date", "review") for number in range(1, term.number)}


def keep_in_step(
    row: Any,
    wanted: Iterable[Derived],
    *,
    owner: User | None,
    actor: User | None,
    on: dt.date,
    reason: str,
    met: Mapping[str, str] | None = None,
    not_before: dt.date | None = None,
) -> None:
    """Makes, moves, reopens or closes the derived milestones of ``row``, which the caller has locked.

    One that was moved by hand keeps its date, one that was met or waived stays so, unless a later date of a kind in
    ``COUNTED_ANEW`` asks for the next round. What is no longer wanted is met where ``met`` (key -> evidence) says so,
    and cancelled with ``reason`` otherwise. What lies before ``not_before`` is not asked for, and stays where it was.
    """
    missing = {derived.key: derived for derived in wanted}
    for milestone in Milestone.objects.derived_of(row).select_for_update(no_key=True, of=("self",)):
        derived = missing.pop(milestone.derived_key, None)
        if derived is not None:
            _follow(row, milestone, derived, actor=actor, on=on, not_before=not_before)
        elif milestone.is_pending:
            _drop(milestone, (met or {}).get(milestone.derived_key), actor=actor, on=on, reason=reason)
    for derived in missing.values():
        if not derived.is_over(not_before):
            _make(row, derived, owner=owner, actor=actor)


def is_in_step(
    row: Any, milestones: Iterable[Milestone], wanted: Iterable[Derived], *, not_before: dt.date | None = None
) -> bool:
    """Whether ``keep_in_step`` would leave the derived ``milestones`` of ``row`` as they are; asks no database."""
    missing = {derived.key: derived for derived in wanted}
    for milestone in milestones:
        derived = missing.pop(milestone.derived_key, None)
        if derived is None and milestone.is_pending:
            return False
        if derived is not None and _asks_again(milestone, derived, not_before):
            return False
        if derived is not None and milestone.is_pending and _differences(row, milestone, derived):
            return False
    return all(derived.is_over(not_before) for derived in missing.values())


def _make(row: Any, derived: Derived, *, owner: User | None, actor: User | None) -> None:
    milestone = Milestone(
        **_place(row),
        **derived.titles(),
        owner=owner,
        kind=derived.kind,
        due_on=derived.due_on,
        derived_key=derived.key,
        recurs_every_months=derived.recurs_every_months,
        requires_acceptance=derived.kind in ACCEPTED_KINDS,
        is_sample=row.is_sample,
    )
    setattr(milestone, row._meta.model_name, row)
    save_as(milestone, actor)


def _place(row: Any) -> dict[str, int | None]:
    """The unit and the agreement in which a milestone of ``row`` stands."""
    agreement = row.pk if isinstance(row, Agreement) else getattr(row, "agreement_id", None)
    return {"unit_id": row.unit_id, "agreement_id": agreement}


def _follow(
    row: Any,
    milestone: Milestone,
    derived: Derived,
    *,
    actor: User | None,
    on: dt.date,
    not_before: dt.date | None,
) -> None:
    changes = _differences(row, milestone, derived)
    if _asks_again(milestone, derived, not_before):
        reason = _("It is asked for again.")
        milestone = _step(milestone, "reopen", actor=actor, on=on, reason=reason, is_consequence=True)
    if milestone.is_pending and changes:
        for name, value in changes.items():
            setattr(milestone, name, value)
        save_as(milestone, actor)


def _asks_again(milestone: Milestone, derived: Derived, not_before: dt.date | None) -> bool:
    """Closed, and yet to be done: it was cancelled, a new round began, or what had met it was taken back."""
    if milestone.is_pending or derived.is_over(not_before):
        return False
    is_undone = milestone.status == MilestoneStatus.MET and derived.kind in ACTIVITY_KINDS
    return milestone.status == MilestoneStatus.CANCELLED or is_undone or _is_new_round(milestone, derived)


def _is_new_round(milestone: Milestone, derived: Derived) -> bool:
    return derived.kind in COUNTED_ANEW and derived.due_on > _counted_day(milestone)


def _differences(row: Any, milestone: Milestone, derived: Derived) -> dict[str, Any]:
    """The columns in which ``milestone`` is not what ``derived`` asks for, with what they should hold."""
    wanted: dict[str, Any] = {**_place(row), **(derived.titles() if derived.name else {})}
    is_kept = milestone.overridden_at is not None and not _is_new_round(milestone, derived)
    if milestone.due_on != derived.due_on and not is_kept:
        gone = dict.fromkeys(("recurs_from", "scheduled_on", "overridden_at", "snoozed_until"))
        wanted |= {**gone, "due_on": derived.due_on, "override_reason": "", "snooze_reason": ""}
    return {name: value for name, value in wanted.items() if getattr(milestone, name) != value}


def _counted_day(milestone: Milestone) -> dt.date:
    """The day that was counted for it, before somebody moved it."""
    return milestone.scheduled_on or milestone.due_on


def _drop(milestone: Milestone, evidence: str | None, *, actor: User | None, on: dt.date, reason: str) -> None:
    if evidence and milestone.status == MilestoneStatus.OPEN:
        _step(milestone, "meet", actor=actor, on=on, evidence=evidence, is_consequence=True)
    else:
        _step(milestone, "cancel", actor=actor, on=on, reason=reason, is_consequence=True)


def make_type_milestones(agreement: Agreement, *, actor: User | None, not_before: dt.date) -> None:
    """The milestones every agreement of this type has, counted in months from its signing.

    One that is there already (signed again after a correction) is reopened and moved, not doubled.
    """
    on = agreement.signing_date
    existing = {(milestone.kind, milestone.title): milestone for milestone in agreement.milestones.all()}
    for template in agreement.type.default_milestones.all():
        due_on = add_months(on, template.months_after_signing)
        if due_on < not_before:
            continue
        known = existing.get((template.kind, template.title))
        if known is None:
            _make_from_type(agreement, template, due_on, actor=actor)
        elif known.status == MilestoneStatus.CANCELLED:
            reason = _("The agreement was signed again.")
            _step(known, "reopen", actor=actor, on=on, reason=reason, is_consequence=True, due_on=due_on)


def _make_from_type(agreement: Agreement, template: TypeMilestone, due_on: dt.date, *, actor: User | None) -> None:
    milestone = Milestone(
        unit_id=agreement.unit_id,
        agreement=agreement,
        owner_id=agreement.coordinator_id,
        kind=template.kind,
        title=template.title,
        title_zh=template.title_zh,
        due_on=due_on,
        requires_acceptance=template.requires_acceptance,
        is_sample=agreement.is_sample,
    )
    save_as(milestone, actor)


def cancel_pending_milestones(row: Any, *, actor: User | None, on: dt.date, reason: str) -> None:
    """What was still to be done under an agreement, facility or demand that ends, each with the reason."""
    for milestone in row.milestones.pending().select_for_update(no_key=True, of=("self",)):
        _step(milestone, "cancel", actor=actor, on=on, reason=reason, is_consequence=True)


def follow_unit(agreement: Agreement, *, actor: User | None, previous: int) -> None:
    """Its pending milestones in the unit it leaves go along; those of its activities stay in the unit of these."""
    with transaction.atomic():
        own = agreement.milestones.pending().filter(none_of(*MILESTONE_TARGETS), unit=previous)
        for milestone in own.select_for_update(of=("self",), no_key=True):
            milestone.unit_id = agreement.unit_id
            save_as(milestone, actor)


def follow_coordinator(agreement: Agreement, *, actor: User | None, previous: User | None) -> None:
    """Pending milestones of the former coordinator, or of nobody, go to the agreement's coordinator."""
    follow_owner(agreement, owner_id=agreement.coordinator_id, actor=actor, previous=previous)


def owner_of(row: Any) -> User | None:
    """Who owns it in the database, before ``row`` is saved."""
    return User.objects.filter(pk__in=type(row)._base_manager.filter(pk=row.pk).values("owner")).first()


def follow_owner(row: Any, *, owner_id: int | None, actor: User | None, previous: User | None) -> None:
    """Pending milestones of ``row`` that ``previous`` or nobody looks after go to its new owner; others stay.

    So do those of other units, whose activities stand under an agreement they take part in.
    """
    with transaction.atomic():
        theirs = (
            row.milestones.pending()
            .filter(unit=row.unit_id)
            .filter(Q(owner=previous) | Q(owner__isnull=True))
            .exclude(owner_id=owner_id)
        )
        for milestone in theirs.select_for_update(of=("self",), no_key=True):
            milestone.owner_id = owner_id
            save_as(milestone, actor)


def give_to(
    row: Any, person: User, *, actor: User | None, action: str, pending: QuerySet, field: str = "owner", reason: str
) -> Any:
    """Gives a row that has milestones to ``person``; those the former or nobody looks after go along.

    ``pending`` are the rows of its model that still ask for something: what is closed stays with whoever had it.
    """
    with transaction.atomic():
        locked = lock(row)
        require(actor, action, locked)
        if not pending.filter(pk=locked.pk).exists():
            raise TransitionRefused(_("This is closed: nothing is left to hand over."))
        check_heir(locked, person, field=field)
        previous = getattr(locked, field)
        locked.version = row.version
        setattr(locked, field, person)
        save_as(locked, actor, reason=reason)
        follow_owner(locked, owner_id=person.pk, actor=actor, previous=previous)
    return locked
