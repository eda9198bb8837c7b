"""Rows that nothing reads at once, such as history and search entries: kept while many records are made, and inserted many at a time."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, models

# So many are kept before they are inserted.
MOST_KEPT = 2000
Write = Callable[[list[Any]], object]


class LateInserts:
    """The rows kept by one run. Each statement that names a table with kept rows finds them: they are inserted before it.

    They are kept only inside ``collecting``. What is rolled back there, ``taking_back`` forgets as well.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Write], dict[Hashable, Any]] = {}
        self._is_collecting = False
        self._is_writing = False

    @property
    def is_collecting(self) -> bool:
        return self._is_collecting and not self._is_writing

    def keep(self, model: type[models.Model], row: Any, *, key: Hashable = None, write: Write | None = None) -> None:
        """Keep a row of ``model``, in place of one with the same key; ``write`` saves rows where they are not just inserted."""
        bucket = f'"{model._meta.db_table}"', write or model._base_manager.bulk_create
        self._kept.setdefault(bucket, {})[key or id(row)] = row

    def write_if_many(self) -> None:
        if sum(map(len, self._kept.values())) >= MOST_KEPT:
            self.write()

    def write(self, sql: str | None = None) -> None:
        """Insert what is kept: all of it, or what a statement would read."""
        found = [bucket for bucket in self._kept if sql is None or bucket[0] in sql]
        self._is_writing = True
        try:
            for bucket in found:
                _table, write = bucket
                write(list(self._kept.pop(bucket).values()))
        finally:
            self._is_writing = False

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Keep rows inside. Nothing in it may be rolled back alone, without ``taking_back``."""
        before, self._is_collecting = self._is_collecting, True
        try:
            with self.taking_back():
                yield
        finally:
            self._is_collecting = before

    @contextmanager
    def taking_back(self) -> Iterator[None]:
        """Keep what was kept before, and nothing else, when what is inside fails and is rolled back."""
        # Copied: rows of before that were inserted inside are rolled back with the rest, and have to be inserted again.
        before = {bucket: dict(rows) for bucket, rows in self._kept.items()}
        try:
            yield
        except BaseException:
            self._kept = before
            raise

    def __call__(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        """Insert what is kept before a statement that would miss it; a wrapper of Django's for statements."""
        if not self._is_writing:
            self.write(sql)
        return execute(sql, *arguments)


_under_way: ContextVar[LateInserts | None] = ContextVar("late_inserts", default=None)


@contextmanager
def late_inserts() -> Iterator[LateInserts]:
    """Let rows be kept inside, and insert those that are left at its end."""
    inserts = LateInserts()
    token = _under_way.set(inserts)
    try:
        with connection.execute_wrapper(inserts):
            yield inserts
            inserts.write()
    finally:
        _under_way.reset(token)


def inserts_under_way() -> LateInserts | None:
    """Return the late inserts of the run under way, whether rows are kept just now or not."""
    return _under_way.get()


def current_inserts() -> LateInserts | None:
    """Return what keeps rows now; None where they are to be inserted at once."""
    inserts = _under_way.get()
    return inserts if inserts is not None and inserts.is_collecting else None
