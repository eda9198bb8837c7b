"""Makes the records of the sample office: marked as sample, made by a person, dated in the past."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import models
from django.utils import timezone

from partnerships.dates import is_weekday, shift_to_workday
from partnerships.models import AgreementParty, StatusChange, Unit, User
from partnerships.workflows.milestones import move_milestone

MORNING = dt.time(9, 12)
# The file names people and units without what their codes begin with.
SHORT_NAMES: Mapping[type[models.Model], str] = {User: "person-", Unit: "unit-"}

Row = TypeVar("Row", bound=models.Model)


@dataclass
class SampleOffice:
    """Finds, makes and dates the rows of the sample. ``now`` is the time of the run; nothing is dated after it."""

    now: dt.datetime
    _references: dict[tuple[type[models.Model], str], models.Model] = field(default_factory=dict)
    _minutes: int = 0

    @property
    def today(self) -> dt.date:
        return timezone.localdate(self.now)

    def day(self, offset: int) -> dt.date:
        """Return the day ``offset`` days from today, moved away from today to a weekday: nobody meets on a Sunday."""
        if offset == 0:
            return self.today
        return shift_to_workday(self.today + dt.timedelta(days=offset), is_weekday, step=1 if offset > 0 else -1)

    def person(self, name: str) -> User:
        return User.objects.get(code=sample_code(f"{SHORT_NAMES[User]}{name}"))

    def reference(self, model: type[models.Model], code: str) -> models.Model:
        """Return the row that ``code`` or, for people and units, a short name refers to. Each is loaded once."""
        if (model, code) not in self._references:
            codes = [code, sample_code(f"{SHORT_NAMES[model]}{code}")] if model in SHORT_NAMES else [code]
            self._references[model, code] = model._base_manager.get(code__in=codes)
        return self._references[model, code]

    def columns(self, model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that ``given`` stands for: rows for codes, days for numbers, nothing for an empty date."""
        columns: dict[str, Any] = {}
        for name, value in given.items():
            column = model._meta.get_field(name)
            if column.related_model is AgreementParty:  # has no code of its own
                columns[name] = columns["agreement"].parties.get(organization__code=value)
            elif isinstance(column, models.ForeignKey):
                columns[name] = None if value == "" else self.reference(column.related_model, value)
            elif isinstance(column, models.DateField):
                columns[name] = None if value == "" else self.day(value)
            else:
                columns[name] = value
        return columns

    def add(self, make: Callable[..., Any], code: str, *, by: User | None, on: dt.date, **values: object) -> Any:
        """Make a row that has a code, by a person on a day."""
        return self.add_part(make, by=by, on=on, code=sample_code(code), is_sample=True, **values)

    def add_part(self, make: Callable[..., Any], *, by: User | None, on: dt.date, **values: object) -> Any:
        """Make a row that belongs to another and has no code."""
        return make(saved_by=by, saved_at=self.moment(on), **values)

    def take(self, verb: Callable[..., Row], row: models.Model, *, by: User, on: dt.date, **more: object) -> Row:
        """Take a step of a workflow, and date its record back to the day ``on``: timelines look real that way."""
        when = {"at": self.moment(on)} if verb is move_milestone else {"on": on}
        changed = verb(row, actor=by, **when, **more)
        for dated in (row, changed, getattr(row, "demand", None)):  # an answer moves its demand
            if dated is not None:
                self.backdate(dated, on)
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
