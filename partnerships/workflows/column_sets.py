"""Column sets: the columns of a file that somebody outside asks for, kept for a unit or for the whole office."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput
from partnerships.models import ColumnSet, User
from partnerships.models.base import validate_visible_text
from partnerships.permissions import require
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.transitions import delete_as, lock_as_read

MOST_COLUMNS = 100
LONGEST_TEXT = 200
KEYS = ("column", "heading", "text")
COLUMN_SET = Aggregate(ColumnSet, "column_set.edit", "column_set.edit")


def save_column_set(
    row: ColumnSet, *, actor: User | None, changes: Mapping[str, object] = MappingProxyType({})
) -> ColumnSet:
    """Register a new set, or change one that is on record."""
    with transaction.atomic():
        if row._state.adding:
            row.columns = _checked(row.columns)
            COLUMN_SET.register(row, actor=actor)
            return row
        before, after = COLUMN_SET.begin(row, changes, actor=actor)
        after.columns = _checked(after.columns)
        COLUMN_SET.finish(before, after, actor=actor)
    return after


def delete_column_set(row: ColumnSet, *, actor: User | None) -> None:
    """Delete a set; its history stays, and so do the files that were made with it."""
    with transaction.atomic():
        locked = lock_as_read(row)
        require(actor, "column_set.edit", locked)
        delete_as(locked, actor)


def _checked(columns: Any) -> list[dict[str, str]]:
    """Return the columns with their known keys alone. Raises ``InvalidInput``."""
    if not columns:
        raise InvalidInput(_("A file needs at least one column."))
    if len(columns) > MOST_COLUMNS:
        raise InvalidInput(_("A file has at most %(count)s columns.") % {"count": MOST_COLUMNS})
    checked = [{key: " ".join(str(one.get(key, "")).split()) for key in KEYS} for one in columns]
    for one in checked:
        for text in one.values():
            if len(text) > LONGEST_TEXT:
                raise InvalidInput(_("A heading or text has at most %(count)s characters.") % {"count": LONGEST_TEXT})
            try:
                validate_visible_text(text)
            except ValidationError as error:
                raise InvalidInput(" ".join(error.messages)) from error
    return checked
