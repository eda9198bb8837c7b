"""Import of a spreadsheet from the command line: a preview, or the import itself."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from partnerships.exceptions import DomainError
from partnerships.imports.acts import ask_for_check, ask_for_commit, upload_import
from partnerships.imports.recipes import Recipe, read_recipe
from partnerships.imports.rejected import write_rejected
from partnerships.imports.runs import run
from partnerships.models import Import, ImportKind, ImportRecipe, RowOutcome, Unit, User
from partnerships.statuses import ImportStatus

MOST_PROBLEMS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Show what an import of a spreadsheet would do; with --commit, do it. Ends with 0 when each row came in, "
        "3 when some stay out, 1 when the file cannot be imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=ImportKind.values)
        parser.add_argument("file", type=Path)
        parser.add_argument("--recipe", help="the name of a kept recipe, or a JSON file")
        parser.add_argument("--commit", action="store_true", help="import the rows that are new or changed")
        parser.add_argument("--as", dest="user", required=True, help="the login name of the person who imports")
        parser.add_argument("--unit", help="the code, number or name of the unit that the records are for")
        parser.add_argument("--rejected", type=Path, help="write the rows that stay out to this xlsx file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = User.objects.get(username=options["user"], is_active=True)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no active account {options['user']}.") from error
        try:
            imported = self._import(actor, options)
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        self._report(imported)
        if options["rejected"]:
            with options["rejected"].open("wb") as out:
                self.stdout.write(f"{write_rejected(imported, out)} rows written to {options['rejected']}")
        if imported.status not in {ImportStatus.CHECKED, ImportStatus.COMMITTED} or imported.error:
            raise CommandError(imported.error or imported.status)
        if imported.left_out_count:
            raise SystemExit(3)

    def _import(self, actor: User, options: dict[str, Any]) -> Import:
        recipe = _recipe(options["recipe"], options["kind"], actor)
        path: Path = options["file"]
        unit = _unit(options["unit"] or recipe.unit)
        with path.open("rb") as file:
            imported = upload_import(
                options["kind"], File(file), name=path.name, actor=actor, unit=unit, now=timezone.now(), recipe=recipe
            )
        imported = run(ask_for_check(imported, actor=actor, now=timezone.now()).pk, clock=timezone.now)
        if options["commit"] and imported.status == ImportStatus.CHECKED and imported.importable_count:
            imported = run(ask_for_commit(imported, actor=actor, now=timezone.now()).pk, clock=timezone.now)
        return imported

    def _report(self, imported: Import) -> None:
        counts = ", ".join(f"{imported.counts.get(outcome, 0)} {outcome}" for outcome in RowOutcome.values)
        self.stdout.write(f"Import {imported.pk}: {imported.status}; {counts}")
        columns = imported.layout.get("columns", {})
        for number, heading in enumerate(imported.layout.get("headings", [])):
            self.stdout.write(f"  {heading or '–'} -> {columns.get(str(number)) or '(left out)'}")
        problems: Counter[tuple[str, str]] = Counter()
        first: dict[tuple[str, str], int] = {}
        for row in imported.rows.exclude(problems=[]).only("number", "outcome", "problems"):
            for problem in row.problems:
                kind = "note" if "note" in problem else row.outcome
                problems[kind, problem["message"]] += 1
                first.setdefault((kind, problem["message"]), row.number)
        for (kind, message), count in problems.most_common(MOST_PROBLEMS_SHOWN):
            self.stdout.write(f"  {count} x {kind}: {message} (first in row {first[kind, message]})")
        if len(problems) > MOST_PROBLEMS_SHOWN:
            self.stdout.write(f"  and {len(problems) - MOST_PROBLEMS_SHOWN} other problems")


def _unit(words: str | None) -> Unit | None:
    if not words:
        return None
    found = Unit.objects.filter(code=words) | Unit.objects.filter(name=words) | Unit.objects.filter(name_zh=words)
    if words.lstrip("#").isdigit():
        found = found | Unit.objects.filter(pk=int(words.lstrip("#")))
    unit = found.first()
    if unit is None:
        raise CommandError(f"There is no unit {words}.")
    return unit


def _recipe(words: str | None, kind: str, actor: User) -> Recipe:
    if not words:
        return Recipe()
    if words.endswith(".json"):
        try:
            return read_recipe(json.loads(Path(words).read_text(encoding="utf-8")))
        except ValueError as error:
            raise CommandError(f"{words} is no JSON: {error}") from error
    kept = ImportRecipe.objects.visible_to(actor).filter(kind=kind, name=words).first()
    if kept is None:
        raise CommandError(f"There is no recipe {words} for {kind}.")
    return read_recipe(kept.content)
