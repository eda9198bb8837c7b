"""The services of the embedded site and their addresses."""

import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from partnerships.management.broker import find_server, server_command
from partnerships.management.supervisor import Service
from partnerships.operations import heartbeat

LOOPBACK = "127.0.0.1"
# Longer than the longest run of a tick, hand-over included.
STUCK_AFTER = 600  # seconds
SILENT_AFTER = int(heartbeat.SILENT_AFTER.total_seconds())


@dataclass(frozen=True)
class EmbeddedSite:
    """`addresses`: environment variables for every service, and for other commands on this machine.

    `mail_page` is empty where a mail server is configured. The services `behind` start once the pages of those `in_front`
    answer: they would only make the first page slower, and nothing waits for them.
    """

    address: str
    mail_page: str
    addresses: Mapping[str, str]
    in_front: Sequence[Service]
    behind: Sequence[Service]

    @property
    def ticker(self) -> str:
        """Return the name of the service that runs the ticks."""
        return self.behind[0].name


class TickWatch:
    """Watches whether ticks have stopped. It measures on a clock that stands still while the machine sleeps."""

    def __init__(self, now: float, *, patience: float = STUCK_AFTER) -> None:
        self.last_tick: datetime | None = None
        self.since = now
        self.patience = patience

    def is_stuck(self, last_tick: datetime | None, now: float) -> bool:
        """Return whether `last_tick` has been the same for too long, and if so start to count anew."""
        if last_tick != self.last_tick:
            self.last_tick, self.since = last_tick, now
        if now - self.since < self.patience:
            return False
        self.since = now
        return True


def plan_embedded_site(environ: Mapping[str, str], *, data_dir: Path, sockets: Path) -> EmbeddedSite:
    """Return local services for what `environ` does not name (REDIS_URL, EMAIL_HOST); free ports where the usual are busy."""
    port = free_port(int(environ.get("PORT") or 8000))
    address = f"http://{LOOPBACK}:{port}/"
    addresses = {"SITE_URL": environ.get("SITE_URL") or address.rstrip("/")}
    in_front, mail_page = [], ""
    program = None if environ.get("REDIS_URL") else find_server()
    if program:
        addresses["REDIS_URL"] = f"redis+socket://{sockets / 'broker'}"
        in_front.append(_broker(program, socket=sockets / "broker", data_dir=data_dir))
    elif not environ.get("REDIS_URL"):
        addresses["REDIS_URL"] = "memory://"  # no worker to wake, and nothing to complain about
    if not environ.get("EMAIL_HOST"):
        smtp_port, page_port = free_port(1025), free_port(8025)
        addresses |= {"EMAIL_HOST": LOOPBACK, "EMAIL_PORT": str(smtp_port)}
        mail_page = f"http://{LOOPBACK}:{page_port}/"
        in_front.append(_mail_catcher(smtp_port=smtp_port, page_port=page_port))
    in_front.append(_web(port))
    behind = _worker_and_beat() if program or environ.get("REDIS_URL") else [_loop()]
    for service in (*in_front, *behind):
        service.env = {**environ, **addresses}
    return EmbeddedSite(address, mail_page, addresses, in_front, behind)


def free_port(wanted: int) -> int:
    """Return `wanted` if nobody listens there, else a port that the system picks."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # Otherwise a port counts as busy for a minute after its server has stopped.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("No free port on the loopback address.")


def _broker(program: str, *, socket: Path, data_dir: Path) -> Service:
    # A folder for each program: Redis and Valkey do not read each other's files.
    data = data_dir / "broker" / Path(program).name
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = server_command(program, socket=socket, data=data)
    return Service("broker", command, outlives_others=True, is_quiet=True, is_restarted=True)


def _mail_catcher(*, smtp_port: int, page_port: int) -> Service:
    command = _manage("catch_mail", f"--smtp-port={smtp_port}", f"--page-port={page_port}")
    return Service("mail", command, outlives_others=True, is_restarted=True)


def _web(port: int) -> Service:
    # Threads, not processes: SQLite has one writer anyway, and a threaded worker notices at once that its parent died.
    command = _module("gunicorn", "config.wsgi", f"--bind={LOOPBACK}:{port}", "--worker-class=gthread", "--threads=4")
    return Service("web", [*command, "--log-level=warning", "--graceful-timeout=10", "--no-control-socket"])


def _worker_and_beat() -> list[Service]:
    # Two services rather than `worker -B`: the beat of -B is a child of the worker and outlives it when that is killed.
    # The worker warns when it runs as root. A person who calls make as root has chosen that already.
    as_root = "ignore:You're running the worker with superuser privileges"
    celery = [sys.executable, "-W", as_root, "-m", "celery", "--app=config", "--quiet"]
    quick = ["--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        Service("worker", [*celery, "worker", "--loglevel=info", "--hostname=embedded@%h", *quick], is_restarted=True),
        Service("beat", [*celery, "beat", "--loglevel=warning", "--pidfile="], is_restarted=True),
    ]


def _loop() -> Service:
    """Return the loop that does the work where no broker can run."""
    return Service("loop", _manage("reminders", "run"), is_restarted=True)


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def _module(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]
