"""Which organizations and contacts are shown as possible duplicates, why, and to whom."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partnerships.factories import (
    AssociationFactory,
    ContactFactory,
    ContactPositionFactory,
    EnterpriseFactory,
    InstitutionFactory,
    OrganizationCodeFactory,
    OrganizationNameFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact, Organization
from partnerships.reports.duplicates import Pair, contact_pairs, organization_pairs
from partnerships.workflows.merges import mark_as_different

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def staff() -> Any:
    return UserFactory(staff=True)


def named(pairs: list[Pair], model: Any = Organization) -> set[frozenset[str]]:
    return {frozenset(str(model.objects.get(pk=pk)) for pk in (pair.first, pair.second)) for pair in pairs}


def reasons(pairs: list[Pair]) -> list[list[str]]:
    return [[str(reason.words) for reason in pair.reasons] for pair in pairs]


@pytest.mark.parametrize(
    ("one", "other", "is_alike"),
    [
        ("Zhongyi Machinery Co., Ltd.", "ZHONGYI machinery", True),
        ("浙江默示机械厂", "默示机械厂", True),
        ("X University, Taiwan", "X University, New Taipei, Taiwan", True),
        ("École Centrale", "Ecole Centrale", True),
        ("Nestlé S.A.", "Nestle", True),
        ("Ericsson GmbH", "Ericsson AG", True),
        ("浙江省嵊州市职业学院", "浙江嵊州职业学院", True),
        ("機械工業有限公司", "机械工业", True),
        ("东南大学", "东北大学", False),
        ("Ningbo University", "Ningbo Bearing Works", False),
        ("中国", "中国石油化工集团", False),
    ],
)
def test_names(one: str, other: str, is_alike: bool) -> None:
    EnterpriseFactory(name=one)
    EnterpriseFactory(name=other)
    assert (len(organization_pairs(staff())) == 1) is is_alike


def test_other_names_codes_websites_and_contacts_tell_as_well() -> None:
    user, wolf, sheep = staff(), EnterpriseFactory(name="Wolf"), EnterpriseFactory(name="Sheep")
    OrganizationNameFactory(organization=wolf, name="Sheep Holding")
    OrganizationNameFactory(organization=sheep, name="Sheep Holding Ltd.")
    for one in (wolf, sheep):
        OrganizationCodeFactory(organization=one, code="03YRM5C26")
        ContactFactory(organization=one, phone="0575-83000001")
        Organization.objects.filter(pk=one.pk).update(website="https://www.wolf.example/", address="1 Main Road")
    [pair] = organization_pairs(user)
    assert reasons([pair]) == [
        [
            "the same name",
            "the same code",
            "the same website",
            "a contact with the same number or address",
            "the same address",
        ]
    ]


def test_an_address_alone_and_what_many_share_say_nothing() -> None:
    for number in range(13):
        EnterpriseFactory(name=f"Firm {'abcdefghijklm'[number] * 5}", website="https://park.example", address="Park 1")
    assert organization_pairs(staff()) == []


def test_parts_archived_and_different_ones_are_left_out() -> None:
    user = staff()
    whole = InstitutionFactory(name="North College")
    InstitutionFactory(name="North College Works", part_of=InstitutionFactory(name="School", part_of=whole))
    assert organization_pairs(user) == []
    other = InstitutionFactory(name="North College")
    assert len(organization_pairs(user)) == 2
    mark_as_different(Organization.objects.get(pk=whole.pk), Organization.objects.get(pk=other.pk), actor=user)
    assert len(organization_pairs(user)) == 1
    Organization.objects.filter(pk=other.pk).update(archived_on="2026-01-01")
    assert organization_pairs(user) == []


def test_the_likeliest_come_first() -> None:
    EnterpriseFactory(name="South Machine Works")
    EnterpriseFactory(name="South Machine Works Ningbo")
    EnterpriseFactory(name="North Works")
    EnterpriseFactory(name="North Works Ltd.")
    pairs = organization_pairs(staff())
    assert named(pairs[:1]) == {frozenset({"North Works", "North Works Ltd."})}
    assert len(pairs) == 2


def test_a_coordinator_sees_pairs_of_what_the_unit_holds() -> None:
    unit = UnitFactory()
    coordinator = UserFactory(coordinator_in=unit)
    mine, foreign = EnterpriseFactory(name="North Works", held_by=unit), EnterpriseFactory(name="North Works Ltd.")
    EnterpriseFactory(name="South Works")
    EnterpriseFactory(name="South Works Ltd.")
    assert named(organization_pairs(coordinator)) == {frozenset({str(mine), str(foreign)})}


def test_details_of_another_units_organization_tell_nobody_anything() -> None:
    unit = UnitFactory()
    mine, foreign = EnterpriseFactory(name="Wolf", held_by=unit), EnterpriseFactory(name="Sheep")
    alike = EnterpriseFactory(name="Wolf Ltd.")
    for one in (mine, foreign, alike):
        OrganizationCodeFactory(organization=one, code="03YRM5C26")
    Organization.objects.update(website="https://www.wolf.example/", address="1 Main Road")
    assert reasons(organization_pairs(UserFactory(coordinator_in=unit))) == [["the same name"]]
    assert len(organization_pairs(staff())) == 3


def test_a_viewer_of_one_unit_edits_nothing_there() -> None:
    unit = UnitFactory()
    EnterpriseFactory(name="North Works", held_by=unit)
    EnterpriseFactory(name="North Works Ltd.")
    assert organization_pairs(UserFactory(viewer_in=unit)) == []


class TestContacts:
    def test_name_at_one_organization_and_channels(self) -> None:
        user, works = staff(), AssociationFactory()
        ContactFactory(organization=works, name="王强", email="", phone="")
        ContactFactory(organization=works, name="王 强", email="", phone="")
        ContactFactory(name="Ann", email="ann@example.org", phone="13900000001")
        ContactFactory(name="Ann Li", email="Ann@Example.org", phone="+86 139-0000-0001")
        ContactFactory(name="王强", email="", phone="")  # a namesake elsewhere

        pairs = contact_pairs(user)
        assert named(pairs, Contact) == {frozenset({"王强", "王 强"}), frozenset({"Ann", "Ann Li"})}
        assert reasons(pairs) == [
            ["the same e-mail address", "the same phone number"],
            ["the same name"],
        ]

    def test_further_positions_count(self) -> None:
        works = EnterpriseFactory()
        ContactFactory(organization=works, name="Lin Hao", email="", phone="")
        ContactPositionFactory(contact=ContactFactory(name="Lin Hao", email="", phone=""), organization=works)
        assert len(contact_pairs(staff())) == 1

    def test_numbers_of_another_unit_tell_nobody_anything(self) -> None:
        unit, other = UnitFactory(), UnitFactory()
        works = EnterpriseFactory(held_by=unit)
        OrganizationUnitFactory(organization=works, unit=other, coordinator=None)
        ContactFactory(organization=works, unit=unit, name="Ann", phone="13900000001")
        ContactFactory(organization=works, unit=other, name="Mr Li", phone="13900000001")
        ContactFactory(organization=works, unit=other, name="Ann", phone="13900000002")
        coordinator = UserFactory(coordinator_in=unit)

        assert reasons(contact_pairs(coordinator)) == [["the same name"]]
        assert len(contact_pairs(staff())) == 2


@pytest.mark.parametrize("pairs_of", [organization_pairs, contact_pairs])
def test_queries_do_not_grow_with_the_pairs(pairs_of: Any) -> None:
    unit = UnitFactory()
    user = UserFactory(coordinator_in=unit)
    counts = []
    for _number in range(2):
        for _again in range(3):
            works = EnterpriseFactory(name="North Works", held_by=unit)
            ContactFactory(organization=works, unit=unit, name="Ann", phone="13900000001")
        asker = type(user).objects.get(pk=user.pk)
        with CaptureQueriesContext(connection) as queries:
            assert pairs_of(asker)
        counts.append(len(queries))
    assert counts[0] == counts[1]
