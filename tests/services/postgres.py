"""A private PostgreSQL server: its own cluster in a short temporary path, reachable by its socket alone."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.services.processes import REPOSITORY, ServiceFailedError, start_process, stop_process, wait_until

# A crash of the machine in the middle of a test run may cost the cluster.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_program(name: str) -> str:
    """The path of a PostgreSQL program; Debian keeps them in a directory per version, newest wins."""
    versioned = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(name) or (str(versioned[-1]) if versioned else None)
    if not found:
        raise ServiceFailedError(f"PostgreSQL's {name} is not installed: apt-get install -y postgresql")
    return found


class PostgresServer:
    """start(), stop(), start() again keeps the data; remove() ends it. Settings: any of postgresql.conf."""

    def __init__(self, **settings: str) -> None:
        self.settings = {"listen_addresses": "", "max_connections": "200", "jit": "off", **FAST, **settings}
        # Not tmp_path: a socket's path has 107 bytes, and user postgres cannot enter root's home.
        self.directory = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"postgres://postgres@/{database}?host={self.directory}"

    def start(self) -> None:
        if not self.data.exists():
            self._initialize()
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        self.process = start_process(
            [*_as_postgres(), find_program("postgres"), "-D", str(self.data), "-k", str(self.directory), *options],
            log=self.log,
        )
        wait_until(self._answers, process=self.process, log=self.log, what="PostgreSQL")

    def _initialize(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        command = [find_program("initdb"), "-D", str(self.data), "--username=postgres", "--auth=trust"]
        command += ["--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"]
        done = subprocess.run([*_as_postgres(), *command], capture_output=True, text=True, cwd="/", check=False)
        if done.returncode:
            raise ServiceFailedError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        command = [find_program("pg_isready"), "-q", "-h", str(self.directory), "-U", "postgres", "-d", "postgres"]
        return subprocess.run(command, check=False, cwd=REPOSITORY).returncode == 0

    def stop(self) -> None:
        """At once, open connections or not ("immediate" shutdown)."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            stop_process(self.process)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _as_postgres() -> list[str]:
    """The server refuses to run as root."""
    if os.geteuid():
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig", "TERM", "--"]
