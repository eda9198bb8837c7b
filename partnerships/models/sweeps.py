"""The positions of the sweeps over all rows."""

import datetime as dt
from collections.abc import Callable
from typing import Self

from django.db import models

# A sweep that began further ahead than this began while the clock was wrong.
CLOCK_SKEW = dt.timedelta(minutes=5)


class SweepQuerySet(models.QuerySet["Sweep"]):
    def under_way(
        self, name: str, *, now: dt.datetime, fingerprint: str, is_due: Callable[[dt.datetime], bool]
    ) -> "Sweep | None":
        """Return the sweep where it stands, from the start when a new one is due; None when there is nothing to do.

        A finished sweep is due again when ``is_due(began_at)``; any sweep starts anew when ``fingerprint`` has changed,
        or when it began while the clock was wrong. On a locked queryset None also means that another process has it.
        """
        sweep = self.filter(name=name).first()
        if sweep is None:  # it never ran, or another process has the lock
            defaults = {"began_at": now, "fingerprint": fingerprint}
            created, is_new = Sweep.objects.get_or_create(name=name, defaults=defaults)
            return created if is_new else None
        is_again = sweep.is_finished and is_due(sweep.began_at)
        if is_again or sweep.fingerprint != fingerprint or sweep.began_at > now + CLOCK_SKEW:
            start = Sweep(name=name, began_at=now, fingerprint=fingerprint)
            if sweep.fingerprint != fingerprint:
                # A change while the sweep is under way belongs to the same act, else it would split the count of its mails.
                start.act = (not sweep.is_finished and sweep.act) or f"{name} {now.isoformat()}"
            return start if sweep.replace_with(start) else None
        return None if sweep.is_finished else sweep


class Sweep(models.Model):
    """A resumable sweep: everything before its position is done.

    The position is a part (of several tables), a day and a primary key, as far as the sweep has a use for them.
    """

    name = models.CharField(max_length=50, primary_key=True)
    began_at = models.DateTimeField()
    fingerprint = models.CharField(max_length=300)  # of what the sweep depends on, when it began
    act = models.CharField(max_length=60, blank=True)  # of the change that started it; "": its time had come
    part = models.PositiveSmallIntegerField(default=0)
    after_day = models.DateField(null=True)
    after_pk = models.BigIntegerField(default=0)
    is_finished = models.BooleanField(default=False)

    POSITION = ("began_at", "fingerprint", "act", "part", "after_day", "after_pk", "is_finished")

    objects = SweepQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} {self.began_at:%Y-%m-%d %H:%M:%S}"

    def moved(
        self, *, part: int | None = None, after_day: dt.date | None = None, after_pk: int = 0, is_finished: bool = False
    ) -> Self:
        """Return the same sweep at another position; nothing is written."""
        return type(self)(
            name=self.name,
            began_at=self.began_at,
            fingerprint=self.fingerprint,
            act=self.act,
            part=self.part if part is None else part,
            after_day=after_day,
            after_pk=after_pk,
            is_finished=is_finished,
        )

    def replace_with(self, following: "Sweep") -> bool:
        """Write the new position; return False if another process has moved the sweep since we read it."""
        # The condition names every column that was read, so of two processes at once only one finds the row.
        mine = Sweep.objects.filter(pk=self.pk, **{field: getattr(self, field) for field in self.POSITION})
        return bool(mine.update(**{field: getattr(following, field) for field in self.POSITION}))
