"""Makes the records of the sample office: marked as sample, made by a person, dated in the past."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

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

Row = TypeVar("Row", bound=models.Model)


@dataclass
class SampleOffice:
    """The units, people and contacts of the sample by short names, and how its records are made and dated.

    ``now`` is the time of the run; nothing is dated after it.
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
        """Return the day ``offset`` days from today, moved away from today to a weekday: nobody meets on a Sunday."""
        if offset == 0:
            return self.today
        return shift_to_workday(self.today + dt.timedelta(days=offset), is_weekday, step=1 if offset > 0 else -1)

    def organization(self, code: str) -> Organization:
        return Organization.objects.get(code=code)

    def area(self, code: str) -> CooperationArea:
        return CooperationArea.objects.get(code=code)

    def agreement_type(self, code: str) -> AgreementType:
        return AgreementType.objects.get(code=code)

    def add(self, make: Callable[..., Any], code: str, *, by: User | None, on: dt.date, **values: object) -> Any:
        """Make a row that has a code, by a person on a day."""
        return self.add_part(make, by=by, on=on, code=sample_code(code), is_sample=True, **values)

    def add_part(self, make: Callable[..., Any], *, by: User | None, on: dt.date, **values: object) -> Any:
        """Make a row that belongs to another and has no code."""
        return make(saved_by=by, saved_at=self.moment(on), **values)

    def take(self, verb: Callable[..., Row], row: models.Model, *, by: User | None, on: dt.date, **more: object) -> Row:
        """Take a step of a workflow, and date its record back to the day ``on``: timelines look real that way."""
        changed = verb(row, actor=by, on=on, **more)
        self.backdate(changed, on)
        return changed

    def backdate(self, row: Any, on: dt.date) -> None:
        """Move the history and status changes that a verb has just written about ``row`` to the day ``on``."""
        moment = self.moment(on)
        row.history.filter(history_date__gte=self.now).update(history_date=moment)
        StatusChange.objects.of(row).filter(at__gte=self.now).update(at=moment)

    def moment(self, day: dt.date) -> dt.datetime:
        """Return a time on ``day``, after those of all records made so far that day and before ``now``."""
        self._minutes += 1
        moment = timezone.make_aware(dt.datetime.combine(day, MORNING)) + dt.timedelta(minutes=self._minutes)
        return min(moment, self.now - dt.timedelta(hours=1) + dt.timedelta(seconds=self._minutes))


def sample_code(name: str) -> str:
    return f"sample-{name}"


def sample_rows(model: type[Row]) -> "models.QuerySet[Row]":
    return model._base_manager.filter(is_sample=True)
