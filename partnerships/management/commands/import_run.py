"""The process of a check, an import or an undo."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from partnerships.imports.runs import RUNS, run
from partnerships.models import Import


class Command(BaseCommand):
    help = "Do what an import is asked to do: its check, the import itself, or its undo. Started by the pages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="the number of the import")

    def handle(self, *args: Any, **options: Any) -> None:
        imported = Import.objects.filter(pk=options["number"]).first()
        if imported is None or imported.status not in RUNS:
            raise CommandError(f"Import {options['number']} is not asked to do anything.")
        imported = run(imported.pk, clock=timezone.now)
        self.stdout.write(f"{imported.status} {imported.error}".strip())
