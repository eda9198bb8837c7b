"""Senders are killed with SIGKILL at random moments, one and four at a time; nothing is lost or sent twice.

CHAOS_KILLS says how many (`make chaos`: 500 on each database); CHAOS_TABLE names a file that gets a line of figures.
"""

import datetime as dt
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from partnerships.models import Delivery
from partnerships.operations.audit import audit
from tests.faults.conftest import SPEED
from tests.faults.office import DUE_AT, Verdict, finish, judge, open_office
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

KILLS = int(os.environ.get("CHAOS_KILLS", "25"))
MAILS_PER_KILL = 4


@pytest.mark.parametrize("workers", [1, 4])
def test_nothing_is_lost_and_nothing_doubled(
    nursery: Callable[..., dict[str, int]], smtp_sink: SmtpSink, workers: int
) -> None:
    kill_and_judge(nursery, smtp_sink, workers=workers)


def kill_and_judge(
    nursery: Callable[..., dict[str, int]],
    sink: SmtpSink,
    *,
    workers: int,
    relay: str = "sink",
    wait: Callable[[], object] = lambda: None,
) -> None:
    """Kill senders and judge the result. ``wait`` returns when the relay has passed on all it accepted."""
    open_office(KILLS * MAILS_PER_KILL)
    began = time.monotonic()

    counted = nursery(workers=workers, kills=KILLS, seed=os.environ.get("CHAOS_SEED", "1"))
    wait()
    while_killing = len(sink.received)
    end = finish(DUE_AT + dt.timedelta(seconds=SPEED * (time.monotonic() - began)))
    wait()

    verdict = judge(sink.received)
    report(verdict, relay=relay, workers=workers, kills=counted["kills"], while_killing=while_killing)
    assert (verdict.is_clean, counted["ended"]) == (True, 0), verdict
    assert counted["kills"] >= KILLS
    assert while_killing > KILLS  # they did get to work
    assert sum(verdict.undecided.values()) <= KILLS + workers  # one for each process that ended, at most
    assert audit(real_now=end) == []


def report(verdict: Verdict, *, relay: str, workers: int, kills: int, while_killing: int) -> None:
    """Write a row of the table in docs/reliability.md."""
    if "CHAOS_TABLE" not in os.environ:
        return
    undecided = [verdict.undecided.get(status, 0) for status in ("uncertain", "unconfirmed", "failed")]
    cells = [connection.vendor, relay, workers, kills, f"{while_killing} of {Delivery.objects.count()}"]
    cells += [len(verdict.lost), len(verdict.doubled), *undecided]
    with Path(os.environ["CHAOS_TABLE"]).open("a") as table:
        table.write("| " + " | ".join(str(cell) for cell in cells) + " |\n")
