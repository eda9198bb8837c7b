"""The writes of a hand-over: a delivery moves on, a mark is set, the next one due is found.

As SQL that is put together once: to build such a statement from a queryset takes longer than to execute it, and each
mail needs five. The queryset it is made of, or the model's own names, stay the only source of what it says.
"""

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, Field, Model, Q, QuerySet

from partnerships.models import Delivery, DeliveryEvent, MailHold, User
from partnerships.reminders.expand import due_plans
from partnerships.statuses import DeliveryStatus

WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.RETRY)
SOONEST_FIRST = ("due_on", "next_attempt_at", "pk")
EVENT = ("delivery", "at", "from_status", "to_status", "note", "actor")
# Stands for the moment asked about in the text of a statement.
SOME_TIME = dt.datetime(2000, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)


def due_deliveries(now: dt.datetime) -> QuerySet[Delivery]:
    """Nothing while all mail is held. A digest waits until all that is due was made into items: it says everything.

    Plans that have expired make no items.
    """
    due = Delivery.objects.filter(~Exists(MailHold.objects.in_force()), status__in=WAITING, next_attempt_at__lte=now)
    return due.filter(~Q(kind=Delivery.Kind.DIGEST) | ~Exists(due_plans(now).filter(expires_at__gt=now)))


def lock_next(now: dt.datetime) -> Delivery | None:
    """Of what is due the delivery with the soonest date, locked; what is locked by others is passed over."""
    sql, values = _next_statement(connection.vendor)
    some, given = (connection.ops.adapt_datetimefield_value(at) for at in (SOME_TIME, now))
    found = Delivery.objects.raw(sql, [given if value == some else value for value in values])
    return next(iter(found), None)


@cache
def _next_statement(vendor: str) -> tuple[str, tuple[Any, ...]]:
    due = due_deliveries(SOME_TIME).order_by(*SOONEST_FIRST)
    return due.select_for_update(skip_locked=True, of=("self",))[:1].query.sql_with_params()


def advance(
    delivery: Delivery,
    to_status: DeliveryStatus,
    *,
    at: dt.datetime,
    note: str = "",
    actor: User | None = None,
    **fields: Any,
) -> bool:
    """Moves the delivery on from the status and epoch we know it by, with its event; False: it is no longer ours.

    ``delivery`` is brought in step.
    """
    fields = {"status": to_status, **fields}
    ours = (delivery.pk, delivery.status, delivery.lease_epoch)
    update = [*_values(Delivery, fields), *ours]
    event = _values(
        DeliveryEvent,
        {
            "delivery": delivery.pk,
            "at": at,
            "from_status": delivery.status,
            "to_status": to_status,
            "note": note,
            "actor": actor.pk if actor else None,
        },
    )
    if not _write(tuple(fields), update, event):
        return False
    for name, value in fields.items():
        setattr(delivery, name, value)
    return True


def _write(names: tuple[str, ...], update: list[Any], event: list[Any]) -> bool:
    """Both rows or neither. PostgreSQL takes both as one statement, which is its own transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"WITH moved AS ({_update(names)} RETURNING id) {_insert('FROM moved')}", [*update, *event])
            return cursor.rowcount == 1
        with transaction.atomic(savepoint=False):
            cursor.execute(_update(names), update)
            is_ours = cursor.rowcount == 1
            if is_ours:
                cursor.execute(_insert(), event)
            return is_ours


def commit(delivery: Delivery, to_status: DeliveryStatus, **step: Any) -> bool:
    """``advance``, on disk when it returns."""
    _refuse_transaction()
    return advance(delivery, to_status, **step)


def commit_mark(delivery: Delivery, **mark: dt.datetime) -> bool:
    """One of the two around the final dot, on disk when it returns; False: the delivery is no longer ours."""
    _refuse_transaction()
    ours = (delivery.pk, DeliveryStatus.HANDING, delivery.lease_epoch)
    with connection.cursor() as cursor:
        cursor.execute(_update(tuple(mark)), [*_values(Delivery, mark), *ours])
        return cursor.rowcount == 1


def _refuse_transaction() -> None:
    if connection.in_atomic_block:
        raise RuntimeError("This has to be on disk before the next step, so no transaction may be open around it")


@cache
def _update(names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{_field(Delivery, name).column}" = %s' for name in names)
    return f'UPDATE "{Delivery._meta.db_table}" SET {columns} WHERE id = %s AND status = %s AND lease_epoch = %s'  # noqa: S608 - our own names


@cache
def _insert(source: str = "") -> str:
    columns = ", ".join(f'"{_field(DeliveryEvent, name).column}"' for name in EVENT)
    places = ", ".join(["%s"] * len(EVENT))
    return f'INSERT INTO "{DeliveryEvent._meta.db_table}" ({columns}) SELECT {places} {source}'


def _values(model: type[Model], fields: Mapping[str, Any]) -> list[Any]:
    return [_field(model, name).get_db_prep_save(value, connection) for name, value in fields.items()]


def _field(model: type[Model], name: str) -> Field:
    return model._meta.get_field(name)  # type: ignore[return-value] # a column's, not a relation's other end
