"""`manage.py import_all FILE`: an archive of `export_all` into an empty site, with all mail held."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.management.backups.restore_folder import restore_folder
from partnerships.management.data_exit.archive import opened_archive
from partnerships.management.data_exit.entry import bring_in
from partnerships.management.data_exit.errors import DataExitError
from partnerships.models import Delivery


class Command(BaseCommand):
    help = "Brings in what export_all wrote, right after migrate and before the site is started; all mail is held."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="What `manage.py export_all` wrote.")

    def handle(self, *args: object, file: Path, **options: object) -> None:
        try:
            with restore_folder(Path(settings.DATA_DIR)) as scratch, opened_archive(file) as archive:
                manifest = bring_in(archive, scratch, now=timezone.now())
        except (DataExitError, OSError) as error:
            raise CommandError(str(error)) from error
        about = {"rows": sum(manifest.rows.values()), "tables": len(manifest.rows), "files": manifest.upload_count}
        self.stdout.write(_("Imported: %(rows)s rows in %(tables)s tables, %(files)s files.") % about)
        for name in manifest.missing:
            self.stderr.write(_("Was missing already when the archive was made: %(name)s") % {"name": name})
        if not manifest.with_passwords:
            self.stdout.write(
                _(
                    "Passwords are not in the archive: set yours with `manage.py changepassword LOGIN`; others ask for a "
                    "link on the log-in page."
                )
            )
        held = Delivery.objects.held().count()
        self.stdout.write(_("Sending is paused. Held e-mails: %(count)s.") % {"count": held})
        self.stdout.write(
            _("Once the site that was left no longer sends, resume sending at %(holds)s.")
            % {"holds": settings.SITE_URL + reverse("mail_pauses")}
        )
