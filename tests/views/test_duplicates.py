"""The pages of possible duplicates: compared, merged, called different, undone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partnerships.factories import (
    DAY,
    NOON,
    ContactFactory,
    DocumentFactory,
    EnterpriseFactory,
    OrganizationUnitFactory,
    UserFactory,
)
from partnerships.models import Contact, DifferentOrganizations, Merge, Organization
from partnerships.workflows.merges import merge_contacts, merge_organizations, undo_merge
from partnerships.workflows.organizations import edit_organization
from tests.views.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> tuple[Organization, Organization]:
    one = EnterpriseFactory(name="South Works")
    other = EnterpriseFactory(name="South Works Ltd.", name_zh="南方厂", website="https://south.example")
    return one, other


def fresh(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


@pytest.fixture
def office(client_of: Callable[[Any], Client]) -> Client:
    return client_of(UserFactory(staff=True))


def sent(page: Any, **chosen: str) -> dict[str, str]:
    """What the form of the page sends, with some values chosen otherwise."""
    form = page.context["form"]
    return {name: str(form[name].value()) for name in form.fields} | chosen


def test_from_the_list_to_the_merge_and_back(office: Client, pair: tuple[Organization, Organization]) -> None:
    kept, gone = pair
    document = DocumentFactory(organization=gone)
    listed = office.get(reverse("duplicates")).content.decode()
    compare = reverse("organization_compare", args=[kept.pk, gone.pk])
    assert compare in listed

    page = office.get(compare)
    answer = office.post(compare, sent(page, name_zh="1"), follow=True)

    assert "Merged. South Works Ltd. leads here from now on" in answer.content.decode()
    merge = Merge.objects.get()
    assert answer.request["PATH_INFO"] == reverse("merge_detail", args=[merge.pk])
    now = Organization.objects.get(pk=kept.pk)
    assert (now.name, now.name_zh, now.website) == ("South Works", "南方厂", "https://south.example")
    assert office.get(reverse("organization_detail", args=[gone.pk])).headers["Location"] == now.get_absolute_url()
    assert merge.get_absolute_url() in office.get(reverse("duplicates"), {"kind": "merged"}).content.decode()

    undone = office.post(reverse("merge_undo", args=[merge.pk]), follow=True).content.decode()
    assert "there are two records again" in undone
    document.refresh_from_db()
    assert document.organization_id == gone.pk
    assert office.get(reverse("organization_detail", args=[gone.pk])).status_code == 200


def test_a_record_that_changed_meanwhile_is_not_merged(office: Client, pair: tuple[Organization, Organization]) -> None:
    kept, gone = pair
    compare = reverse("organization_compare", args=[kept.pk, gone.pk])
    values = sent(office.get(compare))
    Organization.objects.get(pk=gone.pk).save()
    answer = office.post(compare, values)
    assert answer.status_code == 409
    assert "Somebody else changed this" in answer.content.decode()
    assert Organization.objects.filter(pk=gone.pk).exists()


def test_different_ones_are_not_shown_again_until_asked(
    office: Client, pair: tuple[Organization, Organization]
) -> None:
    kept, gone = pair
    mark = reverse("duplicate_mark", args=["organizations", kept.pk, gone.pk])
    office.post(mark)
    assert office.get(reverse("duplicates")).context["pairs"] == []
    assert mark in office.get(reverse("duplicates"), {"kind": "different"}).content.decode()
    office.post(mark, {"again": ""})
    assert not DifferentOrganizations.objects.exists()
    assert len(office.get(reverse("duplicates")).context["pairs"]) == 1


def test_a_coordinator_compares_and_does_not_merge(world: World, client_of: Callable[[Any], Client]) -> None:
    other = EnterpriseFactory(name=world.enterprise.name)
    client = client_of(world.people["coordinator"])
    compare = reverse("organization_compare", args=[world.enterprise.pk, other.pk])
    assert compare in client.get(reverse("duplicates")).content.decode()
    page = client.get(compare)
    assert page.context["form"] is None
    assert client.post(compare, {"version": 1, "other_version": 1}).status_code == 403
    mark = reverse("duplicate_mark", args=["organizations", world.enterprise.pk, other.pk])
    assert client.post(mark).status_code == 403  # another unit's
    OrganizationUnitFactory(organization=other, unit=world.unit)
    assert client.post(mark).status_code == 302


def test_a_coordinator_merges_contacts_of_the_unit(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.people["coordinator"])
    twin = ContactFactory(
        organization=world.enterprise, unit=world.contact.unit, name=world.contact.name, wechat="north"
    )
    compare = reverse("contact_compare", args=[world.contact.pk, twin.pk])
    assert compare in client.get(reverse("duplicates"), {"kind": "contacts"}).content.decode()
    page = client.get(compare)
    merged = client.post(compare, sent(page), follow=True)

    assert merged.status_code == 200
    assert Contact.objects.get(pk=world.contact.pk).wechat == "north"
    assert not Contact.objects.filter(pk=twin.pk).exists()
    assert client.post(reverse("merge_undo", args=[Merge.objects.get().pk])).status_code == 302
    assert Contact.objects.filter(pk=twin.pk).exists()


def test_the_other_one_is_chosen_from_the_page_of_an_organization(
    office: Client, pair: tuple[Organization, Organization]
) -> None:
    kept, gone = pair
    address = reverse("organization_merge", args=[kept.pk])
    assert address in office.get(kept.get_absolute_url()).content.decode()
    answer = office.post(address, {"other": gone.pk})
    assert answer.headers["Location"] == reverse("organization_compare", args=[kept.pk, gone.pk])
    assert office.post(address, {"other": kept.pk}).status_code == 422


def test_two_rows_of_the_admins_list_are_compared(office: Client, pair: tuple[Organization, Organization]) -> None:
    address = reverse("admin:partnerships_organization_changelist")
    ids = [row.pk for row in pair]

    one = office.post(address, {"action": "merge", "_selected_action": ids[:1]}, follow=True)
    both = office.post(address, {"action": "merge", "_selected_action": ids})

    assert "Choose exactly two organizations to compare." in one.text
    assert both.headers["Location"] == reverse("organization_compare", args=ids)


def test_the_list_of_the_admin_offers_no_merge_to_others(world: World, client_of: Callable[[Any], Client]) -> None:
    world.coordinator.is_staff = False
    address = reverse("admin:partnerships_organization_changelist")

    page = client_of(UserFactory(lead_in=world.unit)).get(address)

    assert "Compare and merge two" not in page.text


def test_the_page_of_the_kept_one_has_the_history_of_the_merged_one(
    office: Client, pair: tuple[Organization, Organization]
) -> None:
    kept, gone = pair
    edit_organization(gone, actor=UserFactory(staff=True, name="Zhou Min"), today=DAY, changes={"industry": "Pumps"})
    merge = merge_organizations(kept, fresh(gone), actor=UserFactory(staff=True), today=DAY)
    address = f"{kept.get_absolute_url()}?section=history"

    page = office.get(address).text
    undo_merge(merge, actor=UserFactory(staff=True), today=DAY, now=NOON)
    after = office.get(address).text

    for words in ("Merged into this record: South Works Ltd.", "Changed: South Works Ltd.", "Zhou Min"):
        assert words in page
    assert "Separated again: South Works Ltd." in after
    assert "Changed: South Works Ltd." not in after


@pytest.mark.parametrize("name", ["contact_edit", "contact_leave"])
def test_the_address_of_a_merged_contact_leads_to_the_kept_one(
    name: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    kept, gone = (
        ContactFactory(organization=world.enterprise, unit=world.unit, name=name) for name in ("Lin", "Lin X")
    )
    merge_contacts(kept, gone, actor=world.coordinator, today=DAY)
    address = reverse(name, args=[gone.pk])

    assert client_of(world.coordinator).get(address).headers["Location"] == kept.get_absolute_url()
    assert client_of(world.coordinator).post(address).status_code == 404
    assert client_of(world.people["outsider"]).get(address).status_code == 404


@pytest.mark.parametrize("is_turned", [False, True])
def test_the_stricter_rule_about_the_numbers_of_a_person_is_proposed(office: Client, is_turned: bool) -> None:
    shared = ContactFactory(name="王强", is_shared=True)
    strict = ContactFactory(name="王强", organization=shared.organization, permission="holder")
    both = [strict.pk, shared.pk] if is_turned else [shared.pk, strict.pk]
    form = office.get(reverse("contact_compare", args=both)).context["form"]
    proposed = "0" if is_turned else "1"
    assert {form[name].value() for name in ("is_shared", "permission")} == {proposed}


def test_only_what_the_office_allows_is_offered(world: World, client_of: Callable[[Any], Client]) -> None:
    other = EnterpriseFactory(name=world.enterprise.name)
    client = client_of(world.people["coordinator"])
    mark = reverse("duplicate_mark", args=["organizations", *sorted([world.enterprise.pk, other.pk])])
    assert mark not in client.get(reverse("duplicates")).content.decode()
    DifferentOrganizations.objects.create(
        **dict(zip(("first_id", "second_id"), sorted([world.enterprise.pk, other.pk]), strict=True))
    )
    different = client.get(reverse("duplicates"), {"kind": "different"})
    assert (other.name in different.content.decode(), mark in different.content.decode()) == (True, False)
    OrganizationUnitFactory(organization=other, unit=world.unit)
    assert mark in client.get(reverse("duplicates"), {"kind": "different"}).content.decode()


def test_what_stayed_is_named_to_the_office_alone(
    world: World, office: Client, client_of: Callable[[Any], Client]
) -> None:
    twin = ContactFactory(organization=world.enterprise, unit=world.contact.unit, name=world.contact.name)
    kept = Contact.objects.get(pk=world.contact.pk)
    twin.refresh_from_db()
    merge = merge_contacts(kept, twin, actor=None, today=DAY)
    Merge.objects.filter(pk=merge.pk).update(left=["contact note: Secret talks"])
    address = merge.get_absolute_url()
    coordinator = client_of(world.people["coordinator"])
    assert "Secret talks" in office.get(address).content.decode()
    page = coordinator.get(address).content.decode()
    assert ("contact note" in page, "Secret talks" in page) == (True, False)


@pytest.mark.parametrize("kind", ["different", "merged"])
def test_queries_of_decided_pairs_do_not_grow(office: Client, kind: str) -> None:
    office.get(reverse("duplicates"))  # what is read once in the life of a process
    counts = []
    for _number in range(2):
        for _again in range(3):
            first, second, third = (EnterpriseFactory() for _one in range(3))
            DifferentOrganizations.objects.create(first=first, second=second)
            merge_organizations(*(Organization.objects.get(pk=one.pk) for one in (first, third)), actor=None, today=DAY)
        with CaptureQueriesContext(connection) as queries:
            office.get(reverse("duplicates"), {"kind": kind})
        counts.append(len(queries))
    assert counts[0] == counts[1]
