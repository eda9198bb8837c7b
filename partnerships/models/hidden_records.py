"""Stand-ins for records that a person may not see, in rows that refer to them.

A row may belong to a unit of the person and refer to a record of another unit: an activity under an agreement that the
unit has left, or a milestone of an activity that was handed over. Pages, admin, exports, feeds and mails show the row and
hide the other record with ``hide_unseen``, or ``shown_to`` for a single one.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from django.db.models import ForeignKey, Model
from django.utils.translation import gettext as _

from partnerships.models.activities import Activity
from partnerships.models.agreements import Agreement
from partnerships.models.demands import Demand
from partnerships.models.facilities import Facility
from partnerships.models.milestones import Milestone
from partnerships.models.users import User

# Models whose rows only some units see. Organizations, events and honours are open to everybody.
RESTRICTED: frozenset[type[Model]] = frozenset({Agreement, Activity, Facility, Demand, Milestone})

Shown = TypeVar("Shown", bound=Model)


class HiddenRecord:
    """A record of another unit: it has an id and words, and neither a title nor an address."""

    is_hidden = True

    def __init__(self, model: type[Model], pk: int) -> None:
        self.model, self.pk = model, pk

    def __str__(self) -> str:
        return _("another unit's agreement") if self.model is Agreement else _("another unit's record")


def hide_unseen(rows: Iterable[Model], user: User) -> None:
    """Replace what ``rows`` refer to and ``user`` may not see, for showing: ``row.agreement`` becomes a stand-in.

    One query for each kind of record, and none where all belong to units of the user. The rows keep their ids
    (``row.agreement_id``); verbs read rows of their own.
    """
    if user.sees_all_units:
        return
    of_model: dict[type[Model], list[Model]] = defaultdict(list)
    for row in rows:
        of_model[type(row)].append(row)
    for model, found in of_model.items():
        for field in restricted_fields(model):
            _hide(found, field, user)
        if model is Milestone:
            _hide_parties(found)


def shown_to(user: User, record: Shown | None) -> Shown | HiddenRecord | None:
    """Return the record, or a stand-in if the user may not see it."""
    if record is None or isinstance(record, HiddenRecord) or type(record) not in RESTRICTED:
        return record
    if user.sees_all_units or getattr(record, "unit_id", None) in user.scope.roles:
        return record
    rows = type(record)._default_manager.all()
    return record if rows.visible_to(user).filter(pk=record.pk).exists() else HiddenRecord(type(record), record.pk)  # type: ignore[attr-defined]


def search_as(user: User, rows: Any, text: str) -> Any:
    """Return the rows of a queryset that hold the words, without looking into records that the user may not see."""
    return rows.search(text, reader=user) if rows.model is Milestone else rows.search(text)


@cache
def restricted_fields(model: type[Model]) -> tuple[ForeignKey, ...]:
    """Return the columns of ``model`` that refer to records not everybody sees."""
    fields = model._meta.concrete_fields
    return tuple(one for one in fields if isinstance(one, ForeignKey) and one.remote_field.model in RESTRICTED)


def _hide(rows: Iterable[Model], field: ForeignKey, user: User) -> None:
    unknown: dict[int, list[Model]] = defaultdict(list)
    for row in rows:
        pk = getattr(row, field.attname)
        if pk is not None and not _is_surely_seen(row, field.get_cached_value(row, default=None), user):
            unknown[pk].append(row)
    if not unknown:
        return
    model: Any = field.remote_field.model
    seen = set(model._default_manager.visible_to(user).filter(pk__in=unknown).values_list("pk", flat=True))
    for pk in unknown.keys() - seen:
        for row in unknown[pk]:
            row._state.fields_cache[field.name] = HiddenRecord(model, pk)


def _is_surely_seen(row: Model, related: Any, user: User) -> bool:
    """Whether units alone, without a query, show that the user sees the related record."""
    if related is None or isinstance(related, HiddenRecord):
        return False
    # Whoever sees a row sees its agreement too where both belong to one unit, so most mails need no query for the roles of
    # their reader. This is not true of a framework: units that take part in an agreement below it may not see it.
    if (
        isinstance(related, Agreement)
        and not isinstance(row, Agreement)
        and related.unit_id == getattr(row, "unit_id", None)
    ):
        return True
    return related.unit_id in user.scope.roles


def _hide_parties(rows: Iterable[Model]) -> None:
    """Leave out the party that owes a milestone, along with its agreement."""
    for row in rows:
        if isinstance(getattr(row, "agreement", None), HiddenRecord):
            row._state.fields_cache["party"] = None
