"""Accounts: an allow-list, so that who may edit accounts does not become more by it."""

import pytest
from django.urls import reverse

from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import Role, UnitMembership, User
from tests.admin.forms import change_url, filled, save, step_url

pytestmark = pytest.mark.django_db
NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
FORGED = {
    "is_superuser": "on",
    "is_staff": "on",
    "is_user_admin": "on",
    "is_active": "",
    "password": "x",
    "user_permissions": "1",
    "groups": "1",
    "code": "forged",
    "last_login": "2020-01-01",
}


@pytest.fixture
def manager():
    return UserFactory(user_admin=True, username="manager")


@pytest.fixture
def accounts(enter, manager):
    return enter(manager)


def test_forged_fields_are_ignored(accounts):
    person = UserFactory(name="Before", password="its-own-password")
    had = User.objects.get(pk=person.pk).password

    save(accounts, person, name="After", **FORGED)

    person.refresh_from_db()
    assert (person.name, person.is_active, person.password, person.code) == ("After", True, had, None)
    assert (person.is_staff, person.is_superuser, person.is_user_admin) == (False, False, False)


def test_a_new_account_has_what_the_form_asks_for_and_no_password(accounts):
    unit = UnitFactory()
    url = reverse("admin:partnerships_user_add")
    data = filled(accounts.get(url)) | FORGED | {"name": "New", "username": "new", "email": "new@example.org"}
    role = {"memberships-TOTAL_FORMS": "1", "memberships-0-unit": str(unit.pk), "memberships-0-role": "20"}

    accounts.post(url, data | role)

    person = User.objects.get(username="new")
    assert (person.is_superuser, person.is_staff, person.has_usable_password()) == (False, False, False)
    assert list(person.memberships.values_list("unit", "role")) == [(unit.pk, Role.COORDINATOR)]


@pytest.mark.parametrize("above", [{"staff": True}, {"system_admin": True}])
def test_accounts_above_ones_own_are_seen_and_not_changed(accounts, above):
    person = UserFactory(**above, email="safe@example.org")

    assert accounts.get(change_url(person)).status_code == 200
    response = accounts.post(change_url(person), {"email": "mine@example.org", "version": "1", **NO_ROLES})

    assert response.status_code == 403
    assert accounts.get(step_url(person, "set_password")).status_code == 403
    assert User.objects.get(pk=person.pk).email == "safe@example.org"


def test_nobody_gives_roles_to_themselves(accounts, manager):
    unit = UnitFactory()
    role = {"memberships-TOTAL_FORMS": "1", "memberships-0-unit": str(unit.pk), "memberships-0-role": "30"}

    save(accounts, manager, **role)

    assert UnitMembership.objects.count() == 0


@pytest.mark.parametrize(("administrator", "moves"), [({"user_admin": True}, False), ({"system_admin": True}, True)])
def test_only_system_administrators_move_a_unit(enter, administrator, moves):
    own, other = UnitFactory(), UnitFactory()
    person = UserFactory(**administrator, lead_in=own)

    save(enter(person), other, name="Renamed", parent=str(own.pk))

    other.refresh_from_db()
    assert (other.name, other.parent == own) == ("Renamed", moves)


def test_only_system_administrators_grant_administration(enter):
    person = UserFactory()

    save(enter(UserFactory(system_admin=True)), person, is_staff="on")

    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser) == (True, False)


def test_the_last_system_administrator_stays_one(enter):
    only = UserFactory(system_admin=True)

    response = save(enter(only), only, is_superuser="")

    assert list(response.context["adminform"].form.errors) == ["is_superuser"]
    assert User.objects.get(pk=only.pk).is_superuser


def test_one_edit_of_an_account_is_one_history_row_with_its_actor(accounts, manager):
    person = UserFactory()

    save(accounts, person, name="Another name")

    assert [row.history_user for row in person.history.filter(history_type="~")] == [manager]


def test_an_account_is_deactivated_by_its_button(accounts):
    person = UserFactory()

    assert accounts.get(step_url(person, "deactivate")).status_code == 200
    accounts.post(step_url(person, "deactivate"), {"version": "1"})

    assert User.objects.get(pk=person.pk).is_active is False


def test_a_password_is_set_and_checked(accounts):
    person = UserFactory(username="hua")
    weak = {"version": "1", "password": "12345678", "again": "12345678"}
    good = {"version": "1", "password": "a-long-enough-one", "again": "a-long-enough-one"}

    refused = accounts.post(step_url(person, "set_password"), weak)
    differing = accounts.post(step_url(person, "set_password"), good | {"again": "another"})
    accounts.post(step_url(person, "set_password"), good)

    assert list(refused.context["form"].errors) == ["password"]
    assert list(differing.context["form"].errors) == ["again"]
    assert User.objects.get(pk=person.pk).check_password("a-long-enough-one")


@pytest.mark.parametrize("word", ["q=%E4%BA%BA", "memberships__role__exact=30", "password__startswith=md5"])
def test_a_filter_on_a_secret_column_is_refused(accounts, word):
    response = accounts.get(reverse("admin:partnerships_user_changelist") + "?" + word)

    assert response.status_code == (400 if word.startswith("password") else 200)
