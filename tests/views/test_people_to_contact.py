"""Pages name whom to call where it is time to, with the numbers for those who may see them."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    DAY,
    AgreementFactory,
    AgreementPartyFactory,
    AgreementUnitFactory,
    AssociationFactory,
    AssociationMembershipFactory,
    ContactFactory,
    ContactNoteFactory,
    ContactPositionFactory,
    EnterpriseFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    UnitFactory,
)
from partnerships.models import Milestone, SecurityEvent
from partnerships.reports.people_to_contact import people_named
from partnerships.workflows.organizations import edit_organization
from tests.views.sections import section_url
from tests.views.world import ROLES, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def milestone(world: World) -> Milestone:
    return MilestoneFactory(agreement=world.agreement, kind="next_contact", derived_key="next_contact")


def person(world: World, name: str, **more: Any) -> Any:
    return ContactFactory(organization=world.enterprise, name=name, phone=f"0575-{len(name)}", unit=world.unit, **more)


def test_who_was_reached_last_comes_first(
    world: World, milestone: Milestone, client_of: Callable[[Any], Client]
) -> None:
    first, second = person(world, "An Li"), person(world, "Bai Yun", wechat="baiyun")
    ContactNoteFactory(agreement=world.agreement, contact=second, happened_on=timezone.localdate())
    gone = person(world, "Cao Hong", is_active=False)
    page = client_of(world.coordinator).get(milestone.get_absolute_url()).text
    assert page.index("Bai Yun") < page.index("An Li")
    assert ("last reached" in page, f'href="tel:{second.phone}"' in page, "baiyun" in page) == (True, True, True)
    assert (first.phone in page, str(gone) in page) == (True, False)


def test_numbers_stay_with_the_unit_that_entered_them(
    world: World, milestone: Milestone, client_of: Callable[[Any], Client]
) -> None:
    other = UnitFactory(name="Another school")
    OrganizationUnitFactory(organization=world.enterprise, unit=other)
    theirs = ContactFactory(organization=world.enterprise, name="Dai Min", phone="0575-98765", unit=other)
    shared = ContactFactory(
        organization=world.enterprise, name="Fei Hua", phone="0575-12345", unit=other, is_shared=True
    )
    page = client_of(world.coordinator).get(milestone.get_absolute_url()).text
    assert (str(theirs) in page, theirs.phone in page, "Entered by Another school" in page) == (True, False, True)
    assert shared.phone in page
    viewer = client_of(world.people["viewer"]).get(milestone.get_absolute_url()).text
    assert (shared.phone in viewer, theirs.phone in viewer) == (False, False)


def test_where_nobody_is_on_record_the_page_says_where_people_are_added(
    world: World, milestone: Milestone, client_of: Callable[[Any], Client]
) -> None:
    world.contact.delete()

    assert "No contacts you can access." in client_of(world.coordinator).get(milestone.get_absolute_url()).text


def test_other_milestones_name_nobody(world: World, client_of: Callable[[Any], Client]) -> None:
    person(world, "An Li")
    assert "Whom to contact" not in client_of(world.coordinator).get(world.milestone.get_absolute_url()).text


# My work and the agreement's page


def row_of(page: str, milestone: Milestone) -> str:
    found = re.search(rf'<li id="work-milestone-{milestone.pk}".*?</li>', page, re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize(("days", "named"), [(-3, True), (7, True), (8, False)])
def test_a_line_of_my_work_names_two_people_from_a_week_before(
    days: int, named: bool, world: World, client_of: Callable[[Any], Client]
) -> None:
    row = MilestoneFactory(
        agreement=world.agreement, kind="next_contact", owner=world.coordinator, due_on=DAY + dt.timedelta(days=days)
    )
    person(world, "An Li", email="an@harbor.example")
    second = person(world, "Bai Yun", wechat="baiyun")
    person(world, "Cao Hong")
    ContactNoteFactory(agreement=world.agreement, contact=second, happened_on=DAY)

    line = row_of(client_of(world.coordinator).get("/").text, row)

    shown = ["Bai Yun" in line, "baiyun" in line, "last reached" in line, 'href="mailto:an@harbor.example"' in line]
    assert (shown, "Cao Hong" in line) == ([named] * 4, False)
    assert SecurityEvent.objects.filter(kind="contacts_viewed", user=world.coordinator).count() == named


@pytest.mark.parametrize("count", [1, 4])
def test_lines_of_my_work_cost_the_same_however_many_there_are(
    count: int, world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    for _number in range(count):
        agreement = AgreementFactory(unit=world.unit, signed=True, parties=[world.enterprise])
        MilestoneFactory(agreement=agreement, kind="next_contact", owner=world.coordinator, due_on=DAY)
    person(world, "An Li")
    client = client_of(world.coordinator)
    client.get("/")

    with django_assert_num_queries(15):
        page = client.get("/").text
    assert page.count('href="tel:') == 2 * count


def test_the_agreement_names_its_partners_people_to_those_who_may_see_them(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    ours = person(world, "An Li")
    seen = {}
    for role in ROLES:
        page = client_of(world.people[role]).get(section_url(world.agreement, "work")).text
        seen[role] = ("Whom to contact" in page, f'href="tel:{ours.phone}"' in page)

    assert {role for role, (has_part, _phone) in seen.items() if has_part} == {
        "viewer",
        "coordinator",
        "lead",
        "staff",
        "system_admin",
    }
    assert {role for role, (_part, has_phone) in seen.items() if has_phone} == {
        "coordinator",
        "lead",
        "staff",
        "system_admin",
    }


def test_an_agreement_that_has_ended_names_nobody(world: World, client_of: Callable[[Any], Client]) -> None:
    ended = AgreementFactory(unit=world.unit, parties=[world.enterprise], completed=True)

    assert "Whom to contact" not in client_of(world.coordinator).get(section_url(ended, "work")).text


def test_our_own_people_and_those_of_a_party_that_withdrew_are_not_named(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    ours, gone = EnterpriseFactory(held_by=world.unit), EnterpriseFactory(held_by=world.unit)
    type(world.unit).objects.filter(pk=world.unit.pk).update(organization=ours)
    AgreementPartyFactory(agreement=world.agreement, organization=ours)
    AgreementPartyFactory(agreement=world.agreement, organization=gone, withdrew_on=DAY)
    names = [ContactFactory(organization=one, name=f"Of {number}").name for number, one in enumerate((ours, gone))]
    person(world, "An Li")

    page = client_of(world.coordinator).get(section_url(world.agreement, "work")).text

    assert ("An Li" in page, [name in page for name in names]) == (True, [False, False])


def test_a_note_that_one_may_not_see_does_not_say_when_somebody_was_reached(
    world: World, milestone: Milestone, client_of: Callable[[Any], Client]
) -> None:
    contact = person(world, "An Li")
    ContactNoteFactory(agreement=AgreementFactory(unit=UnitFactory()), contact=contact, happened_on=DAY)

    page = client_of(world.coordinator).get(milestone.get_absolute_url()).text

    assert ("An Li" in page, "last reached" in page) == (True, False)


# The liaison of an association's members


def pages_with_liaison(world: World) -> tuple[Any, dict[str, str]]:
    """An association that signs for its members, with its liaison, and the pages that name whom to contact."""
    association = AssociationFactory(name="Chain Association")
    OrganizationUnitFactory(organization=association, unit=world.unit)
    liaison = ContactFactory(organization=association, name="Xie Wanqing", position="Member services", unit=world.unit)
    association.members_liaison = liaison
    association.save()
    AssociationMembershipFactory(association=association, member=world.enterprise)
    AgreementPartyFactory(agreement=world.agreement, organization=association, signs_for_members=True)
    rows = {"association": association, "member": world.enterprise}
    pages = {name: section_url(row, "related") for name, row in rows.items()}
    return liaison, pages | {"agreement": section_url(world.agreement, "terms")}


def liaisons_on(page: str) -> list[str]:
    found = re.findall(r"Members' liaison:(.*?)</span>", unescape(page), re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one)).strip() for one in found]


def test_whoever_sees_contacts_there_sees_the_liaison_of_the_members(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    liaison, pages = pages_with_liaison(world)
    AgreementPartyFactory(agreement=world.draft, organization=liaison.organization)  # for itself alone

    for role in ("viewer", "coordinator", "staff"):
        client = client_of(world.people[role])
        for address in pages.values():
            [words] = liaisons_on(client.get(address).text)
            assert words.startswith("Xie Wanqing Member services")
            assert (liaison.phone in words) == (role != "viewer")
        assert liaisons_on(client.get(section_url(world.draft, "terms")).text) == []
    noted = SecurityEvent.objects.filter(kind="contacts_viewed", link=liaison.organization.get_absolute_url())
    assert {event.user for event in noted} == {world.people["coordinator"], world.people["staff"]}


def test_nobody_else_sees_the_liaison_of_the_members(world: World, client_of: Callable[[Any], Client]) -> None:
    liaison, pages = pages_with_liaison(world)
    twin = make_world("South")
    OrganizationUnitFactory(organization=world.enterprise, unit=twin.unit)
    AgreementUnitFactory(agreement=world.agreement, unit=twin.unit)

    for role in ("coordinator", "lead"):
        client = client_of(twin.people[role])
        for address in pages.values():
            response = client.get(address)
            assert (response.status_code, liaison.name in response.text) == (200, False)


def test_the_chair_of_an_association_may_work_elsewhere(world: World, client_of: Callable[[Any], Client]) -> None:
    liaison, pages = pages_with_liaison(world)
    association = liaison.organization
    chair = ContactFactory(organization=world.enterprise, name="Luo Min", position="Director", unit=world.unit)
    position = ContactPositionFactory(contact=chair, organization=association, position="Chair")
    more: dict[str, Any] = {"actor": world.coordinator, "today": DAY}
    client = client_of(world.coordinator)

    form = client.get(reverse("organization_edit", args=[association.pk])).context["form"]
    offered = set(form.fields["members_liaison"].queryset)
    named = edit_organization(association, changes={"members_liaison": chair}, **more)
    words = [liaisons_on(client.get(address).text)[0] for address in pages.values()]
    position.until = DAY
    position.save()
    edited = edit_organization(named, changes={"industry": "Chains"}, **more)

    assert offered == {liaison, chair}
    assert {one.partition("0575")[0].strip() for one in words} == {"Luo Min Chair"}
    assert (edited.industry, edited.members_liaison) == ("Chains", chair)


def test_the_members_are_counted_above_their_list(world: World, client_of: Callable[[Any], Client]) -> None:
    liaison, pages = pages_with_liaison(world)
    liaison.is_active = False
    liaison.save()
    AssociationMembershipFactory(association=liaison.organization)

    page = client_of(world.coordinator).get(pages["association"]).text

    assert 'Members <span class="count">2</span>' in page
    assert "no longer there" in liaisons_on(page)[0]


@pytest.mark.parametrize("count", [1, 3])
def test_liaisons_cost_two_queries_however_many_there_are(
    count: int, world: World, django_assert_num_queries: Any
) -> None:
    liaisons = [pages_with_liaison(world)[0].pk for _number in range(count)]
    _scope = world.coordinator.scope

    with django_assert_num_queries(2):
        assert people_named(liaisons, world.coordinator).keys() == set(liaisons)
    with django_assert_num_queries(0):
        assert people_named([None], world.coordinator) == {}
