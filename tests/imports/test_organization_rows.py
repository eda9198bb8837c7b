"""Rows that describe organizations."""

import pytest

from partnerships.factories import EnterpriseFactory, OrganizationNameFactory, UnitFactory, UserFactory
from partnerships.imports.rows import Batch, WorkRow, process
from partnerships.models import Contact, Organization
from tests.imports.batches import batch, bring_in, messages, named, outcomes, person

pytestmark = pytest.mark.django_db
CODE = "91330683MA2D7K0Q2C"


def test_a_row_makes_an_organization_with_other_names_and_contact() -> None:
    unit = UnitFactory()
    made = batch("organizations", unit=unit)
    row = {"name": named("浙江默示机械有限公司"), "short_name": ("默示机械",), "uscc": None, "industry": "machinery"}
    (work,) = bring_in(made, {**row, "contact": (person("王小明"),), "phone": "13905750001"})
    organization = Organization.objects.get()
    assert outcomes([work]) == ["new"]
    assert (organization.name, organization.kind, organization.industry) == (
        "浙江默示机械有限公司",
        "enterprise",
        "machinery",
    )
    assert organization.other_names.get().name == "默示机械"
    assert organization.holders.get().unit == unit
    assert (Contact.objects.get().name, Contact.objects.get().phone) == ("王小明", "13905750001")
    assert [one["model"] for one in work.made] == ["organization", "contact"]
    reason = organization.history.get().history_change_reason
    assert reason == "Import 1, 2"


def test_an_organization_is_found_by_its_code_its_other_name_or_its_folded_name() -> None:
    coded = EnterpriseFactory(name="Coded", uscc=CODE)
    OrganizationNameFactory(organization=EnterpriseFactory(name="Zhongyi Machinery Co., Ltd."), name="中意机械")
    works = bring_in(
        batch("organizations", are_codes_right=True),
        {"name": named("Coded"), "uscc": CODE},
        {"name": named("中意机械")},
        {"name": named("ＺＨＯＮＧＹＩ machinery co ltd"), "kind": "enterprise"},
    )
    assert outcomes(works[:2]) == ["unchanged"] * 2
    assert works[0].record == coded
    # The second row meant the same one: by another name of it.
    assert messages(works[2]) == []
    assert Organization.objects.count() == 2


def test_what_is_empty_is_filled_in_and_what_differs_is_asked_about() -> None:
    known = EnterpriseFactory(name="Coded", uscc=CODE, industry="", address="Road 1")
    row = {"name": named("Coded"), "uscc": CODE, "industry": "paper"}
    (filled,) = bring_in(batch("organizations"), row)
    assert (filled.outcome, filled.changes[0]["after"]) == ("changed", "paper")
    (asked,) = bring_in(batch("organizations"), {**row, "address": "Road 2"})
    assert asked.outcome == "undecided"
    assert messages(asked) == ["address: “Road 1” on record, “Road 2” in the file"]
    (kept,) = bring_in(batch("organizations", existing="record"), {**row, "address": "Road 2"})
    assert kept.outcome == "unchanged"
    (taken,) = bring_in(batch("organizations"), {**row, "address": "Road 2"}, existing="file")
    known.refresh_from_db()
    assert (taken.outcome, known.address, known.industry) == ("changed", "Road 2", "paper")


def test_a_look_alike_is_asked_about_and_may_be_the_same() -> None:
    known = EnterpriseFactory(name="浙江默示机械厂")
    row = {"name": named("默示机械厂"), "kind": "enterprise"}
    (asked,) = bring_in(batch("organizations"), row)
    assert (asked.outcome, asked.look_alikes[0]["found"][0]["token"]) == ("undecided", str(known.pk))
    assert Organization.objects.count() == 1
    (same,) = bring_in(batch("organizations"), row, 默示机械厂=str(known.pk))
    assert (same.outcome, same.record, same.changes[0]["after"]) == ("changed", known, "默示机械厂")
    (again,) = bring_in(batch("organizations"), row)
    assert (again.outcome, again.record) == ("unchanged", known)


def test_a_look_alike_may_be_another_one() -> None:
    EnterpriseFactory(name="浙江默示机械厂")
    row = {"name": named("默示机械厂"), "kind": "enterprise"}
    (other,) = bring_in(batch("organizations"), row, 默示机械厂="new")
    assert (other.outcome, Organization.objects.count()) == ("new", 2)


def test_a_wrong_check_digit_is_a_question() -> None:
    row = {"name": named("中意机械有限公司"), "uscc": "91350211M00013FA1N"}
    (asked,) = bring_in(batch("organizations"), row)
    assert asked.outcome == "undecided"
    (taken,) = bring_in(batch("organizations"), row, uscc="right")
    assert taken.outcome == "new"


def test_the_second_row_of_the_same_organization_is_refused() -> None:
    works = bring_in(batch("organizations"), {"name": named("A公司")}, {"name": named("Ａ 公司")})
    assert outcomes(works) == ["new", "rejected"], [messages(w) for w in works]
    assert messages(works[1]) == ["The same as row 2 of the file."]


def test_who_may_not_register_organizations_imports_none() -> None:
    viewer = UserFactory(viewer_in=UnitFactory())
    works = bring_in(batch("organizations", actor=viewer), {"name": named("A公司")})
    assert (outcomes(works), Organization.objects.count()) == (["rejected"], 0)


def test_a_row_that_the_database_refuses_stops_no_other_row() -> None:
    made = batch("organizations")
    known = EnterpriseFactory()

    def apply(row: WorkRow, _batch: Batch) -> None:
        Organization.objects.create(name="Half", kind="enterprise")
        Organization.objects.create(pk=known.pk, name="Twice", kind="enterprise")

    work = WorkRow(2)
    process(work, made, apply)
    assert (work.outcome, Organization.objects.count()) == ("rejected", 1)
    assert outcomes(bring_in(made, {"name": named("A公司")})) == ["new"]
