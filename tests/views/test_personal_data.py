"""The page on which a system administrator exports or erases what is on record about a person."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import ContactFactory, MilestoneFactory, OrganizationUnitFactory, UserFactory
from partnerships.models import Erasure, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(UserFactory(system_admin=True, name="Root", language="en"))
    return client


def test_a_contact_is_exported_and_erased_from_its_page(client: Client) -> None:
    contact = ContactFactory(name="王晓明", email="xm@partner.example")
    OrganizationUnitFactory(organization=contact.organization)
    named, namesake = MilestoneFactory(description="Ask 王晓明"), ContactFactory(name="李娜")
    address = reverse("contact_data", args=[contact.pk])
    page = client.get(contact.get_absolute_url().partition("#")[0])
    assert address in page.content.decode()

    page = client.get(address)
    assert f'value="milestone-{named.pk}"' in page.content.decode()
    assert reverse("contact_data", args=[namesake.pk]) not in page.content.decode()

    file = client.post(address, {"act": "export", "version": contact.version, "reason": "Asked for it"})
    assert (file["Content-Type"], file["Content-Disposition"]) == (
        "application/json; charset=utf-8",
        f'attachment; filename="contact-{contact.pk}.json"',
    )
    assert json.loads(file.content)["record"]["email"] == "xm@partner.example"

    sent = {"act": "erase", "version": contact.version, "reason": "Asked", "texts": f"milestone-{named.pk}"}
    page = client.post(address, sent)
    assert page.status_code == 200
    assert not Erasure.objects.exists()  # not confirmed
    page = client.post(address, {**sent, "is_final": "on"}, follow=True)
    assert "Erased on" in page.content.decode()
    assert "王晓明" not in page.content.decode()
    named.refresh_from_db()
    assert "王晓明" not in named.description


def test_an_account_is_erased_from_its_page_in_the_admin(client: Client) -> None:
    user = UserFactory(name="王晓明")
    address = reverse("user_data", args=[user.pk])
    assert address in client.get(reverse("admin:partnerships_user_change", args=[user.pk])).content.decode()

    client.post(address, {"act": "erase", "version": user.version, "reason": "Asked", "is_final": "on"})

    user.refresh_from_db()
    assert (user.name, user.email, user.is_active) == (f"Erased person {user.pk}", "", False)
    assert User.history.filter(name="王晓明").count() == 0


def test_a_refusal_stands_on_the_page(client: Client) -> None:
    own = User.objects.get(name="Root")

    page = client.post(
        reverse("user_data", args=[own.pk]), {"act": "erase", "version": own.version, "reason": "Me", "is_final": "on"}
    )

    assert "Somebody else has to deactivate your account." in page.content.decode()
