"""`manage.py backup FILE`: the database, the uploads and what has to be in them, in one file, while the site goes on."""

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships import __version__
from partnerships.management.backups import archive
from partnerships.management.backups.archive import BackupError, Manifest
from partnerships.management.backups.databases import database


class Command(BaseCommand):
    help = "Writes a backup of the database and the uploads; the site may go on meanwhile."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="Where to write it; a folder gets a file named after the time.")

    def handle(self, *args: object, file: Path, **options: object) -> None:
        now = timezone.now()
        target = file / f"partnerships-{now:%Y%m%dT%H%M%SZ}.tar" if file.is_dir() else file
        if target.exists():
            raise CommandError(_("%(path)s exists already; a backup never replaces another.") % {"path": target})
        try:
            manifest = self._write(target, now.isoformat())
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self._report(target, manifest)

    def _write(self, target: Path, taken_at: str) -> Manifest:
        """Write the database first, then the files that its rows name."""
        # An upload is stored before its row and never changed, so each file that the snapshot names is complete.
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as scratch:
            aside = Path(scratch) / "backup.tar"
            with database().snapshot(Path(scratch)) as found:
                manifest = Manifest(
                    archive.FORMAT,
                    archive.PRODUCT,
                    __version__,
                    taken_at,
                    database().kind,
                    found.migrations,
                    found.rows,
                )
            archive.write(aside, manifest, found.path, found.uploads)
            aside.rename(target)  # only a whole backup gets the name
        _flush_folder(target.parent)
        return manifest

    def _report(self, target: Path, manifest: Manifest) -> None:
        self.stdout.write(
            _("%(path)s: %(rows)s rows in %(tables)s tables, %(files)s files, %(size)s bytes.")
            % {
                "path": target,
                "rows": sum(manifest.rows.values()),
                "tables": len(manifest.rows),
                "files": len(manifest.files) - 1,
                "size": target.stat().st_size,
            }
        )
        for name in manifest.missing:
            self.stderr.write(_("Missing among the uploads, so not in the backup: %(name)s") % {"name": name})


def _flush_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that a new name in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
