"""Helpers of all verbs: steps of the transition tables, locks, checks of input, saving with history."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.acts import is_without_locks
from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.exceptions import InvalidInput, StaleVersion, TransitionRefused
from partnerships.models import Contact, Erasure, StatusChange, User
from partnerships.permissions import require
from partnerships.statuses import Transition, TransitionTable

Row = TypeVar("Row", bound=models.Model)


def take_step(
    row: Row,
    table: TransitionTable,
    name: str,
    *,
    actor: User | None,
    on: dt.date,
    reason: str = "",
    is_consequence: bool = False,
    **changes: object,
) -> Row:
    """Take the step ``name`` of ``table`` and return the row as read under its lock.

    One transaction checks status, permission (not for a consequence), reason, date and version, and writes the row, its
    history and the status change. ``row`` itself is not touched.
    Raises ``TransitionRefused``, ``NotAllowed``, ``InvalidInput`` or ``StaleVersion``.
    """
    transition = table[name]
    with transaction.atomic():
        locked: Any = lock(row)
        from_status = locked.status
        _check_status(locked, transition)
        if not is_consequence:
            require(actor, transition.permission, locked)
        reason = _checked_reason(transition, reason)
        _check_version(row, locked)
        check_day(on, field="on")
        _check_order(locked, transition, on)
        _write(locked, transition, on=on, changes=changes)
        check_input(locked, changes)
        save_as(locked, actor)
        # After the save: edits after a return bar from approving, and the return itself must not count as one.
        StatusChange.objects.create(
            record=locked,
            transition=name,
            from_status=from_status,
            to_status=transition.target,
            actor=actor,
            reason=reason,
        )
    return locked


def lock(row: Row) -> Row:
    """Return the row as it is now, locked until the transaction ends; SQLite serializes transactions by itself.

    Raises ``StaleVersion`` when the row is gone.
    """
    # no_key: inserting a row with a foreign key takes a share lock on the key here. Two transactions that each did so
    # would wait for each other, if this lock asked for the key as well.
    rows = type(row)._base_manager.filter(pk=row.pk)
    locked = (rows if is_without_locks() else rows.select_for_update(no_key=True)).first()
    if locked is None:
        raise StaleVersion(_("Somebody else deleted this since you opened it."), current=None)
    return locked


def hold(row: models.Model) -> None:
    """Lock a row that is not read again, to let others wait until the transaction ends; nothing where no locks are taken."""
    if not is_without_locks():
        lock(row)


def lock_as_read(row: Row) -> Row:
    """Return the row, locked. Raises ``StaleVersion`` when somebody changed it since ``row`` was read."""
    locked = lock(row)
    _check_version(row, locked)
    return locked


def check_new_owner(row: Any, person: User, *, field: str) -> None:
    """Raise ``InvalidInput`` when the new owner of ``row`` cannot be reached or may not see it."""
    if not person.is_reachable:
        raise InvalidInput(_("This person is not active or has no e-mail address."), field=field)
    if not type(row).objects.visible_to(person).filter(pk=row.pk).exists():
        raise InvalidInput(_("This person may not see the %(kind)s.") % {"kind": row._meta.verbose_name}, field=field)


def refuse_erased(person: User | Contact) -> None:
    """Raise ``TransitionRefused`` for a person whose data was erased: there is nobody left to change."""
    if Erasure.objects.of(person).exists():
        raise TransitionRefused(_("The data of this person is erased."))


def save_as(row: Any, actor: User | None, *, reason: str = "") -> None:
    """Save a row with ``actor`` and ``reason`` in its history row.

    A new row is checked first: raises ``InvalidInput`` for what its columns do not take.
    """
    if row._state.adding:
        check_input(row)
    # The history library reads both. Its column for the reason takes 100 characters.
    row._history_user = actor
    row._change_reason = reason[:100] or None
    row.save()


def delete_as(row: Any, actor: User | None, *, reason: str = "") -> None:
    row._history_user = actor
    row._change_reason = reason[:100] or None
    row.delete()


def check_input(row: models.Model, names: Iterable[str] | None = None) -> None:
    """Raise ``InvalidInput`` for the first of the columns ``names``, or of all, that does not take its value.

    Relations are left to the constraints of the database.
    """
    # Django checks a relation by a query for each.
    columns = [field.name for field in row._meta.fields if not field.is_relation]
    checked = [name for name in columns if names is None or name in names]
    try:
        row.clean_fields(exclude={field.name for field in row._meta.fields} - set(checked))
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(" ".join(messages), field=name) from error
    for name in checked:
        _refuse_null_characters(getattr(row, name), field=name)


def check_day(day: dt.date, *, field: str) -> None:
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        raise InvalidInput(_("%(day)s is too far away: please check the year.") % {"day": day.isoformat()}, field=field)


def _refuse_null_characters(value: object, *, field: str) -> None:
    """Raise ``InvalidInput`` for a text with NUL characters."""
    # PostgreSQL cannot store them, and SQLite cuts the text there when it shows it.
    if isinstance(value, str) and "\x00" in value:
        raise InvalidInput(_("This contains invisible characters; please type it again."), field=field)


def _check_order(row: Any, transition: Transition, on: dt.date) -> None:
    for column in transition.after:
        day = getattr(row, column)
        if day and on < day:
            label = row._meta.get_field(column).verbose_name
            raise InvalidInput(
                _("This cannot lie before %(day)s (%(column)s).") % {"day": day.isoformat(), "column": label},
                field="on",
            )


def _check_status(row: Any, transition: Transition) -> None:
    if row.status not in transition.sources:
        raise TransitionRefused(
            _("“%(step)s” is not possible: the status is “%(status)s”.")
            % {"step": transition.label, "status": row.get_status_display()}
        )


def _checked_reason(transition: Transition, reason: str) -> str:
    reason = reason.strip()
    if transition.needs_reason and not reason:
        raise InvalidInput(_("Please give a reason."), field="reason")
    _refuse_null_characters(reason, field="reason")
    return reason


def _check_version(row: Any, locked: Any) -> None:
    if row.version != locked.version:
        raise StaleVersion(
            _("Somebody else changed this since you opened it. Please look at it again."), current=locked.version
        )


def _write(row: Any, transition: Transition, *, on: dt.date, changes: dict[str, object]) -> None:
    row.status = transition.target
    if transition.stamps:
        setattr(row, transition.stamps, on)
    for field in transition.clears:
        setattr(row, field, None)
    for field, value in changes.items():
        setattr(row, field, value)
