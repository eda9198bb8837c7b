"""The heartbeat of the runs, and the alarm when there is none."""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import NOON
from partnerships.models import ComponentHeartbeat
from partnerships.operations.heartbeat import ALARM, SILENT_AFTER, Silence, silence, sound_alarm, write_heartbeat
from partnerships.operations.run import run_once
from partnerships.reminders.clock import Clock
from partnerships.tasks import tick
from tests.reminders.conftest import MovableClock
from tests.together import run_together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

LAST = NOON - dt.timedelta(minutes=6)


@pytest.mark.parametrize(
    ("ago", "is_silent"), [(0, False), (300, False), (301, True), (86_400, True), (-300, False), (-7200, True)]
)
def test_five_minutes_without_a_run_are_a_silence(ago: int, is_silent: bool) -> None:
    """A heartbeat two hours ahead means that the clock was set back."""
    at = NOON - dt.timedelta(seconds=ago)
    write_heartbeat(at=at, trigger="beat")

    assert silence(NOON) == (Silence(at) if is_silent else None)


def test_a_site_that_never_ran_is_silent_once_it_had_time_to_start() -> None:
    asked = [silence(NOON + wait) for wait in (dt.timedelta(), SILENT_AFTER, SILENT_AFTER + dt.timedelta(seconds=1))]

    assert asked == [None, None, Silence(None)]


def test_asking_costs_one_query(django_assert_num_queries: Callable[..., Any]) -> None:
    write_heartbeat(at=LAST)

    with django_assert_num_queries(1):
        silence(NOON)


def test_each_silence_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    sounded = [sound_alarm(Silence(LAST)) for _page in range(3)]
    sounded.append(sound_alarm(Silence(LAST + dt.timedelta(hours=1))))

    assert sounded == [True, False, False, True]
    assert [(record.levelno, record.message[:50]) for record in caplog.records] == [
        (logging.ERROR, "No reminder was looked at since 2026-03-02 11:54+0"),
        (logging.ERROR, "No reminder was looked at since 2026-03-02 12:54+0"),
    ]


@pytest.mark.parametrize("before", [None, LAST - dt.timedelta(days=1)])
def test_one_of_several_processes_logs_the_silence(before: dt.datetime | None) -> None:
    if before:
        ComponentHeartbeat.objects.create(name=ALARM, at=before)

    sounded = run_together(*[lambda: sound_alarm(Silence(LAST))] * 4)

    assert sorted(sounded) == [False, False, False, True]


def test_each_run_leaves_its_heartbeat_and_that_of_its_trigger(clock: MovableClock, time_machine: Any) -> None:
    run_once(clock, trigger="loop")
    clock.forward(minutes=1)
    run_once(clock)
    time_machine.move_to(clock.forward(minutes=1), tick=False)
    tick(trigger="beat")

    found = ComponentHeartbeat.objects.filter(name__startswith="reminders")
    assert dict(found.values_list("name", "at")) == {
        "reminders": NOON + dt.timedelta(minutes=2),
        "reminders.loop": NOON,
        "reminders.beat": NOON + dt.timedelta(minutes=2),
        "reminders.marks": NOON + dt.timedelta(minutes=2),
    }


def test_a_long_run_leaves_a_heartbeat_at_its_end(clock: MovableClock) -> None:
    class Slow(MovableClock):
        """Each reading of it takes a minute."""

        def read(self) -> dt.datetime:
            return self.forward(minutes=1)

    slow = Slow(NOON)
    run_once(Clock(NOON, slow.read))

    assert ComponentHeartbeat.objects.get(name="reminders").at == slow.at
