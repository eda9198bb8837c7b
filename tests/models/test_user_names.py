"""User names and addresses that nobody tells apart are refused, whoever adds the account."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from partnerships.factories import UserFactory
from partnerships.models import SecurityEvent, User
from tests.admin.forms import filled, save
from tests.services.drawing import undrawn

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


@pytest.fixture
def office(client):
    client.force_login(UserFactory(system_admin=True))
    return client


@pytest.mark.parametrize("username", ["LIN", "Lin", "ｌｉｎ", "ＬＩＮ"])
def test_a_user_name_that_differs_in_case_or_width_alone_is_refused(username, office):
    UserFactory(username="lin")
    url, other = reverse("admin:partnerships_user_add"), UserFactory()
    new = {"name": "Lin Wei", "username": username, "email": "wei@example.org"}

    added = office.post(url, filled(undrawn(office, url)) | NO_ROLES | new)
    edited = save(office, other, username=username)
    with pytest.raises(CommandError, match=r"user name already|already exists"):
        call_command("createsuperuser", interactive=False, username=username, email="a@example.org", name="A")

    assert [list(answer.context["adminform"].form.errors) for answer in (added, edited)] == [["username"]] * 2
    assert User.objects.filter(username__iexact="lin").count() == 1


@pytest.mark.parametrize("username", ["É.lin", "é.LIN"])
def test_case_is_known_beyond_a_to_z(username):
    UserFactory(username="é.lin")

    with pytest.raises(CommandError, match="already"):
        call_command("createsuperuser", interactive=False, username=username, email="a@example.org", name="A")


@pytest.mark.parametrize("email", ["Lin@example.org", "lin@EXAMPLE.org", "lin@ｅxample.org"])
def test_an_address_that_differs_in_case_or_width_alone_is_refused(email, office):
    UserFactory(username="lin", email="lin@example.org")
    url = reverse("admin:partnerships_user_add")

    added = office.post(
        url, filled(undrawn(office, url)) | NO_ROLES | {"name": "L", "username": "other", "email": email}
    )
    with pytest.raises(CommandError, match="Another person has this e-mail address already"):
        call_command("createsuperuser", interactive=False, username="third", email=email, name="A")

    assert list(added.context["adminform"].form.errors) == ["email"]


def test_two_accounts_added_at_once_are_told_apart_by_the_database():
    UserFactory(username="lin")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username="LIN", name="Lin")])


def test_a_new_administrator_is_kept_in_one_form():
    out = StringIO()
    call_command(
        "createsuperuser", interactive=False, username="ａｄｍｉｎ", email="a@Example.ORG", name="A", stdout=out
    )

    person = User.objects.get()
    assert (person.username, person.email, person.is_superuser) == ("admin", "a@example.org", True)
    assert [(event.kind, event.about) for event in SecurityEvent.objects.all()] == [("account_added", "A")]
