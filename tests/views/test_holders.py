"""Which unit becomes a holder of an organization, and when it stops, through every entry point over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    AgreementTypeFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    FacilityFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, AgreementParty, Demand, Organization
from partnerships.workflows.agreements import edit_agreement
from tests.admin.forms import filled as admin_filled
from tests.admin.forms import step_url
from tests.services.drawing import undrawn
from tests.views.ceremony_page import CeremonyPage
from tests.views.world import World

pytestmark = pytest.mark.django_db

Enter = Callable[[Any], Client]


@pytest.fixture
def partner() -> Organization:
    """An organization of the directory that no unit holds."""
    return EnterpriseFactory(name="Quay Works")


@pytest.fixture
def draft(world: World, partner: Organization) -> Agreement:
    parties = [InstitutionFactory(), partner]
    return AgreementFactory(
        unit=world.unit,
        coordinator=world.coordinator,
        created_by=world.coordinator,
        title="With the quay",
        ready=True,
        parties=parties,
    )


def is_held(partner: Organization, world: World) -> bool:
    return partner.holders.filter(unit=world.unit).exists()


def take(client: Client, row: Any, step: str, **values: str) -> None:
    row.refresh_from_db()
    url = reverse(f"{row._meta.model_name}_step", args=[row.pk, step])
    response = client.post(url, {"version": str(row.version), "on": DAY.isoformat(), **values})
    assert response.status_code == 302, response.context["form"].errors


def take_in_admin(client: Client, row: Any, step: str, **values: str) -> None:
    row.refresh_from_db()
    response = client.post(step_url(row, step), {"version": str(row.version), "on": DAY.isoformat(), **values})
    assert response.status_code == 302, response.context["form"].errors


def test_a_draft_and_its_submission_make_no_holder(
    world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    client = client_of(world.coordinator)

    take(client, draft, "submit")

    assert not is_held(partner, world)
    assert client.get(reverse("contact_add", args=[partner.pk])).status_code in {403, 404}


def test_a_draft_submitted_in_the_admin_makes_no_holder(
    world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    take_in_admin(client_of(world.people["staff"]), draft, "submit")

    assert not is_held(partner, world)


def test_a_coordinator_who_registers_a_signed_agreement_makes_no_holder(
    world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    take(client_of(world.coordinator), draft, "record_signed")

    draft.refresh_from_db()
    assert (draft.status, draft.is_signing_confirmed, is_held(partner, world)) == ("signed", False, False)


@pytest.mark.parametrize("role", ["lead", "staff"])
def test_another_lead_or_the_office_registering_a_signed_agreement_makes_a_holder(
    role: str, world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    take(client_of(world.people[role]), draft, "record_signed")

    assert is_held(partner, world)


def test_a_lead_who_entered_it_does_not_confirm_the_signing(
    world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    Agreement.objects.update(created_by=world.lead)

    take(client_of(world.lead), draft, "record_signed")

    draft.refresh_from_db()
    assert (draft.status, draft.is_signing_confirmed, is_held(partner, world)) == ("signed", False, False)


def test_a_lead_who_added_the_party_does_not_confirm_the_signing(
    world: World, client_of: Enter, draft: Agreement
) -> None:
    added = EnterpriseFactory()
    edit_agreement(draft, actor=world.lead, today=DAY, parts=[AgreementParty(organization=added)])

    take(client_of(world.lead), draft, "record_signed")

    assert not is_held(added, world)


def confirm_on_page(client: Client, row: Any) -> int:
    row.refresh_from_db()
    return client.post(
        reverse("agreement_step", args=[row.pk, "confirm-signing"]), {"version": str(row.version)}
    ).status_code


def confirm_in_admin(client: Client, row: Any) -> int:
    row.refresh_from_db()
    return client.post(step_url(row, "confirm-signing"), {"version": str(row.version)}).status_code


def check_signing_shown(client: Client, world: World, draft: Agreement) -> None:
    """Check that the page shows what is confirmed: parties, date as far as it is known, term, author and paper."""
    Agreement.objects.filter(pk=draft.pk).update(signed_precision="month", signed_at_latest=DAY)
    version = DocumentVersionFactory(document__agreement=draft, document__kind="signed_paper")

    text = client.get(reverse("agreement_step", args=[draft.pk, "confirm-signing"])).text

    assert "Check these against the paper, then confirm." in text
    shown = [str(party.organization) for party in draft.parties.all()]
    shown += ["March 2026", date_format(draft.terms.get().ends_on), world.coordinator.name]
    shown.append(reverse("document_download", args=[version.document_id, version.number]))
    assert [words for words in shown if words not in text] == []


@pytest.mark.parametrize("confirm", [confirm_on_page, confirm_in_admin])
@pytest.mark.parametrize("role", ["lead", "staff"])
def test_confirming_a_signing_makes_a_holder(
    confirm: Callable[[Client, Any], int],
    role: str,
    world: World,
    client_of: Enter,
    draft: Agreement,
    partner: Organization,
) -> None:
    take(client_of(world.coordinator), draft, "record_signed")
    page = client_of(world.people[role]).get(draft.get_absolute_url()).text

    check_signing_shown(client_of(world.people[role]), world, draft)
    answers = [confirm(client_of(world.people[role]), draft) for _click in range(2)]

    draft.refresh_from_db()
    assert (draft.is_signing_confirmed, is_held(partner, world)) == (True, True)
    assert answers[0] == 302
    assert draft.history.first().history_change_reason == "Signing confirmed"
    assert reverse("agreement_step", args=[draft.pk, "confirm-signing"]) in page


@pytest.mark.parametrize("confirm", [confirm_on_page, confirm_in_admin])
def test_whoever_entered_it_does_not_confirm_the_signing(
    confirm: Callable[[Client, Any], int], world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    Agreement.objects.update(created_by=world.lead)
    take(client_of(world.coordinator), draft, "record_signed")
    system = UserFactory(system_admin=True)
    other_lead = UserFactory(lead_in=UnitFactory())

    for person in (world.lead, world.coordinator, system, other_lead):
        assert confirm(client_of(person), draft) in {302, 403, 404}

    assert not is_held(partner, world)
    assert (
        reverse("agreement_step", args=[draft.pk, "confirm-signing"])
        not in client_of(world.lead).get(draft.get_absolute_url()).text
    )


def test_a_signing_makes_a_holder_and_taking_it_back_ends_that(
    world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    lead = client_of(world.lead)
    take(client_of(world.coordinator), draft, "submit")
    take(lead, draft, "approve")
    assert not is_held(partner, world)
    take(lead, draft, "sign")
    assert is_held(partner, world)

    take(lead, draft, "unsign", reason="the paper is not signed yet")

    assert not is_held(partner, world)
    assert (
        partner.holders.model.history.filter(history_type="-", organization=partner.pk).get().history_user == world.lead
    )


def test_a_signed_agreement_stays_a_ground_once_it_is_closed(
    world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    lead = client_of(world.lead)
    take(lead, draft, "record_signed")

    take(lead, draft, "terminate", reason="moved away")

    assert is_held(partner, world)


def test_taking_back_one_of_two_signings_ends_nothing(
    world: World, client_of: Enter, draft: Agreement, partner: Organization
) -> None:
    lead = client_of(world.lead)
    other = AgreementFactory(unit=world.unit, signed=True, parties=[InstitutionFactory(), partner])
    take(lead, draft, "record_signed")

    take(lead, draft, "unsign", reason="not yet")
    assert is_held(partner, world)

    take(lead, other, "unsign", reason="not yet")
    assert not is_held(partner, world)


def test_what_a_unit_entered_it_holds_for_good(world: World, client_of: Enter, draft: Agreement) -> None:
    """``world.enterprise`` is held by a decision, not by an agreement."""
    draft.parties.create(organization=world.enterprise)
    lead = client_of(world.lead)
    take(lead, draft, "record_signed")

    take(lead, draft, "unsign", reason="not yet")

    assert is_held(world.enterprise, world)


@pytest.mark.parametrize("enter", [take, take_in_admin])
def test_an_open_facility_is_a_ground_until_it_is_closed(
    enter: Callable[..., None], world: World, client_of: Enter, partner: Organization
) -> None:
    lead = client_of(world.lead)
    facility = FacilityFactory(unit=world.unit, owner=world.coordinator, partners=[InstitutionFactory(), partner])
    enter(lead, facility, "open")
    assert is_held(partner, world)

    enter(lead, facility, "close", reason="the lease ended")

    assert not is_held(partner, world)


def test_a_side_removed_in_the_admin_is_no_longer_held(world: World, client_of: Enter, partner: Organization) -> None:
    staff = client_of(world.people["staff"])
    facility = FacilityFactory(unit=world.unit, owner=world.coordinator, partners=[InstitutionFactory(), partner])
    take(client_of(world.lead), facility, "open")
    url = reverse("admin:partnerships_facility_change", args=[facility.pk])

    saved = staff.post(url, admin_filled(undrawn(staff, url)) | {"partners-1-DELETE": "on"})

    assert (saved.status_code, facility.partners.count()) == (302, 1)
    assert not is_held(partner, world)


def test_an_activity_makes_no_holder(world: World, client_of: Enter, partner: Organization) -> None:
    client = client_of(world.coordinator)
    activity = ActivityFactory(unit=world.unit, owner=world.coordinator, organizations=[partner])

    take(client, activity, "start")
    take(client, activity, "complete", summary="They came", no_next_step_reason="nothing to do")

    activity.refresh_from_db()
    assert (activity.status, is_held(partner, world)) == ("completed", False)


def test_a_demand_makes_no_holder(world: World, client_of: Enter, partner: Organization) -> None:
    staff, url = client_of(world.people["staff"]), reverse("admin:partnerships_demand_add")
    asked = {"title": "Bearings", "unit": str(world.unit.pk), "organization": str(partner.pk), "original_wording": "x"}

    saved = staff.post(url, admin_filled(undrawn(staff, url)) | asked)

    assert (saved.status_code, Demand.objects.filter(organization=partner).count(), is_held(partner, world)) == (
        302,
        1,
        False,
    )


@pytest.mark.parametrize(("role", "held"), [("coordinator", False), ("lead", False), ("staff", True)])
def test_a_ceremony_makes_holders_of_what_the_office_records_as_signed(
    role: str, held: bool, world: World, client_of: Enter, partner: Organization
) -> None:
    form = CeremonyPage(client_of(world.people[role]))
    form.fill(unit=str(world.unit.pk), name="Docking meeting", starts_on="2024-06-04", kinds=["signing_ceremony"])
    known, added = form.name_present("Quay Works", "Brand New College")
    form.fill(known, choice=str(partner.pk))
    form.fill(added, kind="institution")
    [signed] = form.add("agreements", 1, AgreementTypeFactory())
    form.fill(signed, title="Framework", ours=added, partner=known)
    [demand] = form.add("demands", 1)
    form.fill(demand, organization=known, title="Bearings", wording="Bearings that stand heat")

    assert form.press("record").status_code == 302, form.answer.context["form"].problems

    assert is_held(partner, world) is held
    assert is_held(Organization.objects.get(name="Brand New College"), world)
