"""Acts of people on an import: upload, choose, decide, correct, and ask for a check, the import itself or its undo.

A check, an import and an undo are runs of a process of their own (``manage.py import_run``); what is here asks for one.
"""

import datetime as dt
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.imports.files import UnreadableFile, check_size
from partnerships.imports.recipes import Recipe, read_recipe
from partnerships.models import Import, ImportRecipe, ImportRow, SecurityEvent, Unit, User
from partnerships.permissions import require
from partnerships.statuses import ImportStatus
from partnerships.workflows.transitions import check_input

LONGEST_NAME = 200
# Statuses in which columns, words and decisions may still be chosen.
OPEN = (ImportStatus.DRAFT, ImportStatus.CHECKED, ImportStatus.FAILED)


def upload_import(
    kind: str,
    file: File,
    *,
    name: str,
    actor: User,
    unit: Unit | None,
    now: dt.datetime,
    recipe: Recipe | None = None,
) -> Import:
    """Keep a file that is to be imported for ``unit``; nothing of it is read yet."""
    imported = Import(kind=kind, unit=unit, name=name[:LONGEST_NAME], created_by=actor, created_at=now)
    require(actor, "import.run", imported if unit else None)
    if unit is None and not actor.sees_all_units:
        raise InvalidInput(_("Choose the unit that the records are for."), field="unit")
    try:
        check_size(file.size)
    except UnreadableFile as error:
        raise InvalidInput(str(error), field="file") from error
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    imported.digest, imported.language = digest.hexdigest(), actor.language
    imported.recipe = (recipe or Recipe()).to_json()
    imported.file.save(name, file, save=False)
    imported.save()
    return imported


def choose(imported: Import, recipe: Mapping[str, Any], *, actor: User) -> Import:
    """Choose sheet, columns, values, defaults and decisions; the rows are to be checked anew."""
    content = read_recipe(recipe).to_json()
    with transaction.atomic():
        locked = _lock(imported, actor, "import.run", OPEN)
        old = read_recipe(locked.recipe)
        locked.recipe, locked.status = content, ImportStatus.DRAFT
        if (old.sheet, old.title, old.header) != (content["sheet"], content["title"], content["header"]):
            locked.rows.all().delete()
        locked.save(update_fields=["recipe", "status"])
    return locked


def decide(row: ImportRow, decisions: Mapping[str, str], *, actor: User) -> ImportRow:
    """Decide about a row: which look-alike a name means, or that the file is right where it differs."""
    return _change(row, "decisions", decisions, actor)


def correct(row: ImportRow, column: int, text: str, *, actor: User) -> ImportRow:
    """Correct a cell of a row in place; the file stays as it is."""
    if not 0 <= column < len(row.cells):
        raise InvalidInput(_("There is no such column."), field="column")
    return _change(row, "corrections", {str(column): text.replace("\0", "")}, actor)


def _change(row: ImportRow, column: str, values: Mapping[str, str], actor: User) -> ImportRow:
    """Add ``values`` to those of a column, also to what somebody else added since the row was read."""
    with transaction.atomic():
        locked = _lock(row.imported, actor, "import.run", OPEN)
        row.refresh_from_db(fields=[column])
        setattr(row, column, {**getattr(row, column), **values})
        row.save(update_fields=[column])
        locked.status = ImportStatus.DRAFT  # to be checked anew, because it may concern other rows as well
        locked.save(update_fields=["status"])
    return row


def ask_for_check(imported: Import, *, actor: User, now: dt.datetime) -> Import:
    return _ask(imported, ImportStatus.CHECKING, OPEN, actor=actor, action="import.run", now=now)


def ask_for_commit(imported: Import, *, actor: User, now: dt.datetime) -> Import:
    """Ask for the import of the rows that the check found new or changed. The others stay out, and come back as a file."""
    if not imported.importable_count:
        raise TransitionRefused(_("There is nothing to import: no row is new or changed."))
    return _ask(imported, ImportStatus.COMMITTING, (ImportStatus.CHECKED,), actor=actor, action="import.run", now=now)


def ask_for_undo(imported: Import, *, actor: User, now: dt.datetime) -> Import:
    status = ImportStatus.UNDOING
    return _ask(imported, status, (ImportStatus.COMMITTED,), actor=actor, action="import.undo", now=now)


def start_again(imported: Import, *, actor: User, now: dt.datetime) -> Import:
    """Start a run again whose process ended without a word: nothing of it was saved."""
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=imported.pk)
        require(actor, "import.undo" if locked.status == ImportStatus.UNDOING else "import.run", locked)
        if not locked.is_silent(now):
            raise TransitionRefused(_("It is not known to have stopped. Wait a little, and open the page again."))
        Import.objects.filter(pk=locked.pk).update(
            attempts=F("attempts") + 1, asked_by=actor, heartbeat_at=now, rows_done=0, error=""
        )
    locked.refresh_from_db()
    return locked


def _ask(
    imported: Import,
    status: ImportStatus,
    sources: tuple[ImportStatus, ...],
    *,
    actor: User,
    action: str,
    now: dt.datetime,
) -> Import:
    with transaction.atomic():
        locked = _lock(imported, actor, action, sources)
        locked.status, locked.asked_by, locked.heartbeat_at = status, actor, now
        locked.rows_done, locked.error = 0, ""
        locked.save(update_fields=["status", "asked_by", "heartbeat_at", "rows_done", "error"])
    return locked


def _lock(imported: Import, actor: User, action: str, sources: tuple[ImportStatus, ...]) -> Import:
    locked = Import.objects.select_for_update(no_key=True).get(pk=imported.pk)
    require(actor, action, locked)
    if locked.status not in sources:
        words = _("This is not possible: the import is “%(status)s”.")
        raise TransitionRefused(words % {"status": locked.get_status_display()})
    return locked


def start_run(imported: Import) -> None:
    """Start the process of a run, once the transaction that asked for it is committed. It outlives the request."""
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "import_run", str(imported.pk)]

    def start() -> None:
        # Its errors go where those of the caller go.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True, env=dict(os.environ)
        )
        # Waited for beside, so that no ended process stays listed while this one goes on.
        threading.Thread(target=process.wait, daemon=True).start()

    transaction.on_commit(start)


def keep_recipe(imported: Import, *, name: str, actor: User, is_shared: bool = False) -> ImportRecipe:
    """Keep what was chosen for an import under a name, for the next file; one of the same name is replaced."""
    require(actor, "import.run", imported)
    known = ImportRecipe.objects.filter(owner=actor, kind=imported.kind, name=name.replace("\0", "")).first()
    recipe = known or ImportRecipe(owner=actor, kind=imported.kind, name=name)
    recipe.content, recipe.unit, recipe.is_shared = imported.recipe, imported.unit, is_shared
    check_input(recipe)
    recipe.save()
    return recipe


def note_download(imported: Import, *, actor: User, what: str) -> None:
    """Write into the security log that a file of an import was taken out: it holds what the office wrote of people."""
    require(actor, "import.view", imported)
    facts = {"about": imported.name, "detail": what}
    SecurityEvent.objects.record(SecurityEvent.Kind.EXPORT_FETCHED, actor, **facts)
