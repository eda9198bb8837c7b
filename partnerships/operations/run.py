"""The one entry of the pipeline: the beat's tick, the plain loop and an operator all call ``run_once``."""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import timezone

from partnerships.mailing.claim import rescue
from partnerships.mailing.deliver import deliver_due
from partnerships.mailing.expand import Clock, expand_due
from partnerships.mailing.gather import gather_late
from partnerships.mailing.holding import hold_what_waits
from partnerships.mailing.notices import report_failures
from partnerships.operations.heartbeat import seen_until, write_heartbeat
from partnerships.reminders.reconcile import reconcile_marked, sweep

logger = logging.getLogger(__name__)

SEND_AT_MOST = 500
# Batches of each kind per run: 5,000 rows; what is left is the next run's, a minute later.
BATCHES = 25
STOP_AFTER = dt.timedelta(seconds=240)


@dataclass
class RunReport:
    """The numbers of one run."""

    reconciled: int = 0  # milestones whose plans were checked
    expanded: int = 0  # plans that came due
    queued: int = 0  # deliveries made of them
    rescued: int = 0
    deliveries: dict[str, int] = field(default_factory=dict)  # status reached -> how many
    relay_trouble: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def run_once(
    *,
    now: dt.datetime,
    limit: int = SEND_AT_MOST,
    clock: Clock = timezone.now,
    is_stopping: Callable[[], bool] = lambda: False,
    trigger: str = "",
) -> RunReport:
    """Do one run: heartbeat, plans, items, rescue, then up to ``limit`` mails. Any number of runs may be at work at once.

    ``now`` says what is due. Leases, ``sent_at``, whether a new plan is too late and who is away go by ``clock``, the real time.
    Takes no new work after 240 s, or once ``is_stopping`` says so. ``trigger`` names what asked for the run.
    """
    ends_at = clock() + STOP_AFTER
    done = RunReport()

    def is_over() -> bool:
        return is_stopping() or clock() >= ends_at

    expires_until = seen_until(due_at=now, real_now=clock())  # before this run leaves its own heartbeat
    write_heartbeat(at=clock(), trigger=trigger)
    plan(done, clock=clock, is_over=is_over)
    expand(done, now=now, clock=clock, is_over=is_over, expires_until=expires_until)
    deliver(done, now=now, limit=limit, clock=clock, is_over=is_over)
    write_heartbeat(at=clock())  # a run of four minutes is no silence
    did = ", ".join(f"{name} {what}" for name, what in done.as_dict().items() if what and name != "relay_trouble")
    if did:  # of a relay in trouble the log has its one line
        logger.info("Reminders: %s", did)
    return done


def plan(done: RunReport, *, clock: Clock, is_over: Callable[[], bool]) -> None:
    """Update the plans: all marks first, then as much of a sweep as fits."""
    for step in (reconcile_marked, sweep):
        for _batch in range(BATCHES):
            found = 0 if is_over() else step(now=clock())
            done.reconciled += found
            if not found:
                break


def expand(
    done: RunReport,
    *,
    now: dt.datetime,
    clock: Clock,
    is_over: Callable[[], bool],
    expires_until: dt.datetime | None = None,
) -> None:
    for _batch in range(BATCHES):
        if is_over():
            return
        made = expand_due(now=now, clock=clock, expires_until=expires_until)
        done.expanded += made.plans
        done.queued += made.deliveries
        if not made.plans:
            return


def deliver(done: RunReport, *, now: dt.datetime, limit: int, clock: Clock, is_over: Callable[[], bool]) -> None:
    done.rescued = rescue(clock=clock)
    report_failures(at=clock())
    hold_what_waits(at=clock())
    for _batch in range(BATCHES):
        if is_over() or not gather_late(now=now, at=clock()):
            break
    sent = deliver_due(now=now, clock=clock, limit=limit, is_stopping=is_over)
    done.deliveries = {str(status): count for status, count in sent.counts.items()}
    done.relay_trouble = sent.trouble
