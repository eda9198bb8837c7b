"""Follow-ups: started, completed with their next step, postponed; calls and messages logged."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.exceptions import InvalidInput
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
from partnerships.permissions import require
from partnerships.statuses import ACTIVITY_TRANSITIONS, ActivityStatus, PlanStatus
from partnerships.workflows.milestones import (
    Derived,
    cancel_pending_milestones,
    derive_milestones,
    follow_owner,
    give_to,
    keep_in_step,
)
from partnerships.workflows.transitions import (
    check_day,
    check_input,
    delete_as,
    lock,
    lock_as_read,
    save_as,
    take_step,
)

DETAIL_MODELS: dict[str, type[Training] | type[ResearchProject] | type[Visit]] = {
    ActivityKind.TRAINING: Training,
    ActivityKind.RESEARCH_PROJECT: ResearchProject,
    ActivityKind.VISIT: Visit,
}


def plan_activity(
    *,
    actor: User | None,
    on: dt.date,
    organizations: Iterable[Organization] = (),
    areas: Iterable[CooperationArea] = (),
    details: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Activity:
    """Plans a follow-up: ``columns`` are its own, ``details`` those of its kind's table: training, project or visit.

    Effects in order: the activity; its details; the organizations taking part; each of ``areas`` credited to each; its
    first and its last day become milestones, the first not when it lies before ``on``, the day of planning.
    """
    activity = Activity(**columns)
    with transaction.atomic():
        _add(activity, actor=actor, organizations=organizations, areas=areas, details=details or {})
        follow_activity(activity, actor=actor, on=on)
    return activity


def record_activity(
    *,
    actor: User | None,
    on: dt.date,
    next_step: str = "",
    next_step_on: dt.date | None = None,
    no_next_step_reason: str = "",
    organizations: Iterable[Organization] = (),
    areas: Iterable[CooperationArea] = (),
    details: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Activity:
    """Records a follow-up that has taken place and was over on ``on``; ``columns`` as in ``plan_activity``.

    Effects in order: as if planned, but nobody is asked to start or complete it; completed with what comes next.
    """
    activity = Activity(**columns)
    with transaction.atomic():
        _add(activity, actor=actor, organizations=organizations, areas=areas, details=details or {}, done_on=on)
        return complete_activity(
            activity,
            actor=actor,
            on=on,
            summary=activity.summary,
            next_step=next_step,
            next_step_on=next_step_on,
            no_next_step_reason=no_next_step_reason,
        )


def _add(
    activity: Activity,
    *,
    actor: User | None,
    organizations: Iterable[Organization],
    areas: Iterable[CooperationArea],
    details: Mapping[str, Any],
    done_on: dt.date | None = None,
) -> None:
    """A new activity with its parts, inside the caller's transaction. The same entered twice at once stands in line."""
    if activity.agreement:
        activity.agreement = lock(activity.agreement)
        require(actor, "agreement.follow_up", activity.agreement)
    else:
        activity.unit = lock(activity.unit)
    require(actor, "activity.add", activity)
    _check_days(activity)
    _refuse_entered_twice(activity, done_on)
    save_as(activity, actor)
    if activity.kind in DETAIL_MODELS:
        save_as(DETAIL_MODELS[activity.kind](activity=activity, **details), actor)
    for organization in organizations:
        save_as(ActivityOrganization(activity=activity, organization=organization), actor)
    credit_areas(activity, actor=actor, areas=areas)


def _check_days(activity: Activity) -> None:
    for name in ("starts_on", "ends_on"):
        day = getattr(activity, name)
        if day:
            check_day(day, field=name)
    if activity.ends_on and (activity.starts_on is None or activity.ends_on < activity.starts_on):
        raise InvalidInput(_("An activity cannot end before it starts."), field="ends_on")


def edit_activity(
    activity: Activity,
    *,
    actor: User | None,
    on: dt.date,
    changes: Mapping[str, Any],
    details: Mapping[str, Any],
    organizations: Iterable[Organization],
    credited: Iterable[tuple[int, int]],
) -> Activity:
    """Changes what it says of itself; ``activity`` has the version it was read with.

    ``changes`` are columns of it and ``details`` of its kind's table. Afterwards exactly ``organizations`` take part,
    and it counts for exactly ``credited``: pairs of an area's and an organization's id.

    Effects in order: the activity, its details, who takes part, what it counts for, as one version and none where
    nothing changed; its milestones follow its dates and its title.
    """
    with transaction.atomic():
        locked = lock_as_read(activity)
        require(actor, "activity.edit", locked)
        changes = _changed(locked, changes)
        _set_columns(locked, changes)
        _check_days(locked)
        _check_is_over(locked, changes)
        if changes:
            save_as(locked, actor)
        has_other_parts = [
            _edit_details(locked, details, actor=actor),
            _keep_partners(locked, {organization.pk for organization in organizations}, actor=actor),
            _keep_credits(locked, set(credited), actor=actor),
        ]
        if any(has_other_parts) and not changes:
            locked.touch()
        follow_activity(locked, actor=actor, on=on)
    return locked


def _changed(row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def _check_is_over(activity: Activity, changes: Mapping[str, Any]) -> None:
    """What is completed did not take place afterwards."""
    for name in ("starts_on", "ends_on"):
        day = changes.get(name)
        if day and activity.completed_on and day > activity.completed_on:
            words = _("It was completed on %(day)s: reopen it to correct the day.")
            raise InvalidInput(words % {"day": activity.completed_on.isoformat()}, field=name)


def _set_columns(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    check_input(row, values)


def detail_of(activity: Activity) -> Training | ResearchProject | Visit | None:
    """The training, research project or visit behind the activity; None for the other kinds."""
    model = DETAIL_MODELS.get(activity.kind)
    return model._base_manager.filter(activity=activity).first() if model else None


def _edit_details(activity: Activity, details: Mapping[str, Any], *, actor: User | None) -> bool:
    """Whether anything changed."""
    if not details:
        return False
    row = detail_of(activity) or DETAIL_MODELS[activity.kind](activity=activity)
    changes = _changed(row, details)
    if changes:
        _set_columns(row, changes)
        save_as(row, actor)
    return bool(changes)


def _keep_partners(activity: Activity, wanted: set[int], *, actor: User | None) -> bool:
    """Whether anything changed."""
    known = {row.organization_id: row for row in activity.partners.all()}
    for pk in sorted(known.keys() - wanted):
        delete_as(known[pk], actor)
    for pk in sorted(wanted - known.keys()):
        save_as(ActivityOrganization(activity=activity, organization_id=pk), actor)
    return known.keys() != wanted


def _keep_credits(activity: Activity, wanted: set[tuple[int, int]], *, actor: User | None) -> bool:
    """Whether anything changed."""
    known = {(row.area_id, row.organization_id): row for row in activity.credits.all()}
    taking_part = set(activity.partners.values_list("organization_id", flat=True))
    if any(organization_id not in taking_part for _area_id, organization_id in wanted):
        raise InvalidInput(_("It counts only for organizations that take part."), field="credits")
    for pair in sorted(known.keys() - wanted):
        delete_as(known[pair], actor)
    for area_id, organization_id in sorted(wanted - known.keys()):
        save_as(ActivityCredit(activity=activity, area_id=area_id, organization_id=organization_id), actor)
    return known.keys() != wanted


def derived_of_activity(activity: Activity) -> list[Derived]:
    """What should be there for the activity as it is now: to be started on its first day, completed on its last.

    Nothing while it is postponed, or once its agreement has ended.
    """
    if activity.agreement and activity.agreement.has_ended:
        return []
    wanted = []
    if activity.status == ActivityStatus.PLANNED and activity.starts_on:
        title = gettext_noop("Start “%(name)s”")
        wanted.append(Derived("start", MilestoneKind.STARTING_ACTIVITY, title, activity.starts_on, name=activity.title))
    if activity.status in {ActivityStatus.PLANNED, ActivityStatus.IN_PROGRESS} and activity.planned_end:
        kind, title = MilestoneKind.UNFINISHED_ACTIVITY, gettext_noop("Complete “%(name)s”")
        # Asked for late, too: what should be over by now and is not needs somebody more than anything else.
        wanted.append(Derived("end", kind, title, activity.planned_end, name=activity.title, asks_late=True))
    return wanted


def follow_activity(
    activity: Activity, *, actor: User | None, on: dt.date, reason: str = "", previous_owner: User | None = None
) -> None:
    """Brings the derived milestones of a saved activity in step with it; a new owner takes over from the previous."""
    with transaction.atomic():
        locked = lock(activity)
        reason = reason or _("The activity no longer asks for it (%(status)s).") % {
            "status": locked.get_status_display()
        }
        wanted, met = derived_of_activity(locked), _done(locked)
        keep_in_step(locked, wanted, owner=locked.owner, actor=actor, on=on, reason=reason, met=met, not_before=on)
        if previous_owner is not None:
            follow_owner(locked, owner_id=locked.owner_id, actor=actor, previous=previous_owner)


def _done(activity: Activity) -> dict[str, str]:
    """Keys of what was done, with the evidence."""
    if activity.completed_on:
        return dict.fromkeys(("start", "end"), _("Completed on %(day)s.") % {"day": activity.completed_on.isoformat()})
    if activity.status == ActivityStatus.IN_PROGRESS and activity.started_on:
        return {"start": _("Started on %(day)s.") % {"day": activity.started_on.isoformat()}}
    return {}


def lock_unfinished(agreement: Agreement) -> list[Activity]:
    """The activities under an agreement that still ask for something, locked before it is: activities come first."""
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
) -> Activity:
    """Completes it on ``on``, with what came of it and what comes next; "nothing" is an answer, with a reason.

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
            _make_action_point(done, next_step.strip(), next_step_on, actor=actor)
        if done.agreement:
            derive_milestones(done.agreement, actor=actor, on=on)
        # After the agreement: who ends that locks it first and the milestones of its activities then.
        follow_activity(done, actor=actor, on=on)
    return done


def postpone_activity(activity: Activity, *, actor: User | None, on: dt.date, reason: str) -> Activity:
    """Nobody is asked to start or complete it until it is planned again."""
    return _step_and_follow(activity, "postpone", actor=actor, on=on, reason=reason)


def replan_activity(
    activity: Activity, *, actor: User | None, on: dt.date, starts_on: dt.date | None = None
) -> Activity:
    """Plans a postponed activity again, for ``starts_on`` where it is known."""
    if starts_on:
        check_day(starts_on, field="starts_on")
    return _step_and_follow(activity, "replan", actor=actor, on=on, starts_on=starts_on, ends_on=None)


def cancel_activity(activity: Activity, *, actor: User | None, on: dt.date, reason: str) -> Activity:
    """It will not take place; what was still to be done for it is cancelled with the reason."""
    with transaction.atomic():
        cancelled = _step(activity, "cancel", actor=actor, on=on, reason=reason)
        cancel_pending_milestones(cancelled, actor=actor, on=on, reason=reason)
    return cancelled


def reopen_activity(activity: Activity, *, actor: User | None, on: dt.date, reason: str) -> Activity:
    """A correction: it was completed or cancelled in error. It has to be completed again.

    The agreement's next contact is counted anew.
    """
    with transaction.atomic():
        reopened = _step(activity, "reopen", actor=actor, on=on, reason=reason)
        if reopened.agreement:
            derive_milestones(reopened.agreement, actor=actor, on=on)
        follow_activity(reopened, actor=actor, on=on)
    return reopened


def assign_activity(activity: Activity, *, actor: User | None, owner: User, reason: str = "") -> Activity:
    """Gives it to another person, with its milestones; they must be able to see it and be reached."""
    unfinished = Activity.objects.unfinished()
    return give_to(activity, owner, actor=actor, action="activity.edit", pending=unfinished, reason=reason)


STEPS: dict[str, Callable[..., Activity]] = {
    "start": start_activity,
    "complete": complete_activity,
    "postpone": postpone_activity,
    "replan": replan_activity,
    "cancel": cancel_activity,
    "reopen": reopen_activity,
}


def credit_areas(activity: Activity, *, actor: User | None, areas: Iterable[CooperationArea]) -> None:
    """The default credits: each of ``areas`` x each organization taking part, where they are not there yet."""
    partners = Organization.objects.filter(activity_rows__activity=activity)
    known = set(activity.credits.values_list("area_id", "organization_id"))
    with transaction.atomic():
        require(actor, "activity.edit", activity)
        for area in areas:
            for organization in partners:
                if (area.pk, organization.pk) not in known:
                    save_as(ActivityCredit(activity=activity, area=area, organization=organization), actor)


def log_contact(*, actor: User | None, on: dt.date, **columns: Any) -> ContactNote:
    """Logs a call or message that happened on ``on``: ``columns`` say through which channel, about what, for which unit.

    The agreement's next contact is counted from it. Raises ``InvalidInput`` without a word of what was said, when it is
    about nothing, or when the contact works for another organization.
    """
    note = ContactNote(author=actor, happened_on=on, **columns)
    note.summary = note.summary.strip()
    _check_note(note)
    if note.contact:
        note.organization = note.contact.organization
    with transaction.atomic():
        if note.agreement:
            # Before the note, which takes a share of the agreement: two calls logged at once stand in line.
            require(actor, "agreement.follow_up", lock(note.agreement))
        require(actor, "contact_note.add", note)
        _refuse_twice(note)
        save_as(note, actor)
        mark_answered(note)
        if note.agreement:
            derive_milestones(note.agreement, actor=actor, on=on)
    return note


def mark_answered(note: ContactNote) -> None:
    """Mark the milestones whose unanswered reminder this note answers: their escalation is planned anew."""
    about = Q(pk=note.milestone_id) if note.milestone_id else Q(agreement__isnull=False, agreement=note.agreement)
    waiting = Milestone.objects.filter(about, reminder_plans__unanswered_at__isnull=False)
    ReminderMark.leave_on(waiting.filter(reminder_plans__status=PlanStatus.PLANNED))


def _check_note(note: ContactNote) -> None:
    if not note.summary:
        raise InvalidInput(_("Say in a few words what was said."), field="summary")
    check_day(note.happened_on, field="on")
    if not (note.agreement or note.organization or note.contact):
        raise InvalidInput(_("Say which agreement or organization this is about."))
    if note.contact and note.organization and note.contact.organization_id != note.organization.pk:
        raise InvalidInput(_("This contact belongs to another organization."), field="contact")


def _refuse_entered_twice(activity: Activity, done_on: dt.date | None) -> None:
    """A second click enters the same thing again: still to be done, or done on the same day."""
    check_input(activity)  # what a column does not take cannot be looked for either
    rows = Activity.objects.filter(completed_on=done_on) if done_on else Activity.objects.unfinished()
    same = ("unit", "agreement", "kind", "title", "starts_on")
    if rows.filter(**{name: getattr(activity, name) for name in same}).exists():
        words = _("This follow-up is recorded already.") if done_on else _("This follow-up is planned already.")
        raise InvalidInput(words, field="title")


def _refuse_twice(note: ContactNote) -> None:
    """A second click sends the same words again."""
    check_input(note)
    same = ("author", "unit", "agreement", "organization", "milestone", "channel", "happened_on", "summary")
    if ContactNote.objects.filter(**{name: getattr(note, name) for name in same if getattr(note, name)}).exists():
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


def _make_action_point(activity: Activity, title: str, due_on: dt.date, *, actor: User | None) -> None:
    """Once: an activity that is reopened and completed again asks for the same thing."""
    if activity.milestones.pending().filter(kind=MilestoneKind.ACTION_POINT, title=title, due_on=due_on).exists():
        return
    milestone = Milestone(
        unit_id=activity.unit_id,
        kind=MilestoneKind.ACTION_POINT,
        activity=activity,
        agreement_id=activity.agreement_id,
        title=title,
        due_on=due_on,
        owner=activity.owner or actor,
        is_sample=activity.is_sample,
    )
    save_as(milestone, actor)
