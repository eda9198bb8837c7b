"""`manage.py restore FILE`: a backup in place of what is here, with all mail held."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.management.backups import archive, hold
from partnerships.management.backups.archive import BackupError, Manifest
from partnerships.management.backups.databases import MADE_BY_MIGRATE, database, known_migrations, without_squashes
from partnerships.management.backups.restore_folder import restore_folder
from partnerships.models import Delivery


class Command(BaseCommand):
    help = "Restores a backup and holds all mail until somebody lets it go; stop the site and its workers first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="What `manage.py backup` wrote.")
        parser.add_argument("--replace", action="store_true", help="Also where there are records, which are lost.")

    def handle(self, *args: object, file: Path, replace: bool, **options: object) -> None:
        try:
            with restore_folder(Path(settings.DATA_DIR)) as scratch:
                manifest = archive.unpack(file, scratch)
                taken_at = _taken_at(manifest)
                _refuse_others(manifest)
                _refuse_records(replace)
                # Before the database, so that no row names a file that is not there yet.
                files = archive.put_uploads_in_place(scratch)
                statements = hold.statements(now=timezone.now(), taken_at=taken_at)
                database().restore(scratch / archive.DATABASE, manifest.rows, statements)
        except (BackupError, OSError, OperationalError) as error:
            raise CommandError(str(error)) from error
        self._report(manifest, files, taken_at)

    def _report(self, manifest: Manifest, files: int, taken_at: dt.datetime) -> None:
        moment = f"{timezone.localtime(taken_at):%Y-%m-%d %H:%M %Z}"
        self.stdout.write(
            _("Restored as of %(time)s: %(rows)s rows in %(tables)s tables, %(files)s files.")
            % {
                "time": moment,
                "rows": sum(manifest.rows.values()),
                "tables": len(manifest.rows),
                "files": files,
            }
        )
        for name in manifest.missing:
            self.stderr.write(_("Was missing already when the backup was taken: %(name)s") % {"name": name})
        held = Delivery.objects.held().count()
        self.stdout.write(_("Sending is paused. Held e-mails: %(count)s.") % {"count": held})
        self.stdout.write(
            _(
                "What to do next:\n"
                "1. Start the site and its worker. Within minutes they make what was due since into mail, held as well.\n"
                "2. Open %(holds)s and resume sending: new mail goes out from then on, held mail does not.\n"
                "3. Open %(mails)s and release what should go out. What was due before the restore may have been sent "
                "by the site as it was after %(time)s: look into a mailbox or two before you release it."
            )
            % {
                "holds": settings.SITE_URL + reverse("mail_pauses"),
                "mails": settings.SITE_URL + reverse("mail_list") + "?status=held",
                "time": moment,
            }
        )


def _taken_at(manifest: Manifest) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(manifest.taken_at).astimezone(dt.UTC)
    except ValueError as error:
        raise BackupError(_("The manifest of the backup cannot be read.")) from error


def _refuse_others(manifest: Manifest) -> None:
    """Refuse the backup of another kind of database, or of another version of the product."""
    if manifest.database != database().kind:
        raise BackupError(
            _("The backup is of a site on %(theirs)s; this one runs on %(ours)s.")
            % {"theirs": manifest.database, "ours": database().kind}
        )
    theirs, ours = without_squashes(manifest.migrations), known_migrations()
    if theirs != ours:
        differing = ", ".join(sorted(theirs ^ ours)[:5])
        raise BackupError(
            _(
                "The backup was made by another version of the product, %(version)s (%(migrations)s). Restore it with the version "
                "that made it, then update. Nothing was changed."
            )
            % {"version": manifest.version, "migrations": differing}
        )


def _refuse_records(replace: bool) -> None:
    filled = sorted(set(database().filled_tables()) - MADE_BY_MIGRATE)
    if filled and not replace:
        raise BackupError(
            _("There are records here already (%(tables)s ...). With --replace they are lost. Nothing was changed.")
            % {"tables": ", ".join(filled[:3])}
        )
