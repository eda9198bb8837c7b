"""The hands with which the sample's records are made: dated, signed with a name, marked as sample."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils import timezone

from partnerships.dates import is_weekday, shift_to_workday
from partnerships.models import (
    AgreementType,
    Contact,
    CooperationArea,
    Organization,
    StatusChange,
    Unit,
    User,
)

MORNING = dt.time(9, 12)


@dataclass
class SampleOffice:
    """What the parts of the sample share. ``now`` is the moment of the run; nothing is dated after it.

    ``units``, ``people`` and ``contacts`` hold the sample's own by a short name.
    """

    now: dt.datetime
    units: dict[str, Unit] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    _minutes: int = 0

    @property
    def today(self) -> dt.date:
        return timezone.localdate(self.now)

    def day(self, offset: int) -> dt.date:
        """``offset`` days from today, moved away from it to a weekday: nobody meets on a Sunday. 0 is today itself."""
        if offset == 0:
            return self.today
        return shift_to_workday(self.today + dt.timedelta(days=offset), is_weekday, step=1 if offset > 0 else -1)

    def organization(self, code: str) -> Organization:
        return Organization.objects.get(code=code)

    def area(self, code: str) -> CooperationArea:
        return CooperationArea.objects.get(code=code)

    def type(self, code: str) -> AgreementType:
        return AgreementType.objects.get(code=code)

    def add(self, make: Callable[..., Any], code: str, *, by: User | None, on: dt.date, **values: Any) -> Any:
        """A row with a code of its own, made by ``by`` on ``on``."""
        return self.add_part(make, by=by, on=on, code=sample_code(code), is_sample=True, **values)

    def add_part(self, make: Callable[..., Any], *, by: User | None, on: dt.date, **values: Any) -> Any:
        """A row that belongs to another."""
        return make(saved_by=by, saved_at=self.moment(on), **values)

    def take(self, verb: Callable[..., Any], row: Any, *, by: User | None, on: dt.date, **more: Any) -> Any:
        """A step of a workflow, recorded on the day it was taken: a timeline of one minute would be no office's."""
        changed = verb(row, actor=by, on=on, **more)
        self.backdate(changed, on)
        return changed

    def backdate(self, row: Any, on: dt.date) -> None:
        """Moves what a verb has just written about ``row`` to ``on``."""
        moment = self.moment(on)
        row.history.filter(history_date__gte=self.now).update(history_date=moment)
        StatusChange.objects.of(row).filter(at__gte=self.now).update(at=moment)

    def moment(self, day: dt.date) -> dt.datetime:
        """A time on ``day`` later than that of every record made before on the same day, and before ``now``."""
        self._minutes += 1
        moment = timezone.make_aware(dt.datetime.combine(day, MORNING)) + dt.timedelta(minutes=self._minutes)
        return min(moment, self.now - dt.timedelta(hours=1) + dt.timedelta(seconds=self._minutes))


def sample_code(name: str) -> str:
    return f"sample-{name}"


def sample_rows(model: Any) -> models.QuerySet:
    return model._base_manager.filter(is_sample=True)
