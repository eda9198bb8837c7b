"""Undo of acts on many rows: each change is kept with the values before it, and put back by the verb of its row."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from partnerships.acts import recorded_as
from partnerships.exceptions import DomainError, NotAllowed, StaleVersion, TransitionRefused
from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    BulkAct,
    ContactNote,
    Demand,
    Facility,
    Milestone,
    ProgrammeItem,
    User,
)
from partnerships.models.office_day import office_day
from partnerships.statuses import ActivityStatus
from partnerships.workflows.activities import assign_activity, edit_activity, replan_activity, start_activity
from partnerships.workflows.agreements import assign_agreement, edit_agreement, reinstate_agreement
from partnerships.workflows.deletions import delete_record
from partnerships.workflows.demands import assign_demand
from partnerships.workflows.facilities import assign_facility
from partnerships.workflows.milestones import left_alone, restore_dates, restore_milestone, take_back_step

# Activities before agreements, milestones last: as the verbs that end an agreement or complete an activity do.
LOCK_ORDER = ("activity", "agreement", "facility", "demand", "milestone")
MODELS: Mapping[str, type[Any]] = {
    "activity": Activity,
    "agreement": Agreement,
    "facility": Facility,
    "demand": Demand,
    "milestone": Milestone,
}
ASSIGN: Mapping[type[Model], Callable[..., Model]] = {
    Activity: assign_activity,
    Agreement: assign_agreement,
    Demand: assign_demand,
    Facility: assign_facility,
}


@dataclass
class RowChange:
    """The change of one row by an act: columns before and after, as JSON holds them.

    ``undo`` names the function of ``UNDOS`` that puts it back, empty where nothing does; ``about`` is what it needs.
    """

    model: str
    pk: int
    undo: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


@dataclass
class UndoResult:
    """The rows that were put back, and those left as they are with the reason; None for a row that is gone."""

    restored: list[Model] = field(default_factory=list)
    left: list[tuple[Model | None, str]] = field(default_factory=list)


def column_values(row: Model, names: Iterable[str]) -> dict[str, Any]:
    """Return the values of columns as JSON holds them: ids, numbers, text."""
    return {name: _plain(row.serializable_value(name)) for name in names}


def row_change(before: Model, after: Model, names: Iterable[str], *, undo: str, **about: Any) -> RowChange:
    """Return the change of the columns ``names`` between two states of a row."""
    states = (column_values(before, names), column_values(after, names))
    return RowChange(str(before._meta.model_name), before.pk, undo, *states, about)


def part_values(part: Model) -> dict[str, Any]:
    """Return the values of all columns of a part of a record."""
    return column_values(part, [column.name for column in part._meta.concrete_fields])


def _plain(value: object) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def owners_of_milestones(row: Any) -> dict[int, int | None]:
    """Return the owners of the pending milestones of ``row``, by id."""
    return dict(row.milestones.pending().order_by().values_list("pk", "owner_id"))


def change_of_owner(before: Any, after: Any, person: str, owners: Mapping[int, int | None]) -> RowChange:
    """Return a reassignment with the milestones that went along; ``owners`` are those of its milestones before."""
    now = owners_of_milestones(after)
    moved = {str(pk): owner for pk, owner in owners.items() if pk in now and now[pk] != owner}
    return row_change(before, after, [person], undo="owner", milestones=moved)


def record_act(key: str, changes: Iterable[RowChange], *, actor: User, now: dt.datetime) -> BulkAct:
    """Keep what an act changed, for its undo; a month later it is removed (``operations.retention``)."""
    return BulkAct.objects.create(actor=actor, key=key, made_at=now, rows=[asdict(change) for change in changes])


def undo_act(act: BulkAct, *, actor: User, now: dt.datetime) -> UndoResult:
    """Put back what ``act`` changed, within ``BulkAct.UNDO_MINUTES`` and by the person who made it.

    A row that somebody changed meanwhile is left as it is; so is one whose verb refuses.
    """
    with transaction.atomic(), recorded_as(_("Undo of an act on many rows")):
        locked = BulkAct.objects.select_for_update(no_key=True).get(pk=act.pk)
        if locked.actor_id != actor.pk:
            raise NotAllowed(_("Only the person who did this can undo it."))
        if locked.undone_at is not None:
            raise TransitionRefused(_("This was undone already."))
        if not locked.can_be_undone(now):
            raise TransitionRefused(_("It is too late to undo this."))
        changes = [change for change in changes_of(locked) if change.undo]
        rows, result = lock_rows(changes, actor), UndoResult()
        for change in changes:
            _undo_one(change, rows.get((change.model, change.pk)), result, actor=actor, now=now)
        locked.undone_at = now
        locked.save(update_fields=["undone_at"])
    return result


def changes_of(act: BulkAct) -> list[RowChange]:
    return [RowChange(**row) for row in act.rows]


def lock_rows(changes: Iterable[RowChange], actor: User) -> dict[tuple[str, int], Any]:
    """Return the rows of ``changes`` that the actor sees, locked in ``LOCK_ORDER``, which avoids deadlocks."""
    changes, found = list(changes), {}
    for name in LOCK_ORDER:
        model, wanted = MODELS[name], {change.pk for change in changes if change.model == name}
        if name == "activity":
            _lock_activities_under({change.pk for change in changes if change.undo == "reinstate"})
        if name == "agreement":
            lock_agreements_of({one.pk for one in changes if (one.model, one.undo) == ("milestone", "note")})
        if wanted:
            found.update({(name, row.pk): row for row in lock_visible(model, wanted, actor)})
    return found


def lock_visible(model: type[Any], wanted: Iterable[int], actor: User) -> list[Any]:
    """Return the rows that the actor sees among ``wanted``, locked in the order of their ids."""
    seen = list(model.objects.visible_to(actor).filter(pk__in=wanted).order_by().values_list("pk", flat=True))
    rows = model._base_manager.filter(pk__in=seen).select_related("unit").order_by("pk")
    return list(rows.select_for_update(no_key=True, of=("self",)))


def lock_agreements_of(milestones: Iterable[int]) -> None:
    """Lock the agreements of ``milestones``: notes about these lock them, and agreements come before milestones."""
    about = Agreement.objects.filter(milestones__in=milestones).order_by().values("pk")
    list(Agreement.objects.filter(pk__in=about).order_by("pk").select_for_update(no_key=True, of=("self",)))


def _lock_activities_under(agreements: Iterable[int]) -> None:
    list(Activity.objects.unfinished().filter(agreement__in=agreements).order_by("pk").select_for_update(no_key=True))


def _undo_one(change: RowChange, row: Any, result: UndoResult, *, actor: User, now: dt.datetime) -> None:
    if row is None:
        result.left.append((None, _("It is no longer there, or not visible to you.")))
        return
    try:
        with transaction.atomic():
            _check_unchanged(row, change)
            dates = left_alone(change.about.get("dates", ()))
            UNDOS[change.undo](row, change, actor, now)
            restore_dates(dates, actor=actor, reason=_("Undone"))
    except DomainError as error:
        result.left.append((row, str(error)))
    else:
        result.restored.append(row)


def _check_unchanged(row: Model, change: RowChange) -> None:
    columns = {column.name for column in row._meta.concrete_fields}
    names = [name for name in change.after if name in columns]
    if column_values(row, names) != {name: change.after[name] for name in names}:
        raise StaleVersion(_("Somebody changed it meanwhile."), current=getattr(row, "version", None))


def _before(row: Model, change: RowChange) -> dict[str, Any]:
    """Return the values before, as the columns of ``row`` hold them; relations as ids."""
    fields: Any = {name: row._meta.get_field(name) for name in change.before}
    return {
        name: value if fields[name].is_relation else fields[name].to_python(value)
        for name, value in change.before.items()
    }


def _undo_columns(row: Milestone, change: RowChange, actor: User, now: dt.datetime) -> None:
    reason, action = _("Undone"), change.about["action"]
    restore_milestone(row, actor=actor, action=action, values=_before(row, change), reason=reason)


def _undo_owner(row: Any, change: RowChange, actor: User, now: dt.datetime) -> None:
    (name, person), *_others = change.before.items()
    given_back = {int(pk): owner for pk, owner in change.about["milestones"].items()}
    owner = User.objects.filter(pk=person).first()
    ASSIGN[type(row)](row, actor=actor, reason=_("Undone"), given_back=given_back, **{name: owner})


def _undo_step(row: Milestone, change: RowChange, actor: User, now: dt.datetime) -> None:
    values = {name: value for name, value in _before(row, change).items() if name != "status"}
    given: dict[str, Any] = {"minutes": BulkAct.UNDO_MINUTES, "values": values}
    take_back_step(row, actor=actor, on=office_day(row, now), now=now, **given)


def _undo_note(row: Model, change: RowChange, actor: User, now: dt.datetime) -> None:
    note = ContactNote.objects.filter(pk=change.about["note"]).first()
    if note is None:
        raise StaleVersion(_("It is no longer there, or not visible to you."), current=None)
    if note.version != change.about["version"]:
        raise StaleVersion(_("Somebody changed it meanwhile."), current=note.version)
    delete_record(note, actor=actor, today=office_day(row, now), reason=_("Undone"))


def _undo_unit(row: Agreement, change: RowChange, actor: User, now: dt.datetime) -> None:
    unit = row.unit.__class__.objects.get(pk=change.before["unit"])
    today, moved = office_day(row, now), change.about["milestones"]
    edit_agreement(row, actor=actor, today=today, changes={"unit": unit}, put_back=moved)


def _undo_part(row: Agreement, change: RowChange, actor: User, now: dt.datetime) -> None:
    model = {"programme": ProgrammeItem, "area": AgreementArea}[change.about["part"]]
    part = model._base_manager.filter(pk=change.about["pk"]).first()
    if part is None:
        raise StaleVersion(_("It is no longer there, or not visible to you."), current=None)
    if part_values(part) != change.about["values"]:
        raise StaleVersion(_("Somebody changed it meanwhile."), current=row.version)
    edit_agreement(row, actor=actor, today=office_day(row, now), removed=[part])


def _undo_closing(row: Agreement, change: RowChange, actor: User, now: dt.datetime) -> None:
    today = office_day(row, now)
    reinstate_agreement(row, actor=actor, on=today, today=today, reason=_("Undone"))


def _undo_days(row: Activity, change: RowChange, actor: User, now: dt.datetime) -> None:
    edit_activity(row, actor=actor, today=office_day(row, now), changes=_before(row, change))


def _undo_postponing(row: Activity, change: RowChange, actor: User, now: dt.datetime) -> None:
    today, before = office_day(row, now), _before(row, change)
    if before["status"] == ActivityStatus.IN_PROGRESS:
        start_activity(row, actor=actor, on=row.started_on or today)
        return
    planned = replan_activity(row, actor=actor, on=today, starts_on=before["starts_on"])
    if before["ends_on"]:
        edit_activity(planned, actor=actor, today=today, changes={"ends_on": before["ends_on"]})


UNDOS: Mapping[str, Callable[[Any, RowChange, User, dt.datetime], None]] = {
    "columns": _undo_columns,
    "owner": _undo_owner,
    "step": _undo_step,
    "note": _undo_note,
    "unit": _undo_unit,
    "part": _undo_part,
    "reinstate": _undo_closing,
    "days": _undo_days,
    "replan": _undo_postponing,
}
