"""The pause of all mail after a restore, and the permit for the history that it replaced.

It is SQL that runs in the transaction that makes the restored rows visible to others.
"""

import datetime as dt

from partnerships.models import (
    Delivery,
    DeliveryEvent,
    HistoryPermit,
    MailHold,
    ReminderItem,
    ReminderMark,
    ReminderPlan,
)
from partnerships.models.reasons import Reason
from partnerships.statuses import DeliveryStatus

# Claimed: when the backup was taken, the mail server had nothing of it; whether it was sent later is not known here.
# Deliveries that were being handed over are left to the rescue, as after a crash.
WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.RETRY, DeliveryStatus.CLAIMED)


def statements(*, now: dt.datetime, taken_at: dt.datetime) -> list[str]:
    """Return the statements for both databases; ``now`` and ``taken_at`` are in UTC."""
    holds, mails, events = (model._meta.db_table for model in (MailHold, Delivery, DeliveryEvent))
    marks, items, plans = (model._meta.db_table for model in (ReminderMark, ReminderItem, ReminderPlan))
    at, reason, held = _text(_time(now)), _text(Reason.HELD_SINCE_RESTORE), _text(DeliveryStatus.HELD)
    last_mark = f"SELECT COALESCE(MAX(id), 0) FROM {ReminderMark._meta.db_table}"  # noqa: S608
    begun = f"{_text(MailHold.Cause.RESTORE)}, '', {at}, {_text(_time(taken_at))}, ({last_mark}), true"
    waiting = f"FROM {mails} WHERE status IN ({', '.join(_text(status) for status in WAITING)})"
    changes = f"status = {held}, reason = {reason}, held_at = {at}, lease_until = NULL"
    concerned = f"{plans} p JOIN {items} i ON i.plan_id = p.id JOIN {mails} m ON m.id = i.delivery_id"
    permit = f"{_text(HistoryPermit.Kind.RESTORE)}, {_text(f'As of {_time(taken_at)} UTC')}, {at}"
    # Nothing in them comes from outside: names of tables, constants and times.
    return [
        f"UPDATE {holds} SET is_active = false, lifted_at = {at} WHERE is_active;",  # noqa: S608
        f"INSERT INTO {holds} (cause, note, since, backup_taken_at, last_mark, is_active) VALUES ({begun});",  # noqa: S608
        f"INSERT INTO {events} (delivery_id, at, from_status, to_status, reason, note)"  # noqa: ISC004
        f" SELECT id, {at}, status, {held}, {reason}, '' {waiting};",
        f"UPDATE {mails} SET {changes} WHERE id IN (SELECT id {waiting});",  # noqa: S608
        # Rules that wait for an answer count from here on: ``unanswered.mark_notified``.
        f"INSERT INTO {marks} (milestone_id, act) SELECT DISTINCT p.milestone_id, '' FROM {concerned}"  # noqa: ISC004, S608
        f" WHERE m.status = {held} AND m.held_at = {at};",
        f"INSERT INTO {HistoryPermit._meta.db_table} (kind, reason, at) VALUES ({permit});",  # noqa: S608
    ]


def _text(value: str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _time(at: dt.datetime) -> str:
    """Return the time as SQLite's backend writes it, which PostgreSQL reads in a session whose zone is UTC."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f}"
