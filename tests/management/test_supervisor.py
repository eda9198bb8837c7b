"""The supervisor over small programs that do what real services do at their worst."""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from partnerships.management.embedded import SILENT_AFTER, STUCK_AFTER, TickWatch, plan_embedded_site
from partnerships.management.supervisor import (
    RESTARTS,
    RESTARTS_WITHIN,
    Service,
    ServiceDied,
    StopRequested,
    Supervisor,
)
from tests.services.processes import PATIENCE, is_alive
from tests.services.stack import eventually

RUN_FOR_EVER = "import time; print('up'); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)"
TELLS_ITS_END = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print('ended'), sys.exit(0)))
print('up')
time.sleep(600)
"""
HAS_A_CHILD = f"""
import subprocess, sys, time
print('child', subprocess.Popen([sys.executable, '-c', {RUN_FOR_EVER!r}], stdout=subprocess.DEVNULL).pid)
time.sleep(600)
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    with Supervisor(said.append) as running:
        yield running


def service(name: str, code: str, **options: object) -> Service:
    return Service(name, [sys.executable, "-c", code], dict(os.environ), **options)  # type: ignore[arg-type]


def test_output_is_passed_on_with_the_name(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(service("web", RUN_FOR_EVER))

    supervisor.wait_until(lambda: bool(said), seconds=PATIENCE)

    assert said == ["web    | up"]


def test_a_death_says_who_how_and_the_last_words(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(service("web", RUN_FOR_EVER))
    supervisor.start(service("worker", "print('first'); print('last', end=''); raise SystemExit(3)"))

    with pytest.raises(ServiceDied) as death:
        supervisor.wait(PATIENCE)

    assert (death.value.name, death.value.how, death.value.last_lines) == ("worker", "exit code 3", ["first", "last"])


def test_a_killed_service_is_named_by_its_signal(supervisor: Supervisor) -> None:
    supervisor.start(service("worker", "import os; os.kill(os.getpid(), 9)"))

    with pytest.raises(ServiceDied) as death:
        supervisor.wait(PATIENCE)

    assert death.value.how == "SIGKILL"


def test_a_quiet_service_speaks_at_its_death_only(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(service("broker", "print('banner'); raise SystemExit(1)", is_quiet=True))

    with pytest.raises(ServiceDied) as death:
        supervisor.wait(PATIENCE)

    assert (said, death.value.last_lines) == ([], ["banner"])


def test_a_service_that_ends_again_and_again_is_given_up(said: list[str]) -> None:
    told: list[ServiceDied] = []
    with Supervisor(said.append, told.append) as supervisor:
        supervisor.start(Service("worker", ["sh", "-c", "exit 3"], dict(os.environ), is_restarted=True))

        with pytest.raises(ServiceDied) as death:
            supervisor.wait(PATIENCE)

    assert [(notice.name, notice.how) for notice in told] == [("worker", "exit code 3")] * RESTARTS
    assert death.value.how == "exit code 3"


def test_ends_long_ago_are_not_counted() -> None:
    worker = Service("worker", [], is_restarted=True)

    asked = [worker.count_end(at) for at in (0, 1, 2, 3, RESTARTS_WITHIN + 2)]

    assert asked == [True, True, True, False, True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_to_stop(supervisor: Supervisor, number: signal.Signals) -> None:
    os.kill(os.getpid(), number)

    with pytest.raises(StopRequested):
        supervisor.wait(PATIENCE)


def test_what_others_need_is_stopped_after_them(said: list[str]) -> None:
    with Supervisor(said.append) as supervisor:
        supervisor.start(service("broker", TELLS_ITS_END, outlives_others=True))
        supervisor.start(service("worker", TELLS_ITS_END))
        supervisor.wait_until(lambda: len(said) == 2, seconds=PATIENCE)

    assert said[2:] == ["worker | ended", "broker | ended"]


def test_who_does_not_listen_is_killed(said: list[str]) -> None:
    with Supervisor(said.append) as supervisor:
        deaf = service("web", DEAF, patience=0.3)
        supervisor.start(deaf)
        supervisor.wait_until(lambda: bool(said), seconds=PATIENCE)

    assert deaf.process is not None
    assert deaf.process.returncode == -signal.SIGKILL


def test_grandchildren_end_too(said: list[str]) -> None:
    with Supervisor(said.append) as supervisor:
        supervisor.start(service("web", HAS_A_CHILD))
        supervisor.wait_until(lambda: bool(said), seconds=PATIENCE)
        child = int(said[0].split()[-1])
        assert is_alive(child)

    assert eventually(lambda: not is_alive(child))


def test_restart_replaces_the_process(supervisor: Supervisor, said: list[str]) -> None:
    worker = service("worker", DEAF, patience=0.3)
    supervisor.start(worker)
    supervisor.wait_until(lambda: len(said) == 1, seconds=PATIENCE)
    first = worker.process

    supervisor.restart("worker")
    supervisor.wait_until(lambda: len(said) == 2, seconds=PATIENCE)

    assert first is not None
    assert (first.returncode, worker.is_running) == (-signal.SIGKILL, True)


def test_wait_until_gives_up(supervisor: Supervisor) -> None:
    with pytest.raises(TimeoutError):
        supervisor.wait_until(lambda: False, seconds=0.2)


def test_ticks_that_stop_are_noticed_once_per_period() -> None:
    watch = TickWatch(now=0)

    asked = [watch.is_stuck(None, now) for now in (60, STUCK_AFTER - 1, STUCK_AFTER, STUCK_AFTER + 60)]

    assert asked == [False, False, True, False]


def test_a_silence_is_told_before_it_counts_as_stuck() -> None:
    alarm, watch = TickWatch(now=0, patience=SILENT_AFTER), TickWatch(now=0)

    told = [(alarm.is_stuck(None, now), watch.is_stuck(None, now)) for now in (299, 300, 360, STUCK_AFTER)]

    assert told == [(False, False), (True, False), (False, False), (True, True)]


def test_a_new_tick_starts_the_count_anew() -> None:
    watch = TickWatch(now=0)
    first, second = datetime(2026, 11, 20, 9, 0, tzinfo=UTC), datetime(2026, 11, 20, 9, 1, tzinfo=UTC)

    asked = [watch.is_stuck(first, 1), watch.is_stuck(second, STUCK_AFTER), watch.is_stuck(second, 2 * STUCK_AFTER)]

    assert asked == [False, False, True]


def test_an_empty_port_counts_as_none(tmp_path: Path) -> None:
    environ = {"PORT": "", "REDIS_URL": "redis://broker", "EMAIL_HOST": "mail.example.org"}

    site = plan_embedded_site(environ, data_dir=tmp_path, sockets=tmp_path)

    assert site.addresses["SITE_URL"].startswith("http://127.0.0.1:")
