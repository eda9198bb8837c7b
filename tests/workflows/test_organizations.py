"""Organizations and their people: kept with who did it, warned about, and once."""

import datetime as dt
import threading
from functools import partial

import pytest
from django.db import transaction

from partnerships.exceptions import InvalidInput, NotAllowed, PossibleDuplicate, StaleVersion
from partnerships.factories import (
    DAY,
    ContactFactory,
    ContactPositionFactory,
    EnterpriseFactory,
    OrganizationCodeFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    Contact,
    ContactPosition,
    Organization,
    OrganizationCode,
    OrganizationKind,
    OrganizationName,
    OrganizationUnit,
)
from partnerships.workflows.organizations import (
    edit_contact,
    edit_organization,
    register_contact,
    register_organization,
)
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
    made = register_organization(harbor(), actor=actor, unit=unit, today=DAY, parts=[OrganizationName(name="Harbor")])

    assert [name.name for name in made.other_names.all()] == ["Harbor"]
    assert (made.holders.get().unit, made.holders.get().coordinator) == (unit, actor)
    assert {row.history_user for row in (made.history.get(), made.other_names.get().history.get())} == {actor}


def test_a_holding_stays_that_of_its_unit(unit, actor):
    holder = register_organization(harbor(), actor=actor, unit=unit, today=DAY).holders.get()
    holder.unit = UnitFactory()

    with pytest.raises(InvalidInput) as refused:
        edit_organization(holder.organization, actor=None, today=DAY, parts=[holder])

    assert (refused.value.field, refused.value.part) == ("unit", holder)
    assert OrganizationUnit.objects.get().unit == unit


def test_a_look_alike_is_asked_about_and_does_not_block(unit, actor):
    there = EnterpriseFactory(name="Harbor Works Co., Ltd.")

    for others in ([], [there.pk + 1]):
        with pytest.raises(PossibleDuplicate) as refused:
            register_organization(harbor(), actor=actor, unit=unit, today=DAY, confirmed_different=others)
        assert (refused.value.field, refused.value.found) == ("is_another", {there.pk})
    assert register_organization(harbor(), actor=actor, unit=unit, today=DAY, confirmed_different=[there.pk]).pk


def test_what_is_in_the_archive_looks_like_nothing(unit, actor):
    EnterpriseFactory(name="Harbor Works", archived_on="2025-01-01")

    assert register_organization(harbor(), actor=actor, unit=unit, today=DAY).pk


def test_nobody_gives_it_to_a_unit_of_others(actor):
    with pytest.raises(NotAllowed):
        register_organization(harbor(), actor=actor, unit=UnitFactory(), today=DAY)

    assert Organization.objects.count() == 0


def test_a_viewer_adds_none(unit):
    with pytest.raises(NotAllowed):
        register_organization(harbor(), actor=UserFactory(viewer_in=unit), unit=unit, today=DAY)


def test_names_alone_are_an_edit_of_the_whole(unit, actor):
    organization = OrganizationFactory(held_by=unit)
    stale = Organization.objects.get(pk=organization.pk)
    name = OrganizationNameFactory(organization=organization)

    edit_organization(organization, actor=actor, today=DAY, removed=[name])

    assert Organization.objects.get(pk=organization.pk).version == stale.version + 1
    assert OrganizationName.history.filter(history_type="-").get().history_user == actor
    with pytest.raises(StaleVersion):
        edit_organization(stale, actor=actor, today=DAY, parts=[OrganizationName(organization=stale, name="x")])
    assert organization.other_names.count() == 0


@pytest.mark.parametrize("way", ["parts", "removed"])
def test_nobody_takes_the_holding_of_another_unit_by_naming_it_as_ones_own(unit, way):
    other = UnitFactory()
    organization = OrganizationFactory(held_by=unit)
    holding = OrganizationUnit.objects.create(organization=organization, unit=other)
    lead = UserFactory(lead_in=unit, viewer_in=other)
    posted = OrganizationUnit.objects.get(pk=holding.pk)
    posted.unit = UnitFactory(parent=unit) if way == "parts" else unit

    with pytest.raises(NotAllowed) as refused:
        edit_organization(organization, actor=lead, today=DAY, **{way: [posted]})

    assert refused.value.part is posted
    assert OrganizationUnit.objects.get(pk=holding.pk).unit == other


def test_others_edit_nothing(actor):
    with pytest.raises(NotAllowed):
        edit_organization(OrganizationFactory(), actor=actor, today=DAY)


def test_an_organization_is_no_part_of_its_own_parts(actor, unit):
    whole = OrganizationFactory(held_by=unit)
    part = OrganizationFactory(part_of=OrganizationFactory(part_of=whole))

    for above in (whole, part):
        with pytest.raises(InvalidInput) as refused:
            edit_organization(whole, actor=actor, today=DAY, changes={"part_of": above})
        assert refused.value.field == "part_of"


def test_a_code_that_another_one_has_is_asked_about_once_with_the_look_alikes(unit, actor):
    alike = EnterpriseFactory(name="Harbor Works Co., Ltd.")
    same = OrganizationCodeFactory(scheme="ROR", code="02MHBDP94").organization
    OrganizationCodeFactory(scheme="GRID", code="02mhbdp94")  # another scheme
    OrganizationCodeFactory(scheme="ROR", code="02mhbdp94", organization__archived_on=DAY)

    def register(confirmed):
        code = OrganizationCode(scheme="ror", code="02mhbdp94")
        return register_organization(
            harbor(), actor=actor, unit=unit, today=DAY, parts=[code], confirmed_different=confirmed
        )

    with pytest.raises(PossibleDuplicate) as refused:
        register([])
    assert (refused.value.field, refused.value.found) == ("is_another", {alike.pk, same.pk})
    made = register(refused.value.found)
    assert [str(code) for code in made.codes.all()] == ["ror 02mhbdp94"]


def test_only_a_new_code_is_asked_about(unit, actor):
    code = OrganizationCodeFactory(organization__held_by=unit)
    OrganizationCodeFactory(code=code.code)

    edit_organization(code.organization, actor=actor, today=DAY, changes={"address": "Quay 2"})


def test_a_country_is_one_of_those_known(actor, unit):
    made = register_organization(harbor(), actor=actor, unit=unit, today=DAY)
    assert made.country == "CN"

    with pytest.raises(InvalidInput) as refused:
        edit_organization(made, actor=actor, today=DAY, changes={"country": "XK"})
    assert refused.value.field == "country"


def test_a_part_is_not_asked_whether_it_is_its_whole(unit, actor):
    college = OrganizationFactory(name="Harbor College", held_by=unit)
    school = Organization(kind="institution", name="Harbor College School of Law", part_of=college)

    made = register_organization(school, actor=actor, unit=unit, today=DAY)
    edit_organization(college, actor=actor, today=DAY, changes={"name": "The Harbor College"})

    assert list(college.parts.all()) == [made]


def test_the_same_person_sent_twice_is_kept_once(unit, actor):
    organization = OrganizationFactory(held_by=unit)

    def person(**more):
        return Contact(organization=organization, name="Zhou Min", phone="1", **more)

    kept = [register_contact(person(), actor=actor, today=DAY) for _ in range(2)]
    register_contact(person(position="Head"), actor=actor, today=DAY, confirmed_different=[kept[0].pk])

    assert kept[0] == kept[1]
    assert organization.contacts.count() == 2


def test_what_is_new_about_a_known_person_is_not_dropped_silently(unit, actor):
    organization = OrganizationFactory(held_by=unit)
    register_contact(Contact(organization=organization, name="Zhou Min"), actor=actor, today=DAY)

    again = Contact(organization=organization, name="Zhou Min", note="On leave", permission="ask")
    with pytest.raises(InvalidInput) as refused:
        register_contact(again, actor=actor, today=DAY)

    assert (refused.value.field, organization.contacts.get().note) == ("name", "")


def test_somebody_who_left_and_came_back_is_a_new_person(unit, actor):
    organization = OrganizationFactory(held_by=unit)
    ContactFactory(organization=organization, name="Zhou Min", phone="", email="", is_active=False)

    register_contact(Contact(organization=organization, name="Zhou Min"), actor=actor, today=DAY)

    assert organization.contacts.count() == 2


def test_the_day_on_which_a_departure_is_entered_is_noted(unit, actor):
    contact = ContactFactory(organization=OrganizationFactory(held_by=unit), unit=unit)

    gone = edit_contact(contact, actor=actor, today=DAY, changes={"is_active": False, "until": DAY})
    assert (gone.departure_noted_on, gone.until) == (DAY, DAY)

    later = DAY + dt.timedelta(days=9)
    back = edit_contact(gone, actor=actor, today=later, changes={"is_active": True, "until": None})
    position = ContactPositionFactory(contact=back)
    position.until = DAY
    back.refresh_from_db()
    assert edit_contact(back, actor=actor, today=later, parts=[position]).departure_noted_on == later


def test_a_position_does_not_begin_or_end_in_the_future(unit, actor):
    contact = ContactFactory(organization=OrganizationFactory(held_by=unit), unit=unit)
    position = ContactPosition(organization=OrganizationFactory(), until=DAY + dt.timedelta(days=1))

    with pytest.raises(InvalidInput, match="future") as refused:
        edit_contact(contact, actor=actor, today=DAY, parts=[position])

    assert (refused.value.field, refused.value.part) == ("until", position)


def test_the_same_person_at_another_organization_is_asked_about(unit, actor):
    here, there = OrganizationFactory(held_by=unit), OrganizationFactory(held_by=unit)
    known = ContactFactory(organization=here, unit=unit, name="Zhou Min", email="zhou@example.org")

    same = Contact(organization=there, name="M. Zhou", email="ZHOU@example.org")
    with pytest.raises(PossibleDuplicate) as asked:
        register_contact(same, actor=actor, today=DAY)

    assert asked.value.found == {known.pk}


@pytest.mark.django_db(transaction=True)
def test_a_page_of_the_person_and_one_of_the_organization_never_wait_in_a_circle(unit, actor):
    """Each holds the lock its form takes when they meet: SQLite, where transactions wait for each other, is left out."""
    organization = OrganizationFactory(held_by=unit)
    person = register_contact(Contact(organization=organization, name="Zhou Min"), actor=actor, today=DAY)
    both = threading.Barrier(2, timeout=PATIENCE)

    def edit(held, verb):
        row = Contact.objects.get(pk=person.pk)
        with transaction.atomic():
            lock(held)
            both.wait()
            verb(row)

    def save_head(row):
        row.position = "Head"
        save_as(row, actor)

    own_page = partial(edit, person, partial(edit_contact, actor=actor, today=DAY, changes={"position": "Head"}))
    with_all_people = partial(edit, organization, save_head)

    assert [type(error) for error in refused(run_together(own_page, with_all_people))] == [StaleVersion]
