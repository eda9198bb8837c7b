"""What a lead meets of other units on pages that are their own."""

import pytest
from django.urls import reverse

from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    ContactFactory,
    ContactNoteFactory,
    DocumentFactory,
    EnterpriseFactory,
    EventFactory,
    FacilityFactory,
    HonourFactory,
    MilestoneFactory,
    ProgrammeFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Role, UnitMembership
from tests.admin.forms import change_url, filled, save
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    """Leads one unit, and only reads in another."""
    person = UserFactory(lead_in=UnitFactory(name="Led"))
    UnitMembership.objects.create(user=person, unit=UnitFactory(name="Read"), role=Role.VIEWER)
    return person


@pytest.fixture
def led(lead):
    return lead.memberships.get(role=Role.LEAD).unit


@pytest.fixture
def read(lead):
    return lead.memberships.get(role=Role.VIEWER).unit


@pytest.mark.parametrize("factory", [ActivityFactory, FacilityFactory])
def test_nothing_is_put_under_an_agreement_one_only_reads(enter, lead, led, read, factory):
    row, agreement = factory(unit=led, agreement=None), AgreementFactory(unit=read, signed=True)

    response = save(enter(lead), row, agreement=str(agreement.pk))

    assert list(response.context["adminform"].form.errors) == ["agreement"]
    row.refresh_from_db()
    assert row.agreement is None


# What a new row needs for the form to be right in all but its agreement.
NEEDED = {
    "activity": {"title": "Guest lecture", "kind": "other"},
    "milestone": {"title": "Half-year review", "due_on": "2030-03-01"},
    "facility": {"name": "Joint laboratory", "kind": "joint_laboratory"},
    "contactnote": {"summary": "They will call back.", "channel": "call"},
}


@pytest.mark.parametrize("name", NEEDED)
def test_nothing_new_is_put_under_an_agreement_one_only_reads(enter, lead, led, read, name):
    client, url = enter(lead), reverse(f"admin:partnerships_{name}_add")
    agreement = AgreementFactory(unit=read, signed=True)
    about = {"unit": str(led.pk), "agreement": str(agreement.pk)}

    response = client.post(url, filled(undrawn(client, url)) | about | NEEDED[name])

    assert response.context["adminform"].form.errors["agreement"] == [
        "Only a coordinator or lead of its unit may do this."
    ]


def test_who_only_reads_in_the_holding_unit_meets_no_personal_data(enter, lead, led, read):
    contacts = [ContactFactory(organization=EnterpriseFactory(held_by=unit)) for unit in (led, read)]
    client = enter(lead)

    pages = [client.get(change_url(contact.organization)).content.decode() for contact in contacts]

    assert [contact.phone in page for contact, page in zip(contacts, pages, strict=True)] == [True, False]
    assert [client.get(change_url(contact)).status_code for contact in contacts] == [200, 302]


def test_an_inline_of_milestones_keeps_to_those_one_sees(enter, lead, led):
    facility = FacilityFactory(unit=led)
    MilestoneFactory(agreement=None, facility=facility, unit=led, title="Ours to do")
    MilestoneFactory(agreement=None, facility=facility, unit=UnitFactory(), title="Theirs to do")

    page = enter(lead).get(change_url(facility)).content.decode()

    assert ("Ours to do" in page, "Theirs to do" in page) == (True, False)


def test_the_directory_lists_details_for_those_who_see_all_units(enter, lead):
    EnterpriseFactory(industry="Bearings of the other unit")
    url = reverse("admin:partnerships_enterprise_changelist")

    pages = [enter(person).get(url).content.decode() for person in (lead, UserFactory(staff=True))]

    assert ["Bearings of the other unit" in page for page in pages] == [False, True]


@pytest.mark.parametrize(
    ("factory", "field"),
    [
        (AgreementFactory, "parent"),
        (AgreementFactory, "predecessor"),
        (ActivityFactory, "agreement"),
        (FacilityFactory, "agreement"),
        (MilestoneFactory, "agreement"),
        (ContactNoteFactory, "agreement"),
    ],
)
def test_another_units_agreement_is_not_named(enter, lead, led, factory, field):
    agreement = AgreementFactory(title="Confidential frame", signed=True)
    row, client = factory(unit=led, **{field: agreement}), enter(lead)

    page = client.get(change_url(row)).content.decode()
    save(client, row)

    row.refresh_from_db()
    assert ("Confidential frame" in page, "another unit&#x27;s agreement" in page) == (False, True)
    assert getattr(row, field) == agreement


@pytest.mark.parametrize(
    ("name", "factory"), [("event", EventFactory), ("honour", HonourFactory), ("programme", ProgrammeFactory)]
)
def test_documents_of_other_units_are_not_listed_on_pages_open_to_all(enter, lead, led, name, factory):
    theirs, own = factory(unit=UnitFactory()), factory(unit=led)
    for row in (theirs, own):
        DocumentFactory(**{name: row}, title="Minutes of the board")

    pages = [enter(lead).get(change_url(row)) for row in (theirs, own)]

    assert [(page.status_code, "Minutes of the board" in page.text) for page in pages] == [(200, False), (200, True)]
