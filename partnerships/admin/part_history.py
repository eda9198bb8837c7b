"""The history of the parts of a record: rows that are edited on its page and have a history of their own."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models import Field, ForeignKey, Model
from django.forms.models import _get_foreign_key
from django.utils.text import capfirst

from partnerships.lists import cells

# Changes shown of each kind of part, the newest.
MOST_CHANGES = 50


@dataclass(frozen=True)
class PartChange:
    """One change of one part: what it is, who changed it when, and the values of its columns before and after."""

    at: dt.datetime
    who: object
    kind: str
    part: str
    what: str
    columns: list[tuple[str, object, object]]


def part_changes(root: Model, inlines: Iterable[Any]) -> list[PartChange]:
    """Return the changes of the parts of ``root``, newest first; two queries for each kind of part.

    ``inlines`` are those of its page. A part that is gone costs a query more for its name.
    """
    found = [change for inline in inlines if hasattr(inline.model, "history") for change in _of_kind(root, inline)]
    return sorted(found, key=attrgetter("at"), reverse=True)


def _of_kind(root: Model, inline: Any) -> Iterator[PartChange]:
    model: Any = inline.model
    owner = _get_foreign_key(type(root), model, fk_name=inline.fk_name)
    rows = model.history.filter(**{owner.attname: root.pk}).select_related("history_user")
    records = list(rows.order_by("-history_date", "-history_id")[:MOST_CHANGES])
    if not records:
        return
    links = [field.name for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    now = {part.pk: str(part) for part in model._base_manager.filter(**{owner.name: root}).select_related(*links)}
    before: dict[int, Any] = {}
    for record in reversed(records):
        columns = list(_columns(model, before.get(record.id), record)) if record.id in before else []
        before[record.id] = record
        name = now.get(record.id) or str(record.instance)
        kind = capfirst(model._meta.verbose_name)
        yield PartChange(
            record.history_date, record.history_user, kind, name, record.get_history_type_display(), columns
        )


def _columns(model: type[Model], old: Any, new: Any) -> Iterator[tuple[str, object, object]]:
    """Yield the columns that changed. Of a reference to another record the page says that it changed, not to which."""
    for column in model._meta.concrete_fields:
        before, after = getattr(old, column.attname, None), getattr(new, column.attname, None)
        if column.editable and before != after:
            label, is_link = str(capfirst(column.verbose_name)), isinstance(column, ForeignKey)
            yield label, "" if is_link else _shown(column, before), "" if is_link else _shown(column, after)


def _shown(column: Field, value: Any) -> object:
    labels = dict(column.flatchoices)
    return labels.get(value, cells.show(value) or "–")
