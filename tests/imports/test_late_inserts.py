"""What a run inserts later or finds from memory, and what becomes of it where a row is refused."""

from contextlib import suppress

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from simple_history.utils import bulk_create_with_history

from partnerships.exceptions import InvalidInput
from partnerships.factories import ContactFactory, EnterpriseFactory
from partnerships.imports import contacts
from partnerships.imports.rows import Batch, WorkRow, kept_apart, process
from partnerships.late_inserts import late_inserts
from partnerships.models import Contact, Organization, SearchEntry
from partnerships.models.run_indexes import ASKED_BETWEEN, run_indexes, that_may_have
from partnerships.names import phone_keys
from partnerships.workflows.organizations import register_organization
from partnerships.workflows.transitions import save_as
from tests.imports.batches import batch, bring_in, messages, named, outcomes, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_what_a_constraint_refuses_has_its_words_and_leaves_no_history() -> None:
    made = batch("organizations")
    first, wrong, last = bring_in(
        made,
        {"name": named("A公司")},
        {"name": named("B公司"), "institution_type": "university"},
        {"name": named("C大学"), "institution_type": "university"},
    )
    assert outcomes([first, wrong, last]) == ["new", "rejected", "new"]
    assert messages(wrong) == ["Only an institution has a type of institution."]
    assert {row.name for row in Organization.history.all()} == {"A公司", "C大学"}
    assert {row.history_change_reason for row in Organization.history.all()} == {"Import 1, 2", "Import 1, 4"}
    assert [Organization.objects.search(word).count() for word in ("A公司", "B公司", "C大学")] == [1, 0, 1]


def test_a_statement_finds_what_is_kept() -> None:
    made = batch("organizations")
    seen = []

    def apply(row: WorkRow, batch: Batch) -> None:
        organization = Organization(name=f"Works {row.number}", kind="enterprise")
        register_organization(organization, actor=None, today=batch.today)
        seen.append(
            (organization.history.count(), SearchEntry.objects.matching(Organization, organization.name).count())
        )

    with transaction.atomic(), late_inserts():
        for number in (2, 3):
            process(WorkRow(number), made, apply)
    assert seen == [(1, 1), (1, 1)]
    assert (Organization.history.count(), Organization.objects.search("works").count()) == (2, 2)


def test_what_was_inserted_for_earlier_rows_outlasts_a_row_that_is_rolled_back() -> None:
    made = batch("organizations")
    known = EnterpriseFactory(name="Known")

    def apply(row: WorkRow, batch: Batch) -> None:
        register_organization(
            Organization(name=f"Works {row.number}", kind="enterprise"), actor=None, today=batch.today
        )
        if row.number == 3:
            assert Organization.history.filter(name="Works 2").exists()  # inserted inside the row that fails
            Organization.objects.create(pk=known.pk, name="Twice", kind="enterprise")

    with transaction.atomic(), late_inserts():
        works = [WorkRow(number) for number in (2, 3)]
        for work in works:
            process(work, made, apply)
    assert works[1].outcome == "rejected"
    assert [row.name for row in Organization.history.order_by("history_id")] == ["Known", "Works 2"]
    assert [Organization.objects.search(f"works {number}").count() for number in (2, 3)] == [1, 0]


def _refuse(batch: Batch) -> None:
    with kept_apart():
        register_organization(Organization(name="Half", kind="enterprise"), actor=None, today=batch.today)
        raise InvalidInput("no")


def test_a_refused_verb_that_is_kept_apart_leaves_nothing() -> None:
    def apply(row: WorkRow, batch: Batch) -> None:
        with suppress(InvalidInput):
            _refuse(batch)
        register_organization(Organization(name="Whole", kind="enterprise"), actor=None, today=batch.today)

    with transaction.atomic(), late_inserts(), CaptureQueriesContext(connection) as captured:
        process(WorkRow(2), batch("organizations"), apply)
    assert len([one for one in captured.captured_queries if one["sql"].startswith("SAVEPOINT")]) == 2
    assert [row.name for row in Organization.history.all()] == ["Whole"]
    assert Organization.objects.get().name == "Whole"


def test_a_refused_verb_that_is_not_kept_apart_is_done_again_with_savepoints() -> None:
    def apply(row: WorkRow, batch: Batch) -> None:
        register_organization(Organization(name="Whole", kind="enterprise"), actor=None, today=batch.today)
        with suppress(InvalidInput), transaction.atomic():
            Organization.objects.create(name="Half", kind="enterprise")
            raise InvalidInput("no")

    with transaction.atomic(), late_inserts():
        process(WorkRow(2), batch("organizations"), apply)
    assert Organization.objects.get().name == Organization.history.get().name == "Whole"


def test_look_alikes_are_found_from_memory_whoever_saved_them() -> None:
    before = ContactFactory(name="Wang Li", phone="+86 139-0575-0001", email="WANG@example.org")
    made, organization = batch("contacts"), named(before.organization.name)

    def outcome(number: int, name: str, **channel: str) -> str:
        work = WorkRow(number, values={"name": person(name, **channel), "organization": organization})
        process(work, made, contacts.apply)
        return str(work.outcome)

    with transaction.atomic(), late_inserts(), run_indexes():
        assert outcome(2, "Li Wang", phone="13905750001") == "undecided"
        before.phone, before.email = "", "li@example.org"
        save_as(before, None)
        assert outcome(3, "Ann", phone="13905750001") == "new"
        assert outcome(4, "Ben", email="LI@example.org") == "undecided"
        assert outcome(5, "Cui", phone="139 0575 0001") == "undecided"


def test_what_others_save_is_read_after_a_while() -> None:
    def phones_of(number: str) -> int:
        found = that_may_have(phone_keys(number), Contact, ("phone",), phone_keys)
        return Contact.objects.filter(found, phone=number).count()

    with run_indexes():
        assert phones_of("13905750001") == 0
        other = Contact(organization=EnterpriseFactory(), name="Lu", phone="13905750001")
        bulk_create_with_history([other], Contact)  # without a signal, as in another process
        assert [phones_of("13905750001") for _again in range(ASKED_BETWEEN)][-1] == 1
