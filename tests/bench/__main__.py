"""Prints one table. What is compared runs side by side, turn by turn, and each figure is a median.

BENCH_MILESTONES (1000000) is the size of the large table.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from tests.services.postgres import PostgresServer
from tests.services.processes import REPOSITORY, start_process, stop_process
from tests.services.stack import eventually

SMALL, LARGE = 10_000, int(os.environ.get("BENCH_MILESTONES", "1000000"))
MAILS = 100
TURNS = 3
IMPORTED = {"organizations": 1000, "register": 300}  # rows of a file of each kind
DELAYS = (0.0, 0.01)  # seconds the mail server thinks about each mail

ENVIRONMENT = {
    "SECRET_KEY": "for-the-benchmark-alone-0123456789-abcdefg",
    "SITE_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "127.0.0.1",
    "REDIS_URL": "memory://",
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": "1",
    "DEFAULT_FROM_EMAIL": "Cooperation office <office@example.org>",
    "REMINDERS_HOLD_ABOVE": "0",  # the load is one act
}


class Worker:
    """`tests.bench.worker` on one database."""

    def __init__(self, database_url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.worker"],
            cwd=REPOSITORY,
            env={**os.environ, **ENVIRONMENT, "DATABASE_URL": database_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "BENCH_QUIET" in os.environ else None,
            text=True,
        )

    def ask(self, *command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def do(self, *command: Any) -> Any:
        self.ask(*command)
        return self.answer()

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


@contextlib.contextmanager
def workers(*urls: str) -> Iterator[list[Worker]]:
    started = [Worker(url) for url in urls]
    try:
        yield started
    finally:
        for worker in started:
            worker.stop()


@contextlib.contextmanager
def relays(directory: Path) -> Iterator[dict[float, int]]:
    """A mail server for each of DELAYS: its port."""
    running, ports = [], {}
    for delay in DELAYS:
        known = directory / f"port-{delay}"
        command = [sys.executable, "-m", "tests.bench.sink", str(known), str(delay)]
        running.append(start_process(command, log=directory / "sink.log"))
        ports[delay] = int(eventually(lambda known=known: known.exists() and known.read_text()))
    yield ports
    for process in running:
        stop_process(process)


def migrate(url: str) -> None:
    """Makes the tables of the empty database at ``url``."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **ENVIRONMENT, "DATABASE_URL": url}, check=True)


def row(database: str, what: str, measured: str, against: str, ratio: float, target: str) -> None:
    print(f"| {database} | {what} | {measured} | {against} | {ratio:.2f} | {target} |", flush=True)


def bench_planning(database: str, small_url: str, large_url: str, port: int) -> None:
    with workers(small_url, large_url) as pair:
        for worker, milestones in zip(pair, (SMALL, LARGE), strict=True):
            print(
                f"{database}: {milestones:,} milestones loaded in {worker.do('load', milestones):.0f} s",
                file=sys.stderr,
            )
            worker.do("relay", port)
            worker.do("tick", 1)  # warms caches and connections
        for work, first in (("tick", 2), ("tick_in_sweep", 2 + TURNS)):
            turns = [[worker.do(work, first + turn) for worker in pair] for turn in range(TURNS)]
            small, large = (median(times) for times in zip(*turns, strict=True))
            what = f"{work.replace('_', ' ')}, 1,000 due, 200 edited: {LARGE:,} milestones against {SMALL:,}"
            row(database, what, f"{large * 1000:.0f} ms", f"{small * 1000:.0f} ms", large / small, "≤ 1.5")


def bench_sending(database: str, url: str, ports: dict[float, int]) -> None:
    with workers(url) as [worker]:
        for delay, port in ports.items():
            worker.do("relay", port)
            worker.do("send", 20)
            turns = [_send_each_way(worker) for _turn in range(TURNS)]
            sent, floor, bare = (MAILS / median(times) for times in zip(*(turn[:3] for turn in turns), strict=True))
            server = f"mail server {delay * 1000:.0f} ms"
            commits = turns[0][3]
            row(
                database,
                f"sending, {server}, {commits} commits a mail: against the floor",
                f"{sent:.0f}/s",
                f"{floor:.0f}/s",
                sent / floor,
                "≥ 0.60",
            )
            row(
                database,
                f"sending, {server}: against bare smtplib, nothing written down",
                f"{sent:.0f}/s",
                f"{bare:.0f}/s",
                sent / bare,
                "",
            )


def _send_each_way(worker: Worker) -> tuple[float, float, float, int]:
    count, took, commits = worker.do("send", MAILS)
    assert count == MAILS
    return took, worker.do("floor", MAILS, round(commits)), worker.do("bare", MAILS), round(commits)


def bench_two_processes(url: str, ports: dict[float, int]) -> None:
    with workers(url, url) as pair:
        for delay, port in ports.items():
            for worker in pair:
                worker.do("relay", port)
                worker.do("send", 20)
            turns = [(_rate(pair[:1]), _rate(pair)) for _turn in range(TURNS)]
            one, two = (median(rates) for rates in zip(*turns, strict=True))
            what = f"sending, mail server {delay * 1000:.0f} ms: two processes against one"
            row("PostgreSQL", what, f"{two:.0f}/s", f"{one:.0f}/s", two / one, "> 1")


def _rate(senders: list[Worker]) -> float:
    """Mails a second of all senders together."""
    for sender in senders:
        sender.ask("send", MAILS)
    answers = [sender.answer() for sender in senders]
    return sum(sent for sent, _took, _commits in answers) / max(took for _sent, took, _commits in answers)


def bench_imports(database: str, urls: dict[str, str]) -> None:
    """Imports a file of each kind into the empty database at its URL; seconds of the processor, of this process alone."""
    for kind, rows in IMPORTED.items():
        command = [sys.executable, "-m", "tests.bench.import_worker", kind, str(rows)]
        more = {**os.environ, **ENVIRONMENT, "DATABASE_URL": urls[kind]}
        done = subprocess.run(command, cwd=REPOSITORY, env=more, stdout=subprocess.PIPE, check=True)
        found = json.loads(done.stdout)
        took, floor = found["check"] + found["import"], found["floor"]
        what = f"import of {rows:,} rows ({kind}), check included: against reading the file and bulk_create"
        row(database, what, f"{took / rows * 1000:.0f} ms a row", f"{floor / rows * 1000:.2f} ms", took / floor, "")


def bench(database: str, small: str, large: str, ports: dict[float, int]) -> None:
    """``small`` and ``large``: addresses of databases with empty tables."""
    bench_planning(database, small, large, ports[0.0])
    bench_sending(database, small, ports)
    if database == "PostgreSQL":
        bench_two_processes(small, ports)


def on_sqlite(directory: Path, ports: dict[float, int]) -> None:
    small, large = directory / "small.sqlite3", directory / "large.sqlite3"
    migrate(f"sqlite:///{small}")
    shutil.copy(small, large)
    for kind in IMPORTED:
        shutil.copy(small, directory / f"{kind}.sqlite3")
    bench_imports("SQLite", {kind: f"sqlite:///{directory / kind}.sqlite3" for kind in IMPORTED})
    bench("SQLite", f"sqlite:///{small}", f"sqlite:///{large}", ports)


def on_postgres(ports: dict[float, int]) -> None:
    """With every commit on disk before it is answered, as a server has it that nobody told otherwise."""
    server = PostgresServer(fsync="on", synchronous_commit="on", full_page_writes="on", max_wal_size="4GB")
    server.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
            admin.execute("CREATE DATABASE small")
            migrate(server.url("small"))
            for name in ("large", *IMPORTED):
                admin.execute(f"CREATE DATABASE {name} TEMPLATE small")
        bench_imports("PostgreSQL", {kind: server.url(kind) for kind in IMPORTED})
        bench("PostgreSQL", server.url("small"), server.url("large"), ports)
    finally:
        server.remove()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, relays(Path(name)) as ports:
        os.environ["DATA_DIR"] = name
        print("| database | what | measured | against | ratio | target |\n|---|---|---|---|---|---|", flush=True)
        on_sqlite(Path(name), ports)
        on_postgres(ports)


if __name__ == "__main__":
    main()
