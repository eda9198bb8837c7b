"""The results of the rows of a run, kept small until all of them are written."""

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from partnerships.imports.rows import WorkRow
from partnerships.imports.undo import version_of
from partnerships.models import ImportRow, RowOutcome

ROWS_AT_ONCE = 500
# Columns of a row that a run writes; the others are decisions of people.
RESULTS = ("outcome", "problems", "look_alikes", "changes", "key", "content_type", "object_id", "values", "made")


class RowResults:
    """The results of a run by row. They are packed a few hundred at a time: a check writes them once all else is rolled back."""

    def __init__(self, *, is_saved: bool) -> None:
        self._is_saved = is_saved
        self._packed: list[bytes] = []
        self._last: list[dict[str, Any]] = []
        self.outcomes: Counter[str] = Counter()
        self.adds: Counter[str] = Counter()  # records made, by model

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())

    def note(self, work: WorkRow) -> None:
        """Keep what became of a row."""
        self.outcomes[work.outcome] += 1
        self.adds.update(one["model"] for one in work.made if one["act"] == "made")
        self._last.append(_result(work, is_saved=self._is_saved))
        if len(self._last) == ROWS_AT_ONCE:
            self._pack()

    def write(self, before_each: Callable[[], None] = lambda: None) -> None:
        """Write the results into the rows, some hundred in a transaction: on SQLite others cannot write meanwhile.

        ``before_each`` is called in each transaction, and may raise to stop.
        """
        for chunk in self._chunks():
            with transaction.atomic():
                before_each()
                if self._is_saved:
                    _note_versions(chunk)
                save_columns([ImportRow(**one) for one in chunk], RESULTS)

    def _chunks(self) -> Iterator[list[dict[str, Any]]]:
        if self._last:
            self._pack()
        for packed in self._packed:
            yield json.loads(zlib.decompress(packed))

    def _pack(self) -> None:
        self._packed.append(zlib.compress(json.dumps(self._last, cls=DjangoJSONEncoder).encode(), 1))
        self._last = []


def save_columns(rows: Iterable[ImportRow], names: Sequence[str]) -> None:
    """Save columns of many rows by one simple statement for each, of which the database keeps the plan.

    ``bulk_update`` composes a statement with a case for each row and column, and takes ten times as long.
    """
    meta, quote = ImportRow._meta, connection.ops.quote_name
    fields: list[Any] = [meta.get_field(name) for name in names]
    columns = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    values = [
        [*(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields), row.pk] for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {quote(meta.db_table)} SET {columns} WHERE id = %s", values)  # noqa: S608  # columns of ours


def _result(work: WorkRow, *, is_saved: bool) -> dict[str, Any]:
    is_there = work.record is not None and (is_saved or work.outcome != RowOutcome.NEW)
    record = work.record if is_there else None
    return {
        "pk": work.pk,
        "outcome": work.outcome,
        "problems": work.problems,
        "look_alikes": work.look_alikes,
        "changes": work.changes,
        "key": work.key,
        "values": work.imported,
        "made": work.made,
        "content_type_id": ContentType.objects.get_for_model(record).pk if record else None,
        "object_id": record.pk if record else None,
    }


def _note_versions(chunk: list[dict[str, Any]]) -> None:
    """Note the version of each record as the import leaves it: a later one is somebody else's."""
    wanted: dict[str, set[int]] = defaultdict(set)
    made = [one for row in chunk for one in row["made"]]
    for one in made:
        wanted[one["model"]].add(one["pk"])
    versions = {model: version_of(model, pks) for model, pks in wanted.items()}
    for one in made:
        one["version"] = versions[one["model"]].get(one["pk"])
