"""A process of the product that does on its database what it is told, and says how long it took.

`python -m tests.bench.worker`: a line of JSON in, such as ["tick", 3]; a line of JSON out.
"""

import contextlib
import datetime as dt
import json
import os
import smtplib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

# The models, and what uses them, can be imported now.
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from partnerships.factories import NOON, ReminderRuleFactory  # noqa: E402
from partnerships.mailing.deliver import deliver_due  # noqa: E402
from partnerships.management.load import Load, make_load  # noqa: E402
from partnerships.models import Delivery, Milestone, ReminderMark, Sweep  # noqa: E402
from partnerships.operations.run import run_once  # noqa: E402
from partnerships.reminders.clock import Clock  # noqa: E402
from partnerships.reminders.reconcile import SWEEP  # noqa: E402
from partnerships.reminders.rule_set import fingerprint  # noqa: E402

DUE, EDITED = 1000, 200
BUSY_DAYS = 8
Seconds = float


def load(milestones: int) -> Seconds:
    """DUE of the milestones are due for a reminder on each of the first BUSY_DAYS days, the others later."""
    ReminderRuleFactory(offset=5)
    began = time.perf_counter()
    size = Load(milestones // 10, 10, people=500, busy_days=BUSY_DAYS, due_a_day=DUE, is_findable=False)
    make_load(size, now=NOON, today=NOON.date())
    return time.perf_counter() - began


def day(number: int) -> dt.datetime:
    """When the reminders of the busy day of this number, from 1 on, are due."""
    return NOON + dt.timedelta(days=1 + number)


def tick(number: int) -> Seconds:
    """One tick with DUE reminders and EDITED milestones; sends nothing."""
    _put_sweep(day(number), is_finished=True)
    _edit(number)
    return _timed_run(day(number))


def tick_in_sweep(number: int) -> Seconds:
    """The same while the daily sweep is under way, with as much of it as a tick does."""
    _put_sweep(day(number), is_finished=False)
    _edit(number)
    return _timed_run(day(number))


def _put_sweep(began_at: dt.datetime, *, is_finished: bool) -> None:
    row = {"began_at": began_at, "fingerprint": fingerprint(), "act": "", "after_day": None, "after_pk": 0}
    Sweep.objects.update_or_create(name=SWEEP, defaults={**row, "is_finished": is_finished})


def _edit(number: int) -> None:
    first = Milestone.objects.earliest("pk").pk + BUSY_DAYS * DUE + number * EDITED
    ReminderMark.objects.bulk_create(ReminderMark(milestone_id=first + place) for place in range(EDITED))


def _timed_run(now: dt.datetime) -> Seconds:
    Delivery.objects.update(queued_at=now)  # those of the day before, which nobody sent, would be gathered into digests
    before = Delivery.objects.count()
    began = time.perf_counter()
    done = run_once(Clock(now, lambda: now), limit=0)
    took = time.perf_counter() - began
    assert (Delivery.objects.count() - before, done.reconciled >= EDITED) == (DUE, True), done
    return took


def send(mails: int) -> tuple[int, Seconds, float]:
    """How many were sent, how long it took, and how many commits each was."""
    now = day(BUSY_DAYS)
    with _counted_commits() as commits:
        began = time.perf_counter()
        done = deliver_due(Clock(now, lambda: now), limit=mails, is_stopping=lambda: False)
        took = time.perf_counter() - began
    sent = done.counts["sent"]
    return sent, took, len(commits) / max(sent, 1)


@contextlib.contextmanager
def _counted_commits() -> Iterator[list[int]]:
    """Of transactions, and of statements that write outside one, which are commits of their own."""
    commits: list[int] = []
    commit = connection._commit

    def counted() -> None:
        commits.append(1)
        commit()

    def executed(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if not connection.in_atomic_block and sql.startswith(("UPDATE", "INSERT", "DELETE", "WITH")):
            commits.append(1)
        return execute(sql, *arguments)

    connection._commit = counted  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(executed):
            yield commits
    finally:
        connection._commit = commit  # type: ignore[method-assign]


def floor(mails: int, commits: int) -> Seconds:
    """The least that must be done: the same bytes, one reused connection, as many commits of one row for each."""
    messages = _messages_sent(mails)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_floor (id integer PRIMARY KEY, state integer, content text)")
        cursor.execute("DELETE FROM bench_floor")
        cursor.executemany("INSERT INTO bench_floor VALUES (%s, 0, '')", [(number,) for number in range(mails)])
    driver = connection.connection
    place = "?" if connection.vendor == "sqlite" else "%s"
    write = f"UPDATE bench_floor SET state = {place}, content = {place} WHERE id = {place}"  # noqa: S608
    began = time.perf_counter()
    with _session() as session:
        for number, (address, message) in enumerate(messages):
            for state in range(commits - 1):
                _commit_one(driver, write, (state, message.decode("latin-1") if state else "", number))
            session.sendmail("office@example.org", [address], message)
            _commit_one(driver, write, (commits, "", number))
    return time.perf_counter() - began


def _commit_one(driver: Any, write: str, values: tuple[Any, ...]) -> None:
    """Both drivers commit each statement by themselves, as Django leaves them."""
    driver.execute(write, values)


def bare(mails: int) -> Seconds:
    """The same bytes over one connection, and nothing written down."""
    messages = _messages_sent(mails)
    began = time.perf_counter()
    with _session() as session:
        for address, message in messages:
            session.sendmail("office@example.org", [address], message)
    return time.perf_counter() - began


def _messages_sent(mails: int) -> list[tuple[str, bytes]]:
    found = Delivery.objects.filter(status="sent").order_by("-pk")[:mails]
    messages = [(delivery.address, bytes(delivery.message or b"")) for delivery in found]
    assert len(messages) == mails
    return messages


def _session() -> smtplib.SMTP:
    return smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT)


def relay(port: int) -> int:
    settings.EMAIL_PORT = port
    return port


COMMANDS: dict[str, Callable[..., Any]] = {
    work.__name__: work for work in (load, tick, tick_in_sweep, send, floor, bare, relay)
}


if __name__ == "__main__":
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(COMMANDS[name](*arguments)), flush=True)
