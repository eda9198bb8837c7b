"""The leads of the units that hold an organization are asked to note each new holder."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    EnterpriseFactory,
    FacilityFactory,
    InstitutionFactory,
    OrganizationUnitFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.expand import expand_due
from partnerships.models import (
    Agreement,
    ComponentHeartbeat,
    Delivery,
    Milestone,
    MilestoneKind,
    Organization,
    OrganizationUnit,
    ReminderItem,
    Unit,
    User,
)
from partnerships.operations.audit import audit
from partnerships.operations.heartbeat import HEARTBEAT
from partnerships.reminders.clock import Clock
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.workflows.agreements import sign_agreement, unsign_agreement
from tests.admin.forms import change_url, step_url
from tests.admin.forms import filled as filled_admin
from tests.services.drawing import undrawn
from tests.views.world import World

pytestmark = pytest.mark.django_db

Enter = Callable[[Any], Client]


@pytest.fixture
def second() -> Unit:
    return UnitFactory(name="Second school", name_zh="第二学院")


@pytest.fixture
def second_lead(second: Unit) -> User:
    return UserFactory(lead_in=second)


@pytest.fixture
def partners(world: World) -> list[Organization]:
    """Two organizations that the unit of ``world`` holds."""
    other = EnterpriseFactory(name="Quay Works")
    OrganizationUnitFactory(organization=other, unit=world.unit)
    return [world.enterprise, other]


@pytest.fixture
def draft(second: Unit, second_lead: User, partners: list[Organization]) -> Agreement:
    """The second unit's draft with both."""
    return AgreementFactory(unit=second, ready=True, parties=[InstitutionFactory(), *partners])


def step(client: Client, row: Any, name: str, **values: str) -> int:
    row.refresh_from_db()
    sent = {"version": str(row.version), "on": DAY.isoformat(), **values}
    return client.post(reverse(f"{row._meta.model_name}_step", args=[row.pk, name]), sent).status_code


def news() -> list[Milestone]:
    return list(Milestone.objects.filter(kind=MilestoneKind.NEW_HOLDER).order_by("title"))


def test_a_signing_brings_news_to_the_other_holders_in_one_mail(
    world: World, client_of: Enter, draft: Agreement, second_lead: User
) -> None:
    ReminderRuleFactory(milestone_kind="new_holder", offset=0, direction="appears")
    assert step(client_of(second_lead), draft, "record_signed") == 302

    assert [(row.unit, row.owner, row.due_on) for row in news()] == [
        (world.unit, None, DAY + dt.timedelta(days=14)) for _partner in range(2)
    ]
    assert [str(row) for row in news()] == [
        "New holder: North Works Co., Ltd. – Second school",
        "New holder: Quay Works – Second school",
    ]
    with override("zh-hans"):
        assert "第二学院" in str(news()[0])

    while reconcile_marked(real_now=NOON):
        pass
    expand_due(Clock(NOON + dt.timedelta(minutes=1), lambda: NOON))
    told = ReminderItem.objects.filter(plan__milestone__kind="new_holder")
    assert [item.person for item in told] == [world.lead, world.lead]
    assert Delivery.objects.filter(items__in=told).distinct().count() == 1
    ComponentHeartbeat.objects.create(name=HEARTBEAT, at=NOON)
    assert audit(real_now=NOON) == []


def test_a_lead_notes_it_in_my_work_and_nobody_else_closes_it(
    world: World, client_of: Enter, draft: Agreement, second_lead: User
) -> None:
    step(client_of(second_lead), draft, "record_signed")
    lead, (first, other) = client_of(world.lead), news()

    page = lead.get("/")
    [group] = [group for group in page.context["groups"] if group["key"] == "note"]
    assert [entry.row for entry in group["rows"]] == [first, other]
    assert "Mark as noted" in page.text
    assert "New holder" not in client_of(second_lead).get("/").text
    for person, name in ((world.coordinator, "note"), (world.lead, "waive"), (second_lead, "note")):
        assert step(client_of(person), first, name, reason="Why not") in {403, 404}
    assert step(lead, first, "meet", evidence="Read it") == 200  # refused: it is noted
    assert "Mark as noted" in lead.get(first.get_absolute_url()).text

    assert step(lead, first, "note") == 302
    admin = client_of(world.people["staff"])
    sent = {"version": str(other.version), "on": DAY.isoformat()}
    assert admin.post(step_url(other, "note"), sent).status_code == 302

    assert [row.status for row in news()] == ["met", "met"]
    assert step(lead, first, "reopen", reason="Once more") == 403


def test_news_outlasts_the_holding_and_is_raised_again_with_the_next(
    world: World, client_of: Enter, draft: Agreement, second_lead: User
) -> None:
    lead = client_of(second_lead)
    step(lead, draft, "record_signed")
    step(client_of(world.lead), news()[0], "note")

    step(lead, draft, "unsign", reason="not yet")
    assert [row.status for row in news()] == ["met", "open"]

    assert step(client_of(world.people["staff"]), draft, "record_signed") == 302
    assert [(row.status, row.appearance) for row in news()] == [("open", 2), ("open", 1)]


def test_a_facility_that_closes_at_once_does_not_hide_who_read_the_contacts(
    world: World, client_of: Enter, second: Unit
) -> None:
    owner = UserFactory(coordinator_in=second)
    partners = [InstitutionFactory(), world.enterprise]
    facility, coordinator = FacilityFactory(unit=second, owner=owner, partners=partners), client_of(owner)

    assert step(coordinator, facility, "open") == 302
    assert str(world.contact) in coordinator.get(world.enterprise.get_absolute_url()).text
    assert step(coordinator, facility, "close", reason="Read enough") == 302

    assert not second.held_organizations.filter(organization=world.enterprise).exists()
    [row] = news()
    lead = client_of(world.lead)
    assert str(row) in lead.get("/").text
    assert step(lead, row, "note") == 302


def test_the_office_assigns_a_unit_by_hand_and_takes_it_away(
    world: World, client_of: Enter, second: Unit, second_lead: User
) -> None:
    office, url = client_of(world.people["staff"]), change_url(world.enterprise)
    data = filled_admin(undrawn(office, url))
    line = {"holders-TOTAL_FORMS": "2", "holders-1-unit": str(second.pk)}
    assert office.post(url, data | line).status_code == 302

    assert [(row.unit, row.status) for row in news()] == [(world.unit, "open")]

    # The unit that is told may forget the news only with its own holding.
    for unit, left in ((second, "open"), (world.unit, "cancelled")):
        data = filled_admin(undrawn(office, url))
        [number] = [
            name.split("-")[1] for name, value in data.items() if name.endswith("-unit") and value == str(unit.pk)
        ]
        assert office.post(url, data | {f"holders-{number}-DELETE": "on"}).status_code == 302
        assert [row.status for row in news()] == [left]


@pytest.mark.parametrize(
    ("ground", "is_granted"), [("facility", False), ("signing", True), ("grant", True), ("grant below", True)]
)
def test_who_holds_by_a_facility_alone_adds_no_other_unit(
    world: World, client_of: Enter, draft: Agreement, second: Unit, second_lead: User, ground: str, is_granted: bool
) -> None:
    below, other = (UnitFactory(parent=second) for _unit in range(2))
    partners = [InstitutionFactory(), world.enterprise]
    owner = UserFactory(coordinator_in=second)
    lead, url = client_of(second_lead), change_url(world.enterprise)
    assert step(lead, FacilityFactory(unit=second, owner=owner, partners=partners), "open") == 302
    if ground == "signing":
        assert step(lead, draft, "record_signed") == 302
    elif ground != "facility":
        unit = second if ground == "grant" else other
        OrganizationUnit.objects.update_or_create(
            organization=world.enterprise, unit=unit, defaults={"is_granted": True}
        )

    data = filled_admin(undrawn(lead, url))
    number = data["holders-TOTAL_FORMS"]
    line = {"holders-TOTAL_FORMS": str(int(number) + 1), f"holders-{number}-unit": str(below.pk)}
    page = lead.post(url, data | line)

    assert below.held_organizations.exists() == is_granted
    assert page.status_code == (302 if is_granted else 200)
    assert ("through a joint facility alone" in page.text) != is_granted


def test_what_the_system_does_the_sample_and_what_the_same_leads_did_is_no_news(
    world: World, draft: Agreement, second: Unit, second_lead: User
) -> None:
    signing = {"on": DAY, "today": DAY}

    def sign(actor: User | None) -> None:
        Agreement.objects.filter(pk=draft.pk).update(status="approved")
        signed = sign_agreement(Agreement.objects.get(pk=draft.pk), actor=actor, **signing)
        assert second.held_organizations.count() == 3
        unsign_agreement(signed, actor=None, on=DAY, reason="Once more")

    sign(None)
    Unit.objects.filter(pk=second.pk).update(is_sample=True)
    sign(second_lead)
    Unit.objects.filter(pk=second.pk).update(is_sample=False)
    second_lead.memberships.create(unit=world.unit, role=second_lead.memberships.get().role)
    world.lead.memberships.all().delete()
    sign(second_lead)

    assert news() == []
