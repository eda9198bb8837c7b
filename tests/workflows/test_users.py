"""Accounts are closed with their work handed over."""

import pytest

from partnerships.exceptions import NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    DemandFactory,
    FacilityFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, User
from partnerships.workflows.users import activate_user, deactivate_user, send_password_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return UserFactory(user_admin=True)


def unit_with_fallback(**fields):
    unit = UnitFactory(**fields)
    unit.fallback_person = UserFactory(name="Fallback", coordinator_in=unit)
    unit.save()
    return unit


def test_work_goes_to_nobody_who_could_not_see_it(manager):
    above = unit_with_fallback()
    agreement = AgreementFactory(unit=UnitFactory(parent=above, fallback_person=UserFactory()), signed=True)

    deactivate_user(agreement.coordinator, actor=manager)

    agreement.refresh_from_db()
    assert agreement.coordinator == above.fallback_person


def test_open_work_goes_to_the_fallback_person_of_its_unit(manager):
    agreement = AgreementFactory(unit=unit_with_fallback(), signed=True)
    leaving, new_owner = agreement.coordinator, agreement.unit.fallback_person
    milestone = MilestoneFactory(agreement=agreement)
    done = MilestoneFactory(agreement=agreement, met=True)
    activity = ActivityFactory(agreement=agreement)
    facility, closed = (
        FacilityFactory(unit=agreement.unit, owner=leaving, **{trait: True}) for trait in ("opened", "closed")
    )
    demand = DemandFactory(unit=agreement.unit, owner=leaving)
    held = OrganizationUnitFactory(unit=agreement.unit, coordinator=leaving)

    deactivate_user(leaving, actor=manager)

    for row in (agreement, milestone, done, activity, facility, closed, demand, held):
        row.refresh_from_db()
    assert {agreement.coordinator, held.coordinator} == {new_owner}
    assert {milestone.owner, activity.owner, facility.owner, demand.owner} == {new_owner}
    assert {done.owner, closed.owner} == {leaving}


def test_the_unit_above_is_asked_where_the_unit_names_nobody_reachable(manager):
    above = unit_with_fallback()
    below = UnitFactory(parent=above, fallback_person=UserFactory(unreachable=True))
    agreement = AgreementFactory(unit=below)

    deactivate_user(agreement.coordinator, actor=manager)

    agreement.refresh_from_db()
    assert agreement.coordinator == above.fallback_person


def test_work_nobody_can_take_keeps_its_owner_and_shows_as_orphaned(manager):
    agreement = AgreementFactory(signed=True)

    deactivate_user(agreement.coordinator, actor=manager)

    assert list(Agreement.objects.orphaned()) == [agreement]


def test_sessions_end_and_do_not_come_back(manager, client):
    person = UserFactory(password="a-long-enough-one")
    client.force_login(person)

    closed = deactivate_user(User.objects.get(pk=person.pk), actor=manager)
    activate_user(closed, actor=manager)

    assert client.get("/").status_code == 302


@pytest.mark.parametrize("kind", ["oneself", "twice", "last"])
def test_what_is_refused(manager, kind):
    admin = UserFactory(system_admin=True)
    person, actor = {
        "oneself": (manager, manager),
        "twice": (UserFactory(deactivated=True), manager),
        "last": (admin, None),
    }[kind]

    with pytest.raises(TransitionRefused):
        deactivate_user(person, actor=actor)


def test_accounts_of_the_office_are_the_system_administrators(manager):
    with pytest.raises(NotAllowed):
        deactivate_user(UserFactory(staff=True), actor=manager)


def test_a_stale_account_is_not_deactivated(manager):
    person = UserFactory()
    User.objects.get(pk=person.pk).save()

    with pytest.raises(StaleVersion):
        deactivate_user(person, actor=manager)


@pytest.mark.parametrize("state", [{"deactivated": True}, {"unreachable": True}])
def test_a_link_needs_an_active_account_with_an_address(manager, state):
    with pytest.raises(TransitionRefused):
        send_password_link(UserFactory(**state), actor=manager)
