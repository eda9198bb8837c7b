"""Accounts: an allow-list, so that who may edit accounts does not become more by it."""

import re
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import Role, UnitMembership, User
from tests.admin.forms import change_url, filled, save, step_url
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db
NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
FORGED = {
    "is_superuser": "on",
    "is_staff": "on",
    "is_user_admin": "on",
    "is_auditor": "on",
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
    assert not any((person.is_staff, person.is_superuser, person.is_user_admin, person.is_auditor))


def test_what_people_choose_for_themselves_is_shown_and_not_changed(accounts):
    person = UserFactory(name="Before", reminder_mode="digest")

    save(accounts, person, name="After", reminder_mode="feed", absent_from="2026-03-02", absent_until="2026-03-09")

    person.refresh_from_db()
    assert (person.name, person.reminder_mode, person.absent_from) == ("After", "digest", None)
    page = accounts.get(change_url(person)).content.decode()
    assert ("Reminders and absence" in page, 'name="reminder_mode"' in page) == (True, False)


def test_a_new_account_has_what_the_form_asks_for_and_no_password(accounts):
    unit = UnitFactory()
    url = reverse("admin:partnerships_user_add")
    data = filled(undrawn(accounts, url)) | FORGED | {"name": "New", "username": "new", "email": "new@example.org"}
    role = {"memberships-TOTAL_FORMS": "1", "memberships-0-unit": str(unit.pk), "memberships-0-role": "20"}

    page = accounts.post(url, data | {"email": ""} | role, follow=True)

    person = User.objects.get(username="new")
    assert "cannot log in yet: enter an e-mail address" in page.text
    assert (person.is_superuser, person.is_staff, person.has_usable_password()) == (False, False, False)
    assert list(person.memberships.values_list("unit", "role")) == [(unit.pk, Role.COORDINATOR)]


def test_a_new_account_starts_in_the_language_of_whoever_registers_it(enter):
    client = enter(UserFactory(user_admin=True, language="zh-hans"))

    page = client.get(reverse("admin:partnerships_user_add"))

    assert page.context["adminform"].form["language"].value() == "zh-hans"


@pytest.mark.parametrize("above", [{"staff": True}, {"system_admin": True}])
def test_accounts_above_ones_own_are_seen_and_not_changed(accounts, above):
    person = UserFactory(**above, email="safe@example.org")

    assert accounts.get(change_url(person)).status_code == 200
    response = accounts.post(change_url(person), {"email": "mine@example.org", "version": "1", **NO_ROLES})

    assert response.status_code == 403
    assert accounts.get(step_url(person, "password_link")).status_code == 403
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


def roles(*rows, initial=0):
    """The inline of roles: ``(membership or None, unit, role)`` for each row."""
    data = {"memberships-TOTAL_FORMS": str(len(rows)), "memberships-INITIAL_FORMS": str(initial)}
    for number, (membership, unit, role) in enumerate(rows):
        data |= {f"memberships-{number}-unit": str(unit.pk), f"memberships-{number}-role": str(int(role))}
        data |= {f"memberships-{number}-id": str(membership.pk)} if membership else {}
    return data


def test_a_link_to_set_a_password_is_mailed_to_the_person(
    accounts, manager, client, mailoutbox, django_capture_on_commit_callbacks
):
    person = UserFactory(username="hua", password="its-own-password")

    with django_capture_on_commit_callbacks(execute=True):
        accounts.post(step_url(person, "password_link"), {"version": "1"})

    [mail] = mailoutbox
    had = person.password
    person.refresh_from_db()
    assert (mail.to, person.password) == ([person.email], had)
    assert [row.history_user for row in person.history.filter(history_type="~")] == [manager]
    link = re.search(r"http\S+", mail.body)[0]
    page = client.get(urlsplit(link).path, follow=True)
    new = {"new_password1": "a-long-enough-one", "new_password2": "a-long-enough-one"}
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page.redirect_chain[-1][0], new)
    person.refresh_from_db()
    assert person.check_password("a-long-enough-one")
    assert person.history.first().history_change_reason == "Password changed"
    assert mailoutbox[-1].subject == "Your password was changed"


def test_nobody_sets_the_password_of_another_person(accounts):
    person = UserFactory(password="its-own-password")
    words = {"version": "1", "password": "a-long-enough-one", "again": "a-long-enough-one"}

    accounts.post(step_url(person, "set_password"), words)

    person.refresh_from_db()
    assert person.check_password("its-own-password")


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("kind", ["lead", "above"])
def test_the_higher_roles_are_given_by_a_system_administrator(enter, accounts, kind, is_new):
    unit = UnitFactory()
    role = Role.LEAD
    if kind == "above":
        UnitFactory(parent=unit)
        role = Role.VIEWER
    person = UserFactory()
    url = reverse("admin:partnerships_user_add") if is_new else change_url(person)
    login = {"name": "New", "username": "new", "email": "new@example.org"} if is_new else {}

    def give(client):
        return client.post(url, filled(undrawn(client, url)) | login | roles((None, unit, role)))

    refused = give(accounts)
    assert UnitMembership.objects.count() == 0
    assert "Only a system administrator gives" in refused.text
    assert not User.objects.filter(username="new").exists()

    assert give(enter(UserFactory(system_admin=True))).status_code == 302
    assert UnitMembership.objects.get().role == role


@pytest.mark.parametrize("change", ["lower", "remove", "lower and remove"])
def test_a_lead_stays_one_for_user_administrators(accounts, change):
    unit = UnitFactory()
    person = UserFactory(lead_in=unit)
    membership = person.memberships.get()
    data = roles((membership, unit, Role.LEAD if change == "remove" else Role.VIEWER), initial=1)
    data |= {"memberships-0-DELETE": "on"} if "remove" in change else {}

    save(accounts, person, **data)

    assert person.memberships.get().role == Role.LEAD


def test_the_address_of_a_lead_is_changed_by_a_system_administrator(enter, accounts):
    person = UserFactory(lead_in=UnitFactory(), email="lead@example.org")

    refused = save(accounts, person, email="mine@example.org")

    assert "Only a system administrator changes the address" in refused.text
    assert User.objects.get(pk=person.pk).email == "lead@example.org"
    save(enter(UserFactory(system_admin=True)), person, email="new@example.org")
    assert User.objects.get(pk=person.pk).email == "new@example.org"


def test_what_changes_of_login_and_roles_is_in_the_history_and_mailed(
    accounts, manager, mailoutbox, django_capture_on_commit_callbacks
):
    unit = UnitFactory(name="North school")
    person = UserFactory(email="old@example.org")

    with django_capture_on_commit_callbacks(execute=True):
        save(accounts, person, email="new@example.org", **roles((None, unit, Role.COORDINATOR)))

    assert [mail.to for mail in mailoutbox] == [["old@example.org"], ["new@example.org"]]
    body = mailoutbox[0].body
    assert "e-mail address: old@example.org → new@example.org" in body
    assert "role in North school: – → Coordinator" in body
    given = person.memberships.get()
    assert [row.history_user for row in (person.history.first(), given.history.get())] == [manager] * 2


def test_the_first_roles_of_an_account_are_mailed(accounts, mailoutbox, django_capture_on_commit_callbacks):
    unit, url = UnitFactory(name="North school"), reverse("admin:partnerships_user_add")
    typed = {"name": "Lin", "username": "lin", "email": "lin@example.org", **roles((None, unit, Role.COORDINATOR))}

    with django_capture_on_commit_callbacks(execute=True):
        response = accounts.post(url, filled(undrawn(accounts, url)) | typed)

    assert response.status_code == 302
    assert [mail.to for mail in mailoutbox] == [["lin@example.org"]]
    assert "role in North school: – → Coordinator" in mailoutbox[0].body


def test_a_lead_is_edited_by_user_administrators_in_everything_else(accounts):
    person = UserFactory(lead_in=UnitFactory())

    save(accounts, person, name="Another name")

    assert User.objects.get(pk=person.pk).name == "Another name"


def test_what_is_no_login_and_no_role_is_not_mailed(accounts, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        save(accounts, UserFactory(), name="Another name")

    assert mailoutbox == []


def test_a_deactivation_is_mailed(accounts, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        accounts.post(step_url(UserFactory(), "deactivate"), {"version": "1"})

    assert "active: yes → no" in mailoutbox[0].body


@pytest.mark.parametrize("word", ["q=%E4%BA%BA", "memberships__role__exact=30", "password__startswith=md5"])
def test_a_filter_on_a_secret_column_is_refused(accounts, word):
    response = accounts.get(reverse("admin:partnerships_user_changelist") + "?" + word)

    assert response.status_code == (400 if word.startswith("password") else 200)
