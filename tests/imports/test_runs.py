"""A run of an import: its check, the import itself, its undo; what a later file changes, and what people changed since."""

import datetime as dt
import gc
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from openpyxl import load_workbook

from partnerships import late_inserts
from partnerships.exceptions import InvalidInput, NotAllowed, TransitionRefused
from partnerships.factories import (
    AgreementTypeFactory,
    ContactFactory,
    EnterpriseFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.imports import results, rows, runs
from partnerships.imports.acts import (
    ask_for_check,
    ask_for_commit,
    ask_for_undo,
    choose,
    correct,
    decide,
    keep_recipe,
    start_again,
    upload_import,
)
from partnerships.imports.files import LIMITS
from partnerships.imports.recipes import Recipe, read_recipe
from partnerships.imports.rejected import write_rejected
from partnerships.imports.runs import run
from partnerships.models import Agreement, Import, ImportRecipe, ImportRow, Organization, Unit, User
from partnerships.statuses import ImportStatus
from partnerships.workflows.organizations import edit_organization
from tests.imports.batches import NOW
from tests.services.histories import count_without_reason

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
COLUMNS = {"Name": "name", "Code": "uscc", "Industry": "industry", "Kind": "kind", "Web": "website"}
HEAD = "Name,Kind,Industry,Web\n"
LATER = NOW + dt.timedelta(hours=1)


def upload(text: str, *, actor: User, kind: str = "organizations", unit: Unit | None = None, **recipe: Any) -> Import:
    recipe.setdefault("columns", COLUMNS)
    file = ContentFile(text.encode(), name="list.csv")
    return upload_import(kind, file, name="list.csv", actor=actor, unit=unit, now=NOW, recipe=Recipe(**recipe))


def checked(text: str, **more: Any) -> Import:
    imported = upload(text, **more)
    return run(ask_for_check(imported, actor=more["actor"], now=NOW).pk, clock=lambda: NOW)


def committed(text: str, **more: Any) -> Import:
    imported = checked(text, **more)
    return run(ask_for_commit(imported, actor=more["actor"], now=NOW).pk, clock=lambda: NOW)


@pytest.fixture
def staff() -> User:
    return UserFactory(staff=True)


def test_a_file_that_is_too_large_is_refused_before_it_is_kept(staff: User) -> None:
    file = ContentFile(HEAD.encode(), name="list.csv")
    file.size = LIMITS.size + 1

    with pytest.raises(InvalidInput, match="more than 50 MB") as refusal:
        upload_import("organizations", file, name="list.csv", actor=staff, unit=None, now=NOW)

    assert refusal.value.field == "file"
    assert not Import.objects.exists()


def test_a_check_saves_nothing_but_what_it_found(staff: User) -> None:
    imported = checked(HEAD + "Alpha Works,enterprise,paper,\nBeta,what,,\n,enterprise,,\n", actor=staff)
    assert (imported.status, imported.counts) == ("checked", {"new": 1, "rejected": 2})
    assert not Organization.objects.exists()
    assert [(row.number, row.outcome) for row in imported.rows.all()] == [(2, "new"), (3, "rejected"), (4, "rejected")]


def test_the_import_does_what_the_preview_showed_and_the_same_file_again_changes_nothing(staff: User) -> None:
    text = HEAD + "Alpha Works,enterprise,paper,\nBeta Mills,enterprise,,\n"
    imported = committed(text, actor=staff)
    assert (imported.status, imported.counts, imported.error) == ("committed", {"new": 2}, "")
    row = imported.rows.first()
    assert row is not None
    assert (row.record, row.made[0]["act"], row.made[0]["version"]) == (
        Organization.objects.get(name="Alpha Works"),
        "made",
        1,
    )
    again = checked(text, actor=staff)
    assert again.counts == {"unchanged": 2}
    with pytest.raises(TransitionRefused):
        ask_for_commit(again, actor=staff, now=NOW)


def test_a_changed_file_updates_what_it_made_and_asks_about_what_a_person_changed_since(staff: User) -> None:
    committed(HEAD + "Alpha Works,enterprise,paper,\nBeta Mills,enterprise,tin,\n", actor=staff)
    beta = Organization.objects.get(name="Beta Mills")
    edit_organization(beta, actor=staff, today=NOW.date(), changes={"industry": "steel"})
    same = checked(HEAD + "Alpha Works,enterprise,glass,\nBeta Mills,enterprise,tin,\n", actor=staff)
    assert same.counts == {"changed": 1, "unchanged": 1}
    other = checked(HEAD + "Alpha Works,enterprise,glass,\nBeta Mills,enterprise,copper,\n", actor=staff)
    assert other.counts == {"changed": 1, "undecided": 1}
    row = other.rows.get(outcome="undecided")
    decide(row, {"existing": "file"}, actor=staff)
    other = run(ask_for_check(other, actor=staff, now=NOW).pk, clock=lambda: NOW)
    assert other.counts == {"changed": 2}
    run(ask_for_commit(other, actor=staff, now=NOW).pk, clock=lambda: NOW)
    assert set(Organization.objects.values_list("industry", flat=True)) == {"glass", "copper"}


def test_an_import_that_comes_out_differently_than_its_preview_changes_nothing(staff: User) -> None:
    imported = checked(HEAD + "Alpha Works,enterprise,paper,\nBeta Mills,enterprise,,\n", actor=staff)
    EnterpriseFactory(name="Beta Mills")
    imported = run(ask_for_commit(imported, actor=staff, now=NOW).pk, clock=lambda: NOW)
    assert (imported.status, imported.counts) == ("checked", {"new": 1, "unchanged": 1})
    assert "Row 3" in imported.error
    assert Organization.objects.get().name == "Beta Mills"


def test_an_undo_sorts_into_undone_kept_and_failed(staff: User) -> None:
    known = EnterpriseFactory(name="Known Works", industry="", kind="enterprise")
    text = (
        HEAD
        + "Alpha Works,enterprise,paper,\nBeta Mills,enterprise,,\nGamma Foundry,enterprise,,\nKnown Works,enterprise,tin,\n"
    )
    imported = committed(text, actor=staff)
    assert imported.counts == {"new": 3, "changed": 1}
    beta = Organization.objects.get(name="Beta Mills")
    edit_organization(beta, actor=staff, today=NOW.date(), changes={"industry": "steel"})
    # A person who works there keeps an organization from being deleted.
    ContactFactory(organization=Organization.objects.get(name="Gamma Foundry"))
    reasonless = count_without_reason()
    imported = run(ask_for_undo(imported, actor=staff, now=NOW).pk, clock=lambda: LATER)
    assert count_without_reason() == reasonless
    results = {row.cells[0]: row.undo for row in imported.rows.all()}
    assert results == {
        "Alpha Works": "reversed",
        "Beta Mills": "kept",
        "Gamma Foundry": "failed",
        "Known Works": "reversed",
    }
    assert (imported.status, imported.counts["reversed"], imported.undone_at) == ("undone", 2, LATER)
    known.refresh_from_db()
    assert known.industry == ""
    gone = Organization.history.filter(name="Alpha Works", history_type="-").get()
    assert (gone.history_user, gone.history_change_reason) == (staff, f"Import {imported.pk} undone")


def test_a_register_is_undone_with_its_signed_agreements(staff: User) -> None:
    AgreementTypeFactory(code="memorandum")
    unit = UnitFactory(organization=InstitutionFactory(name="Our College"))
    actor = UserFactory(coordinator_in=unit)
    columns = {"Partner": "partner", "Signed": "signed_on", "Duration": "duration", "Contact": "contact"}
    text = "Partner,Signed,Duration,Contact\nX University,2025-03-01,5 years,Ann Smith\nY University,2015,2 years,\n"
    more = {"columns": columns, "defaults": {"type": "memorandum"}}
    imported = committed(text, actor=actor, kind="register", unit=unit, **more)
    assert (imported.counts, Agreement.objects.count(), Organization.objects.count()) == ({"new": 2}, 2, 3)
    imported = run(ask_for_undo(imported, actor=actor, now=NOW).pk, clock=lambda: LATER)
    assert [(row.undo, row.undo_note) for row in imported.rows.all()] == [("reversed", ""), ("reversed", "")]
    assert (Agreement.objects.count(), Organization.objects.get().name) == (0, "Our College")


def test_a_cell_is_corrected_in_place_and_the_rows_left_out_come_back_as_a_file(staff: User, tmp_path: Path) -> None:
    imported = checked(HEAD + "Alpha Works,enterprise,paper,\nBeta Mills,what,=1+1,\nGamma,who,,\n", actor=staff)
    row = imported.rows.get(number=3)
    correct(row, 1, "enterprise", actor=staff)
    imported = run(ask_for_check(imported, actor=staff, now=NOW).pk, clock=lambda: NOW)
    assert imported.counts == {"new": 2, "rejected": 1}
    path = tmp_path / "rejected.xlsx"
    with path.open("wb") as out:
        assert write_rejected(imported, out) == 1
    headings, back = load_workbook(path).worksheets[0].iter_rows(values_only=True)
    assert headings == ("Name", "Kind", "Industry", "Web", "Reason")
    assert back[:2] == ("Gamma", "who")
    assert "who" in back[4]


def test_a_recipe_is_kept_shared_and_used_again(staff: User) -> None:
    unit = UnitFactory()
    imported = checked(HEAD + "Alpha Works,firm,paper,\n", actor=staff, unit=unit)
    content = {**imported.recipe, "values": {"kind": {"firm": "enterprise"}}}
    imported = choose(imported, content, actor=staff)
    imported = run(ask_for_check(imported, actor=staff, now=NOW).pk, clock=lambda: NOW)
    assert imported.counts == {"new": 1}
    keep_recipe(imported, name="Partners", actor=staff, is_shared=True)
    colleague, stranger = UserFactory(coordinator_in=unit), UserFactory(coordinator_in=UnitFactory())
    (kept,) = ImportRecipe.objects.visible_to(colleague)
    assert read_recipe(kept.content).values == {"kind": {"firm": "enterprise"}}
    assert not ImportRecipe.objects.visible_to(stranger).exists()


@pytest.mark.parametrize(
    "content", [{"version": 2}, {"what": 1}, {"columns": []}, {"existing": "never"}, {"columns": {"a": 1}}, []]
)
def test_a_recipe_from_outside_is_checked(content: Any) -> None:
    with pytest.raises(InvalidInput):
        read_recipe(content)


def test_who_may_import_and_sees_imports() -> None:
    unit = UnitFactory()
    viewer, coordinator = UserFactory(viewer_in=unit), UserFactory(coordinator_in=unit)
    colleague, stranger = UserFactory(lead_in=unit), UserFactory(lead_in=UnitFactory())
    with pytest.raises(NotAllowed):
        upload(HEAD, actor=viewer, unit=unit)
    with pytest.raises(NotAllowed):
        upload(HEAD, actor=stranger, unit=unit)
    with pytest.raises(InvalidInput):
        upload(HEAD, actor=coordinator)
    imported = upload(HEAD, actor=coordinator, unit=unit)
    seen = {user: Import.objects.visible_to(user).exists() for user in (viewer, coordinator, colleague, stranger)}
    assert seen == {viewer: False, coordinator: True, colleague: True, stranger: False}
    with pytest.raises(NotAllowed):
        ask_for_check(imported, actor=viewer, now=NOW)


def test_a_run_that_is_not_heard_of_is_named_and_can_be_started_again(staff: User) -> None:
    imported = ask_for_check(upload(HEAD + "Alpha Works,enterprise,,\n", actor=staff), actor=staff, now=NOW)
    assert not Import.objects.silent(NOW).exists()
    with pytest.raises(TransitionRefused):
        start_again(imported, actor=staff, now=NOW)
    assert Import.objects.silent(LATER).get() == imported
    start_again(imported, actor=staff, now=LATER)
    assert run(imported.pk, clock=lambda: LATER).counts == {"new": 1}


def test_the_command_previews_commits_and_says_what_stays_out(staff: User, tmp_path: Path, capsys: Any) -> None:
    path, recipe = tmp_path / "list.csv", tmp_path / "recipe.json"
    path.write_text(HEAD + "Alpha Works,enterprise,paper,\nBeta,what,,\n")
    recipe.write_text(json.dumps(Recipe(columns=COLUMNS).to_json()))
    options = {"user": staff.username, "recipe": str(recipe)}
    with pytest.raises(SystemExit) as ended:
        call_command("import", "organizations", str(path), **options)
    assert (ended.value.code, Organization.objects.count()) == (3, 0)
    said = capsys.readouterr().out
    assert "1 new, 0 changed, 0 unchanged, 0 undecided, 1 rejected" in said
    assert "Name -> name" in said
    rejected = tmp_path / "rejected.xlsx"
    with pytest.raises(SystemExit):
        call_command("import", "organizations", str(path), commit=True, rejected=rejected, **options)
    assert Organization.objects.get().name == "Alpha Works"
    assert rejected.exists()
    with pytest.raises(CommandError):
        call_command("import", "organizations", str(path), user="nobody")


def test_a_file_that_cannot_be_read_fails_with_its_reason(staff: User) -> None:
    imported = checked("", actor=staff)
    assert imported.status == ImportStatus.FAILED
    assert imported.error


def test_the_author_and_the_day_of_an_entry_are_in_the_history(staff: User) -> None:
    columns = {"Name": "name", "By": "entered_by", "On": "entered_on"}
    committed("Name,By,On\nAlpha Ltd,张三,2019-03-01\n", actor=staff, columns=columns)
    reason = Organization.objects.get().history.get().history_change_reason
    assert reason is not None
    assert "张三 March 1, 2019" in reason


def test_a_unique_value_that_somebody_else_saved_meanwhile_leads_to_a_new_check(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = checked(HEAD + "Alpha Works,enterprise,paper,\n", actor=staff)

    def broken(_works: Any) -> None:
        raise IntegrityError("UNIQUE constraint failed")

    monkeypatch.setattr(results, "_note_versions", broken)
    imported = run(ask_for_commit(imported, actor=staff, now=NOW).pk, clock=lambda: NOW)
    assert (imported.status, imported.counts) == ("checked", {"new": 1})
    assert "Somebody saved the same record" in imported.error
    assert not Organization.objects.exists()


def test_a_run_keeps_only_a_few_rows_and_records_in_memory(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (runs, results):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 5)
    monkeypatch.setattr(rows, "MOST_ORGANIZATIONS", 5)
    monkeypatch.setattr(late_inserts, "MOST_KEPT", 5)
    beat = runs.RunProgress.beat

    def in_memory() -> int:
        gc.collect()
        # By type: isinstance would ask the lazy objects that other tests left, and these evaluate themselves.
        return sum(issubclass(type(one), ImportRow | Organization) for one in gc.get_objects())

    before, kept = in_memory(), []

    def count(progress: runs.RunProgress, done: int) -> None:
        beat(progress, done)
        kept.append(in_memory() - before)

    monkeypatch.setattr(runs.RunProgress, "beat", count)
    places = ("Aachen", "Bergen", "Calais", "Dublin", "Exeter", "Firenze", "Geneva", "Havana")
    text = HEAD + "".join(f"{place} {what},enterprise,,\n" for place in places for what in ("Works", "Mills", "Farm"))
    text += "Aachen Works,enterprise,paper,\n"  # the organization of the first row is forgotten, and found again
    imported = checked(text, actor=staff, look_alikes="new")
    assert imported.counts == {"new": 24, "rejected": 1}
    imported = run(ask_for_commit(imported, actor=staff, now=NOW).pk, clock=lambda: NOW)
    assert (imported.status, imported.counts) == ("committed", {"new": 24, "rejected": 1})
    assert max(kept) < 15, kept  # of 25 rows and 24 organizations
