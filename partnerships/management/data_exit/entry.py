"""Bringing an archive into an empty site: all of it or nothing."""

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from partnerships.management.backups import hold
from partnerships.management.backups.databases import (
    MADE_BY_MIGRATE,
    database,
    known_migrations,
    without_squashes,
)
from partnerships.management.data_exit.archive import Archive, ArchiveManifest
from partnerships.management.data_exit.errors import DataExitError
from partnerships.management.data_exit.tables import TableWriter, exit_models, numbered_tables, set_last_ids


def bring_in(archive: Archive, scratch: Path, *, now: dt.datetime) -> ArchiveManifest:
    """Bring in the rows and files of an archive and hold all mail. Raises ``DataExitError``; nothing is kept then.

    ``scratch`` is an empty folder on the disk of the uploads.
    """
    manifest = archive.manifest
    _check_fits(manifest)
    _refuse_records()
    taken_at = _taken_at(manifest)
    archive.check_description()
    names = archive.unpack_uploads(scratch)
    try:
        with _in_place(names, scratch), transaction.atomic():
            # Asked again in the transaction: nobody can enter something meanwhile on SQLite; on PostgreSQL ids would clash.
            _refuse_records()
            _insert_tables(archive)
            with connection.cursor() as cursor:
                for statement in hold.statements(now=now, taken_at=taken_at):
                    cursor.execute(statement)
    except DatabaseError as error:
        raise DataExitError(_("The database does not take the rows: %(error)s") % {"error": error}) from error
    return manifest


def _check_fits(manifest: ArchiveManifest) -> None:
    """Refuse an archive of another version: its tables may mean something else."""
    theirs, ours = without_squashes(manifest.migrations), known_migrations()
    if theirs != ours:
        words = _(
            "The archive was made by another version of the product, %(version)s (%(migrations)s). Import it with the "
            "version that made it, then update. Nothing was changed."
        )
        differing = ", ".join(sorted(theirs ^ ours)[:5])
        raise DataExitError(words % {"version": manifest.version, "migrations": differing})


def _taken_at(manifest: ArchiveManifest) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(manifest.taken_at).astimezone(dt.UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataExitError(_("The manifest of the archive cannot be read.")) from error


def _refuse_records() -> None:
    if filled := sorted(set(database().filled_tables()) - MADE_BY_MIGRATE):
        words = _(
            "There are records here already (%(tables)s ...): import into a site right after `manage.py migrate`."
        )
        raise DataExitError(words % {"tables": ", ".join(filled[:3])})


def _insert_tables(archive: Archive) -> None:
    last: dict[str, int] = {}
    for model in exit_models():
        table = model._meta.db_table
        writer = TableWriter(model)
        writer.insert(archive.lines(table))
        if table in numbered_tables():
            last[table] = max(writer.last_id, archive.manifest.last_ids.get(table, 0))
    set_last_ids(last)
    # Foreign keys are checked at commit, so that tables may come in any order; by name it is said here.
    connection.check_constraints()


def _free_path(name: str) -> Path:
    """Return where the site keeps the upload ``name``. A file that is there belongs to somebody: it is not replaced."""
    path = Path(default_storage.path(name))
    if path.exists():
        raise DataExitError(_("There is a file here already: %(name)s") % {"name": name})
    return path


@contextmanager
def _in_place(names: Sequence[str], scratch: Path) -> Iterator[None]:
    """Move the files to where the site keeps uploads; take them away again if the rows do not come in."""
    moved: list[Path] = []
    try:
        for name in names:
            target = _free_path(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(scratch / name, target)
            moved.append(target)
        yield
    except BaseException:
        for target in moved:
            target.unlink(missing_ok=True)
        raise
