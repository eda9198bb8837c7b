"""Activities: started, completed with their next step, postponed; calls and messages logged."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.exceptions import DomainError, EnteredAlready, InvalidInput
from partnerships.models import (
    Activity,
    ActivityCredit,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    ContactNote,
    CooperationArea,
    Milestone,
    MilestoneKind,
    Organization,
    ReminderMark,
    ResearchProject,
    Training,
    User,
    Visit,
)
from partnerships.statuses import ACTIVITY_TRANSITIONS, ActivityStatus
from partnerships.workflows.derivation import Derived, derive_milestones, update_derived
from partnerships.workflows.edits import Aggregate, changed_columns, check_not_in_future, require_at
from partnerships.workflows.milestones import (
    cancel_pending_milestones,
    give_milestones_to,
    is_open_already,
    move_milestones_along,
    new_action_point,
    reassign,
    register_milestone,
)
from partnerships.workflows.transitions import (
    check_day,
    check_input,
    check_new_owner,
    lock,
    take_step,
)

DETAIL_MODELS: dict[str, type[Training] | type[ResearchProject] | type[Visit]] = {
    ActivityKind.TRAINING: Training,
    ActivityKind.RESEARCH_PROJECT: ResearchProject,
    ActivityKind.VISIT: Visit,
}

# Columns that make two activities the same.
SAME_ACTIVITY = frozenset({"unit", "agreement", "kind", "title", "starts_on"})

ACTIVITY = Aggregate(
    Activity,
    "activity.add",
    "activity.edit",
    parts=(ActivityOrganization, ActivityCredit, Training, ResearchProject, Visit),
    # The kind decides which details there are; the next step is entered at the completion.
    fixed=frozenset({"kind", "next_step", "no_next_step_reason"}),
)


def register_activity(
    activity: Activity, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Activity:
    """Plan an activity with its parts: details of its kind, organizations taking part, areas it counts for.

    Its first and its last day become milestones, the first not when it lies before ``today``.
    """
    with transaction.atomic():
        _register(activity, parts, actor=actor)
        follow_activity(activity, actor=actor, on=today)
    return activity


def register_completed_activity(
    activity: Activity,
    *,
    actor: User | None,
    today: dt.date,
    on: dt.date,
    parts: Sequence[models.Model] = (),
    next_step: str = "",
    next_step_on: dt.date | None = None,
    no_next_step_reason: str = "",
) -> Activity:
    """Record an activity that has taken place and was over on ``on``, with what comes next.

    Effects as if it had been planned and completed, but nobody is asked to start or complete it.
    """
    for name in ("starts_on", "ends_on"):
        if getattr(activity, name):
            check_not_in_future(getattr(activity, name), today=today, field=name)
    check_not_in_future(on, today=today, field="on")
    with transaction.atomic():
        _register(activity, parts, actor=actor, done_on=on)
        return complete_activity(
            activity,
            actor=actor,
            on=on,
            summary=activity.summary,
            next_step=next_step,
            next_step_on=next_step_on,
            no_next_step_reason=no_next_step_reason,
            today=today,
        )


def _register(
    activity: Activity, parts: Sequence[models.Model], *, actor: User | None, done_on: dt.date | None = None
) -> None:
    """Save a new activity with its parts, inside the caller's transaction."""
    if activity.agreement:
        activity.agreement = _lock_followed_up(activity.agreement, actor)
    else:
        # A second click waits here until the first is saved, and is then refused.
        activity.unit = lock(activity.unit)
    _check_days(activity)
    _check_details(activity, parts)
    if done_on is None:
        _check_not_ended(activity)
    _refuse_entered_twice(activity, done_on)
    if activity.kind in DETAIL_MODELS and not any(isinstance(part, DETAIL_MODELS[activity.kind]) for part in parts):
        parts = [DETAIL_MODELS[activity.kind](activity=activity), *parts]
    ACTIVITY.register(activity, parts, actor=actor)
    if activity.owner:
        check_new_owner(activity, activity.owner, field="owner")
    _check_credits(activity, parts)
    _check_through(activity)


def credits_of(
    areas: Iterable[CooperationArea],
    organizations: Iterable[Organization],
    *,
    quantities: Mapping[int, int] = MappingProxyType({}),
) -> list[ActivityCredit]:
    """Return the credits that a page offers at first: each area counts for each organization.

    ``quantities`` are by the id of the area; one where it is missing.
    """
    organizations = list(organizations)
    return [
        ActivityCredit(area=area, organization=partner, quantity=quantities.get(area.pk, 1))
        for area in areas
        for partner in organizations
    ]


def edit_activity(
    activity: Activity,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Activity:
    """Change what an activity says of itself, its details, who takes part and what it counts for, as one version.

    Its milestones follow its dates, its title, its unit, its agreement and its owner, who has to see it there. Once it
    is completed, the next contact of its agreement is counted from it.
    """
    with transaction.atomic():
        before, after = ACTIVITY.begin(activity, changes, actor=actor)
        is_moved = after.agreement_id != before.agreement_id
        if is_moved:
            _lock_agreements(before, after, actor)
        _check_days(after)
        if changed_columns(before, after) & SAME_ACTIVITY and after.status != ActivityStatus.CANCELLED:
            if is_moved and not after.completed_on:
                _check_not_ended(after)
            _refuse_entered_twice(after, after.completed_on)
        _check_is_over(before, after)
        _check_details(after, parts)
        if ACTIVITY.finish(before, after, parts, removed, actor=actor):
            _check_credits(after, parts)
            _check_through(after)
            _follow_edit(before, after, actor=actor, on=today)
    return after


def _follow_edit(before: Activity, after: Activity, *, actor: User | None, on: dt.date) -> None:
    if after.owner and changed_columns(before, after) & {"unit", "agreement", "owner"}:
        check_new_owner(after, after.owner, field="owner")
    move_milestones_along(before, after, actor=actor)
    if after.completed_on and after.agreement_id != before.agreement_id:
        for agreement in filter(None, (before.agreement, after.agreement)):
            derive_milestones(agreement, actor=actor, on=on)
    is_given = after.owner_id != before.owner_id
    follow_activity(after, actor=actor, on=on, previous_owner=before.owner if is_given else None)


def _lock_agreements(before: Activity | ContactNote, after: Activity | ContactNote, actor: User | None) -> None:
    """Lock the agreement it leaves and the one it goes to."""
    # By id: two edits at once may move rows between the same agreements in opposite directions.
    pair = [agreement for agreement in (before.agreement, after.agreement) if agreement]
    for agreement in sorted(pair, key=lambda agreement: agreement.pk):
        lock(agreement)
    if after.agreement:
        _lock_followed_up(after.agreement, actor)


def _lock_followed_up(agreement: Agreement, actor: User | None) -> Agreement:
    """Return the agreement, locked, when the actor may follow it up."""
    locked = lock(agreement)
    require_at("agreement", actor, "agreement.follow_up", locked)
    return locked


def _check_not_ended(activity: Activity) -> None:
    """Raise ``InvalidInput`` for something to be done under an agreement that has ended: nobody would be reminded of it."""
    if activity.agreement and activity.agreement.has_ended:
        raise InvalidInput(_("This agreement has ended: choose another one."), field="agreement")


def _check_days(activity: Activity) -> None:
    for name in ("starts_on", "ends_on"):
        if getattr(activity, name):
            check_day(getattr(activity, name), field=name)


def _check_is_over(before: Activity, after: Activity) -> None:
    """Raise ``InvalidInput`` for a day after the one on which the activity was completed."""
    for name in changed_columns(before, after) & {"starts_on", "ends_on"}:
        day = getattr(after, name)
        if day and after.completed_on and day > after.completed_on:
            words = _("It was completed on %(day)s: reopen it to correct the day.")
            raise InvalidInput(words % {"day": after.completed_on.isoformat()}, field=name)


def _check_details(activity: Activity, parts: Iterable[models.Model]) -> None:
    for part in parts:
        for kind, model in DETAIL_MODELS.items():
            if isinstance(part, model) and kind != activity.kind:
                words = _("This belongs to the kind “%(kind)s”: choose that kind or leave this empty.")
                raise InvalidInput(words % {"kind": ActivityKind(kind).label}, part=part)


def _check_credits(activity: Activity, parts: Iterable[models.Model]) -> None:
    """Raise ``InvalidInput`` when the activity counts for an organization that does not take part."""
    # Asked of the saved rows: an edit may remove an organization and leave its credit.
    outside = activity.credits.exclude(organization__in=activity.partners.values("organization"))
    ids = set(outside.values_list("pk", flat=True))
    if ids:
        credit = next((part for part in parts if isinstance(part, ActivityCredit) and part.pk in ids), None)
        words = _("It counts only for organizations that take part.")
        raise InvalidInput(words, field="organization" if credit else "credits", part=credit)


def _check_through(activity: Activity) -> None:
    """Raise ``InvalidInput`` when who arranged the activity is one of its partners, too."""
    if activity.through_id and activity.partners.filter(organization=activity.through_id).exists():
        words = _("A participant cannot also be the intermediary: choose another one, or leave this empty.")
        raise InvalidInput(words, field="through")


def detail_of(activity: Activity) -> Training | ResearchProject | Visit | None:
    """Return the training, research project or visit behind the activity; None for the other kinds."""
    model = DETAIL_MODELS.get(activity.kind)
    return model._base_manager.filter(activity=activity).first() if model else None


def derived_of_activity(activity: Activity) -> list[Derived]:
    """Return the milestones that the activity asks for as it is now: start on its first day, complete on its last.

    Nothing while it is postponed, or once its agreement has ended.
    """
    if activity.agreement and activity.agreement.has_ended:
        return []
    wanted, name, name_zh = [], activity.title, activity.title_zh
    if activity.status == ActivityStatus.PLANNED and activity.starts_on:
        title = gettext_noop("Start “%(name)s”")
        wanted.append(
            Derived("start", MilestoneKind.STARTING_ACTIVITY, title, activity.starts_on, name=name, name_zh=name_zh)
        )
    if activity.status in {ActivityStatus.PLANNED, ActivityStatus.IN_PROGRESS} and activity.planned_end:
        kind, title = MilestoneKind.UNFINISHED_ACTIVITY, gettext_noop("Complete “%(name)s”")
        # Asked for even when the day has passed: an activity that should be over and is not needs attention most.
        wanted.append(Derived("end", kind, title, activity.planned_end, name=name, name_zh=name_zh, asks_late=True))
    return wanted


def follow_activity(
    activity: Activity, *, actor: User | None, on: dt.date, reason: str = "", previous_owner: User | None = None
) -> None:
    """Update the derived milestones of a saved activity; a new owner takes over those of the previous one."""
    with transaction.atomic():
        locked = lock(activity)
        reason = reason or _("The activity no longer asks for it (%(status)s).") % {
            "status": locked.get_status_display()
        }
        wanted, met = derived_of_activity(locked), _done(locked)
        update_derived(locked, wanted, owner=locked.owner, actor=actor, on=on, reason=reason, met=met, not_before=on)
        if previous_owner is not None:
            give_milestones_to(locked, owner_id=locked.owner_id, actor=actor, previous=previous_owner)


def _done(activity: Activity) -> dict[str, str]:
    """Return the keys of the derived milestones that are met, with the evidence."""
    if activity.completed_on:
        return dict.fromkeys(("start", "end"), _("Completed on %(day)s.") % {"day": activity.completed_on.isoformat()})
    if activity.status == ActivityStatus.IN_PROGRESS and activity.started_on:
        return {"start": _("Started on %(day)s.") % {"day": activity.started_on.isoformat()}}
    return {}


def lock_unfinished(agreement: Agreement) -> list[Activity]:
    """Lock and return the unfinished activities under an agreement. Call it before the agreement is locked."""
    return list(agreement.activities.unfinished().order_by("pk").select_for_update(no_key=True, of=("self",)))


def start_activity(activity: Activity, *, actor: User | None, on: dt.date) -> Activity:
    return _step_and_follow(activity, "start", actor=actor, on=on)


def complete_activity(
    activity: Activity,
    *,
    actor: User | None,
    on: dt.date,
    summary: str,
    next_step: str = "",
    next_step_on: dt.date | None = None,
    no_next_step_reason: str = "",
    today: dt.date | None = None,
) -> Activity:
    """Complete it on ``on``, with its result and the next step, or the reason why there is none.

    ``today`` is the day on which it is entered, where that is another one.

    Effects in order: status and dates; the next step becomes an action point of the owner; the agreement's next contact
    moves; its own milestones are met.
    """
    _check_next_step(on, next_step, next_step_on, no_next_step_reason)
    with transaction.atomic():
        done = _step(
            activity,
            "complete",
            actor=actor,
            on=on,
            summary=summary.strip() or activity.summary,
            next_step=next_step.strip(),
            no_next_step_reason=no_next_step_reason.strip(),
        )
        if next_step_on:
            _register_next_step(done, next_step_on, actor=actor, today=on)
        if done.agreement:
            derive_milestones(done.agreement, actor=actor, on=today or on)
        # After the agreement: a verb that ends the agreement locks it before the milestones of its activities.
        follow_activity(done, actor=actor, on=on)
    return done


def postpone_activity(activity: Activity, *, actor: User | None, on: dt.date, reason: str) -> Activity:
    """Postpone it: nobody is asked to start or complete it until it is planned again."""
    return _step_and_follow(activity, "postpone", actor=actor, on=on, reason=reason)


def replan_activity(
    activity: Activity, *, actor: User | None, on: dt.date, starts_on: dt.date | None = None
) -> Activity:
    """Plan a postponed activity again, for ``starts_on`` where it is known."""
    if starts_on:
        check_day(starts_on, field="starts_on")
    # The former last day belongs to the former plan, and may lie before the new first day.
    return _step_and_follow(activity, "replan", actor=actor, on=on, starts_on=starts_on, ends_on=None)


def cancel_activity(activity: Activity, *, actor: User | None, on: dt.date, reason: str) -> Activity:
    """Cancel it: it will not take place. Its pending milestones are cancelled with the reason."""
    with transaction.atomic():
        cancelled = _step(activity, "cancel", actor=actor, on=on, reason=reason)
        cancel_pending_milestones(cancelled, actor=actor, on=on, reason=reason)
    return cancelled


def reopen_activity(
    activity: Activity, *, actor: User | None, on: dt.date, reason: str, today: dt.date | None = None
) -> Activity:
    """Correct a completion or cancellation in error. It has to be completed again.

    The agreement's next contact is counted anew.
    """
    with transaction.atomic():
        reopened = _step(activity, "reopen", actor=actor, on=on, reason=reason)
        if reopened.agreement:
            derive_milestones(reopened.agreement, actor=actor, on=today or on)
        follow_activity(reopened, actor=actor, on=on)
    return reopened


def assign_activity(
    activity: Activity,
    *,
    actor: User | None,
    owner: User | None,
    reason: str = "",
    given_back: Mapping[int, int | None] | None = None,
) -> Activity:
    """Give it to another person, with its milestones; they must be able to see it and be reached.

    ``given_back`` undoes that, see ``reassign``.
    """
    unfinished = Activity.objects.unfinished()
    return reassign(
        activity, owner, actor=actor, action="activity.edit", pending=unfinished, reason=reason, given_back=given_back
    )


STEPS: dict[str, Callable[..., Activity]] = {
    "start": start_activity,
    "complete": complete_activity,
    "postpone": postpone_activity,
    "replan": replan_activity,
    "cancel": cancel_activity,
    "reopen": reopen_activity,
}


CONTACT_NOTE = Aggregate(ContactNote, "contact_note.add", "contact_note.edit")


def register_contact_note(
    note: ContactNote, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> ContactNote:
    """Log a call or message; the actor is its author, and the agreement's next contact is counted from it.

    Raises ``InvalidInput`` without a word of what was said, when it is about nothing, when the contact works for another
    organization, and when the same was logged already.
    """
    note.author = actor
    _complete_note(note, today=today)
    _check_milestone(note, actor)
    with transaction.atomic():
        if note.agreement:
            # Before the search for duplicates: of two identical notes at once the second waits and is refused.
            _lock_followed_up(note.agreement, actor)
        _refuse_twice(note)
        CONTACT_NOTE.register(note, parts, actor=actor)
        mark_answered(note)
        if note.agreement:
            derive_milestones(note.agreement, actor=actor, on=today)
    return note


def mark_answered(note: ContactNote) -> None:
    """Mark the milestones whose unanswered reminder this note answers, or did: their escalation is planned anew."""
    about = Q(pk=note.milestone_id) if note.milestone_id else Q(agreement__isnull=False, agreement=note.agreement)
    # Whatever became of the escalation: the one of a note that turns out to be about something else was cancelled.
    ReminderMark.leave_on(Milestone.objects.pending().filter(about, reminder_plans__unanswered_at__isnull=False))


def edit_contact_note(
    note: ContactNote,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> ContactNote:
    """Correct what was logged. For the agreement and the milestone before, too, contacts and answers are counted anew."""
    with transaction.atomic():
        before, after = CONTACT_NOTE.begin(note, changes, actor=actor)
        _complete_note(after, today=today)
        if changed_columns(before, after) & {"milestone", "agreement", "organization"}:
            _check_milestone(after, actor)
        if changed_columns(before, after):
            _refuse_twice(after)
        if after.agreement_id != before.agreement_id:
            _lock_agreements(before, after, actor)
        if CONTACT_NOTE.finish(before, after, parts, removed, actor=actor):
            for row in (before, after):
                mark_answered(row)
            for agreement in {row.agreement_id: row.agreement for row in (before, after) if row.agreement}.values():
                derive_milestones(agreement, actor=actor, on=today)
    return after


def _complete_note(note: ContactNote, *, today: dt.date) -> None:
    """Check what a note says; a contact says about which organization it is."""
    note.summary = note.summary.strip()
    if not note.summary:
        raise InvalidInput(_("Say in a few words what was said."), field="summary")
    check_not_in_future(note.happened_on, today=today, field="happened_on")
    if not (note.agreement or note.organization or note.contact):
        raise InvalidInput(_("Say which agreement or organization this is about."), field="agreement")
    if note.contact and note.organization and note.contact.organization_id != note.organization.pk:
        raise InvalidInput(_("This contact belongs to another organization."), field="contact")
    if note.contact:
        note.organization = note.contact.organization


def _check_milestone(note: ContactNote, actor: User | None) -> None:
    """Raise unless the note is about what its milestone is about, and the actor follows that up: it counts as an answer."""
    if note.milestone is None:
        return
    require_at("milestone", actor, "contact_note.add", note.milestone)
    about = note.milestone.agreement or note.milestone.organization
    if about is None or about not in {note.agreement, note.organization}:
        raise InvalidInput(_("This milestone is about another agreement or organization."), field="milestone")


def _refuse_entered_twice(activity: Activity, done_on: dt.date | None) -> None:
    """Refuse what a second click enters again: the same to be done, or the same done on the same day."""
    # PostgreSQL refuses a NUL in a condition as well, so the input is checked before it is searched for.
    check_input(activity)
    rows = Activity.objects.filter(completed_on=done_on) if done_on else Activity.objects.unfinished()
    same = {name: getattr(activity, name) for name in SAME_ACTIVITY}
    found = rows.filter(**same).exclude(pk=activity.pk).values_list("pk", flat=True).first()
    if found is None:
        return
    if done_on:
        words = _("This activity is recorded already. If yours is another one, enter a title of its own.")
    else:
        words = _("This activity is planned already. If yours is another one, enter a title of its own.")
    raise EnteredAlready(words, field="title", found=found)


def _refuse_twice(note: ContactNote) -> None:
    """Refuse the same words that a second click sends again."""
    check_input(note)
    same = ("author", "unit", "agreement", "organization", "milestone", "channel", "happened_on", "summary")
    rows = ContactNote.objects.filter(**{name: getattr(note, name) for name in same if getattr(note, name)})
    if rows.exclude(pk=note.pk).exists():
        raise InvalidInput(_("This is logged already."), field="summary")


def _step(activity: Activity, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Activity:
    return take_step(activity, ACTIVITY_TRANSITIONS, name, actor=actor, on=on, **more)


def _step_and_follow(activity: Activity, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Activity:
    with transaction.atomic():
        changed = _step(activity, name, actor=actor, on=on, **more)
        follow_activity(changed, actor=actor, on=on, reason=more.get("reason", ""))
    return changed


def _check_next_step(on: dt.date, next_step: str, next_step_on: dt.date | None, no_reason: str) -> None:
    if not next_step.strip() and not no_reason.strip():
        raise InvalidInput(_("Say what comes next, or why nothing does."), field="next_step")
    if next_step.strip() and no_reason.strip():
        raise InvalidInput(_("Either there is a next step, or a reason why not."), field="no_next_step_reason")
    if next_step.strip() and next_step_on is None:
        raise InvalidInput(_("By when?"), field="next_step_on")
    if next_step_on and not next_step.strip():
        raise InvalidInput(_("Say what has to be done by then."), field="next_step")
    if next_step_on:
        check_day(next_step_on, field="next_step_on")
    if next_step_on and next_step_on < on:
        raise InvalidInput(_("The next step cannot be due before the activity was completed."), field="next_step_on")


def _register_next_step(activity: Activity, due_on: dt.date, *, actor: User | None, today: dt.date) -> None:
    """Make the next step an action point of the owner, or of the actor where the owner cannot be reached."""
    owner = next((person for person in (activity.owner, actor) if person and person.is_reachable), None)
    milestone = new_action_point(
        activity, title=activity.next_step, due_on=due_on, owner=owner, is_sample=activity.is_sample
    )
    # An activity that is reopened and completed again may have the same next step.
    if is_open_already(milestone):
        return
    try:
        register_milestone(milestone, actor=actor, today=today)
    except DomainError as error:
        error.field = "next_step_on" if error.field == "due_on" else "next_step"
        raise
