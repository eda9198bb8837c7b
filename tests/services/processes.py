"""Starting and stopping the processes that tests need."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# Seconds. Every wait of a test ends as soon as its condition holds; what takes longer than this even on a machine that
# is busy with other work is broken.
PATIENCE = 300


class ServiceFailedError(RuntimeError):
    """A test service did not come up, or died early."""


def start_process(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The process, its output appended to `log`; it gets SIGTERM when the test run dies, however that dies."""
    with log.open("ab") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=env,
        )


def wait_until(is_ready: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path, what: str) -> None:
    """Return as soon as `is_ready()`; raise ServiceFailedError with the log when the process ends or time runs out."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if is_ready():
            return
        if process.poll() is not None:
            raise ServiceFailedError(f"{what} ended with {process.returncode}:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
    raise ServiceFailedError(f"{what} was not ready after {PATIENCE} s:\n{log.read_text(errors='replace')}")


def stop_process(process: subprocess.Popen[bytes]) -> int:
    """SIGTERM, then SIGKILL when it does not end; the exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def is_alive(pid: int) -> bool:
    """Whether the process exists and is more than an entry that its parent has not read yet."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
