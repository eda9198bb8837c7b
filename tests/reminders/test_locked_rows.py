"""A run waits only briefly for rows that another connection keeps locked. SQLite is left out: it locks no rows."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections, transaction
from django.db.models import QuerySet

from partnerships.factories import AgreementFactory
from partnerships.models import Agreement, ComponentHeartbeat, Milestone, ReminderMark, ReminderPlan
from partnerships.operations import time_limits
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.tasks import tick
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

DUE = dt.datetime(2026, 3, 5, 0, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("locked", ["heartbeat", "plan"])
def test_a_locked_row_is_left_to_the_next_run(
    locked: str,
    milestone: Milestone,
    smtp_sink: SmtpSink,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(time_limits, "LOCK_WAIT", 200)
    run_once(clock)
    clock.at = DUE
    if locked == "plan":
        milestone.title = "Another title"
        milestone.save()  # its plan is reconciled, which needs the row
        ReminderMark.objects.create(milestone=milestone)
    rows = {"heartbeat": ComponentHeartbeat.objects, "plan": ReminderPlan.objects}[locked].all()

    with other_connection_holds(rows):
        run_once(clock)

    assert "waited too long" in caplog.text
    clock.forward(minutes=1)
    run_once(clock)
    assert [mail.recipients for mail in smtp_sink.received] == [[milestone.owner.email]]
    assert audit(real_now=clock.at) == []


def test_a_locked_agreement_is_left_to_the_next_tick(
    milestone: Milestone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(time_limits, "LOCK_WAIT", 200)
    agreement = AgreementFactory(signed=True)

    with other_connection_holds(Agreement.objects.all()):
        tick()

    assert "derived dates waited too long" in caplog.text
    assert not agreement.milestones.exists()
    tick()
    assert agreement.milestones.exists()


@contextmanager
def other_connection_holds(rows: QuerySet) -> Iterator[None]:
    """Lock ``rows`` in a thread, which has a connection of its own, until the block ends."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(rows.select_for_update())
                held.set()
                done.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    try:
        yield
    finally:
        done.set()
        thread.join()
