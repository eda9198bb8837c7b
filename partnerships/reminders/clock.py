"""The clock that a run goes by."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone


@dataclass(frozen=True)
class Clock:
    """The time up to which things are due, and the real time. The two differ while a demonstration looks ahead with ``--now``.

    Plans and mails fall due by ``due_at``, and a mail counts the days left from it. What is recorded as happening now
    goes by ``real_now``: leases, ``sent_at``, the ``Date`` header, who is away, whether a new plan comes too late.
    """

    due_at: dt.datetime
    read: Callable[[], dt.datetime] = timezone.now
    # Plans that expired later than this are left to the next run, because the clock may have been set ahead.
    expires_until: dt.datetime | None = None

    @property
    def real_now(self) -> dt.datetime:
        return self.read()

    def stopped(self) -> "Clock":
        """Return this clock standing still, so that all rows of a transaction carry the same time."""
        at = self.real_now
        return Clock(self.due_at, lambda: at, self.expires_until)

    def until(self, expires_until: dt.datetime) -> "Clock":
        """Return this clock for a run that lets no plan expire that expired after ``expires_until``."""
        return Clock(self.due_at, self.read, expires_until)
