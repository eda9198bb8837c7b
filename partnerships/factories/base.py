"""The base of all factories: sequences instead of random values, and one fixed day instead of the clock."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import factory
from django.db.models import Model

# A Monday. The default dates of the factories lie on or around it.
DAY = dt.date(2026, 3, 2)
PAST = (("user", "by"), ("date", "at"))
NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


class ModelFactory(factory.django.DjangoModelFactory):
    """Makes whole, consistent rows: what belongs to a row has its unit, its people and its dates.

    ``saved_by`` and ``saved_at`` stand in the row's history as who made it, and when.
    """

    class Meta:
        abstract = True
        # Saving once more after the related rows would raise the version for nothing.
        skip_postgeneration_save = True

    @classmethod
    def _create(cls, model_class: type[Model], *args: object, **values: object) -> Model:
        past = {f"_history_{name}": values.pop(f"saved_{key}") for name, key in PAST if f"saved_{key}" in values}
        row = model_class(*args, **values)
        for name, value in past.items():
            setattr(row, name, value)
        row.save(force_insert=True)
        return row


def when_given(make: Callable[..., None], *, default: Any = None) -> factory.PostGeneration:
    """A keyword of a factory: what is given for it reaches ``make(row, value, **more)`` once the row is saved.

    ``more`` is what was given as ``keyword__name``. Nothing happens without either, or when the value is ``False``.
    A trait that wants it always gives a ``default``.
    """

    def run(row: Model, _create: object, given: Any, **more: object) -> None:
        value = default if given is None else given
        if more or value not in (None, False):
            make(row, value, **more)

    return factory.PostGeneration(run)
