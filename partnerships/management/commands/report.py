"""Make a report as a file: the confirmed edition of a year, or a draft with the figures of the day."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from partnerships.exceptions import DomainError
from partnerships.models import Report, Unit, User
from partnerships.reports.report_files import FILE_FORMATS, file_of
from partnerships.reports.reprint import figures_shown


class Command(BaseCommand):
    help = "Make the report of a year as a file: the latest edition that is confirmed, or the latest draft."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["year"])
        parser.add_argument(
            "--year", type=int, required=True, help="the calendar year, or the one that an academic year begins in"
        )
        parser.add_argument("--academic", action="store_true", help="the academic year from September 1")
        parser.add_argument("--unit", help="the name of a unit, Chinese or English; all units without it")
        parser.add_argument("--language", choices=["en", "zh-hans"], help="where there are reports in both languages")
        parser.add_argument("--format", choices=FILE_FORMATS, default="pdf")
        parser.add_argument("--template", type=Path, help="for docx: a template to try instead of the office's")
        parser.add_argument("--out", type=Path, required=True, help="the file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        report = _found(options)
        # A draft shows the records as the office sees them; a confirmed report needs nobody's eyes.
        reader = User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
        if reader is None and not report.is_confirmed:
            raise CommandError("A draft shows the records as the office sees them, and there is nobody of the office.")
        figures, changes = figures_shown(report, reader or User(), today=timezone.localdate())
        try:
            content = file_of(report, figures, changes, options["format"], template=options["template"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        options["out"].write_bytes(content)
        self.stdout.write(f"Wrote {options['out']}: {report.number}, edition {report.edition}, {report.status}.")


def _found(options: dict[str, Any]) -> Report:
    unit = None
    if options["unit"]:
        units = [one for one in Unit.objects.all() if options["unit"] in (one.name, one.name_zh)]
        if len(units) != 1:
            raise CommandError(f"There are {len(units)} units with the name {options['unit']!r}.")
        unit = units[0]
    reports = Report.objects.filter(
        kind=Report.Kind.YEAR, year=options["year"], is_academic=options["academic"], unit=unit
    )
    if options["language"]:
        reports = reports.filter(language=options["language"])
    found = sorted(reports, key=lambda one: (one.is_confirmed, one.edition, one.pk))
    if not found:
        raise CommandError("There is no such report. Write it under Reports first.")
    return found[-1]
