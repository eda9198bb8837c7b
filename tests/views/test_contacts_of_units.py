"""A contact belongs to the unit that entered it: other holders see name and position, until it is shared."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    AssociationFactory,
    ContactFactory,
    ContactPositionFactory,
    DeliveryFactory,
    EnterpriseFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact, OrganizationUnit
from partnerships.permissions import may
from partnerships.reminders.recipients import Directory
from partnerships.reports.people_to_contact import people_to_contact
from partnerships.workflows.organizations import update_holders
from tests.admin.forms import change_url
from tests.admin.forms import filled as filled_admin
from tests.services.drawing import undrawn
from tests.views.sent import filled

pytestmark = pytest.mark.django_db

CHANNELS = {"phone": "0575-1111-2222", "email": "li.wei@works.example", "wechat": "liwei-works"}


@pytest.fixture
def enterprise() -> Any:
    return EnterpriseFactory()


@pytest.fixture
def unit(enterprise: Any) -> Any:
    """The unit that enters the contact; it holds the enterprise, and so does its twin."""
    return OrganizationUnitFactory(organization=enterprise).unit


@pytest.fixture
def twin(enterprise: Any) -> Any:
    return OrganizationUnitFactory(organization=enterprise).unit


@pytest.fixture
def contact(enterprise: Any, unit: Any) -> Any:
    return ContactFactory(organization=enterprise, unit=unit, name="Li Wei", position="Plant manager", **CHANNELS)


def entered(**person: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(**person))
    return client


def shown(client: Client, contact: Any) -> tuple[bool, set[str]]:
    """Whether name and position stand on the organization's page, and which channels."""
    page = client.get(contact.organization.get_absolute_url()).text
    return "Li Wei" in page and "Plant manager" in page, {name for name, value in CHANNELS.items() if value in page}


@pytest.mark.parametrize("role", ["coordinator_in", "lead_in"])
def test_another_holder_sees_name_and_position_until_it_is_shared(
    role: str, contact: Any, unit: Any, twin: Any
) -> None:
    own, other, office = entered(**{role: unit}), entered(**{role: twin}), entered(staff=True)
    system, outside = entered(system_admin=True), entered(**{role: UnitFactory()})

    private = [shown(client, contact) for client in (own, other, office, system, outside)]
    Contact.objects.update(is_shared=True)
    shared = [shown(client, contact) for client in (own, other, outside)]

    everything, name_alone, nothing = (True, set(CHANNELS)), (True, set()), (False, set())
    assert private == [everything, name_alone, everything, everything, nothing]
    assert shared == [everything, everything, nothing]


def test_the_page_says_who_has_the_numbers_and_hides_even_their_ends(contact: Any, unit: Any, twin: Any) -> None:
    page = entered(coordinator_in=twin).get(contact.organization.get_absolute_url()).text

    assert f"Entered by {unit}, which has the numbers and addresses." in " ".join(page.split())
    assert "works.example" not in page
    assert reverse("contact_edit", args=[contact.pk]) not in page


def test_units_above_see_what_a_unit_below_entered(contact: Any, unit: Any) -> None:
    unit.parent = UnitFactory()
    unit.save()

    assert shown(entered(coordinator_in=unit.parent), contact) == (True, set(CHANNELS))


def test_what_the_office_entered_is_for_all_holders(enterprise: Any, unit: Any, twin: Any) -> None:
    row = ContactFactory(organization=enterprise, unit=None, name="Li Wei", position="Plant manager", **CHANNELS)

    assert [shown(entered(coordinator_in=one), row)[1] for one in (unit, twin)] == [set(CHANNELS)] * 2


def test_a_viewer_of_the_entering_unit_gets_the_ends_and_one_of_another_nothing(
    contact: Any, unit: Any, twin: Any
) -> None:
    address = contact.organization.get_absolute_url()

    pages = [entered(viewer_in=one).get(address).text for one in (unit, twin)]

    assert ["l•••@works.example" in page for page in pages] == [True, False]
    assert [any(value in page for value in CHANNELS.values()) for page in pages] == [False, False]


@pytest.mark.parametrize("is_shared", [False, True])
def test_only_the_entering_unit_and_the_office_edit_and_delete(
    is_shared: bool, contact: Any, unit: Any, twin: Any
) -> None:
    Contact.objects.update(is_shared=is_shared)
    people = [entered(coordinator_in=unit), entered(coordinator_in=twin), entered(staff=True)]

    for name in ("contact_edit", "contact_delete"):
        answers = [client.get(reverse(name, args=[contact.pk])).status_code for client in people]
        assert answers == [200, 403, 200]


def test_the_admin_search_and_mails_obey(contact: Any, unit: Any, twin: Any) -> None:
    def mail_about(one: Any) -> Any:
        """A mail to the contact about a milestone of the unit, which its people may read."""
        sent = {"person": None, "contact": contact, "address": CHANNELS["email"], "sent_at": NOON, "status": "sent"}
        item = ReminderItemFactory(delivery=DeliveryFactory(**sent), plan__milestone__agreement__unit=one)
        return item.delivery.get_absolute_url()

    for made, one, sees in (
        ({"lead_in": unit}, unit, True),
        ({"lead_in": twin}, twin, False),
        ({"staff": True}, unit, True),
    ):
        client = entered(**made)
        pages = [
            client.get(reverse("admin:partnerships_contact_changelist")).text,
            client.get(change_url(contact.organization)).text,
            client.get(change_url(contact), follow=True).text,
        ]
        found = client.get(reverse("search"), {"q": CHANNELS["phone"]}).text
        mail = client.get(mail_about(one))

        assert [CHANNELS["phone"] in page for page in pages] == [sees] * 3
        assert contact.get_absolute_url() not in found
        assert (mail.status_code, CHANNELS["email"] in mail.text) == (200, sees)


def test_the_condition_on_many_rows_is_the_permission_on_one(contact: Any, unit: Any, twin: Any) -> None:
    rows = [contact, *(ContactFactory(organization=contact.organization, unit=one) for one in (twin, None))]
    rows.append(ContactFactory(organization=contact.organization, unit=twin, is_shared=True))
    people = [
        {"coordinator_in": unit},
        {"viewer_in": unit},
        {"lead_in": twin},
        {"staff": True},
        {"coordinator_in": UnitFactory()},
    ]

    for made in people:
        person = UserFactory(**made)
        seen = set(Contact.objects.with_personal_data_for(person))
        assert seen == {row for row in rows if may(person, "contact.view_personal", row)}


def add(client: Client, organization: Any, **typed: str) -> Contact:
    address = reverse("contact_add", args=[organization.pk])
    answer = client.post(address, filled(undrawn(client, address)) | typed)
    assert answer.status_code == 302, answer.context["form"].errors
    return Contact.objects.latest("pk")


def test_a_new_contact_belongs_to_the_unit_of_who_enters_it(enterprise: Any, unit: Any, twin: Any) -> None:
    made = [
        add(entered(coordinator_in=unit), enterprise, name="Zhou Min"),
        add(entered(lead_in=twin), enterprise, name="Chen Fang", is_shared="on"),
        add(entered(staff=True), enterprise, name="Li Na"),
    ]

    assert [(row.unit, row.is_shared) for row in made] == [(unit, False), (twin, True), (None, False)]


def test_a_reminder_to_a_partner_goes_to_contacts_that_the_unit_sees(contact: Any, unit: Any, twin: Any) -> None:
    reached = {}
    for one in (unit, twin):
        agreement = AgreementFactory(unit=one, signed=True, parties=[InstitutionFactory(), contact.organization])
        party = agreement.parties.get(organization=contact.organization)
        milestone = MilestoneFactory(agreement=agreement, party=party)
        plan = ReminderPlanFactory(milestone=milestone, rule__audience="party")
        directory = Directory.load([plan], now=NOON)
        reached[one] = [row.contact for row in directory.recipients(plan) if row.contact]

    assert reached == {unit: [contact], twin: []}


def test_a_holding_that_a_person_removed_stays_away_until_it_is_granted_again(enterprise: Any) -> None:
    agreement = AgreementFactory(signed=True, parties=[InstitutionFactory(), enterprise])
    unit = agreement.unit

    def derive() -> bool:
        update_holders([enterprise], unit=unit, coordinator=None, actor=None, on=DAY)
        return OrganizationUnit.objects.filter(organization=enterprise, unit=unit).exists()

    office = entered(staff=True)
    made = derive()
    page = office.get(change_url(enterprise))
    data = filled_admin(page)
    line = next(name for name in data if name.startswith("holders-") and name.endswith("-unit"))
    office.post(change_url(enterprise), data | {line: str(UnitFactory().pk)})  # the unit of a holding stays
    assert enterprise.holders.get().unit == unit
    office.post(change_url(enterprise), data | {line.replace("-unit", "-DELETE"): "on"})
    after_removal = derive()
    OrganizationUnit.objects.create(organization=enterprise, unit=unit)
    granted = derive()

    assert (made, after_removal, granted) == (True, False, True)


def test_a_holding_that_ended_with_its_ground_comes_back_with_the_next(enterprise: Any) -> None:
    agreement = AgreementFactory(signed=True, parties=[InstitutionFactory(), enterprise])
    seen = []
    for is_confirmed in (True, False, True):
        type(agreement).objects.filter(pk=agreement.pk).update(is_signing_confirmed=is_confirmed)
        update_holders([enterprise], unit=agreement.unit, coordinator=None, actor=None, on=DAY)
        seen.append(enterprise.holders.exists())

    assert seen == [True, False, True]


class TestOfficeAlone:
    """A contact whom the office alone may contact shows no numbers to the other holders."""

    @pytest.fixture
    def person(self, enterprise: Any, unit: Any) -> Contact:
        return ContactFactory(organization=enterprise, unit=None, permission="holder", name="Li Wei", **CHANNELS)

    def test_holders_see_the_name_without_numbers(self, person: Contact, unit: Any) -> None:
        client = entered(coordinator_in=unit)
        page = client.get(person.organization.get_absolute_url()).text

        assert "Li Wei" in page
        assert "only the office contacts them" in page
        assert [channel for channel in CHANNELS.values() if channel in page] == []
        assert client.get(reverse("contact_edit", args=[person.pk])).status_code == 403

    def test_the_rows_agree_with_the_rule(self, person: Contact, unit: Any) -> None:
        for user in (UserFactory(lead_in=unit), UserFactory(staff=True)):
            is_shown = Contact.objects.with_personal_data_for(user).filter(pk=person.pk).exists()
            assert is_shown == may(user, "contact.view_personal", person) == user.is_staff


class TestFurtherPositions:
    """A person with positions at two organizations is shown at both, each time with the position there."""

    @pytest.fixture
    def association(self) -> Any:
        return AssociationFactory(name="Machine builders")

    @pytest.fixture
    def position(self, contact: Contact, association: Any) -> Any:
        position = ContactPositionFactory(contact=contact, organization=association, position="Vice chair")
        position.since = DAY
        position.save()
        return position

    def test_both_pages_show_the_person(self, contact: Contact, position: Any, unit: Any) -> None:
        OrganizationUnitFactory(organization=position.organization, unit=unit)
        client = entered(coordinator_in=unit)

        main = client.get(contact.organization.get_absolute_url()).text
        other = client.get(position.organization.get_absolute_url()).text

        people = other[other.index('id="contacts"') :]
        assert people.index("Li Wei") < people.index("Vice chair") < people.index("Plant manager")
        assert CHANNELS["phone"] in people
        assert "Vice chair" in main
        assert "Machine builders" in main

    def test_holders_of_the_other_organization_see_name_and_position_alone(
        self, contact: Contact, position: Any
    ) -> None:
        holder = OrganizationUnitFactory(organization=position.organization).unit
        page = entered(coordinator_in=holder).get(position.organization.get_absolute_url()).text

        assert "Vice chair" in page
        assert [channel for channel in CHANNELS.values() if channel in page] == []

    def test_a_former_position_is_marked(self, contact: Contact, position: Any, unit: Any) -> None:
        OrganizationUnitFactory(organization=position.organization, unit=unit)
        position.until = DAY
        position.save()
        page = entered(coordinator_in=unit).get(position.organization.get_absolute_url()).text

        assert "no longer there" in page[page.index("Li Wei") :]

    def test_who_to_call_about_an_agreement_of_the_other_organization(
        self, contact: Contact, position: Any, unit: Any, django_assert_num_queries: Any
    ) -> None:
        parties = [InstitutionFactory(), position.organization]
        agreements = [AgreementFactory(unit=unit, signed=True, parties=parties) for _again in "ab"]
        OrganizationUnitFactory(organization=parties[0], unit=unit)
        own = ContactFactory(organization=parties[0], unit=unit, name="Xu Fang")
        user = UserFactory(coordinator_in=unit)
        may(user, "contact.view", contact)
        with django_assert_num_queries(2):  # the second reads the organizations of further positions
            found = people_to_contact(agreements, user)

        for agreement in agreements:
            people = [(one.contact, one.position, one.organization) for one in found[agreement.pk]]
            assert people == [(contact, "Vice chair", position.organization), (own, "", parties[0])]

    def test_a_former_position_is_nobody_to_call(self, contact: Contact, position: Any, unit: Any) -> None:
        agreement = AgreementFactory(unit=unit, signed=True, parties=[InstitutionFactory(), position.organization])
        position.until = DAY
        position.save()

        assert people_to_contact([agreement], UserFactory(coordinator_in=unit)) == {}

    def test_the_form_adds_a_position(self, contact: Contact, association: Any, unit: Any) -> None:
        client, address = entered(coordinator_in=unit), reverse("contact_edit", args=[contact.pk])
        data = filled(undrawn(client, address))
        data |= {"positions-TOTAL_FORMS": "1", "positions-0-organization": association.pk}
        data |= {"positions-0-position": "Vice chair", "positions-0-since": "2021-03-01"}
        client.post(address, data)

        position = contact.positions.get()
        assert (str(position), position.since) == ("Vice chair · Machine builders", dt.date(2021, 3, 1))
        assert position.history.count() == 1
