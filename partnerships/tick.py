"""One tick: everything that is to be done every minute, whoever asks for it."""

from collections.abc import Callable

from django.utils import timezone

from partnerships.acts import recorded_as
from partnerships.lists import exports
from partnerships.operations.retention import apply_retention
from partnerships.operations.run import SEND_AT_MOST, RunReport, run_once
from partnerships.operations.time_limits import run_stage, time_limits
from partnerships.reminders.clock import Clock
from partnerships.workflows.derived_sweep import sweep_derived
from partnerships.workflows.personal_data import clear_mails
from partnerships.workflows.users import send_requested_links


def run_tick(
    clock: Clock,
    *,
    limit: int = SEND_AT_MOST,
    is_stopping: Callable[[], bool] = lambda: False,
    trigger: str = "",
) -> RunReport:
    """Do the work of a minute: mail links for passwords, run the reminders, sweep derived milestones, remove what was kept long
    enough, clear mails, make exports.

    The sweep does a part in each tick; the next run reads the marks it leaves.
    The worker's task, the loop and cron all call this. A tick that is lost or done twice changes nothing, because the
    next one finds everything that is due. ``trigger`` says what asked for it.
    """
    with recorded_as("Scheduled run"):
        return _run(clock, limit=limit, is_stopping=is_stopping, trigger=trigger)


def _run(clock: Clock, *, limit: int, is_stopping: Callable[[], bool], trigger: str) -> RunReport:
    # First, because somebody waits for the link and a run may take minutes.
    with time_limits():
        run_stage("links for passwords", lambda: send_requested_links(now=timezone.now()))
    report = run_once(clock, limit=limit, is_stopping=is_stopping, trigger=trigger)
    with time_limits():
        run_stage("derived dates", lambda: sweep_derived(now=timezone.now(), is_over=is_stopping))
        run_stage("retention", lambda: apply_retention(now=timezone.now(), is_over=is_stopping))
        run_stage("mails of erased people", lambda: clear_mails(now=timezone.now(), is_over=is_stopping))
    # Exports whose own message was lost, or where there is no worker to receive it.
    exports.make_waiting(clock=timezone.now, is_stopping=is_stopping)
    return report
