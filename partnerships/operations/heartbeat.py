"""The heartbeat that each run writes, and the alarm when there was none for five minutes.

Pages, ``/readyz`` and the supervisor raise the alarm, because what may have stopped cannot report it.
"""

import datetime as dt
import logging
import os
import socket
from dataclasses import dataclass

from partnerships.models import ComponentHeartbeat
from partnerships.reminders.clock import Clock

logger = logging.getLogger(__name__)

HEARTBEAT = "reminders"
WATCH = "reminders.watch"  # dated when a new site was first checked for a run
ALARM = "reminders.alarm"  # dated as the last run before the silence that was logged
# A run comes every minute and may work for four.
SILENT_AFTER = dt.timedelta(minutes=5)
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Silence:
    """A silence since the heartbeat of the last run; ``since`` is None when there never was a run."""

    since: dt.datetime | None


def write_heartbeat(*, at: dt.datetime, trigger: str = "") -> None:
    """Record a run, its machine and process, and its ``trigger``: ``beat``, ``loop``, ``hint``, or empty for a person."""
    names = [HEARTBEAT, f"{HEARTBEAT}.{trigger}"] if trigger else [HEARTBEAT]
    note = f"{socket.gethostname()[:80]}:{os.getpid()}"
    ComponentHeartbeat.objects.bulk_create(
        [ComponentHeartbeat(name=name, at=at, note=note) for name in names],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "note"],
    )


def seen_until(clock: Clock) -> dt.datetime:
    """Return the moment up to which reminders may expire: ``due_at``, less any jump of the clock since the last run.

    A clock that was set ahead looks just like a long outage. The run that meets either expires nothing that the last
    run would not have expired; the next run, a minute later, finds a heartbeat from the present. A heartbeat from the
    future counts as none: it was left while the clock was wrong.
    """
    real_now = clock.real_now
    last = ComponentHeartbeat.objects.filter(name=HEARTBEAT, at__lte=real_now).values_list("at", flat=True).first()
    unseen = real_now - last - SILENT_AFTER if last is not None else dt.timedelta()
    return clock.due_at - max(unseen, dt.timedelta())


def silence(now: dt.datetime) -> Silence | None:
    """Return the silence of the reminders, or None while they run; one query by primary key.

    A new site gets five minutes from the first check for its first run. A heartbeat from the future was left by a wrong
    clock: a run at work now would have overwritten it.
    """
    last = ComponentHeartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()
    if last is not None:
        return Silence(last) if abs(now - last) > SILENT_AFTER else None
    watch, _is_new = ComponentHeartbeat.objects.get_or_create(name=WATCH, defaults={"at": now})
    return Silence(None) if now - watch.at > SILENT_AFTER else None


def sound_alarm(found: Silence) -> bool:
    """Log one error per silence; return False if another process has logged it.

    The process that creates or changes the row is the one that logs.
    """
    since = found.since or NEVER
    _alarm, is_first = ComponentHeartbeat.objects.get_or_create(name=ALARM, defaults={"at": since})
    if not is_first and not ComponentHeartbeat.objects.filter(name=ALARM).exclude(at=since).update(at=since):
        return False
    when = f"since {found.since.isoformat(' ', 'minutes')}" if found.since else "since the site was set up"
    logger.error("No reminder was looked at %s. Start worker and beat, or `manage.py reminders run`.", when)
    return True
