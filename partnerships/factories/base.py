"""What every factory shares: sequences instead of chance, and one fixed day instead of the clock."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import factory

# A Monday. What a factory dates without being told lies on or around it.
DAY = dt.date(2026, 3, 2)
NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


class ModelFactory(factory.django.DjangoModelFactory):
    """Makes whole, consistent rows: what belongs to a row has its unit, its people and its dates."""

    class Meta:
        abstract = True
        # Saving once more after the related rows would raise the version for nothing.
        skip_postgeneration_save = True


def when_given(make: Callable[..., None], *, default: Any = None) -> factory.PostGeneration:
    """A keyword of a factory: what is given for it reaches ``make(row, value, **more)`` once the row is saved.

    ``more`` is what was given as ``keyword__name``. Nothing happens without either, or when the value is ``False``.
    A trait that wants it always gives a ``default``.
    """

    def run(row: Any, _create: object, given: Any, **more: Any) -> None:
        value = default if given is None else given
        if more or value not in (None, False):
            make(row, value, **more)

    return factory.PostGeneration(run)
