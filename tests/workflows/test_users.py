"""An account closed: its work goes to somebody who can be reached."""

import pytest

from partnerships.exceptions import NotAllowed, TransitionRefused
from partnerships.factories import ActivityFactory, AgreementFactory, MilestoneFactory, UnitFactory, UserFactory
from partnerships.models import Agreement, User
from partnerships.workflows.users import activate_user, deactivate_user

pytestmark = pytest.mark.django_db


def fresh(person: User) -> User:
    return User.objects.get(pk=person.pk)


def test_open_work_goes_to_the_nearest_fallback_person() -> None:
    dean = UserFactory()
    unit = UnitFactory(parent=UnitFactory(fallback_person=dean))
    agreement = AgreementFactory(unit=unit, signed=True)
    leaver = agreement.coordinator
    ended = AgreementFactory(unit=unit, terminated=True, coordinator=leaver)
    milestone = MilestoneFactory(agreement=agreement)
    activity = ActivityFactory(agreement=agreement)
    left = deactivate_user(fresh(leaver), actor=UserFactory(user_admin=True))
    assert (left.is_active, left.has_usable_password()) == (False, False)
    for row in (agreement, milestone, activity, ended):
        row.refresh_from_db()
    assert (agreement.coordinator, milestone.owner, activity.owner, ended.coordinator) == (dean, dean, dean, leaver)


def test_without_anybody_to_take_it_work_shows_up_as_orphaned() -> None:
    agreement = AgreementFactory(signed=True)
    deactivate_user(fresh(agreement.coordinator), actor=None)
    assert list(Agreement.objects.orphaned()) == [agreement]


def test_who_may_not_change_an_account_does_not_close_it() -> None:
    administrator = UserFactory(user_admin=True)
    for account in (UserFactory(staff=True), UserFactory(system_admin=True)):
        with pytest.raises(NotAllowed):
            deactivate_user(fresh(account), actor=administrator)
    with pytest.raises(TransitionRefused, match="your account"):
        deactivate_user(fresh(administrator), actor=administrator)
    with pytest.raises(TransitionRefused, match="last system administrator"):
        deactivate_user(User.objects.get(is_superuser=True), actor=None)


def test_an_account_opened_again_has_no_password() -> None:
    person = deactivate_user(UserFactory(password="a sample password"), actor=None)
    opened = activate_user(person, actor=None)
    assert (opened.is_active, opened.has_usable_password()) == (True, False)
    with pytest.raises(TransitionRefused):
        activate_user(opened, actor=None)
