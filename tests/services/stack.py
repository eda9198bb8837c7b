"""The product's own processes, started as an operator would."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from tests.services.migrated import sqlite_template
from tests.services.processes import PATIENCE, REPOSITORY, start_process, stop_process, wait_until

Result = TypeVar("Result")

# What the test run itself lives by and the product's processes must not see.
OWN = (
    "DATABASE_URL",
    "TEST_DATABASE",
    "TEST_DATABASE_TEMPLATE",
    "REDIS_URL",
    "EMAIL_HOST",
    "EMAIL_PORT",
    "SITE_URL",
    "ALLOWED_HOSTS",
)


class Stack:
    """Web, worker and beat over one DATA_DIR and environment; stop() ends what was started."""

    def __init__(self, data_dir: Path, env: Mapping[str, str]) -> None:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in OWN and not name.startswith(("DJANGO_", "PYTEST_"))
        }
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {**inherited, "DATA_DIR": str(data_dir), "SITE_URL": self.url, "ALLOWED_HOSTS": "127.0.0.1", **env}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def manage(self, *arguments: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """`manage.py ...` in this environment; with check, a failure raises and shows what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def copy_migrated_database(self) -> None:
        """Begin with a migrated SQLite file: where it is not the migrations that are tested, they take a third of a start."""
        shutil.copy(sqlite_template(self.data_dir, dict(os.environ)), self.data_dir / "db.sqlite3")

    def log(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")

    def _log(self, name: str) -> Path:
        return self.data_dir / f"{name}.log"

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        process = start_process([sys.executable, *command], log=self._log(name), env=self.env)
        self.processes[name] = process
        return process

    def start_web(self) -> str:
        """The address, answering. Static files are not collected: pages only, unless DEBUG is in the environment."""
        command = ["-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}", "--threads", "4"]
        self._start_and_wait("web", command, lambda: answers(f"{self.url}/healthz"))
        return self.url

    def start_worker(self, *options: str, name: str = "worker") -> subprocess.Popen[bytes]:
        """A Celery worker that consumes; `options` such as "--pool=prefork", "--concurrency=4" (default: solo)."""
        command = ["-m", "celery", "-A", "config", "worker", "--loglevel=info", f"--hostname={name}@%h"]
        return self._start_and_wait(
            name, [*command, *(options or ["--pool=solo"])], lambda: " ready." in self.log(name)
        )

    def start_beat(self, *options: str, name: str = "beat") -> subprocess.Popen[bytes]:
        command = ["-m", "celery", "-A", "config", "beat", "--loglevel=info", *options]
        return self._start_and_wait(name, command, lambda: "beat: Starting..." in self.log(name))

    def _start_and_wait(self, name: str, command: list[str], is_ready: Callable[[], bool]) -> subprocess.Popen[bytes]:
        process = self.start(name, *command)
        wait_until(is_ready, process=process, log=self._log(name), what=name)
        return process

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            stop_process(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def eventually(ask: Callable[[], Result]) -> Result:
    """Return the first true answer of `ask()`; fail with the last answer when none comes."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"Still {answer!r} after {PATIENCE} s"
        time.sleep(0.1)
    return answer
