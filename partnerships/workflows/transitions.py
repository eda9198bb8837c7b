"""The one mechanism behind every step of every workflow."""

import datetime as dt
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput, StaleVersion, TransitionRefused
from partnerships.models import StatusChange, User
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
    **changes: Any,
) -> Row:
    """Takes the step ``name`` of ``table`` and returns the row read afresh under its lock.

    In one transaction: locks the row, checks status, permission (not for the consequence of a step that was allowed),
    reason and version, writes status, the step's date, ``changes`` and one history row, and appends the status change.
    Raises ``TransitionRefused``, ``NotAllowed``, ``InvalidInput`` or ``StaleVersion``; ``row`` itself is not touched.
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
        _write(locked, transition, on=on, changes=changes)
        save_as(locked, actor)
        # After the save: whoever returned an agreement must not count as having edited it since the return.
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
    """The row as it is now, locked until the transaction ends (SQLite is serialized by IMMEDIATE).

    ``no_key``: two people who each wrote a row that points here hold a share of its key, and each would wait for the
    other if the lock asked for the key too. Raises ``StaleVersion`` when the row is gone.
    """
    locked = type(row)._base_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
    if locked is None:
        raise StaleVersion(_("Somebody else deleted this since you opened it."), current=None)
    return locked


def lock_as_read(row: Any) -> Any:
    """The row under its lock, when nobody changed it since ``row`` was read; otherwise raises ``StaleVersion``."""
    locked = lock(row)
    _check_version(row, locked)
    return locked


def save_as(row: Any, actor: User | None, *, reason: str = "") -> None:
    """Saves with ``actor`` and ``reason`` in the history row, also where there is no request to take them from."""
    row._history_user = actor  # both are read by the history library
    row._change_reason = reason[:100] or None
    row.save()


def delete_as(row: Any, actor: User | None) -> None:
    row._history_user = actor
    row.delete()


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
    return reason


def _check_version(row: Any, locked: Any) -> None:
    if row.version != locked.version:
        raise StaleVersion(
            _("Somebody else changed this since you opened it. Please look at it again."), current=locked.version
        )


def _write(row: Any, transition: Transition, *, on: dt.date, changes: dict[str, Any]) -> None:
    row.status = transition.target
    if transition.stamps:
        setattr(row, transition.stamps, on)
    for field in transition.clears:
        setattr(row, field, None)
    for field, value in changes.items():
        setattr(row, field, value)
