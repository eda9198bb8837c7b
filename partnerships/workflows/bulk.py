"""Acts on many rows at once: each row goes through the verb that a single record has.

One table says what can be done with which kind of row. A preview runs the same code and rolls it back.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from partnerships.acts import one_act, recorded_as
from partnerships.dates import add_months
from partnerships.exceptions import DomainError, InvalidInput, StaleVersion, TransitionRefused
from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    BulkAct,
    ContactNote,
    Demand,
    Facility,
    Milestone,
    MilestoneKind,
    ProgrammeItem,
    User,
)
from partnerships.models.office_day import office_day
from partnerships.models.terms import automatic_renewals
from partnerships.permissions import may, refusal
from partnerships.texts import LazyText
from partnerships.workflows.activities import edit_activity, postpone_activity, register_contact_note
from partnerships.workflows.agreements import complete_agreement, edit_agreement
from partnerships.workflows.milestones import (
    assign_milestone,
    dates_ended,
    dates_under,
    meet_milestone,
    move_milestone,
    note_milestone,
    snooze_milestone,
    submit_milestone,
)
from partnerships.workflows.terms import confirm_renewal, renew_agreement
from partnerships.workflows.transitions import check_day
from partnerships.workflows.undo import (
    ASSIGN,
    RowChange,
    change_of_owner,
    lock_agreements_of,
    lock_visible,
    owners_of_milestones,
    part_values,
    record_act,
    row_change,
)

# Rows of one act: one transaction locks them all, and each takes a verb.
MOST_ROWS = 500

SNOOZED = ("snoozed_until", "snooze_reason")
MOVED = ("due_on", "scheduled_on", "override_reason", "overridden_at", *SNOOZED)


class Picked(NamedTuple):
    """A chosen row, with the version that the person saw if the page knew it."""

    pk: int
    version: int | None = None


@dataclass(frozen=True)
class Circumstances:
    """Common to all rows of an act: what was entered, by whom and when."""

    actor: User
    now: dt.datetime
    values: Mapping[str, Any]

    def today(self, row: Model) -> dt.date:
        return office_day(row, self.now)


@dataclass(frozen=True)
class BulkKind:
    """An act that can be done with many rows of ``model``: its words, its permission and the function for one row."""

    key: str
    label: LazyText
    past: LazyText
    model: type[Any]
    permission: str
    do: Callable[[Any, Circumstances], RowChange]
    shortcut: str = ""
    # The others come after these in the bar.
    is_in_front: bool = True


@dataclass
class BulkOutcome:
    """The result of an act: the changes, the rows refused with the reason, and how many were not there any more."""

    changes: list[RowChange] = field(default_factory=list)
    refused: list[tuple[Model, str]] = field(default_factory=list)
    gone: int = 0
    act: BulkAct | None = None

    @property
    def not_undoable(self) -> int:
        return sum(not change.undo for change in self.changes)

    @property
    def is_undone_in_part(self) -> bool:
        """Whether an undo would put back some of the rows, and others not."""
        return 0 < self.not_undoable < len(self.changes)


def _reassign(row: Any, given: Circumstances) -> RowChange:
    person = "coordinator" if isinstance(row, Agreement) else "owner"
    new_owner = given.values["owner"]
    if getattr(row, f"{person}_id") == new_owner.pk:
        raise InvalidInput(_("Already assigned to this person."))
    if isinstance(row, Milestone):
        changed = assign_milestone(row, actor=given.actor, owner=new_owner)
        return row_change(row, changed, ["owner"], undo="columns", action="milestone.assign")
    owners = owners_of_milestones(row)
    after = ASSIGN[type(row)](row, actor=given.actor, **{person: new_owner})
    return change_of_owner(row, after, person, owners)


def _new_day(given: Circumstances, day: dt.date | None, name: str) -> dt.date:
    """Return the day entered, or ``day`` moved by the number of days entered."""
    if given.values[name]:
        return given.values[name]
    if day is None:
        raise InvalidInput(_("It has no date yet: choose a day."))
    return day + dt.timedelta(days=given.values["days"])


def _move(row: Milestone, given: Circumstances) -> RowChange:
    due_on = _new_day(given, row.due_on, "due_on")
    moved = move_milestone(row, actor=given.actor, at=given.now, due_on=due_on, reason=given.values["reason"])
    return row_change(row, moved, MOVED, undo="columns", action="milestone.move")


def _snooze(row: Milestone, given: Circumstances) -> RowChange:
    asked = {name: given.values[name] for name in ("until", "reason")}
    snoozed = snooze_milestone(row, actor=given.actor, on=given.today(row), **asked)
    return row_change(row, snoozed, SNOOZED, undo="columns", action="milestone.snooze")


def _finish(row: Milestone, given: Circumstances) -> RowChange:
    """Mark as done; what a lead accepts is submitted, and news is marked as noted."""
    on, evidence = given.values["on"], given.values["evidence"]
    if row.kind == MilestoneKind.NEW_HOLDER:
        _check_may(given.actor, "milestone.accept", row)
        return row_change(row, note_milestone(row, actor=given.actor, on=on), ["status"], undo="")
    verb = submit_milestone if row.requires_acceptance else meet_milestone
    done = verb(row, actor=given.actor, on=on, evidence=evidence)
    return row_change(row, done, ["status", "evidence", *SNOOZED], undo="" if row.recurs_every_months else "step")


def _log(row: Agreement | Milestone, given: Circumstances) -> RowChange:
    milestone = row if isinstance(row, Milestone) else None
    note = ContactNote(
        unit=row.unit,
        agreement=row.agreement if isinstance(row, Milestone) else row,
        organization=milestone.organization if milestone else None,
        milestone=milestone,
        channel=given.values["channel"],
        happened_on=given.values["on"],
        summary=given.values["summary"],
    )
    register_contact_note(note, actor=given.actor, today=given.today(row))
    # A participating unit may log a contact but not delete it, so its note has no undo.
    undo = "note" if may(given.actor, "contact_note.edit", note) else ""
    return row_change(row, row, (), undo=undo, note=note.pk, version=note.version)


def _set_unit(row: Agreement, given: Circumstances) -> RowChange:
    unit = given.values["unit"]
    if row.unit_id == unit.pk:
        raise InvalidInput(_("It belongs to this unit already."))
    along = row.milestones.pending().filter(unit=row.unit_id).order_by()
    ids = list(along.values_list("pk", flat=True))
    moved = edit_agreement(row, actor=given.actor, today=given.today(row), changes={"unit": unit})
    return row_change(row, moved, ["unit"], undo="unit", milestones=ids)


def _add_programme(row: Agreement, given: Circumstances) -> RowChange:
    return _add_part(row, ProgrammeItem(programme=given.values["programme"]), "programme", given)


def _add_area(row: Agreement, given: Circumstances) -> RowChange:
    return _add_part(row, AgreementArea(area=given.values["area"]), "area", given)


def _add_part(row: Agreement, part: Any, name: str, given: Circumstances) -> RowChange:
    edit_agreement(row, actor=given.actor, today=given.today(row), parts=[part])
    after, about = {name: given.values[name].pk}, {"part": name, "pk": part.pk, "values": part_values(part)}
    return RowChange("agreement", row.pk, "part", {name: None}, after, about)


def _renew(row: Agreement, given: Circumstances) -> RowChange:
    """Record the automatic renewals that began; where there are none, a renewal by the months entered."""
    today, renewals = given.today(row), automatic_renewals(row.terms.all())
    if renewals and renewals.elapsed(today):
        confirm_renewal(row, actor=given.actor, on=today)
    else:
        term = row.current_term
        ends_on = add_months(term.ends_on, given.values["months"]) if term and term.ends_on else None
        renew_agreement(row, actor=given.actor, on=today, ends_on=ends_on)
    renewed = Agreement.objects.get(pk=row.pk)
    return row_change(row, renewed, ["current_ends_on"], undo="")


def _complete(row: Agreement, given: Circumstances) -> RowChange:
    completed = complete_agreement(row, actor=given.actor, on=given.values["on"])
    return row_change(row, completed, ["status"], undo="reinstate")


def _move_activity(row: Activity, given: Circumstances) -> RowChange:
    if not Activity.objects.unfinished().filter(pk=row.pk).exists():
        raise TransitionRefused(_("Already finished or cancelled."))
    starts_on = _new_day(given, row.starts_on, "starts_on")
    check_day(starts_on, field="starts_on")  # the end is counted from it
    if starts_on == row.starts_on:
        raise InvalidInput(_("The date is unchanged."))
    changes: dict[str, object] = {"starts_on": starts_on}
    if row.ends_on and row.starts_on:
        changes["ends_on"] = row.ends_on + (starts_on - row.starts_on)
    moved = edit_activity(row, actor=given.actor, today=given.today(row), changes=changes)
    return row_change(row, moved, ["starts_on", "ends_on"], undo="days")


def _postpone(row: Activity, given: Circumstances) -> RowChange:
    postponed = postpone_activity(row, actor=given.actor, on=given.today(row), reason=given.values["reason"])
    return row_change(row, postponed, ["status", "starts_on", "ends_on"], undo="replan")


# These change milestones of the record, which are no longer snoozed or moved then.
END_DATES = frozenset({_log, _complete, _move_activity, _postpone})

_assigns = partial(
    BulkKind, "reassign", gettext_lazy("Reassign"), gettext_lazy("Reassigned"), do=_reassign, shortcut="a"
)
_logs = partial(BulkKind, "log", gettext_lazy("Log contact"), gettext_lazy("Contact logged"), do=_log, shortcut="l")
_MOVE_LABEL, _MOVE_PAST = gettext_lazy("Move date"), gettext_lazy("Date moved")
KINDS: Sequence[BulkKind] = (
    BulkKind(
        "done",
        gettext_lazy("Mark as done"),
        gettext_lazy("Marked as done"),
        Milestone,
        "milestone.act",
        _finish,
        shortcut="e",
    ),
    BulkKind(
        "snooze",
        gettext_lazy("Snooze"),
        gettext_lazy("Snoozed"),
        Milestone,
        "milestone.snooze",
        _snooze,
        shortcut="s",
    ),
    BulkKind("move", _MOVE_LABEL, _MOVE_PAST, Milestone, "milestone.move", _move, shortcut="d"),
    _assigns(model=Milestone, permission="milestone.assign"),
    _logs(model=Milestone, permission="contact_note.add"),
    _assigns(model=Agreement, permission="agreement.edit"),
    _logs(model=Agreement, permission="contact_note.add"),
    BulkKind("renew", gettext_lazy("Renew"), gettext_lazy("Renewal recorded"), Agreement, "agreement.amend", _renew),
    BulkKind(
        "complete",
        pgettext_lazy("verb", "Complete"),
        gettext_lazy("Completed"),
        Agreement,
        "agreement.complete",
        _complete,
        is_in_front=False,
    ),
    BulkKind(
        "unit",
        gettext_lazy("Set unit"),
        gettext_lazy("Unit set"),
        Agreement,
        "agreement.edit",
        _set_unit,
        is_in_front=False,
    ),
    BulkKind(
        "programme",
        gettext_lazy("Add to program"),
        gettext_lazy("Added to the program"),
        Agreement,
        "agreement.edit",
        _add_programme,
        is_in_front=False,
    ),
    BulkKind(
        "area",
        gettext_lazy("Add area"),
        gettext_lazy("Cooperation area added"),
        Agreement,
        "agreement.edit",
        _add_area,
        is_in_front=False,
    ),
    BulkKind("move", _MOVE_LABEL, _MOVE_PAST, Activity, "activity.edit", _move_activity, shortcut="d"),
    BulkKind("postpone", gettext_lazy("Postpone"), gettext_lazy("Postponed"), Activity, "activity.edit", _postpone),
    _assigns(model=Activity, permission="activity.edit"),
    _assigns(model=Demand, permission="demand.edit"),
    _assigns(model=Facility, permission="facility.edit"),
)


def bulk_kinds(user: User, model: type[Model]) -> list[BulkKind]:
    """Return what the user may do with many rows of ``model``, as far as that does not depend on the row."""
    return [kind for kind in KINDS if kind.model is model and may(user, kind.permission)]


def act_on_all(
    kind: BulkKind, picked: Sequence[Picked], *, actor: User, now: dt.datetime, values: Mapping[str, Any]
) -> BulkOutcome:
    """Do ``kind`` with each row through its verb, in one transaction; a row that cannot is refused, the others go on.

    The act is kept for its undo. Raises ``InvalidInput`` for more than ``MOST_ROWS`` rows.
    """
    if len(picked) > MOST_ROWS:
        raise InvalidInput(_("At most %(count)s rows at once.") % {"count": MOST_ROWS})
    given, outcome = Circumstances(actor, now, values), BulkOutcome()
    with transaction.atomic(), recorded_as(_("Many at once: %(act)s") % {"act": kind.label}):
        rows = _lock(kind, picked, actor)
        for one in picked:
            row = rows.get(one.pk)
            if row is None:
                outcome.gone += 1
                continue
            try:
                # A savepoint: a refusal undoes this row alone, and the transaction of the others goes on.
                with transaction.atomic():
                    outcome.changes.append(_act_on(kind, row, one, given))
            except DomainError as error:
                outcome.refused.append((row, str(error)))
        if outcome.changes:
            outcome.act = record_act(kind.key, outcome.changes, actor=actor, now=now)
    return outcome


def preview_all(kind: BulkKind, picked: Sequence[Picked], **given: Any) -> BulkOutcome:
    """Return what ``act_on_all`` would do now, by doing it and rolling back."""
    # In an act of its own: what a verb refuses in a preview was not attempted, and is not for the security log.
    with one_act(), transaction.atomic():
        outcome = act_on_all(kind, picked, **given)
        transaction.set_rollback(True)
    outcome.act = None
    return outcome


def _act_on(kind: BulkKind, row: Any, one: Picked, given: Circumstances) -> RowChange:
    _check_may(given.actor, kind.permission, row)
    if one.version not in {None, row.version}:
        raise StaleVersion(_("Somebody else changed this since you opened it."), current=row.version)
    record = row.agreement if isinstance(row, Milestone) else row
    dates = dates_under(record) if record and kind.do in END_DATES else []
    change = kind.do(row, given)
    if ended := dates_ended(dates):
        change.about["dates"] = ended
    return change


def _check_may(actor: User, action: str, row: Any) -> None:
    # Asked here and not by the verb alone: a row that somebody picked by mistake is no breach for the security log.
    may_not = refusal(actor, action, row)
    if may_not is not None:
        raise InvalidInput(may_not)


def _lock(kind: BulkKind, picked: Sequence[Picked], actor: User) -> dict[int, Any]:
    """Return the rows that the actor sees, locked in the order of their ids, after what their verbs lock first."""
    wanted = [one.pk for one in picked]
    if kind.do is _complete:
        below = Activity.objects.unfinished().filter(agreement__in=wanted)
        list(below.order_by("pk").select_for_update(no_key=True, of=("self",)))
    if kind.do is _log and kind.model is Milestone:
        lock_agreements_of(wanted)
    return {row.pk: row for row in lock_visible(kind.model, wanted, actor)}
