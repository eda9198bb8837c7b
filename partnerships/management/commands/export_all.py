"""`manage.py export_all FILE`: everything the site holds, in an open format with a description."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships import __version__
from partnerships.management.data_exit.archive import write_archive
from partnerships.models import SecurityEvent
from partnerships.operations.security_log import note_event


class Command(BaseCommand):
    help = "Writes everything the site holds, with its files and history, to a zip of text files; the site may go on."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="Where to write it, such as exit.zip.")
        parser.add_argument(
            "--with-passwords",
            action="store_true",
            help="With the hashes of passwords, to move the site itself; keep such a file as safe as the site.",
        )

    def handle(self, *args: object, file: Path, with_passwords: bool, **options: object) -> None:
        if file.exists():
            raise CommandError(_("%(path)s exists already; choose another name.") % {"path": file})
        try:
            with tempfile.TemporaryDirectory(prefix=".export-", dir=file.parent) as scratch:
                aside, now = Path(scratch) / "exit.zip", timezone.now()
                manifest = write_archive(
                    aside, version=__version__, taken_at=now.isoformat(), with_passwords=with_passwords
                )
                aside.rename(file)  # only a whole archive gets the name
        except OSError as error:
            raise CommandError(str(error)) from error
        note_event(SecurityEvent.Kind.EXPORT_MADE, None, about="manage.py export_all", detail=file.name)
        words = _("%(path)s: %(rows)s rows in %(tables)s tables, %(files)s files, %(size)s bytes.")
        about = {"rows": sum(manifest.rows.values()), "tables": len(manifest.rows), "path": file}
        about |= {"files": manifest.upload_count, "size": file.stat().st_size}
        self.stdout.write(words % about)
        for name in manifest.missing:
            self.stderr.write(_("Missing among the uploads, so not in the archive: %(name)s") % {"name": name})
