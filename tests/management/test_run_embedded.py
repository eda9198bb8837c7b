"""`make run` from outside: an empty home, an empty DATA_DIR, real processes, and nothing left afterwards."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.services.embedded import Run, alive, descendants
from tests.services.processes import PATIENCE, stop_process
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import Stack, answers, eventually


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture
def run(data_dir: Path) -> Iterator[Run]:
    started = Run(data_dir).wait_until_ready()
    yield started
    stop_process(started.process)


def test_it_answers_catches_mail_and_ctrl_c_leaves_nothing(run: Run) -> None:
    processes = descendants(run.process.pid)
    sent = run.stack.manage("sendtestemail", "lin@example.org")

    with urlopen(run.address("Site") + "admin/login/", timeout=PATIENCE) as page:
        assert page.status == 200
    with urlopen(run.address("Mail"), timeout=PATIENCE) as page:
        assert "lin@example.org" in page.read().decode(), sent
    run.process.send_signal(signal.SIGINT)

    assert (run.wait_for_the_end(), alive(processes)) == (0, set())
    assert run.said.splitlines()[-1] == "Stopped."
    assert not (run.stack.data_dir / "running.json").exists()


def test_a_killed_service_is_started_again_and_a_killed_site_stops_all(run: Run) -> None:
    victims = {name: run.pids[name] for name in ("worker", "beat", "mail")}
    for pid in victims.values():
        os.kill(pid, signal.SIGKILL)

    assert eventually(lambda: victims.keys() <= run.pids.keys() and not set(victims.values()) & set(run.pids.values()))
    for name in victims:
        assert f"{name} ended by itself (SIGKILL); starting it again." in run.said

    processes = descendants(run.process.pid)
    os.kill(run.pids["web"], signal.SIGKILL)

    assert (run.wait_for_the_end(), alive(processes)) == (1, set())
    assert "web ended by itself (SIGKILL), so everything was stopped." in run.said


def test_nothing_survives_the_supervisor(run: Run) -> None:
    processes = descendants(run.process.pid)
    run.process.kill()
    run.process.wait()

    assert eventually(lambda: not alive(processes))


def test_a_second_one_on_the_same_data_is_refused(run: Run) -> None:
    second = run.stack.manage("run_embedded", check=False)

    assert (second.returncode, second.stderr) == (
        1,
        f"CommandError: It is running already, with its data in {run.stack.data_dir}.\n",
    )
    assert answers(run.address("Site") + "healthz")


def test_data_and_key_survive_a_restart(data_dir: Path) -> None:
    count = "from partnerships.models import User; print(User.objects.count())"
    before = [Stack(data_dir, {}).manage("shell", "-v0", "-c", count).stdout, (data_dir / "secret_key").read_bytes()]
    run = Run(data_dir).wait_until_ready()
    stop_process(run.process)

    after = [run.stack.manage("shell", "-v0", "-c", count).stdout, (data_dir / "secret_key").read_bytes()]

    assert (after, before[0].strip().isdigit()) == (before, True)


def test_a_configured_mail_server_takes_the_place_of_the_catcher(data_dir: Path, smtp_server: SmtpSink) -> None:
    run = Run(data_dir, EMAIL_HOST=smtp_server.host, EMAIL_PORT=str(smtp_server.port)).wait_until_ready(services=3)
    stop_process(run.process)

    assert "Mail:" not in run.said
