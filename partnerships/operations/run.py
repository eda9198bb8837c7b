"""One run of the reminders. The beat's tick, the plain loop and an operator all call ``run_once``."""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from partnerships.mailing.claim import rescue
from partnerships.mailing.deliver import deliver_due
from partnerships.mailing.expand import expand_due
from partnerships.mailing.gather import gather_late
from partnerships.mailing.holding import hold_queued
from partnerships.mailing.month import queue_months
from partnerships.mailing.notices import report_failures
from partnerships.operations.heartbeat import seen_until, write_heartbeat
from partnerships.operations.time_limits import run_stage, time_limits
from partnerships.reminders.clock import Clock
from partnerships.reminders.reconcile import note_marks_read, reconcile_marked, sweep

logger = logging.getLogger(__name__)

SEND_AT_MOST = 500
# Batches of each kind per run: 5,000 rows. The next run, a minute later, continues with the rest.
BATCHES = 25
STOP_AFTER = dt.timedelta(seconds=240)


@dataclass
class RunReport:
    """The numbers of one run."""

    reconciled: int = 0  # milestones whose plans were checked
    expanded: int = 0  # plans that came due
    queued: int = 0  # deliveries made of them
    rescued: int = 0
    deliveries: dict[str, int] = field(default_factory=dict)  # by the status they reached
    relay_trouble: str = ""

    def as_log_line(self) -> str:
        # A mail server in trouble has a line of its own in the log.
        return ", ".join(f"{name} {value}" for name, value in vars(self).items() if value and name != "relay_trouble")


def run_once(
    clock: Clock,
    *,
    limit: int = SEND_AT_MOST,
    is_stopping: Callable[[], bool] = lambda: False,
    trigger: str = "",
) -> RunReport:
    """Do one run: heartbeat, plans, items, rescue, then up to ``limit`` mails. Any number of runs may be at work at once.

    A run takes no new work after 240 s, or once ``is_stopping`` says so. ``trigger`` names what asked for it.
    """
    ends_at = clock.real_now + STOP_AFTER
    report = RunReport()

    def is_over() -> bool:
        return is_stopping() or clock.real_now >= ends_at

    with time_limits():
        expires_until = seen_until(clock)  # read before this run leaves a heartbeat of its own
        run_stage("heartbeat", lambda: write_heartbeat(at=clock.real_now, trigger=trigger))
        run_stage("plans", lambda: plan(report, clock, is_over=is_over))
        run_stage("items", lambda: expand(report, clock.until(expires_until), is_over=is_over))
        run_stage("mails", lambda: deliver(report, clock, limit=limit, is_over=is_over))
        # A run may take four minutes, and five without a heartbeat raise the alarm.
        run_stage("heartbeat", lambda: write_heartbeat(at=clock.real_now))
    if line := report.as_log_line():
        logger.info("Reminders: %s", line)
    return report


def plan(report: RunReport, clock: Clock, *, is_over: Callable[[], bool]) -> None:
    """Update the plans: all marks first, then as much of a sweep as fits."""
    for step in (reconcile_marked, sweep):
        for _batch in range(BATCHES):
            found = 0 if is_over() else step(real_now=clock.real_now)
            report.reconciled += found
            if not found:
                break
        if step is reconcile_marked:
            note_marks_read(real_now=clock.real_now)


def expand(report: RunReport, clock: Clock, *, is_over: Callable[[], bool]) -> None:
    """Make due plans into mail."""
    for _batch in range(BATCHES):
        if is_over():
            return
        made = expand_due(clock)
        report.expanded += made.plans
        report.queued += made.deliveries
        if not made.plans:
            return


def deliver(report: RunReport, clock: Clock, *, limit: int, is_over: Callable[[], bool]) -> None:
    """Send what is due, after what other processes left behind has been dealt with."""
    report.rescued = rescue(real_now=clock.real_now)
    report_failures(real_now=clock.real_now)
    queue_months(real_now=clock.real_now)
    hold_queued(real_now=clock.real_now)
    for _batch in range(BATCHES):
        if is_over() or not gather_late(clock):
            break
    sent = deliver_due(clock, limit=limit, is_stopping=is_over)
    report.deliveries = {str(status): count for status, count in sent.counts.items()}
    report.relay_trouble = sent.trouble
