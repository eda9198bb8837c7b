"""Liaisons of parties: who may be one, and what happens when they leave."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, TransitionRefused
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
from partnerships.models import Agreement, Contact, ContactPosition, Milestone, MilestoneKind, ReminderMark
from partnerships.permissions import may
from partnerships.reports.people_to_contact import people_named, people_to_contact
from partnerships.workflows.agreements import edit_agreement, submit_agreement, withdraw_party
from partnerships.workflows.departures import involvement_of, record_departure
from partnerships.workflows.derived_sweep import SWEPT_TABLES
from partnerships.workflows.milestones import waive_milestone
from partnerships.workflows.organizations import edit_contact, edit_organization, register_contact
from partnerships.workflows.personal_data import erase_person

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
    found = involvement_of(contact, actor, today=DAY)
    assert (found.agreements, found.associations, found.other_agreements) == ([agreement], [association], 1)

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
    assert (moved.version, contact.history.count()) == (2, 2)
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


def test_holders_of_a_former_organization_lose_the_person_unless_they_entered_them(works: Any, unit: Any) -> None:
    """An editable address would decide where the reminders of other units go."""
    office = UserFactory(staff=True)
    of_office = ContactFactory(organization=works, unit=None)
    entered = ContactFactory(organization=works, unit=unit)
    shared = ContactFactory(organization=works, unit=UnitFactory(), is_shared=True)
    lead = UserFactory(lead_in=unit)
    for person in (of_office, entered, shared):
        record_departure(person, actor=office, today=DAY, organization=EnterpriseFactory())

    rights = {
        person: [
            may(lead, action, Contact.objects.get(pk=person.pk)) for action in ("contact.view_personal", "contact.edit")
        ]
        for person in (of_office, entered, shared)
    }
    assert rights == {of_office: [False, False], entered: [True, True], shared: [False, False]}
    assert set(Contact.objects.with_personal_data_for(lead)) == {entered}
    assert set(Contact.objects.visible_to(lead)) == {of_office, entered, shared}


def test_who_ends_or_loses_a_further_position_there_is_to_be_replaced(
    works: Any, unit: Any, actor: Any, successor: Contact
) -> None:
    for step in ("ends", "is removed"):
        chair = ContactFactory(organization=EnterpriseFactory(held_by=unit), unit=unit)
        position = ContactPositionFactory(contact=chair, organization=works)
        agreement = AgreementFactory(unit=unit, coordinator=actor, signed=True, parties=[InstitutionFactory(), works])
        named(agreement, chair, actor)
        position.until = DAY
        lines = {"parts": [position]} if step == "ends" else {"removed": [position]}
        edit_contact(chair, actor=actor, today=DAY, **lines)
        assert [status for _title, status, _due in asked(agreement)] == ["open"], step


def test_the_next_departure_asks_anew_after_a_waiver_or_a_moved_date(
    agreement: Agreement, contact: Contact, successor: Contact, actor: Any, unit: Any
) -> None:
    later = DAY + dt.timedelta(days=200)
    edit_contact(contact, actor=actor, today=DAY, changes={"is_active": False})
    milestone = agreement.milestones.get(kind=MilestoneKind.NEW_LIAISON)
    waive_milestone(milestone, actor=UserFactory(lead_in=unit), on=DAY, reason="Nobody there")
    agreement.refresh_from_db()
    named(agreement, successor, actor)

    edit_contact(successor, actor=actor, today=later, changes={"is_active": False})

    assert [row[1:] for row in asked(agreement)] == [("open", later + dt.timedelta(days=14))]


def test_a_liaison_is_no_edit_of_what_a_lead_approves(contact: Contact, works: Any, unit: Any, actor: Any) -> None:
    lead = UserFactory(lead_in=unit)
    draft = AgreementFactory(unit=unit, coordinator=actor, created_by=actor, parties=[InstitutionFactory(), works])
    draft = submit_agreement(draft, actor=actor, on=DAY)
    named(draft, contact, lead)

    assert may(lead, "agreement.approve", Agreement.objects.get(pk=draft.pk))


def test_somebody_who_left_does_not_leave_or_move_again(contact: Contact, unit: Any, actor: Any) -> None:
    left = record_departure(contact, actor=actor, today=DAY, until=DAY)

    for where in (None, EnterpriseFactory(held_by=unit)):
        with pytest.raises(TransitionRefused):
            record_departure(left, actor=actor, today=DAY, organization=where)


def test_the_same_job_may_be_taken_and_left_again(contact: Contact, works: Any, unit: Any, actor: Any) -> None:
    other = EnterpriseFactory(held_by=unit)
    for organization in (other, works, other):
        contact = record_departure(contact, actor=actor, today=DAY, organization=organization, position="Head")

    assert sorted(row.position for row in contact.positions.all()) == ["Head", "Head", "Head of production"]


def test_another_organization_in_the_line_takes_the_people_out(contact: Contact, unit: Any, actor: Any) -> None:
    draft = AgreementFactory(unit=unit, coordinator=actor, parties=[InstitutionFactory(), contact.organization])
    party = draft.parties.last()
    party.liaison = party.signatory = contact
    draft = edit_agreement(draft, actor=actor, today=DAY, parts=[party])
    party.organization = EnterpriseFactory(held_by=unit)

    edit_agreement(draft, actor=actor, today=DAY, parts=[party])

    party.refresh_from_db()
    assert (party.liaison, party.signatory) == (None, None)


def test_another_signatory_brings_another_name(agreement: Agreement, contact: Contact, successor: Contact) -> None:
    for person in (contact, successor):
        party = agreement.parties.last()
        party.signatory = person
        agreement = edit_agreement(agreement, actor=agreement.coordinator, today=DAY, parts=[party])

    assert agreement.parties.last().signatory_person == "Fu Guoping"


def test_an_erased_person_leaves_no_position_and_signs_nothing(agreement: Agreement, contact: Contact) -> None:
    party = agreement.parties.last()
    party.signatory = contact
    agreement = edit_agreement(agreement, actor=agreement.coordinator, today=DAY, parts=[party])
    admin = UserFactory(system_admin=True)

    erase_person(contact, actor=admin, today=DAY, reason="Asked for it")

    party.refresh_from_db()
    assert (party.signatory, party.signatory_position) == (contact, "")
    assert set(party.history.values_list("signatory_position", flat=True)) == {""}
    assert [status for _title, status, _due in asked(agreement)] == ["open"]


def test_a_party_that_withdraws_needs_no_liaison(agreement: Agreement, contact: Contact, unit: Any, actor: Any) -> None:
    edit_contact(contact, actor=actor, today=DAY, changes={"is_active": False})

    withdraw_party(agreement.parties.last(), actor=UserFactory(lead_in=unit), on=DAY, today=DAY)

    assert [status for _title, status, _due in asked(agreement)] == ["cancelled"]


def test_a_successor_takes_over_only_where_they_work(
    agreement: Agreement, contact: Contact, unit: Any, actor: Any
) -> None:
    elsewhere = ContactFactory(organization=EnterpriseFactory(held_by=unit, part_of=contact.organization), unit=unit)
    other = EnterpriseFactory(held_by=unit)
    ContactPositionFactory(contact=contact, organization=other)
    second = AgreementFactory(unit=unit, coordinator=actor, signed=True, parties=[InstitutionFactory(), other])
    named(second, contact, actor)

    record_departure(contact, actor=actor, today=DAY, successor=elsewhere)

    assert [one.parties.last().liaison for one in (agreement, second)] == [elsewhere, contact]
    assert [status for _title, status, _due in asked(second)] == ["open"]


def test_an_association_can_be_edited_after_its_liaison_lost_the_position(unit: Any, actor: Any) -> None:
    association = AssociationFactory(held_by=unit)
    position = ContactPositionFactory(contact=ContactFactory(organization=EnterpriseFactory(held_by=unit), unit=unit))
    position.organization = association
    position.save()
    changes = {"members_liaison": position.contact}
    association = edit_organization(association, actor=actor, today=DAY, changes=changes)
    edit_contact(position.contact, actor=actor, today=DAY, removed=[position])

    edit_organization(association, actor=actor, today=DAY, changes={"address": "Quay 2"})


def test_a_known_person_with_another_position_is_not_dropped_silently(contact: Contact, unit: Any, actor: Any) -> None:
    columns = {name: getattr(contact, name) for name in ("organization", "name", "position", "email", "phone")}
    again = Contact(**columns)
    parts = [ContactPosition(organization=EnterpriseFactory(held_by=unit))]

    with pytest.raises(InvalidInput):
        register_contact(again, actor=actor, today=DAY, parts=parts)


def test_the_main_position_is_not_entered_twice(contact: Contact, actor: Any) -> None:
    position = ContactPosition(organization=contact.organization, position=contact.position)

    with pytest.raises(InvalidInput, match="main"):
        edit_contact(contact, actor=actor, today=DAY, parts=[position])


def test_a_signatory_brings_the_position_at_the_party(works: Any, unit: Any, actor: Any) -> None:
    elsewhere = ContactFactory(organization=EnterpriseFactory(held_by=unit), unit=unit, position="Director elsewhere")
    position = ContactPositionFactory(contact=elsewhere, organization=works, position="Chair of the board")
    draft = AgreementFactory(unit=unit, coordinator=actor, parties=[InstitutionFactory(), works])
    party = draft.parties.last()
    party.signatory = party.liaison = elsewhere

    edit_agreement(draft, actor=actor, today=DAY, parts=[party])

    party.refresh_from_db()
    assert party.signatory_position == position.position
    [shown, *_others] = people_to_contact([draft], actor)[draft.pk]
    assert (shown.is_liaison, shown.position, shown.organization) == (True, "Chair of the board", works)


def test_a_liaison_who_moved_is_marked(
    agreement: Agreement, contact: Contact, works: Any, unit: Any, actor: Any
) -> None:
    record_departure(contact, actor=actor, today=DAY, organization=EnterpriseFactory(held_by=unit))

    person = people_named([contact.pk], actor)[contact.pk].at(works)

    assert (person.has_left, person.position) == (True, "Head of production")


def test_the_coordinator_hears_at_once_of_a_departure_that_somebody_else_records(
    agreement: Agreement, contact: Contact, actor: Any
) -> None:
    edit_contact(contact, actor=UserFactory(staff=True), today=DAY, changes={"is_active": False})

    milestone = agreement.milestones.get(kind=MilestoneKind.NEW_LIAISON)
    assert ReminderMark.objects.filter(milestone=milestone, appearance=milestone.appearance).exists()
