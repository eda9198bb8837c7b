"""An import does and shows no more than the person who asked for it may."""

from typing import Any

import pytest
from django.utils import timezone

from partnerships.exceptions import TransitionRefused
from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    ContactFactory,
    EnterpriseFactory,
    ImportFactory,
    MilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.imports.acts import ask_for_check, ask_for_commit, ask_for_undo, correct
from partnerships.imports.office import office_choices
from partnerships.imports.runs import _finish, run
from partnerships.models import Import, Organization, OrganizationUnit, UnitMembership, User
from partnerships.statuses import ImportStatus
from tests.imports.batches import TODAY, batch, bring_in, day, messages, named, person
from tests.imports.test_runs import NOW, checked, committed

pytestmark = pytest.mark.django_db
UNITS = {"Name": "name", "Kind": "kind", "Unit": "unit"}


def of_another_unit(kind: str, other: Any) -> dict[str, Any]:
    """Make a record of another unit that says SECRET, and return a row that means it and says something else."""
    acme = EnterpriseFactory(name="Acme", description="SECRET")
    OrganizationUnit.objects.create(organization=acme, unit=other)
    if kind == "organizations":
        return {"name": named("Acme"), "description": "mine", "former_name": ("Acme Brothers",)}
    if kind == "contacts":
        ContactFactory(organization=acme, name="Wang Wei", note="SECRET", unit=other)
        return {"name": person("Wang Wei"), "organization": named("Acme"), "note": "mine"}
    if kind == "activities":
        ActivityFactory(unit=other, agreement=None, title="Visit", kind="visit", summary="SECRET", starts_on=None)
        return {"title": "Visit", "kind": "visit", "unit": f"#{other.pk}", "summary": "mine"}
    if kind == "milestones":
        MilestoneFactory(unit=other, agreement=None, organization=acme, title="Pay", description="SECRET", due_on=TODAY)
        return {"title": "Pay", "organization": named("Acme"), "due_on": day(2026, 3, 2), "description": "mine"}
    agreement = AgreementFactory(unit=other, reference="R-1", summary="SECRET")
    return {
        "title": "Other",
        "unit": f"#{other.pk}",
        "reference": "R-1",
        "summary": "mine",
        "type": agreement.type.code,
    }


@pytest.mark.parametrize("kind", ["organizations", "contacts", "activities", "milestones", "agreements"])
@pytest.mark.parametrize("existing", ["ask", "file", "record"])
def test_a_row_neither_shows_nor_changes_what_another_unit_entered(kind: str, existing: str) -> None:
    own, other = UnitFactory(), UnitFactory(code="")
    values = of_another_unit(kind, other)
    made = batch(kind, unit=own, actor=UserFactory(coordinator_in=own), existing=existing)

    (work,) = bring_in(made, values)

    assert work.outcome in {"unchanged", "rejected"} or (kind, work.outcome) == ("milestones", "new")
    assert "SECRET" not in f"{messages(work)} {work.changes} {work.look_alikes}"
    assert Organization.objects.get(name="Acme").description == "SECRET"


def test_a_row_does_not_tell_whether_it_says_the_same_as_another_units_record() -> None:
    own, other = UnitFactory(), UnitFactory()
    values = of_another_unit("organizations", other)
    found = [
        bring_in(batch("organizations", unit=own, actor=UserFactory(coordinator_in=own)), {**values, **more})[0]
        for more in ({"description": "SECRET"}, {"description": "guessed"})
    ]
    assert [(work.outcome, messages(work)) for work in found] == [
        ("unchanged", ["Acme stays as it is on record: you may not change it."])
    ] * 2


def test_people_are_offered_as_far_as_the_reader_sees_them() -> None:
    own = UnitFactory()
    colleague, stranger = UserFactory(viewer_in=own), UserFactory(coordinator_in=UnitFactory())
    people = office_choices(UserFactory(coordinator_in=own))[1]["user"]
    assert (colleague.username in people, stranger.username in people) == (True, False)


def test_a_run_acts_as_the_person_who_asked_for_it() -> None:
    """The office sent the file; a coordinator who mends it may not use what the office may."""
    own, _other = UnitFactory(name="Own"), UnitFactory(name="Other")
    staff, coordinator = UserFactory(staff=True), UserFactory(coordinator_in=own)
    text = "Name,Kind,Unit\nAlpha Works,enterprise,Own\nBeta Mills,enterprise,Own\n"
    imported = checked(text, actor=staff, unit=own, columns=UNITS)
    assert imported.counts == {"new": 2}
    row = imported.rows.first()
    assert row is not None
    correct(row, 2, "Other", actor=coordinator)

    imported = run(ask_for_check(imported, actor=coordinator, now=NOW).pk, clock=lambda: NOW)
    assert imported.counts == {"new": 1, "rejected": 1}
    run(ask_for_commit(imported, actor=coordinator, now=NOW).pk, clock=lambda: NOW)

    made = Organization.objects.get()
    assert (made.name, made.history.get().history_user) == ("Beta Mills", coordinator)


def test_an_undo_takes_back_what_the_person_who_asked_for_it_may_edit() -> None:
    own, other = UnitFactory(name="Own"), UnitFactory(name="Other")
    text = "Name,Kind,Unit\nAlpha Works,enterprise,Own\nBeta Mills,enterprise,Other\n"
    imported = committed(text, actor=UserFactory(staff=True), unit=own, columns=UNITS)
    assert imported.counts == {"new": 2}

    asked = ask_for_undo(imported, actor=UserFactory(coordinator_in=own), now=NOW)
    assert run(asked.pk, clock=lambda: NOW).counts == {"new": 2, "reversed": 1, "failed": 1}
    assert Organization.objects.get().holders.get().unit == other


def test_rights_that_were_lost_since_are_lost_for_the_import() -> None:
    own = UnitFactory()
    person = UserFactory(coordinator_in=own)
    imported = checked("Name,Kind\nAlpha Works,enterprise\n", actor=person, unit=own)
    ask_for_commit(imported, actor=person, now=NOW)
    UnitMembership.objects.filter(user=person).delete()

    imported = run(imported.pk, clock=lambda: NOW)
    assert (imported.status, imported.counts) == (ImportStatus.CHECKED, {"rejected": 1})
    assert not Organization.objects.exists()
    assert not Import.objects.visible_to(User.objects.get(pk=person.pk)).exists()


@pytest.mark.parametrize("status", [ImportStatus.COMMITTED, ImportStatus.DRAFT, ImportStatus.COMMITTING])
def test_a_run_that_nobody_asked_for_changes_nothing(status: ImportStatus) -> None:
    imported = ImportFactory(status=status, committed_at=NOW)
    with pytest.raises(TransitionRefused):
        run(imported.pk, clock=timezone.now)
    imported.refresh_from_db()
    assert (imported.status, imported.attempts) == (status, 0)


def test_of_two_processes_of_one_run_the_first_to_end_is_the_one() -> None:
    """Both count themselves before either reads the number, so it is the same for both."""
    staff = UserFactory(staff=True)
    imported = ask_for_commit(checked("Name,Kind\nAlpha Works,enterprise\n", actor=staff), actor=staff, now=NOW)
    assert run(imported.pk, clock=lambda: NOW).status == ImportStatus.COMMITTED
    imported.attempts += 1
    with pytest.raises(TransitionRefused):
        _finish(imported, status=ImportStatus.CHECKED)
