"""What a run inserts later, many rows at a time, and what becomes of it where a row is refused."""

from contextlib import suppress

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from partnerships.exceptions import InvalidInput
from partnerships.factories import EnterpriseFactory
from partnerships.imports.rows import Batch, WorkRow, kept_apart, process
from partnerships.late_inserts import late_inserts
from partnerships.models import Organization, SearchEntry
from partnerships.workflows.organizations import register_organization
from tests.imports.batches import batch, bring_in, messages, named, outcomes

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
