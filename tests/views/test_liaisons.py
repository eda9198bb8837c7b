"""The pages that name liaisons and record departures, and who sees the people named."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    AgreementUnitFactory,
    ContactFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact
from tests.admin.forms import change_url
from tests.services.drawing import undrawn
from tests.views.sections import section_url, whole_page
from tests.views.sent import filled
from tests.views.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def liaison(world: World) -> Contact:
    person = ContactFactory(organization=world.enterprise, unit=world.unit, name="Dai Jun", phone="0575-4711")
    world.agreement.parties.filter(organization=world.enterprise).update(liaison=person)
    return person


def people_page(world: World) -> str:
    return reverse("agreement_step", args=[world.agreement.pk, "people"])


def test_the_page_names_a_liaison_of_each_partner(world: World, client_of: Callable[[Any], Client]) -> None:
    person = ContactFactory(organization=world.enterprise, unit=world.unit, name="Dai Jun")
    client, party = client_of(world.coordinator), world.agreement.parties.get(organization=world.enterprise)

    data = filled(undrawn(client, people_page(world)))
    answer = client.post(people_page(world), data | {f"liaison-{party.pk}": person.pk})

    party.refresh_from_db()
    assert (answer.status_code, party.liaison) == (302, person)
    page = client.get(section_url(world.agreement, "terms")).text
    assert page.index("Liaison:") < page.index("Dai Jun", page.index("Liaison:"))


def test_a_person_whom_the_user_does_not_see_is_neither_shown_nor_taken_out(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    party = world.agreement.parties.get(organization=world.enterprise)
    hidden = ContactFactory(name="Secret Engineer")
    party.liaison = hidden
    party.save()
    client = client_of(world.coordinator)

    page = client.get(people_page(world))
    client.post(people_page(world), filled(page))

    party.refresh_from_db()
    assert "Secret Engineer" not in page.text
    assert "Secret Engineer" not in whole_page(client, world.agreement)
    assert party.liaison == hidden


def test_who_takes_part_without_holding_the_partner_does_not_see_the_liaison(
    world: World, liaison: Contact, client_of: Callable[[Any], Client]
) -> None:
    unit = UnitFactory()
    AgreementUnitFactory(agreement=world.agreement, unit=unit)
    page = client_of(UserFactory(coordinator_in=unit)).get(section_url(world.agreement, "terms"))
    assert (page.status_code, "Dai Jun" in page.text) == (200, False)

    OrganizationUnitFactory(organization=world.enterprise, unit=unit)
    page = client_of(UserFactory(coordinator_in=unit)).get(section_url(world.agreement, "terms"))
    assert ("Dai Jun" in page.text, "0575-4711" in page.text) == (True, False)


def test_a_departure_shows_what_hangs_on_the_person(
    world: World, liaison: Contact, client_of: Callable[[Any], Client]
) -> None:
    successor = ContactFactory(organization=world.enterprise, unit=world.unit, name="Fu Guoping")
    client, address = client_of(world.coordinator), reverse("contact_leave", args=[liaison.pk])

    page = client.get(address)
    answer = client.post(address, filled(page) | {"successor": successor.pk})

    liaison.refresh_from_db()
    assert str(world.agreement) in page.text
    assert (answer.status_code, liaison.is_active) == (302, False)
    assert world.agreement.parties.get(organization=world.enterprise).liaison == successor
    people = client.get(world.enterprise.get_absolute_url()).text
    assert "no longer there" in people[people.index("Dai Jun") :]


def test_a_milestone_for_a_new_liaison_leads_to_the_page(
    world: World, liaison: Contact, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.coordinator)
    client.post(reverse("contact_leave", args=[liaison.pk]), {"version": liaison.version})

    milestone = world.agreement.milestones.get(kind="new_liaison")
    for page in (reverse("my_work"), milestone.get_absolute_url()):
        assert f'href="{people_page(world)}"' in client.get(page).text


def test_the_list_shows_and_finds_the_liaisons_that_its_reader_sees(
    world: World, liaison: Contact, client_of: Callable[[Any], Client]
) -> None:
    unit = UnitFactory()
    AgreementUnitFactory(agreement=world.agreement, unit=unit)
    address = f"{reverse('agreement_list')}?columns=liaisons&liaison=dai"

    own = client_of(world.coordinator).get(address)
    other = client_of(UserFactory(coordinator_in=unit)).get(address)

    assert ([str(row) for row in own.context["rows"]], "Dai Jun" in own.text) == ([str(world.agreement)], True)
    assert (list(other.context["rows"]), "Dai Jun" in other.text) == ([], False)
    everything = client_of(UserFactory(coordinator_in=unit)).get(f"{reverse('agreement_list')}?columns=liaisons")
    assert (str(world.agreement) in everything.text, "Dai Jun" in everything.text) == (True, False)


def test_the_admin_names_no_liaison_to_a_lead_who_does_not_hold_the_partner(world: World, liaison: Contact) -> None:
    unit, client = UnitFactory(), Client()
    AgreementUnitFactory(agreement=world.agreement, unit=unit)
    for person, is_named in ((UserFactory(lead_in=unit), False), (UserFactory(staff=True), True)):
        client.force_login(person)
        page = client.get(change_url(world.agreement))
        assert (page.status_code, "Dai Jun" in page.text) == (200, is_named)
