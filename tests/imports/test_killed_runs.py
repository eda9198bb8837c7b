"""Runs in processes of their own: seen while they go on, killed without a trace, started again."""

import datetime as dt
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from partnerships.exceptions import StaleVersion, TransitionRefused
from partnerships.factories import AgreementTypeFactory, ImportFactory, OrganizationFactory, UnitFactory, UserFactory
from partnerships.imports import results, turns
from partnerships.imports.acts import ask_for_check, ask_for_commit, ask_for_undo, start_again, start_run
from partnerships.imports.progress import RunProgress
from partnerships.imports.results import save_columns
from partnerships.imports.rows import Batch
from partnerships.imports.runs import run
from partnerships.imports.staging import ChangedMeanwhile, nothing_is_saved, saved_at_once
from partnerships.models import Agreement, Import, ImportRow, Organization, OrganizationUnit, SearchEntry
from partnerships.workflows.organizations import edit_organization, organizations_locked_last, update_holders
from tests.imports.batches import TODAY, batch, bring_in, day, names, outcomes
from tests.imports.test_runs import HEAD, checked, upload
from tests.services.processes import start_process
from tests.services.stack import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
ROWS = 200  # more than an idle machine brings in between two signs of life


def environment() -> dict[str, str]:
    """Return the environment of a process that works on the database of this test."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        head, separator, options = os.environ["DATABASE_URL"].partition("?")
        url = f"{head.rpartition('/')[0]}/{name}{separator}{options}"
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url}


def kill_under_way(imported: Import, log: Path) -> None:
    """Start the run of an import, and kill it once others can read how far it has come."""
    process = start_process([sys.executable, "manage.py", "import_run", str(imported.pk)], log=log, env=environment())
    eventually(lambda: process.poll() is not None or Import.objects.get(pk=imported.pk).rows_done)
    process.kill()
    assert process.wait() != 0, log.read_text()


def test_a_run_that_is_killed_changes_nothing_and_is_started_again(tmp_path: Path) -> None:
    staff, log = UserFactory(staff=True), tmp_path / "run.log"
    names = [f"{chr(97 + number // 26) * 4}{chr(97 + number % 26) * 5} Works" for number in range(ROWS)]
    text = HEAD + "".join(f"{name},enterprise,paper,\n" for name in names)
    imported = checked(text, actor=staff, look_alikes="new")
    assert imported.counts == {"new": ROWS}

    now = timezone.now()
    imported = ask_for_commit(imported, actor=staff, now=now)
    kill_under_way(imported, log)
    imported.refresh_from_db()
    assert (imported.status, imported.attempts, Organization.objects.count()) == ("committing", 2, 0)
    assert 0 < imported.rows_done < ROWS
    assert imported.heartbeat_at is not None
    assert imported.heartbeat_at >= now
    later = timezone.now() + dt.timedelta(hours=1)
    assert Import.objects.silent(later).get() == imported
    imported = run(start_again(imported, actor=staff, now=later).pk, clock=timezone.now)
    assert (imported.status, imported.error, Organization.objects.count()) == ("committed", "", ROWS)
    assert SearchEntry.objects.count() == ROWS

    imported = ask_for_undo(imported, actor=staff, now=timezone.now())
    kill_under_way(imported, log)
    imported.refresh_from_db()
    assert (imported.status, Organization.objects.count()) == ("undoing", ROWS)
    imported = run(imported.pk, clock=timezone.now)
    assert (imported.status, imported.counts["reversed"], Organization.objects.count()) == ("undone", ROWS, 0)


def test_a_page_starts_the_process_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = UserFactory(staff=True)
    imported = checked(HEAD + "Alpha Works,enterprise,paper,\n", actor=staff)
    imported = ask_for_commit(imported, actor=staff, now=timezone.now())
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    start_run(imported)
    eventually(lambda: Import.objects.get(pk=imported.pk).status == "committed")
    assert Organization.objects.get().name == "Alpha Works"


def elsewhere(act: Callable[[], Any]) -> Any:
    """Do something on another connection, as another process would."""

    def task() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(task).result()


def test_others_write_while_an_import_is_made() -> None:
    ended = []
    with saved_at_once(1, lambda: ended.append(1)):
        mine = OrganizationFactory(name="Made by the import")
        theirs = elsewhere(lambda: OrganizationFactory(name="Made meanwhile"))
        assert elsewhere(Organization.objects.count) == 1
    names = dict(Organization.objects.values_list("pk", "name"))
    assert (names, ended) == ({mine.pk: "Made by the import", theirs.pk: "Made meanwhile"}, [1])
    assert OrganizationFactory().pk not in names
    assert Organization.objects.search("by the import").get() == mine


def test_ids_go_on_where_an_import_ended() -> None:
    """On SQLite some are kept free while it is made."""
    with saved_at_once(20, lambda: None):
        mine = OrganizationFactory()
    assert mine.pk < OrganizationFactory().pk < mine.pk + 10
    with pytest.raises(ZeroDivisionError), saved_at_once(20, lambda: None):
        raise ZeroDivisionError
    assert OrganizationFactory().pk < mine.pk + 10


def test_what_an_import_changes_must_be_as_it_was() -> None:
    known = OrganizationFactory(name="Known", industry="")

    def change(industry: str) -> None:
        row = Organization.objects.get(pk=known.pk)
        row.industry = industry
        row.save()

    def bring_in() -> None:
        with saved_at_once(1, lambda: None):
            OrganizationFactory(name="Made by the import")
            elsewhere(lambda: change("tin"))
            known.industry = "paper"
            known.save()

    # PostgreSQL refuses the save, SQLite what would be brought over from the copy.
    with pytest.raises((StaleVersion, ChangedMeanwhile)):
        bring_in()
    assert Organization.objects.get().industry == "tin"


@pytest.fixture
def register() -> tuple[Batch, Organization, Organization]:
    """Return a batch for a register, our own organization, and a partner on record."""
    own, known = OrganizationFactory(name="Our College", kind="institution"), OrganizationFactory(name="甲大学")
    AgreementTypeFactory(code="memorandum")
    return batch("register", unit=UnitFactory(organization=own), defaults={"type": "memorandum"}), own, known


REGISTER = [{"partner": names("甲大学"), "title": "MoU", "signed_on": day(2025, 3, 1)}]


def patient_for_a_second() -> None:
    if connection.vendor == "postgresql":  # SQLite waits for nobody here: a run works in a copy
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")


def test_partners_of_a_register_are_edited_while_it_is_checked(
    register: tuple[Batch, Organization, Organization],
) -> None:
    made, own, known = register

    def edit() -> int:
        patient_for_a_second()
        return Organization.objects.filter(pk__in=[own.pk, known.pk]).update(website="https://example.org")

    with nothing_is_saved():
        assert outcomes(bring_in(made, *REGISTER)) == ["new"]
        assert elsewhere(edit) == 2
    assert Organization.objects.filter(website="https://example.org").count() == 2


def test_partners_of_a_register_are_edited_while_it_is_imported(
    register: tuple[Batch, Organization, Organization], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, own, known = register
    text = "Partner,Title,Signed\n甲大学,MoU,2025-03-01\n甲大学,MoC,2025-04-01\n"
    more: dict[str, Any] = {"kind": "register", "unit": made.unit, "defaults": {"type": "memorandum"}}
    columns = {"Partner": "partner", "Title": "title", "Signed": "signed_on"}
    imported = checked(text, actor=made.actor, columns=columns, **more)
    assert imported.counts == {"new": 2}

    def edit() -> None:
        patient_for_a_second()
        for pk in (own.pk, known.pk):
            organization = Organization.objects.get(pk=pk)
            edit_organization(organization, actor=made.actor, today=TODAY, changes={"website": "https://example.org"})

    beat = RunProgress.beat

    def edit_at_the_end(progress: RunProgress, done: int) -> None:
        beat(progress, done)
        if done == 2:
            elsewhere(edit)

    monkeypatch.setattr(RunProgress, "beat", edit_at_the_end)
    imported = run(ask_for_commit(imported, actor=made.actor, now=timezone.now()).pk, clock=timezone.now)
    assert (imported.status, imported.error) == ("committed", "")
    assert Organization.objects.filter(website="https://example.org").count() == 2
    assert Agreement.objects.count() == 2


def test_a_unit_that_lost_its_ground_during_an_import_holds_its_partners_after_it(
    register: tuple[Batch, Organization, Organization],
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("a run on SQLite locks nothing")
    made, _own, known = register
    more: dict[str, Any] = {"unit": made.unit, "coordinator": None, "actor": made.actor, "on": TODAY}
    OrganizationUnit.objects.create(organization=known, unit=made.unit, is_granted=False)
    with saved_at_once(1, lambda: None), organizations_locked_last(actor=made.actor, on=TODAY):
        bring_in(made, *REGISTER)
        elsewhere(lambda: update_holders([known], **more))  # sees no agreement of the unit yet
        assert not elsewhere(lambda: OrganizationUnit.objects.filter(organization=known).exists())
    assert OrganizationUnit.objects.filter(organization=known, unit=made.unit).exists()


def test_a_run_waits_until_the_one_under_way_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SECONDS_BETWEEN", 0.05)
    staff = UserFactory(staff=True)
    imported = ask_for_check(upload(HEAD + "Alpha Works,enterprise,,\n", actor=staff), actor=staff, now=timezone.now())
    turn = turns.FileTurn() if connection.vendor == "sqlite" else turns.DatabaseTurn()
    assert turn.take()
    with ThreadPoolExecutor(1) as pool:

        def wait_and_run() -> Import:
            try:
                return run(imported.pk, clock=timezone.now)
            finally:
                connection.close()

        result = pool.submit(wait_and_run)
        eventually(lambda: Import.objects.get(pk=imported.pk).is_waiting)
        assert not result.done()
        turn.close()
        done = result.result()
    assert (done.status, done.counts, done.is_waiting) == ("checked", {"new": 1}, False)


def test_runs_that_wait_go_in_order_and_one_that_was_killed_is_passed_over() -> None:
    now = timezone.now()
    gone = ImportFactory(status="checking", is_waiting=True, heartbeat_at=now - dt.timedelta(hours=1))
    first = ImportFactory(status="committing", is_waiting=True, heartbeat_at=now)
    last = ImportFactory(status="checking", is_waiting=True, heartbeat_at=now)
    assert [Import.objects.is_next(one, now) for one in (gone, first, last)] == [True, True, False]


def test_a_check_notes_its_results_a_few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite nobody else can write while they are noted."""
    monkeypatch.setattr(results, "ROWS_AT_ONCE", 2)
    seen = []

    def save(rows: list[ImportRow], names: tuple[str, ...]) -> None:
        seen.append(elsewhere(lambda: ImportRow.objects.filter(outcome="new").count()))
        save_columns(rows, names)

    monkeypatch.setattr(results, "save_columns", save)
    places = ("Aachen", "Bergen", "Calais", "Dublin", "Exeter")
    text = HEAD + "".join(f"{place} Works,enterprise,,\n" for place in places)
    imported = checked(text, actor=UserFactory(staff=True), look_alikes="new")
    assert (imported.counts, seen) == ({"new": 5}, [0, 2, 4])


def test_a_check_that_was_started_again_elsewhere_notes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = UserFactory(staff=True)

    def start_elsewhere() -> None:
        elsewhere(lambda: Import.objects.update(attempts=F("attempts") + 1))

    write = results.RowResults.write
    monkeypatch.setattr(results.RowResults, "write", lambda *args: (start_elsewhere(), write(*args)))
    with pytest.raises(TransitionRefused):
        checked(HEAD + "Alpha Works,enterprise,paper,\n", actor=staff)
    assert set(ImportRow.objects.values_list("outcome", flat=True)) == {""}
