"""Liaisons of parties: who may be one, and what happens when they leave."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed
from partnerships.factories import (
    DAY,
    AgreementFactory,
    AssociationFactory,
    ContactFactory,
    ContactPositionFactory,
    EnterpriseFactory,
    InstitutionFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, Contact, Milestone, MilestoneKind
from partnerships.workflows.agreements import edit_agreement
from partnerships.workflows.departures import record_departure, ties_of
from partnerships.workflows.derived_sweep import SWEPT_TABLES
from partnerships.workflows.organizations import edit_contact, edit_organization

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def unit() -> Any:
    return UnitFactory()


@pytest.fixture
def actor(unit: Any) -> Any:
    return UserFactory(coordinator_in=unit)


@pytest.fixture
def works(unit: Any) -> Any:
    return EnterpriseFactory(held_by=unit, name="North Works")


@pytest.fixture
def contact(works: Any, unit: Any) -> Contact:
    return ContactFactory(organization=works, unit=unit, name="Dai Jun", position="Head of production")


@pytest.fixture
def successor(works: Any, unit: Any) -> Contact:
    return ContactFactory(organization=works, unit=unit, name="Fu Guoping")


@pytest.fixture
def agreement(works: Any, unit: Any, contact: Contact, actor: Any) -> Agreement:
    agreement = AgreementFactory(unit=unit, coordinator=actor, signed=True, parties=[InstitutionFactory(), works])
    return named(agreement, contact, actor)


def named(agreement: Agreement, liaison: Contact | None, actor: Any) -> Agreement:
    party = agreement.parties.last()
    party.liaison = liaison
    return edit_agreement(agreement, actor=actor, today=DAY, parts=[party])


def asked(agreement: Agreement) -> list[tuple[str, str, dt.date]]:
    rows = agreement.milestones.filter(kind=MilestoneKind.NEW_LIAISON).order_by("pk")
    return list(rows.values_list("title", "status", "due_on"))


def test_a_liaison_is_named_after_the_signing(agreement: Agreement, contact: Contact) -> None:
    party = agreement.parties.last()

    assert party.liaison == contact
    assert party.history.first().liaison == contact
    assert asked(agreement) == []


def test_a_liaison_works_at_the_party_at_a_part_of_it_or_above_it(
    agreement: Agreement, works: Any, unit: Any, actor: Any
) -> None:
    plant = EnterpriseFactory(part_of=works, held_by=unit)
    group = EnterpriseFactory(held_by=unit)
    works.part_of = group
    works.save()
    chair = ContactPositionFactory(contact=ContactFactory(organization=EnterpriseFactory(held_by=unit)))
    chair.organization = works
    chair.save()
    for liaison in (ContactFactory(organization=plant), ContactFactory(organization=group), chair.contact):
        agreement = named(agreement, liaison, actor)
        assert agreement.parties.last().liaison == liaison


@pytest.mark.parametrize("kind", ["of another organization", "who left", "whom the actor does not see"])
def test_nobody_else_is_a_liaison(kind: str, agreement: Agreement, works: Any, unit: Any, actor: Any) -> None:
    unseen = EnterpriseFactory(part_of=works)
    person = {
        "of another organization": lambda: ContactFactory(organization=EnterpriseFactory(held_by=unit)),
        "who left": lambda: ContactFactory(organization=works, is_active=False),
        "whom the actor does not see": lambda: ContactFactory(organization=unseen),
    }[kind]()

    with pytest.raises(InvalidInput) as refused:
        named(agreement, person, actor)

    assert refused.value.field == "liaison"


def test_a_signatory_among_the_contacts_fills_in_name_and_position(agreement: Agreement, contact: Contact) -> None:
    party = agreement.parties.last()
    party.signatory = contact
    edit_agreement(agreement, actor=agreement.coordinator, today=DAY, parts=[party])

    party.refresh_from_db()
    assert (party.signatory_person, party.signatory_position) == ("Dai Jun", "Head of production")


def test_a_liaison_who_left_is_to_be_replaced(
    agreement: Agreement, contact: Contact, successor: Contact, actor: Any
) -> None:
    edit_contact(contact, actor=actor, today=DAY, changes={"is_active": False})
    due_on = DAY + dt.timedelta(days=14)
    assert asked(agreement) == [("Name a new liaison at North Works", "open", due_on)]
    [milestone] = Milestone.objects.filter(kind=MilestoneKind.NEW_LIAISON)
    assert milestone.owner == agreement.coordinator

    agreement.refresh_from_db()
    named(agreement, successor, actor)
    assert asked(agreement) == [("Name a new liaison at North Works", "met", due_on)]

    later = DAY + dt.timedelta(days=40)
    successor.refresh_from_db()
    edit_contact(successor, actor=actor, today=later, changes={"is_active": False})
    assert asked(agreement) == [("Name a new liaison at North Works", "open", later + dt.timedelta(days=14))]


def test_who_comes_back_or_is_taken_out_needs_no_successor(agreement: Agreement, contact: Contact, actor: Any) -> None:
    gone = edit_contact(contact, actor=actor, today=DAY, changes={"is_active": False})
    back = edit_contact(gone, actor=actor, today=DAY, changes={"is_active": True})
    assert [status for _title, status, _due in asked(agreement)] == ["met"]

    edit_contact(back, actor=actor, today=DAY, changes={"is_active": False})
    agreement.refresh_from_db()
    named(agreement, None, actor)
    assert [status for _title, status, _due in asked(agreement)] == ["cancelled"]


def test_the_sweep_finds_nothing_to_repair(agreement: Agreement, contact: Contact, actor: Any) -> None:
    edit_contact(contact, actor=actor, today=DAY, changes={"is_active": False})
    table = next(table for table in SWEPT_TABLES if table.model is Agreement)
    rows = list(table.after(0))
    assert table.out_of_step(rows, DAY) == []

    Milestone.objects.filter(kind=MilestoneKind.NEW_LIAISON).update(due_on=DAY)
    assert table.out_of_step(rows, DAY) == [agreement]


def test_a_departure_replaces_the_person_in_one_step(
    agreement: Agreement, contact: Contact, successor: Contact, works: Any, unit: Any, actor: Any
) -> None:
    association = AssociationFactory(held_by=unit)
    for person in (contact, successor):
        ContactPositionFactory(contact=person, organization=association)
    edit_organization(association, actor=actor, today=DAY, changes={"members_liaison": contact})
    elsewhere = AgreementFactory(signed=True, parties=[InstitutionFactory(), works])
    elsewhere.parties.filter(organization=works).update(liaison=contact)
    ties = ties_of(contact, actor, today=DAY)
    assert (ties.agreements, ties.associations, ties.others) == ([agreement], [association], 1)

    left = record_departure(contact, actor=actor, today=DAY, until=DAY, successor=successor)

    assert (left.is_active, left.until, left.departure_noted_on) == (False, DAY, DAY)
    association.refresh_from_db()
    assert [agreement.parties.last().liaison, association.members_liaison] == [successor, successor]
    assert asked(agreement) == []
    assert [status for _title, status, _due in asked(elsewhere)] == ["open"]  # the other unit names its own


def test_somebody_who_moves_goes_on_elsewhere(
    agreement: Agreement, contact: Contact, works: Any, unit: Any, actor: Any
) -> None:
    other = EnterpriseFactory(held_by=unit, name="South Works")

    moved = record_departure(contact, actor=actor, today=DAY, organization=other, position="Director")

    contact.refresh_from_db()
    assert (contact.organization, contact.position, contact.is_active) == (other, "Director", True)
    former = contact.positions.get()
    assert (former.organization, former.position, former.until) == (works, "Head of production", DAY)
    assert moved.history.count() == contact.history.count()
    assert [title for title, _status, _due in asked(agreement)] == ["Name a new liaison at North Works"]


def test_a_position_they_have_already_becomes_the_main_one(contact: Contact, unit: Any, actor: Any) -> None:
    position = ContactPositionFactory(contact=contact, organization=EnterpriseFactory(held_by=unit), position="Adviser")

    record_departure(contact, actor=actor, today=DAY, organization=position.organization, position="Adviser")

    contact.refresh_from_db()
    assert (contact.organization, contact.position) == (position.organization, "Adviser")
    assert [row.position for row in contact.positions.all()] == ["Head of production"]


def test_another_unit_does_not_record_a_departure(contact: Contact, works: Any) -> None:
    holder = OrganizationUnitFactory(organization=works).unit

    with pytest.raises(NotAllowed):
        record_departure(contact, actor=UserFactory(coordinator_in=holder), today=DAY)
