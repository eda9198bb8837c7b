"""Organizations and their people: kept with who did it, warned about, and once."""

import threading
from functools import partial

import pytest
from django.db import transaction

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion
from partnerships.factories import (
    ContactFactory,
    EnterpriseFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact, Organization, OrganizationKind, OrganizationName
from partnerships.workflows.organizations import edit_organization, keep_contact, register_organization
from partnerships.workflows.transitions import lock, save_as
from tests.services.processes import PATIENCE
from tests.together import refused, run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit():
    return UnitFactory()


@pytest.fixture
def actor(unit):
    return UserFactory(coordinator_in=unit)


def harbor(**columns):
    return Organization(kind=OrganizationKind.ENTERPRISE, name="Harbor Works", **columns)


def test_it_is_kept_with_its_names_and_held_by_the_unit(unit, actor):
    made = register_organization(harbor(), actor=actor, unit=unit, names=[OrganizationName(name="Harbor")])

    assert [name.name for name in made.other_names.all()] == ["Harbor"]
    assert (made.holders.get().unit, made.holders.get().coordinator) == (unit, actor)
    assert {row.history_user for row in (made.history.get(), made.other_names.get().history.get())} == {actor}


def test_a_look_alike_is_asked_about_and_does_not_block(unit, actor):
    there = EnterpriseFactory(name="Harbor Works Co., Ltd.")

    for none_of in ([], [there.pk + 1]):
        with pytest.raises(InvalidInput) as refused:
            register_organization(harbor(), actor=actor, unit=unit, none_of=none_of)
        assert refused.value.field == "is_another"
    assert register_organization(harbor(), actor=actor, unit=unit, none_of=[there.pk]).pk


def test_what_is_in_the_archive_looks_like_nothing(unit, actor):
    EnterpriseFactory(name="Harbor Works", archived_on="2025-01-01")

    assert register_organization(harbor(), actor=actor, unit=unit).pk


def test_nobody_gives_it_to_a_unit_of_others(actor):
    with pytest.raises(NotAllowed):
        register_organization(harbor(), actor=actor, unit=UnitFactory())

    assert Organization.objects.count() == 0


def test_a_viewer_adds_none(unit):
    with pytest.raises(NotAllowed):
        register_organization(harbor(), actor=UserFactory(viewer_in=unit), unit=unit)


def test_names_alone_are_an_edit_of_the_whole(unit, actor):
    organization = OrganizationFactory(held_by=unit)
    stale = Organization.objects.get(pk=organization.pk)
    name = OrganizationNameFactory(organization=organization)

    edit_organization(organization, actor=actor, is_changed=False, removed=[name])

    assert Organization.objects.get(pk=organization.pk).version == stale.version + 1
    assert OrganizationName.history.filter(history_type="-").get().history_user == actor
    with pytest.raises(StaleVersion):
        edit_organization(stale, actor=actor, is_changed=False, names=[OrganizationName(organization=stale, name="x")])
    assert organization.other_names.count() == 0


def test_others_edit_nothing(actor):
    with pytest.raises(NotAllowed):
        edit_organization(OrganizationFactory(), actor=actor)


def test_the_same_person_sent_twice_is_kept_once(unit, actor):
    organization = OrganizationFactory(held_by=unit)

    def person(**more):
        return Contact(organization=organization, name="Zhou Min", phone="1", **more)

    kept = [keep_contact(person(), actor=actor) for _ in range(2)]
    keep_contact(person(position="Head"), actor=actor)

    assert kept[0] == kept[1]
    assert organization.contacts.count() == 2


def test_somebody_who_left_and_came_back_is_a_new_person(unit, actor):
    organization = OrganizationFactory(held_by=unit)
    ContactFactory(organization=organization, name="Zhou Min", phone="", email="", is_active=False)

    keep_contact(Contact(organization=organization, name="Zhou Min"), actor=actor)

    assert organization.contacts.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_page_of_the_person_and_one_of_the_organization_never_wait_in_a_circle(unit, actor):
    """Each holds the lock its form takes when they meet: on SQLite the second would not come so far."""
    organization = OrganizationFactory(held_by=unit)
    person = keep_contact(Contact(organization=organization, name="Zhou Min"), actor=actor)
    both = threading.Barrier(2, timeout=PATIENCE)

    def edit(held, verb):
        row = Contact.objects.get(pk=person.pk)
        row.position = "Head"
        with transaction.atomic():
            lock(held)
            both.wait()
            verb(row)

    own_page = partial(edit, person, partial(keep_contact, actor=actor))
    with_all_people = partial(edit, organization, partial(save_as, actor=actor))

    assert [type(error) for error in refused(run_together(own_page, with_all_people))] == [StaleVersion]
