"""A process of the product that imports a generated file and says what that took: `python -m tests.bench.import_worker KIND ROWS`.

It prints one line of JSON. The database, given by DATABASE_URL, has to be empty and migrated.
"""

import datetime as dt
import json
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

# The models, and what uses them, can be imported now.
from django.core.files.base import ContentFile  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from partnerships.factories import AgreementTypeFactory, InstitutionFactory, UnitFactory, UserFactory  # noqa: E402
from partnerships.imports.acts import ask_for_check, ask_for_commit, upload_import  # noqa: E402
from partnerships.imports.files import read_tables  # noqa: E402
from partnerships.imports.recipes import Recipe  # noqa: E402
from partnerships.imports.runs import run  # noqa: E402
from partnerships.models import Agreement, AgreementParty, AgreementType, Contact, Import, Organization  # noqa: E402
from tests.bench.import_files import spreadsheet  # noqa: E402

# A writer that waits for longer than this has failed, and the figure says so.
LONGEST_WAIT = 600


def measure(kind: str, rows: int) -> dict[str, Any]:
    """Import a file of so many rows, and return the seconds of each part and the memory of the process."""
    content = spreadsheet(kind, rows)
    found: dict[str, Any] = {"kind": kind, "rows": rows, "database": connection.vendor}
    AgreementTypeFactory(code="memorandum")
    unit = UnitFactory(organization=InstitutionFactory(name="Our College"))
    actor = UserFactory(staff=True)
    found["floor"] = _timed(lambda: _floor(kind, content, unit))[0]
    recipe = Recipe(defaults={"type": "memorandum", "kind": "enterprise"}, look_alikes="new")
    upload = {"name": "list.csv", "actor": actor, "unit": unit, "now": timezone.now(), "recipe": recipe}
    imported = upload_import(kind, ContentFile(content, "list.csv"), **upload)
    pk = ask_for_check(imported, actor=actor, now=timezone.now()).pk
    for name, ask in (("check", None), ("import", ask_for_commit)):
        if ask is not None:
            ask(Import.objects.get(pk=pk), actor=actor, now=timezone.now())
        with _other_writer() as waits:
            found[name], found[f"{name} clock"] = _timed(lambda: run(pk, clock=timezone.now))
        found[f"{name} wait"] = round(max(waits, default=0), 2)
        found[f"{name} memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    imported = Import.objects.get(pk=pk)
    found |= {"status": imported.status, "error": imported.error, "counts": imported.counts}
    return found


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of the processor, of this process alone, and those of the clock."""
    began, clock = time.process_time(), time.perf_counter()
    work()
    return round(time.process_time() - began, 2), round(time.perf_counter() - clock, 2)


def _floor(kind: str, content: bytes, unit: Any) -> None:
    """Read the file, and insert its records as they stand: no rule is asked, and no history kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(content)
        rows = read_tables(path, name=path.name)[0].rows
    make = _agreements if kind == "register" else _organizations
    with transaction.atomic():
        make([row.cells for row in rows], unit)
        transaction.set_rollback(True)


def _organizations(rows: list[tuple[Any, ...]], unit: Any) -> None:
    _create(
        Organization(name=name, name_zh=name_zh, uscc=code, industry=industry, address=address, kind="enterprise")
        for name, name_zh, code, industry, address in rows
    )


def _agreements(rows: list[tuple[Any, ...]], unit: Any) -> None:
    kind = AgreementType.objects.get()
    names = dict.fromkeys(str(row[1]) for row in rows)
    partners = dict(zip(names, _create(Organization(name=name, kind="institution") for name in names), strict=True))
    _create(Contact(organization=partners[row[1]], name=row[4], phone=row[5], email=row[6], unit=None) for row in rows)
    made = _create(Agreement(unit=unit, type=kind, title=row[0]) for row in rows)
    _create(
        AgreementParty(agreement=agreement, organization=organization)
        for agreement, row in zip(made, rows, strict=True)
        for organization in (unit.organization, partners[row[1]])
    )


def _create(rows: Iterator[Any]) -> list[Any]:
    found = list(rows)
    model: type[models.Model] = type(found[0])
    return model._base_manager.bulk_create(found, batch_size=500)


@contextmanager
def _other_writer() -> Iterator[list[float]]:
    """Write a row again and again beside the run, and note how long each time took."""
    waits: list[float] = []
    is_over = threading.Event()

    def write() -> None:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {LONGEST_WAIT * 1000}")
        while not is_over.wait(0.05):
            began = time.perf_counter()
            Organization.objects.filter(name="Our College").update(address=dt.datetime.now(tz=dt.UTC).isoformat())
            waits.append(time.perf_counter() - began)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield waits
    finally:
        is_over.set()
        writer.join()


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
