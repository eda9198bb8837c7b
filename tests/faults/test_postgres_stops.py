"""PostgreSQL stopped at once in the middle of a run, and connections killed at COMMIT: nothing lost, nothing twice."""

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from partnerships.factories import NOON, MilestoneFactory
from partnerships.mailing import claim, deliver, expand
from partnerships.models import Milestone
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders import reconcile
from partnerships.reminders.clock import Clock
from tests.faults.elsewhere import connected_to
from tests.faults.office import DUE_AT, finish, judge, open_office
from tests.services.migrated import TEMPLATE, create_template
from tests.services.postgres import PostgresServer
from tests.services.smtp_sink import SmtpSink

MAILS = 4
# The clock stands before the time of the office's reminders, so that an edit is still planned; they are sent ahead of it.
AHEAD = DUE_AT - NOON


@pytest.fixture(scope="module")
def empty_server() -> Iterator[PostgresServer]:
    """A server of this module. It answers a commit after it is written, so a stop keeps it; a power cut is not tested."""
    server = PostgresServer(synchronous_commit="on")
    server.start()
    create_template(server, dict(os.environ))
    yield server
    server.remove()


@pytest.fixture
def server(empty_server: PostgresServer, django_db_blocker: Any) -> Iterator[PostgresServer]:
    """The server with an office in a database of this test."""
    name = f"office_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(empty_server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    with django_db_blocker.unblock(), connected_to(empty_server.url(name)):
        open_office(MAILS)
        yield empty_server


class Stops:
    """Stops the server immediately after a step of the pipeline, once, and starts it again."""

    def __init__(self, server: PostgresServer) -> None:
        self.server, self.count = server, 0

    def after(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            result = work(*args, **kwargs)
            if not self.count:
                self.count += 1
                self.server.stop()
                self.server.start()
            return result

        return run


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (reconcile, "update_plans"),  # plans written, their marks not yet removed
        (expand, "write"),  # items and deliveries written, the plans still due
        (claim, "_check_again"),  # claimed and looked at again, not committed
        (deliver.Handing, "begin"),  # the mail server waits for the message
        (deliver.Handing, "before_dot"),  # only the final dot is missing
        (deliver.Handing, "after_dot"),  # the answer is on its way
    ],
)
def test_a_stop_in_the_middle_of_a_run(
    server: PostgresServer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    an_edit()
    stops = Stops(server)
    monkeypatch.setattr(module, name, stops.after(getattr(module, name)))

    with contextlib.suppress(OperationalError):
        run_once(Clock(DUE_AT, lambda: NOON))
    connection.close()

    end = finish(NOON, ahead=AHEAD)
    verdict = judge(smtp_sink.received)
    assert (stops.count, verdict.is_clean, sum(verdict.undecided.values()), audit(real_now=end)) == (1, True, 0, [])


def an_edit() -> None:
    """Add a milestone with its mark, so that there is something to plan."""
    known = Milestone.objects.earliest("pk")
    MilestoneFactory(agreement=known.agreement, due_on=known.due_on)


class Commits:
    """Kills the connection at the ``number``-th commit from now on: before it, or after it and before its answer."""

    def __init__(self, number: int, *, is_done: bool) -> None:
        self.left, self.is_done = number, is_done
        self.original = connection._commit

    def commit(self) -> None:
        """Stand in for the COMMIT at the end of a transaction."""
        self._count(self.original)

    def execute(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        """Wrap each statement. An UPDATE outside of a transaction, such as a mark around the dot, commits itself."""
        if connection.in_atomic_block or not sql.startswith("UPDATE"):
            return execute(sql, *arguments)
        return self._count(lambda: execute(sql, *arguments))

    def _count(self, commit: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left:
            return commit()
        if self.is_done:
            commit()
        with psycopg.connect(os.environ["FAULTS_DATABASE_URL"], autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        return commit()  # over the dead connection: raises what a lost answer raises


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_connections_killed_at_each_commit_of_a_run(
    server: PostgresServer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    monkeypatch.setenv("FAULTS_DATABASE_URL", server.url("postgres"))
    monkeypatch.setattr(deliver, "COMMIT_AGAIN", (0, 0))
    at, kills = NOON, 0
    for number in range(1, 100):
        an_edit()
        commits = Commits(number, is_done=is_done)
        with monkeypatch.context() as patches, contextlib.suppress(OperationalError):
            patches.setattr(connection, "_commit", commits.commit)
            with connection.execute_wrapper(commits.execute):
                run_once(Clock(at + AHEAD, lambda at=at: at))
        connection.close()
        kills += commits.left <= 0
        at = finish(at, ahead=AHEAD)
        if commits.left > 0:
            break

    verdict = judge(smtp_sink.received)
    assert (verdict.is_clean, audit(real_now=at)) == (True, [])
    assert kills > 10
    assert sum(verdict.undecided.values()) <= 2  # between the two marks around the dot, where nobody can know
