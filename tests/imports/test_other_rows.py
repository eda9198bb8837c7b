"""Rows that describe contacts, honors, activities and milestones."""

import datetime as dt

import pytest

from partnerships.factories import (
    AgreementFactory,
    ContactFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    HonourSchemeFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Activity, Contact, Honour, Milestone, Organization
from tests.imports.batches import TODAY, batch, bring_in, day, messages, named, names, outcomes, person

pytestmark = pytest.mark.django_db


def test_contacts_are_made_filled_in_and_never_doubled() -> None:
    unit = UnitFactory()
    organization = EnterpriseFactory(name="乙公司", held_by=unit)
    ContactFactory(organization=organization, name="王 小明", phone="", position="Dean")
    rows = [
        {"name": person("王小明", phone="13905750001"), "organization": named("乙公司"), "position": "Dean"},
        {"name": person("李芳"), "organization": named("乙公司"), "email": "li@example.org", "since": day(2020)},
        {"name": person("赵一"), "organization": named("甲公司")},
    ]
    actor = UserFactory(coordinator_in=unit)
    works = bring_in(batch("contacts", unit=unit, actor=UserFactory(staff=True)), *rows)
    assert outcomes(works) == ["changed", "new", "rejected"], [messages(w) for w in works]
    assert set(Contact.objects.values_list("name", "phone", "email")) == {
        ("王 小明", "13905750001", Contact.objects.get(name="王 小明").email),
        ("李芳", "", "li@example.org"),
    }
    assert outcomes(bring_in(batch("contacts", unit=unit), *rows[:2])) == ["unchanged", "unchanged"]
    other = {"name": person("张三", email="LI@example.org"), "organization": named("乙公司")}
    (asked,) = bring_in(batch("contacts", unit=unit, actor=UserFactory(staff=True)), other)
    assert asked.outcome == "undecided"
    (new,) = bring_in(batch("contacts", unit=unit), other, 张三="new")
    assert new.outcome == "new"
    assert actor.is_active


def test_honours_make_the_enterprises_that_are_missing() -> None:
    scheme = HonourSchemeFactory(code="little-giant")
    row = {"organization": named("甲科技有限公司"), "scheme": "little-giant", "granted_on": day(2021, 7, 1)}
    later = {**row, "granted_on": day(2024), "batch": "6"}
    works = bring_in(batch("honours", unit=UnitFactory()), row, later, row)
    assert outcomes(works) == ["new", "new", "rejected"]
    assert Organization.objects.get().kind == "enterprise"
    first, second = Honour.objects.order_by("granted_on")
    assert (first.scheme, second.granted_on, second.batch) == (scheme, dt.date(2024, 1, 1), "6")
    assert "2024" in second.evidence
    assert outcomes(bring_in(batch("honours", unit=UnitFactory()), row)) == ["unchanged"]


def test_activities_of_the_past_are_completed_and_count_for_their_areas() -> None:
    agreement = AgreementFactory(signed=True, reference="M-1")
    partner = agreement.parties.last().organization
    CooperationAreaFactory(code="training")
    row = {
        "title": "Course",
        "kind": "training",
        "partner": (named(partner.name),),
        "agreement": "M-1",
        "starts_on": day(2025, 10, 1),
        "ends_on": day(2025, 10, 3),
        "areas": ("training",),
        "headcount": 40,
    }
    planned = {"title": "Visit", "kind": "visit", "starts_on": day(2026, 10, 1)}
    works = bring_in(batch("activities", unit=agreement.unit), row, planned)
    assert (outcomes(works), messages(works[0])) == (["new", "new"], [])
    done, to_come = Activity.objects.order_by("pk")
    assert (done.status, done.completed_on, done.training.headcount) == ("completed", dt.date(2025, 10, 3), 40)
    assert done.credits.get().organization == partner
    assert to_come.status == "planned"
    assert outcomes(bring_in(batch("activities", unit=agreement.unit), row, planned)) == ["unchanged", "unchanged"]


def test_milestones_belong_to_the_agreement_that_they_name() -> None:
    agreement = AgreementFactory(signed=True, title="Joint laboratory")
    rows = [
        {"title": "Report", "agreement": "joint laboratory", "due_on": day(2026, 6, 30)},
        {"title": "Kick-off", "agreement": "Joint laboratory", "due_on": day(2026, 3, 2), "status": "met"},
        {"title": "Lost", "agreement": "Another", "due_on": day(2026, 6, 30)},
        {"title": "Nowhere", "due_on": day(2026, 6, 30)},
    ]
    works = bring_in(batch("milestones", unit=agreement.unit), *rows)
    assert outcomes(works) == ["new", "new", "rejected", "rejected"], [messages(w) for w in works]
    made = Milestone.objects.filter(derived_key="").order_by("pk")
    assert [(one.title, one.status, one.agreement) for one in made] == [
        ("Report", "open", agreement),
        ("Kick-off", "met", agreement),
    ]
    assert made[0].due_on > TODAY
    assert outcomes(bring_in(batch("milestones", unit=agreement.unit), *rows[:2])) == ["unchanged", "unchanged"]


def test_what_was_cancelled_is_not_brought_in() -> None:
    unit = UnitFactory()
    works = bring_in(batch("activities", unit=unit), {"title": "V", "kind": "visit", "status": "cancelled"})
    works += bring_in(batch("register", unit=unit), {"partner": names("甲大学"), "status": "cancelled"})
    assert outcomes(works) == ["rejected", "rejected"]
