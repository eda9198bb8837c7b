"""The runs of an import: a check that saves nothing, the import itself, both by the same code, and the undo.

A run is one process. Killed, it has changed nothing, and it can be started again.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.acts import current_act, one_act
from partnerships.exceptions import DomainError, InvalidInput, TransitionRefused
from partnerships.imports import activities, agreements, contacts, honours, milestones, organizations
from partnerships.imports.files import UnreadableFile, read_tables
from partnerships.imports.kinds import Field
from partnerships.imports.office import office_choices
from partnerships.imports.progress import RunProgress
from partnerships.imports.reading import RowReader, cell_to_json, choose_tables, columns_of, fields_of, headings_of
from partnerships.imports.recipes import Recipe, read_recipe
from partnerships.imports.results import ROWS_AT_ONCE, RowResults, save_columns
from partnerships.imports.rows import Apply, Batch, WorkRow, process
from partnerships.imports.staging import ChangedMeanwhile, nothing_is_saved, saved_at_once
from partnerships.imports.turns import turn_of
from partnerships.imports.undo import undo_rows
from partnerships.late_inserts import late_inserts
from partnerships.models import Import, ImportKind, ImportRow, User
from partnerships.models.imports import ImportRowQuerySet
from partnerships.models.office_day import office_day
from partnerships.models.run_indexes import run_indexes
from partnerships.statuses import ImportStatus
from partnerships.workflows.organizations import organizations_locked_last

logger = logging.getLogger(__name__)
STARTED_AGAIN = gettext_lazy("It was started again by another process.")

Clock = Callable[[], dt.datetime]
APPLY: Mapping[str, Apply] = {
    ImportKind.ORGANIZATIONS: organizations.apply,
    ImportKind.CONTACTS: contacts.apply,
    ImportKind.AGREEMENTS: agreements.apply,
    ImportKind.REGISTER: agreements.apply,
    ImportKind.HONOURS: honours.apply,
    ImportKind.ACTIVITIES: activities.apply,
    ImportKind.MILESTONES: milestones.apply,
}
# A run that fails leaves all as it was before.
STATUS_BEFORE: Mapping[str, ImportStatus] = {
    ImportStatus.COMMITTING: ImportStatus.CHECKED,
    ImportStatus.UNDOING: ImportStatus.COMMITTED,
}


class DifferentOutcome(DomainError):
    """The import of a row came out differently than its preview, so nothing is imported."""


def run(pk: int, *, clock: Clock) -> Import:
    """Do what an import is asked to do: the check, the import or the undo. Nothing is half done, whatever happens."""
    asked = Import.objects.filter(pk=pk, status__in=RUNS, asked_by__isnull=False)
    if not asked.update(attempts=F("attempts") + 1, heartbeat_at=clock(), rows_done=0, is_waiting=False):
        raise TransitionRefused(_("Nothing is to be done for this import."))
    imported = Import.objects.select_related("unit", "asked_by").get(pk=pk)
    status = imported.status
    progress = RunProgress(imported, clock=clock)
    try:
        with turn_of(imported, clock=clock), translation.override(imported.language), one_act():
            RUNS[status](imported, progress, clock)
    except Exception as error:
        with translation.override(imported.language):
            again, words = _changed_meanwhile(error), _refusal(error)
        if status == ImportStatus.COMMITTING and again:
            _finish(imported, status=ImportStatus.CHECKING, error=again)
            return run(pk, clock=clock)
        logger.exception("Import %s failed", pk)
        _finish(imported, status=STATUS_BEFORE.get(status, ImportStatus.FAILED), error=words)
    finally:
        progress.close()
    return Import.objects.get(pk=pk)


def _changed_meanwhile(error: Exception) -> str:
    """Return the words about an import that met what somebody else saved since its check; empty for any other error."""
    if isinstance(error, DifferentOutcome | ChangedMeanwhile):
        return str(error)
    if isinstance(error, IntegrityError):  # a unique value, which the new check names with its row
        return _(
            "Somebody saved the same record while it was imported, so nothing was imported. All rows were checked again."
        )
    return ""


def _refusal(error: Exception) -> str:
    if isinstance(error, DomainError | UnreadableFile):
        return str(error)
    reason = f"{type(error).__name__}: {error}"[:300]
    return _("It failed, and nothing was changed: %(error)s") % {"error": reason}


def _finish(imported: Import, **columns: Any) -> None:
    """Write the end of a run. Raises ``TransitionRefused`` when the import was started again meanwhile."""
    if not _ours(imported).update(**columns):
        raise TransitionRefused(STARTED_AGAIN)


def _require_ours(imported: Import) -> None:
    """Raise ``TransitionRefused`` when the import was started again meanwhile. Its row is locked until the end of the transaction."""
    if not _ours(imported).update(attempts=imported.attempts):
        raise TransitionRefused(STARTED_AGAIN)


def _ours(imported: Import) -> QuerySet[Import]:
    # The status tells two processes apart that began at the same moment: the first one to end has changed it.
    return Import.objects.filter(pk=imported.pk, attempts=imported.attempts, status=imported.status)


def check(imported: Import, progress: RunProgress, clock: Clock) -> None:
    """Bring in all rows where nothing is saved, and note what became of each."""
    batch, reader = _prepare(imported, clock)
    results = RowResults(is_saved=False)
    with nothing_is_saved():
        _process_all(imported, reader, batch, progress, results)
    results.write(lambda: _require_ours(imported))
    _finish(
        imported,
        status=ImportStatus.CHECKED,
        counts=results.outcomes,
        layout={**imported.layout, "adds": results.adds},
        rows_done=results.total,
        rows_total=results.total,
        error=imported.error,
    )


def commit(imported: Import, progress: RunProgress, clock: Clock) -> None:
    """Bring in the rows that the check found new or changed, all of them or none."""
    batch, reader = _prepare(imported, clock)
    results = RowResults(is_saved=True)
    act = current_act()

    def finish() -> None:
        done: dict[str, Any] = {"rows_done": results.total, "counts": results.outcomes, "act": act, "error": ""}
        _finish(imported, status=ImportStatus.COMMITTED, committed_at=clock(), **done)

    with saved_at_once(imported.rows_total, finish), _partners_free_until_end(imported.asked_by, batch.today):
        _process_all(imported, reader, batch, progress, results, must_match=True)
        results.write()


def undo(imported: Import, progress: RunProgress, clock: Clock) -> None:
    """Take back what the import made and changed, as far as nobody changed it since."""
    rows = imported.rows.filter(made__isnull=False).exclude(made=[])
    now, total, results = clock(), rows.count(), Counter[str]()

    def finish() -> None:
        counts = {**imported.counts, **results}
        _finish(imported, status=ImportStatus.UNDONE, undone_at=now, counts=counts, error="", rows_done=total)

    with saved_at_once(total, finish):
        done, today = 0, office_day(imported, now)
        with _partners_free_until_end(imported.asked_by, today):
            for chunk in _in_chunks(rows, is_last_first=True):
                undo_rows(chunk, imported, today=today, beat=progress.beat, done=done)
                save_columns(chunk, ["undo", "undo_note"])
                results.update(row.undo for row in chunk)
                done += len(chunk)


def _partners_free_until_end(actor: User | None, today: dt.date) -> AbstractContextManager[None]:
    """Lock the parties of agreements at the end of the run alone. SQLite locks no rows, and a run there works in a copy."""
    if not connection.features.has_select_for_update:
        return nullcontext()
    return organizations_locked_last(actor=actor, on=today)


RUNS: Mapping[str, Callable[[Import, RunProgress, Clock], None]] = {
    ImportStatus.CHECKING: check,
    ImportStatus.COMMITTING: commit,
    ImportStatus.UNDOING: undo,
}


def _prepare(imported: Import, clock: Clock) -> tuple[Batch, RowReader]:
    """Return the batch for the rows, and what reads their values; everything that needs no write lock."""
    recipe = read_recipe(imported.recipe)
    choices, words = office_choices(imported.asked_by)
    fields = fields_of(imported.kind, words)
    if not imported.rows.exists():
        store_rows(imported, recipe, fields)
    _read_columns(imported, recipe)
    now = clock()
    label = _("Import %(number)s") % {"number": imported.pk}
    batch = Batch(
        imported.asked_by, imported.unit, now, office_day(imported, now), recipe, imported.kind, label, choices
    )
    batch.earlier = StoredEarlierRows(imported)
    imported.rows_total = imported.rows.count()
    # With the columns as they were read: the pages show these.
    Import.objects.filter(pk=imported.pk).update(rows_total=imported.rows_total, layout=imported.layout)
    return batch, RowReader(fields, imported.layout, recipe)


def _in_chunks(rows: ImportRowQuerySet, *, is_last_first: bool = False) -> Iterator[list[ImportRow]]:
    """Yield rows in the order of the file, or from its end, no more of them in memory than the run works on."""
    order, beyond = ("-pk", "pk__lt") if is_last_first else ("pk", "pk__gt")
    chunk = list(rows.order_by(order)[:ROWS_AT_ONCE])
    while chunk:
        yield chunk
        chunk = list(rows.filter(**{beyond: chunk[-1].pk}).order_by(order)[:ROWS_AT_ONCE])


def store_rows(imported: Import, recipe: Recipe, fields: Mapping[str, Field]) -> None:
    """Read the file, and keep the cells of its rows."""
    found = open_tables(imported, recipe)
    tables = choose_tables(found, recipe, imported.kind)
    sheets: Counter[str] = Counter()
    for table in found:
        sheets[table.sheet] += len(table.rows)
    layout = {
        "sheets": list(sheets.items()),
        "sheet": tables[0].sheet,
        "title": tables[0].title,
        "headings": headings_of(tables[0]),
        "header": tables[0].header,
        "first_rows": list(tables[0].first_rows),
        "epoch_1904": tables[0].epoch_1904,
        "columns": columns_of(imported.kind, tables[0], recipe, fields),
        "guessed": columns_of(imported.kind, tables[0], Recipe(), fields),
    }
    if not any(table.rows for table in tables):
        raise InvalidInput(_("The file has no rows below its headings."))
    rows = (
        ImportRow(
            imported=imported, number=row.number, sheet=table.sheet, cells=[cell_to_json(cell) for cell in row.cells]
        )
        for table in tables
        for row in table.rows
    )
    with transaction.atomic():
        while chunk := list(islice(rows, ROWS_AT_ONCE)):
            ImportRow.objects.bulk_create(chunk)
        imported.layout = layout
        Import.objects.filter(pk=imported.pk).update(layout=layout)
    imported.refresh_from_db(fields=["layout"])


def _read_columns(imported: Import, recipe: Recipe) -> None:
    """Take the columns of the recipe, which may have been chosen since the rows were read; or those guessed."""
    headings = imported.layout["headings"]
    if recipe.columns:
        known = {number: recipe.columns.get(heading, "") for number, heading in enumerate(headings)}
        fields = set(fields_of(imported.kind, {}))
        imported.layout["columns"] = {str(number): name for number, name in known.items() if name in fields}
    else:
        imported.layout["columns"] = imported.layout["guessed"]


def open_tables(imported: Import, recipe: Recipe) -> list[Any]:
    """Return the tables of the stored file. Its reader takes a path and tells the format by its ending."""
    with TemporaryDirectory() as folder, imported.file.open("rb") as stored:
        path = Path(folder) / ("file" + Path(imported.name).suffix.lower())
        with path.open("wb") as copy:
            for chunk in stored.chunks():
                copy.write(chunk)
        return read_tables(path, name=imported.name, header=recipe.header, header_sheet=recipe.sheet)


class StoredEarlierRows:
    """The rows that earlier imports of this kind and unit brought in, by key; of several the last.

    Their keys are in memory; a row is read when the file has it again.
    """

    def __init__(self, imported: Import) -> None:
        earlier = ImportRow.objects.filter(
            imported__kind=imported.kind,
            imported__unit=imported.unit,
            imported__status=ImportStatus.COMMITTED,
            object_id__isnull=False,
        ).exclude(imported=imported.pk)
        self._ids = dict(earlier.order_by("pk").values_list("key", "pk").iterator())
        self._last: ImportRow | None = None

    def get(self, key: str) -> ImportRow | None:
        pk = self._ids.get(key)
        if pk is None:
            return None
        if self._last is None or self._last.pk != pk:
            columns = ("key", "content_type", "object_id", "values", "imported")
            rows = ImportRow.objects.only(*columns).select_related("content_type")
            self._last = rows.filter(pk=pk).first()
        return self._last


def _process_all(
    imported: Import,
    reader: RowReader,
    batch: Batch,
    progress: RunProgress,
    results: RowResults,
    *,
    must_match: bool = False,
) -> None:
    """Bring in all rows; with ``must_match`` each has to come out as its check left it."""
    apply = APPLY[batch.kind]
    with late_inserts() as inserts, run_indexes():
        for row in chain.from_iterable(_in_chunks(imported.rows.all())):
            work = reader.work_row(row)
            process(work, batch, apply)
            if must_match and work.fingerprint != fingerprint_of(row):
                words = _(
                    "Row %(number)s came out differently than in the preview, so nothing was imported. All rows were checked again."
                )
                raise DifferentOutcome(words % {"number": work.number})
            results.note(work)
            inserts.write_if_many()
            progress.beat(results.total)


def fingerprint_of(row: ImportRow) -> str:
    """Return the fingerprint of a row as its check left it."""
    columns = ("outcome", "key", "changes", "problems", "made")
    return WorkRow(row.number, **{name: getattr(row, name) for name in columns}).fingerprint
