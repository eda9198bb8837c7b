"""Milestones: registered, edited, done, submitted, accepted, moved, snoozed, waived, given to others."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.dates import add_months
from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    Activity,
    Agreement,
    Demand,
    Event,
    Facility,
    Honour,
    Milestone,
    MilestoneKind,
    Organization,
    StatusChange,
    User,
)
from partnerships.models.base import none_of
from partnerships.models.milestones import (
    ACCEPTED_KINDS,
    DECISION_KINDS,
    DERIVED_KINDS,
    FIRM_KINDS,
    MILESTONE_TARGETS,
    PENDING_STATUSES,
)
from partnerships.permissions import may, require
from partnerships.statuses import MILESTONE_TRANSITIONS, MilestoneStatus
from partnerships.workflows.edits import Aggregate, changed_columns, require_at
from partnerships.workflows.transitions import (
    check_day,
    check_input,
    check_new_owner,
    lock,
    lock_as_read,
    save_as,
    take_step,
)

# A milestone that should wait longer is moved, not snoozed.
SNOOZE_DAYS = 90

# The person who took a step can undo it for so long.
UNDO_MINUTES = 5

TAKEN_BACK_BY = {"meet": "reopen", "submit": "send_back"}

# Records that have milestones and an owner of their own.
MilestoneTarget = Agreement | Activity | Facility | Honour | Demand
Owned = TypeVar("Owned", Agreement, Activity, Facility, Demand)

MILESTONE = Aggregate(
    Milestone,
    "milestone.add",
    "milestone.edit",
    # A milestone stays where it was registered; date, owner and evidence have verbs that ask for more.
    fixed=frozenset({"unit", "kind", "agreement", *MILESTONE_TARGETS, "due_on", "owner", "evidence"}),
)

# Kinds that are met by an act elsewhere, never by a statement, each with a hint at that act.
MET_BY_DOING = {
    MilestoneKind.NEXT_CONTACT: gettext_noop(
        "Log the call, message or activity: that is what this milestone waits for."
    ),
    MilestoneKind.STARTING_ACTIVITY: gettext_noop("Start the activity: that is what this milestone waits for."),
    MilestoneKind.UNFINISHED_ACTIVITY: gettext_noop("Complete the activity: that is what this milestone waits for."),
    MilestoneKind.APPROVAL: gettext_noop("Approve or return the agreement: that is what this milestone waits for."),
    MilestoneKind.ANSWER: gettext_noop("Answer or decline the demand: that is what this milestone waits for."),
    MilestoneKind.CONFIRM_REGISTRATION: gettext_noop(
        "Confirm the registration: that is what this milestone waits for."
    ),
    MilestoneKind.CONFIRM_RENEWAL: gettext_noop(
        "Confirm the renewal or close the agreement: that is what this milestone waits for."
    ),
    MilestoneKind.RECORD_END: gettext_noop("Renew the agreement or close it: that is what this milestone waits for."),
    MilestoneKind.NEW_HOLDER: gettext_noop("Mark it as noted: that is what this milestone waits for."),
    MilestoneKind.REVISION: gettext_noop("Submit the agreement again: that is what this milestone waits for."),
    MilestoneKind.SIGNING: gettext_noop("Record the signing: that is what this milestone waits for."),
    MilestoneKind.PAYMENT: gettext_noop("Record what was received: that is what this milestone waits for."),
    MilestoneKind.NEW_LIAISON: gettext_noop("Name the new liaison: that is what this milestone waits for."),
}


def register_milestone(
    milestone: Milestone, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Milestone:
    """Register something dated that somebody must do; its owner must be able to see it and be reached.

    Raises ``InvalidInput`` when the same is open already: a second click sends it again.
    """
    if milestone.kind in DERIVED_KINDS:
        raise InvalidInput(_("This kind follows from other records: choose another one."), field="kind")
    if milestone.kind in ACCEPTED_KINDS:
        milestone.requires_acceptance = True
    milestone.title, milestone.title_zh = milestone.title.strip(), milestone.title_zh.strip()
    with transaction.atomic():
        _lock_target(milestone, actor)
        _check_due(milestone, milestone.due_on)
        _refuse_twice(milestone)
        MILESTONE.register(milestone, parts, actor=actor)
        if milestone.owner:
            check_new_owner(milestone, milestone.owner, field="owner")
    return milestone


def edit_milestone(
    milestone: Milestone,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Milestone:
    """Change what an open milestone says and how it is closed; its date, its owner and its status have verbs of their own."""
    with transaction.atomic():
        before, after = MILESTONE.begin(milestone, changes, actor=actor)
        changed = changed_columns(before, after)
        if changed:
            _check_editable(before)
        if "title" in changed:
            _refuse_twice(after)
        if "requires_acceptance" in changed and not after.requires_acceptance:
            _check_needs_no_acceptance(after, actor)
        if after.party and after.party.agreement_id != after.agreement_id:
            raise InvalidInput(_("This party belongs to another agreement."), field="party")
        MILESTONE.finish(before, after, parts, removed, actor=actor)
    return after


def _check_needs_no_acceptance(milestone: Milestone, actor: User | None) -> None:
    """Raise unless the actor could accept it: whoever does it would otherwise excuse themselves from that."""
    if milestone.kind in ACCEPTED_KINDS:
        raise InvalidInput(_("A lead accepts what is of this kind."), field="requires_acceptance")
    require_at("requires_acceptance", actor, "milestone.accept", milestone)


def _check_editable(milestone: Milestone) -> None:
    if milestone.is_derived:
        raise TransitionRefused(_("This date follows from another record: change that one."))
    if not milestone.is_pending:
        raise TransitionRefused(_("Only an open milestone can be changed."))


def new_action_point(target: Agreement | Activity | Event, **columns: object) -> Milestone:
    """Return an unsaved action point of ``target``, in its unit and under its agreement."""
    milestone = Milestone(unit_id=target.unit_id, kind=MilestoneKind.ACTION_POINT, **columns)
    if not isinstance(target, Agreement):
        milestone.agreement = getattr(target, "agreement", None)
    setattr(milestone, str(target._meta.model_name), target)
    return milestone


def _refuse_twice(milestone: Milestone) -> None:
    check_input(milestone)  # the database cannot look for a title with a NUL in it
    if is_open_already(milestone):
        raise InvalidInput(_("This is on the list already."), field="title")


def is_open_already(milestone: Milestone) -> bool:
    """Whether the same thing is still to be done for the same target by the same day."""
    places = {f"{name}_id": getattr(milestone, f"{name}_id") for name in ("agreement", *MILESTONE_TARGETS)}
    same = Milestone.objects.pending().filter(**places, title=milestone.title, due_on=milestone.due_on)
    return same.exclude(pk=milestone.pk).exists()


def _lock_target(milestone: Milestone, actor: User | None) -> None:
    """Lock what a new milestone belongs to with its agreement, which cannot end before the milestone is saved."""
    target = milestone.target
    if target is None:
        return  # a constraint asks for one
    if not isinstance(target, Agreement | Organization):
        target = lock(target)
        _take_agreement_of(target, milestone)
    if milestone.agreement:
        milestone.agreement = lock(milestone.agreement)
        if milestone.agreement.has_ended:
            raise TransitionRefused(_("The agreement has ended: nothing more is to be done under it."))
    _check_may_follow_up(target, milestone, actor)
    if isinstance(target, Organization):
        lock(target)  # organizations come after agreements


def _check_may_follow_up(target: models.Model, milestone: Milestone, actor: User | None) -> None:
    """Raise ``NotAllowed`` for somebody who neither follows up the agreement nor works in the unit of the target.

    The unit of the milestone says nothing of that: anybody can name their own. An organization belongs to no one unit.
    """
    unit = getattr(target, "unit", None)
    has_own_agreement = getattr(target, "agreement_id", None) is not None
    if milestone.agreement:
        if actor and not (has_own_agreement and may(actor, "milestone.add", unit)):
            require_at("agreement", actor, "agreement.follow_up", milestone.agreement)
    elif unit:
        require_at(target._meta.model_name, actor, "milestone.add", unit)


def _take_agreement_of(target: models.Model, milestone: Milestone) -> None:
    """Put the milestone under the agreement of its target; another agreement is refused."""
    agreement_id = getattr(target, "agreement_id", None)
    if agreement_id and milestone.agreement_id not in {None, agreement_id}:
        words = _("The %(kind)s belongs to another agreement.") % {"kind": target._meta.verbose_name}
        raise InvalidInput(words, field="agreement")
    milestone.agreement_id = milestone.agreement_id or agreement_id


def meet_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, evidence: str) -> Milestone:
    """Mark a milestone as met on ``on`` with its evidence; one that recurs gets its next occurrence.

    A milestone that a lead accepts has to be submitted instead; one of ``MET_BY_DOING`` is met by doing what it waits for.
    """
    if milestone.requires_acceptance:
        raise TransitionRefused(_("A lead accepts this milestone: submit it instead."))
    return _close_as_met(milestone, "meet", actor=actor, on=on, evidence=_evidence(milestone, evidence))


def note_milestone(milestone: Milestone, *, actor: User | None, on: dt.date) -> Milestone:
    """Record that a lead has noted the news that the milestone brings."""
    if milestone.kind != MilestoneKind.NEW_HOLDER:
        raise TransitionRefused(_("Only news is marked as noted."))
    return take_milestone_step(milestone, "note", actor=actor, on=on)


def submit_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, evidence: str) -> Milestone:
    """Submit a milestone to a lead for acceptance, with its evidence."""
    if not milestone.requires_acceptance:
        raise TransitionRefused(_("Nobody has to accept this milestone: mark it as done."))
    return take_milestone_step(milestone, "submit", actor=actor, on=on, evidence=_evidence(milestone, evidence))


def accept_milestone(milestone: Milestone, *, actor: User | None, on: dt.date) -> Milestone:
    """Accept a submitted milestone: it is met on the day on which it was submitted."""
    return _close_as_met(milestone, "accept", actor=actor, on=milestone.submitted_on or on)


def send_back_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    """Return a submitted milestone to its owner, with the reason."""
    return take_milestone_step(milestone, "send_back", actor=actor, on=on, reason=reason)


def waive_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    """Waive a milestone that need not be done after all; one that recurs does not come back."""
    return take_milestone_step(milestone, "waive", actor=actor, on=on, reason=reason)


def cancel_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    """Cancel a milestone that was entered in error. A derived one would come back: it can only be waived."""
    if milestone.is_derived:
        raise TransitionRefused(_("This date follows from the agreement and would come back: waive it instead."))
    return take_milestone_step(milestone, "cancel", actor=actor, on=on, reason=reason)


def reopen_milestone(milestone: Milestone, *, actor: User | None, on: dt.date, reason: str) -> Milestone:
    """Open a milestone again that was closed in error."""
    return take_milestone_step(milestone, "reopen", actor=actor, on=on, reason=reason)


def take_back_step(
    milestone: Milestone,
    *,
    actor: User,
    on: dt.date,
    now: dt.datetime,
    minutes: int = UNDO_MINUTES,
    values: Mapping[str, object] = MappingProxyType({}),
) -> Milestone:
    """Undo a step that ``actor`` took within the last ``minutes``: a milestone met or submitted is open again.

    Later, or for somebody else, only a lead can correct it; so for a milestone that recurs, whose next occurrence exists.
    ``values`` are columns to put back with it.
    """
    with transaction.atomic():
        locked = lock_as_read(milestone)
        require(actor, "milestone.act", locked)
        last = StatusChange.objects.of(locked).last()
        is_own = last is not None and last.actor_id == actor.pk and last.transition in TAKEN_BACK_BY
        if last is None or not is_own or now - last.at > dt.timedelta(minutes=minutes):
            raise TransitionRefused(_("It is too late to take this back; a lead of the unit can correct it."))
        if locked.recurs_every_months is not None:
            raise TransitionRefused(_("The next one is planned already; a lead of the unit can correct it."))
        # A consequence: the check above replaces that of the table, where reopening is a correction by a lead.
        step, reason = TAKEN_BACK_BY[last.transition], _("Taken back at once.")
        more = {"is_put_back": True, **values}
        return take_milestone_step(locked, step, actor=actor, on=on, reason=reason, is_consequence=True, **more)


def move_milestone(
    milestone: Milestone, *, actor: User | None, at: dt.datetime, due_on: dt.date, reason: str
) -> Milestone:
    """Give a milestone another due date at the time ``at``, with a reason.

    A derived milestone that was moved no longer follows what it derives from.
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
        # The day before the first move stays: recurrence and derived dates are counted from it.
        locked.scheduled_on = locked.scheduled_on or locked.due_on
        locked.due_on = due_on
        _end_snooze(locked)
        locked.override_reason = reason.strip()
        # From here on an update of derived dates leaves this one alone.
        locked.overridden_at = at if locked.is_derived else locked.overridden_at
        save_as(locked, actor, reason=reason.strip())
    return locked


def snooze_milestone(
    milestone: Milestone, *, actor: User | None, on: dt.date, until: dt.date, reason: str
) -> Milestone:
    """Snooze a milestone: nobody is reminded of it before ``until``, and on that day one reminder comes. ``on`` is today.

    Snoozing it again changes day and reason. A snooze lasts at most ``SNOOZE_DAYS``, that of a firm date (decision,
    obligation) at most until its due date. Another due date or the next step ends it.
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
    """End a snooze at once: reminders whose time is still to come are sent again, earlier ones are not."""
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
    """Return the last day until which a milestone can be snoozed on the day ``on``."""
    latest = on + dt.timedelta(days=SNOOZE_DAYS)
    return min(latest, milestone.due_on) if milestone.kind in FIRM_KINDS else latest


def _end_snooze(milestone: Milestone) -> None:
    milestone.snoozed_until, milestone.snooze_reason = None, ""


def assign_milestone(milestone: Milestone, *, actor: User | None, owner: User, reason: str = "") -> Milestone:
    """Give a milestone to another person, who must be able to see it and be reached."""
    with transaction.atomic():
        locked = lock(milestone)
        require(actor, "milestone.assign", locked)
        if not locked.is_pending:
            raise TransitionRefused(_("This is closed already, so it cannot be reassigned."))
        check_new_owner(locked, owner, field="owner")
        locked.version = milestone.version
        locked.owner = owner
        save_as(locked, actor, reason=reason)
    return locked


def restore_milestone(
    milestone: Milestone, *, actor: User | None, action: str, values: Mapping[str, object], reason: str
) -> Milestone:
    """Put back the columns that an act changed which is undone; ``action`` is the permission of that act.

    The owner may be put back to nobody, or to a person who cannot be reached: that is how it was.
    """
    with transaction.atomic():
        locked = lock_as_read(milestone)
        require(actor, action, locked)
        if not locked.is_pending:
            raise TransitionRefused(_("This is closed already, so it cannot be undone."))
        columns = {field.name: field.attname for field in locked._meta.concrete_fields}
        for name, value in values.items():
            setattr(locked, columns[name], value)
        locked.is_put_back = True
        save_as(locked, actor, reason=reason)
    return locked


# Columns that people enter about a milestone's date. An act on its record may end it, and an undo puts it back.
DATE_COLUMNS = (
    *("due_on", "scheduled_on", "recurs_from", "overridden_at", "override_reason"),
    *("snoozed_until", "snooze_reason"),
)


def dates_under(row: Any) -> list[dict[str, Any]]:
    """Return the dates of the pending milestones of a record that somebody moved or snoozed."""
    entered = Q(snoozed_until__isnull=False) | Q(overridden_at__isnull=False)
    return list(row.milestones.pending().filter(entered).order_by("pk").values("pk", *DATE_COLUMNS))


def dates_ended(before: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return those of ``before`` that are not so any more, each with the version that its milestone has now."""
    before = list(before)
    now = {row["pk"]: row for row in _dates_of(before).values("pk", "version", "status", *DATE_COLUMNS)}
    return [
        {**row, "version": found["version"]}
        for row in before
        if (found := now.get(row["pk"]))
        and (found["status"] not in PENDING_STATUSES or any(found[name] != row[name] for name in DATE_COLUMNS))
    ]


def left_alone(ended: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those of ``dates_ended`` whose milestone nobody changed since."""
    ended = list(ended)
    versions = dict(_dates_of(ended).values_list("pk", "version"))
    return [row for row in ended if versions.get(row["pk"]) == row["version"]]


def _dates_of(rows: Iterable[Mapping[str, Any]]) -> QuerySet[Milestone]:
    return Milestone.objects.filter(pk__in=[row["pk"] for row in rows]).order_by()


def restore_dates(rows: Iterable[Mapping[str, Any]], *, actor: User | None, reason: str) -> None:
    """Put back moves and snoozes that an act ended which is undone, where the milestone is due as it was before them."""
    fields: dict[str, Any] = {name: Milestone._meta.get_field(name) for name in DATE_COLUMNS}
    with transaction.atomic():
        for row in rows:
            dates: dict[str, Any] = {name: field.to_python(row[name]) for name, field in fields.items()}
            is_due = Q(due_on=dates["due_on"])
            if dates["overridden_at"]:  # the undo derived the date anew, which somebody had moved from there
                is_due |= Q(due_on=dates["scheduled_on"])
            same = Milestone.objects.pending().filter(is_due, pk=row["pk"], snoozed_until=None)
            for milestone in same.select_for_update(of=("self",), no_key=True):
                for name, value in dates.items():
                    setattr(milestone, name, value)
                milestone.is_put_back = True
                save_as(milestone, actor, reason=reason)


STEPS: dict[str, Callable[..., Milestone]] = {
    "meet": meet_milestone,
    "note": note_milestone,
    "submit": submit_milestone,
    "accept": accept_milestone,
    "send_back": send_back_milestone,
    "waive": waive_milestone,
    "cancel": cancel_milestone,
    "reopen": reopen_milestone,
}


def take_milestone_step(milestone: Milestone, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Milestone:
    """Take a step of the table. Each step ends a snooze, unless ``more`` puts one back."""
    more = {"snoozed_until": None, "snooze_reason": "", **more}
    return take_step(milestone, MILESTONE_TRANSITIONS, name, actor=actor, on=on, **more)


def _close_as_met(milestone: Milestone, name: str, *, actor: User | None, on: dt.date, **more: object) -> Milestone:
    with transaction.atomic():
        key = milestone.derived_key
        if milestone.kind == MilestoneKind.FACILITY_REVIEW:
            # The key is unique on the facility. The next review takes it, and follows the facility from now on.
            more["derived_key"] = ""
        met = take_milestone_step(milestone, name, actor=actor, on=on, **more)
        _leave_the_next(met, key=key, actor=actor)
    return met


def _evidence(milestone: Milestone, evidence: str) -> str:
    instead = MET_BY_DOING.get(MilestoneKind(milestone.kind))
    if instead:
        raise TransitionRefused(_(instead))
    if not evidence.strip():
        raise InvalidInput(_("Enter the evidence."), field="evidence")
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
    """Save the next occurrence of a milestone just met. An occurrence that was moved does not move those after it."""
    if met.recurs_every_months is None or met.is_derived:
        return
    # Counted from the first one: from the 31st, month after month, each short month would shift the day for good.
    first = met.recurs_from or met.scheduled_on or met.due_on
    # One that was moved to an earlier day must not come once more on the day it had before.
    passed = max(met.due_on, met.scheduled_on or met.due_on)
    occurrences = (add_months(first, number * met.recurs_every_months) for number in count(1))
    due_on = next(day for day in occurrences if day > passed)
    # Django inserts a row without a key as a copy of the other columns.
    following = Milestone.objects.get(pk=met.pk)
    following.pk, following.code, following.version = None, None, 1
    following._state.adding = True
    following.status, following.met_on, following.submitted_on = MilestoneStatus.OPEN, None, None
    following.evidence, following.override_reason = "", ""
    following.derived_key = key
    following.overridden_at, following.scheduled_on = None, None
    following.due_on, following.recurs_from = due_on, first
    save_as(following, actor)


def placement(row: MilestoneTarget) -> dict[str, int | None]:
    """Return the unit and the agreement of a milestone of ``row``, as columns."""
    agreement = row.pk if isinstance(row, Agreement) else getattr(row, "agreement_id", None)
    return {"unit_id": row.unit_id, "agreement_id": agreement}


def cancel_pending_milestones(row: MilestoneTarget | Event, *, actor: User | None, on: dt.date, reason: str) -> None:
    """Cancel what was still to be done for a record that ends, each milestone with the reason."""
    for milestone in row.milestones.pending().select_for_update(no_key=True, of=("self",)):
        take_milestone_step(milestone, "cancel", actor=actor, on=on, reason=reason, is_consequence=True)


def move_milestones_along(
    before: MilestoneTarget, after: MilestoneTarget, *, actor: User | None, put_back: Collection[int] | None = None
) -> None:
    """Put the pending milestones of a row where it is now, when its unit or its agreement changed.

    Those of other units stay in theirs, and those of an agreement's activities in the activity's unit. ``put_back`` is the
    undo of such a change: only the milestones with these ids move.
    """
    old, new = placement(before), placement(after)
    if old == new:
        return
    pending = after.milestones.pending()
    if isinstance(after, Agreement):
        pending = pending.filter(none_of(*MILESTONE_TARGETS))
    if put_back is not None:
        pending = pending.filter(pk__in=put_back)
    with transaction.atomic():
        for milestone in pending.select_for_update(of=("self",), no_key=True):
            milestone.is_put_back = put_back is not None
            if milestone.unit_id == before.unit_id:
                milestone.unit_id = after.unit_id
            if old["agreement_id"] != new["agreement_id"]:
                milestone.agreement_id, milestone.party = new["agreement_id"], None  # a party of the one it leaves
            save_as(milestone, actor)


def give_milestones_to(
    row: MilestoneTarget, *, owner_id: int | None, actor: User | None, previous: User | None
) -> None:
    """Give the pending milestones of ``row`` that were owned by ``previous`` or by nobody to its new owner.

    Those of other units stay: their activities stand under an agreement in which they take part.
    """
    with transaction.atomic():
        # exclude() keeps the rows without an owner: Django adds IS NOT NULL to the condition that it negates.
        theirs = (
            row.milestones.pending()
            .filter(unit=row.unit_id)
            .filter(Q(owner=previous) | Q(owner__isnull=True) & ~Q(kind__in=DECISION_KINDS))
            .exclude(owner_id=owner_id)
        )
        for milestone in theirs.select_for_update(of=("self",), no_key=True):
            milestone.owner_id = owner_id
            save_as(milestone, actor)


def reassign(
    row: Owned,
    person: User | None,
    *,
    actor: User | None,
    action: str,
    pending: QuerySet[Owned],
    field: str = "owner",
    reason: str,
    given_back: Mapping[int, int | None] | None = None,
) -> Owned:
    """Give a row to ``person`` with those of its milestones that the former owner, or nobody, had.

    ``pending`` are the rows of its model that still ask for something: what is closed stays with its owner.
    ``given_back`` is the undo of a reassignment: the owners that its milestones had before, by id. Only there the person
    may be nobody, or somebody who cannot be reached: that is how it was.
    """
    with transaction.atomic():
        locked = lock(row)
        require(actor, action, locked)
        if not pending.filter(pk=locked.pk).exists():
            raise TransitionRefused(_("This is closed already, so it cannot be reassigned."))
        previous = getattr(locked, field)
        if person is not None and given_back is None:
            check_new_owner(locked, person, field=field)
        locked.version = row.version
        setattr(locked, field, person)
        save_as(locked, actor, reason=reason)
        if person is not None and given_back is None:
            give_milestones_to(locked, owner_id=person.pk, actor=actor, previous=previous)
        else:
            _give_back(locked, given_back or {}, actor=actor, previous=previous)
    return locked


def _give_back(
    row: MilestoneTarget, owners: Mapping[int, int | None], *, actor: User | None, previous: User | None
) -> None:
    """Give the pending milestones in ``owners`` back, as far as they are still ``previous``'s."""
    theirs = row.milestones.pending().filter(pk__in=owners, owner=previous)
    for milestone in theirs.select_for_update(of=("self",), no_key=True):
        milestone.owner_id, milestone.is_put_back = owners[milestone.pk], True
        save_as(milestone, actor)
