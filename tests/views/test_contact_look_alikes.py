"""A contact that looks like one on record is asked about, on the page and in the admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    ContactFactory,
    EnterpriseFactory,
    OrganizationUnitFactory,
    UserFactory,
)
from partnerships.models import Contact
from partnerships.names import person_key, phone_keys
from tests.admin.forms import change_url, save
from tests.admin.forms import filled as filled_admin
from tests.services.drawing import undrawn
from tests.views.sent import filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def enterprise() -> Any:
    return EnterpriseFactory()


@pytest.fixture
def unit(enterprise: Any) -> Any:
    return OrganizationUnitFactory(organization=enterprise).unit


@pytest.fixture
def known(enterprise: Any, unit: Any) -> Any:
    return ContactFactory(
        organization=enterprise,
        unit=unit,
        name="王小明",
        email="Wang@Works.example",
        phone="0575-8300 0001",
        wechat="wxm",
    )


def entered(**person: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(**person))
    return client


def add(client: Client, organization: Any, **typed: str) -> Any:
    address = reverse("contact_add", args=[organization.pk])
    return client.post(address, filled(undrawn(client, address)) | {"name": "Somebody else", **typed})


LOOK_ALIKES = [
    {"name": "王 小明"},
    {"name": "王　小明 "},
    {"name": "Wang Xiaoming", "email": "wang@works.example"},
    {"name": "Wang Xiaoming", "phone": "+86 575 83000001"},
    {"name": "Wang Xiaoming", "phone": "0086-575-8300-0001"},
    {"name": "Wang Xiaoming", "phone": "13900000000 / ０５７５－８３０００００１"},
    {"name": "Wang Xiaoming", "wechat": "WXM"},
]


@pytest.mark.parametrize("typed", LOOK_ALIKES, ids=lambda typed: " ".join(typed.values()))
def test_a_look_alike_is_asked_about_and_can_be_confirmed(
    typed: dict[str, str], known: Any, unit: Any, enterprise: Any
) -> None:
    client = entered(coordinator_in=unit)

    asked = add(client, enterprise, **typed)
    is_asked = Contact.objects.count() == 1
    confirmed = add(client, enterprise, **typed, is_another=str(known.pk))

    assert (asked.status_code, is_asked, asked.context["form"].look_alikes) == (200, True, [known])
    assert (confirmed.status_code, Contact.objects.count()) == (302, 2)


@pytest.mark.parametrize("typed", LOOK_ALIKES[2:], ids=lambda typed: " ".join(typed.values()))
def test_an_address_is_compared_at_every_organization_one_sees(typed: dict[str, str], known: Any, unit: Any) -> None:
    other = OrganizationUnitFactory(unit=unit, organization=EnterpriseFactory()).organization

    asked = add(entered(coordinator_in=unit), other, **typed)

    assert asked.context["form"].look_alikes == [known]


def test_across_units_the_name_is_compared_and_what_is_hidden_is_not(known: Any, enterprise: Any) -> None:
    twin = entered(coordinator_in=OrganizationUnitFactory(organization=enterprise).unit)

    by_name = add(twin, enterprise, name="王 小明")
    by_channels = add(twin, enterprise, name="Wang Xiaoming", email=known.email, phone=known.phone, wechat=known.wechat)

    assert by_name.context["form"].look_alikes == [known]
    assert (by_channels.status_code, Contact.objects.count()) == (302, 2)


def test_another_person_is_not_asked_about(known: Any, unit: Any, enterprise: Any) -> None:
    client = entered(coordinator_in=unit)

    answers = [
        add(client, enterprise, name="王小民", phone="0575-8300 0002"),
        add(client, enterprise, name="Li Wei", email="li@works.example"),
        add(client, OrganizationUnitFactory(unit=unit, organization=EnterpriseFactory()).organization, name="王小明"),
    ]

    assert [answer.status_code for answer in answers] == [302] * 3


def test_an_edit_into_a_look_alike_asks_on_the_page_and_in_the_admin(known: Any, unit: Any, enterprise: Any) -> None:
    other = ContactFactory(organization=enterprise, unit=unit)
    page, office = entered(coordinator_in=unit), entered(staff=True)
    address = reverse("contact_edit", args=[other.pk])
    typed = {"email": "WANG@works.example"}

    asked = page.post(address, filled(undrawn(page, address)) | typed)
    asked_in_admin = save(office, other, **typed)
    untouched = page.post(address, filled(undrawn(page, address)) | {"position": "Head"})
    other.refresh_from_db()
    kept = office.post(
        change_url(other), filled_admin(undrawn(office, change_url(other))) | typed | {"is_another": str(known.pk)}
    )

    assert (asked.status_code, asked_in_admin.status_code) == (200, 200)
    assert "There are contacts like this one" in asked_in_admin.text
    assert (untouched.status_code, kept.status_code) == (302, 302)
    other.refresh_from_db()
    assert (other.email.lower(), other.position) == ("wang@works.example", "Head")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("13905750001", "+86 139 0575 0001", True),
        ("13905750001", "13905750002 13905750001", True),
        ("0575-83000001", "0575-83000001转8012", True),
        ("13905750001", "8613905750001", True),
        ("0575-83000001", "(0575) 8300-0001", True),
        ("010-86001234", "86001234", False),
        ("86001234", "8600 1234", True),
        ("ext. 801", "801", False),
    ],
)
def test_phones_are_compared_by_their_digits(one: str, other: str, is_same: bool) -> None:
    assert bool(phone_keys(one) & phone_keys(other)) == is_same


def test_names_of_persons_are_compared_without_spaces_and_case() -> None:
    assert person_key("Ｗang Xiao-ming") == person_key("wang xiaoming")
