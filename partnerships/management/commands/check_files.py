"""`manage.py check_files`: uploaded files without rows, and rows without their files."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from partnerships.operations.files import files_without_rows, rows_with_other_files, rows_without_files


class Command(BaseCommand):
    help = _(
        "List uploaded files that no document refers to, and documents whose file is missing. Changes nothing; ends with "
        "status 1 when it found any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--content", action="store_true", help=_("Also read each file and compare it with what was uploaded.")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = [_("File without a document: %(file)s") % {"file": name} for name in files_without_rows()]
        kinds = [(_("Missing file of “%(document)s”, version %(number)s: %(file)s"), rows_without_files())]
        if options["content"]:
            kinds.append((_("Changed file of “%(document)s”, version %(number)s: %(file)s"), rows_with_other_files()))
        for words, versions in kinds:
            found += [
                words % {"document": version.document, "number": version.number, "file": version.file}
                for version in versions
            ]
        for line in found:
            self.stdout.write(line)
        if found:
            raise CommandError(_("Found: %(count)d.") % {"count": len(found)})
        self.stdout.write(_("Each file has its document, and each document its file."))
