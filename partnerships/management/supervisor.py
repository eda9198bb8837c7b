"""Several processes kept as one: their output in one place, all of them stopped when one fails or somebody asks.

One thread, one loop. Every service is the leader of its own session, so that Ctrl-C reaches the supervisor alone and it
decides the order. Should the supervisor itself be killed, the kernel sends its services SIGTERM (setpriv, on Linux).
"""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import IO, Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LAST_LINES = 15
# A service that ended by itself is started again so often within so many seconds; the next end stops everything.
RESTARTS, RESTARTS_WITHIN = 3, 600


class StopRequested(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


class ServiceDied(Exception):
    """A service ended by itself, for good or too often. `last_lines` is what it said at the end."""

    def __init__(self, name: str, returncode: int, last_lines: Sequence[str]) -> None:
        super().__init__(name, returncode)
        self.name = name
        self.returncode = returncode
        self.last_lines = list(last_lines)

    @property
    def how(self) -> str:
        """ "exit code 3" or "SIGKILL"."""
        return f"exit code {self.returncode}" if self.returncode >= 0 else signal.Signals(-self.returncode).name


@dataclass
class Service:
    """A program to run.

    `outlives_others`: stopped in the second wave, because the first may need it to finish.
    `is_quiet`: what it says is kept for its death notice and not shown.
    `is_restarted`: started again when it ends by itself, as others can do without it for a moment.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    outlives_others: bool = False
    is_quiet: bool = False
    is_restarted: bool = False
    patience: float = 30  # seconds from SIGTERM to SIGKILL
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES), repr=False)
    unfinished: bytes = field(default=b"", repr=False)
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS), repr=False)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def count_end(self, now: float) -> bool:
        """Count an end at `now`, and return whether the service may be started again."""
        is_too_often = len(self.ends) == RESTARTS and now - self.ends[0] < RESTARTS_WITHIN
        self.ends.append(now)
        return self.is_restarted and not is_too_often


class Supervisor:
    """A context manager: leaving it, however that happens, stops every service.

    `on_restart` is called with the death of each service that is then started again.
    """

    def __init__(
        self, write: Callable[[str], object], on_restart: Callable[[ServiceDied], object] = lambda death: None
    ) -> None:
        self.write = write
        self.on_restart = on_restart
        self.services: dict[str, Service] = {}
        self.selector = selectors.DefaultSelector()
        self.stop_requested = False

    def __enter__(self) -> Self:
        # Python writes a byte here at each signal, which ends the select() of the loop.
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.selector.register(self._wake_read, selectors.EVENT_READ)
        # SIGCHLD needs a handler, if an empty one, or it would not end the wait below.
        self._old_handlers = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        self._old_handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        self._old_wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        signal.set_wakeup_fd(self._old_wakeup)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self.selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop_requested = True

    def start(self, service: Service) -> None:
        # setpriv asks the kernel for SIGTERM to the service when this process ends, even by SIGKILL.
        lifeline = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        # PYTHONUNBUFFERED: a Python program whose output is a pipe would keep its last lines in a buffer.
        service.process = subprocess.Popen(
            [*lifeline, *service.command],
            env={**service.env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert service.process.stdout
        os.set_blocking(service.process.stdout.fileno(), False)
        self.selector.register(service.process.stdout, selectors.EVENT_READ, service)
        self.services[service.name] = service

    def restart(self, name: str) -> None:
        """Kill what is left of a service, without asking, and start it again."""
        service = self.services[name]
        self._kill_group(service)
        self.start(service)

    def wait(self, seconds: float) -> None:
        """Pass on output for that long; raise StopRequested or ServiceDied as soon as there is reason to."""
        deadline = time.monotonic() + seconds
        while True:
            self._pass_on_output(max(0, deadline - time.monotonic()))
            if self.stop_requested:
                raise StopRequested
            self._restart_ended()
            if time.monotonic() >= deadline:
                return

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> None:
        """Like wait(), but return as soon as `is_ready()`; TimeoutError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if time.monotonic() >= deadline:
                raise TimeoutError
            self.wait(0.1)

    def _restart_ended(self) -> None:
        """Start the services that ended again; raise ServiceDied for one that must not or ended too often."""
        for service in list(self.services.values()):
            if service.process and service.process.poll() is not None:
                self._drain(service)
                death = ServiceDied(service.name, service.process.returncode, service.last_lines)
                if not service.count_end(time.monotonic()):
                    raise death
                self.on_restart(death)
                self.restart(service.name)

    def _pass_on_output(self, timeout: float) -> None:
        for key, _ in self.selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 1024)
            else:
                self._read(key.data)

    def _read(self, service: Service) -> bool:
        """Take over what there is; False when that is nothing (for now, or for ever)."""
        assert service.process
        output = _output_of(service.process)
        try:
            chunk = os.read(output.fileno(), 65536)
        except BlockingIOError:
            return False
        if chunk:
            *lines, service.unfinished = (service.unfinished + chunk).split(b"\n")
        else:
            lines, service.unfinished = service.unfinished.splitlines(), b""
            self._close_output(service)
        for line in lines:
            self._take_over(service, line.decode(errors="replace").rstrip())
        return bool(chunk)

    def _take_over(self, service: Service, line: str) -> None:
        service.last_lines.append(line)
        if not service.is_quiet:
            self.write(f"{service.name:<7}| {line}")

    def _drain(self, service: Service) -> None:
        assert service.process
        while not _output_of(service.process).closed and self._read(service):
            pass

    def stop(self) -> None:
        """SIGTERM to all, in two waves, each with its patience; then whatever is left of their sessions is killed."""
        for wave in (False, True):
            services = [service for service in self.services.values() if service.outlives_others is wave]
            for service in services:
                if service.is_running and service.process:
                    service.process.terminate()
            self._await_end(services)
        self.services.clear()

    def _await_end(self, services: Sequence[Service]) -> None:
        deadline = time.monotonic() + max((service.patience for service in services), default=0)
        self.stop_requested = False  # the next Ctrl-C means: now
        while any(service.is_running for service in services) and time.monotonic() < deadline:
            if self.stop_requested:
                break
            self._pass_on_output(0.1)
        for service in services:
            self._kill_group(service)

    def _kill_group(self, service: Service) -> None:
        """Kill the service and every descendant that stayed in its session."""
        assert service.process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait()
        self._drain(service)
        self._close_output(service)

    def _close_output(self, service: Service) -> None:
        assert service.process
        output = _output_of(service.process)
        if not output.closed:
            self.selector.unregister(output)
            output.close()


def _output_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout
    return process.stdout
