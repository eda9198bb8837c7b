"""Rows found by what they are compared by, from memory: a run that brings in many would read a whole table for each."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Max, Model, Q
from django.db.models.signals import post_save

# After so many questions it is asked what other people changed meanwhile.
ASKED_BETWEEN = 50
# A condition with more ids than this is none.
MOST_IDS = 200
Keys = Callable[..., Iterable[str]]


def text_key(text: str) -> str:
    """Return the same key for texts that the database finds the same without regard to case."""
    return text.strip().upper().casefold()


class RunIndex:
    """The ids of all rows of a model by keys. It may name a row too many, but none too few: the caller compares them again.

    What the run itself saves is added at once, what other people save a little later.
    """

    def __init__(self, model: Any, columns: tuple[str, ...], keys: Keys) -> None:
        self._model, self._columns, self._keys = model, columns, keys
        self._found: dict[str, int | set[int]] = {}
        self._asked = 0
        self._last = self._last_history()
        for pk, *values in model._base_manager.values_list("pk", *columns).iterator():
            self._add(pk, values)
        post_save.connect(self._saved, sender=model)

    def close(self) -> None:
        post_save.disconnect(self._saved, sender=self._model)

    def ids(self, keys: Iterable[str]) -> set[int]:
        self._asked += 1
        if self._asked % ASKED_BETWEEN == 0:
            self._catch_up()
        found: set[int] = set()
        for key in keys:
            known = self._found.get(key, set())
            found |= known if isinstance(known, set) else {known}
        return found

    def _add(self, pk: int, values: Iterable[Any]) -> None:
        for key in self._keys(*values):
            known = self._found.setdefault(key, pk)
            if isinstance(known, set):
                known.add(pk)
            elif known != pk:
                self._found[key] = {known, pk}

    def _saved(self, instance: Model, **_more: Any) -> None:
        self._add(instance.pk, [getattr(instance, column) for column in self._columns])

    def _last_history(self) -> int:
        return self._model.history.aggregate(last=Max("history_id"))["last"] or 0

    def _catch_up(self) -> None:
        rows = self._model.history.filter(history_id__gt=self._last).order_by("history_id")
        for history_id, pk, *values in rows.values_list("history_id", "id", *self._columns).iterator():
            self._last = history_id
            self._add(pk, values)


_indexes: ContextVar[dict[Any, RunIndex] | None] = ContextVar("run_indexes", default=None)


@contextmanager
def run_indexes() -> Iterator[None]:
    """Let rows be found from memory inside."""
    indexes: dict[Any, RunIndex] = {}
    token = _indexes.set(indexes)
    try:
        yield
    finally:
        _indexes.reset(token)
        for index in indexes.values():
            index.close()


def that_may_have(keys: Iterable[str], model: Any, columns: tuple[str, ...], keys_of: Keys) -> Q:
    """Return the condition for rows of ``model`` that may have one of the keys; outside a run, that is any row."""
    indexes = _indexes.get()
    if indexes is None:
        return Q()
    if model not in indexes:
        indexes[model] = RunIndex(model, columns, keys_of)
    ids = indexes[model].ids(keys)
    return Q(pk__in=sorted(ids)) if len(ids) <= MOST_IDS else Q()
