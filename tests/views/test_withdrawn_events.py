"""An event that was recorded in error is withdrawn: it keeps its page and counts nowhere."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    EnterpriseFactory,
    EventFactory,
    EventKindFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    ParticipationFactory,
    ProgrammeItemFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Event
from partnerships.models.programmes import ProgrammeMeasure
from partnerships.reports.figures import measured
from partnerships.workflows.milestones import cancel_milestone
from tests.admin.forms import save, step_url
from tests.views.sections import section_url

pytestmark = pytest.mark.django_db

REASON = "It was the meeting of another office"


@pytest.fixture
def unit() -> Any:
    return UnitFactory()


@pytest.fixture
def lead(unit: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(lead_in=unit))
    return client


def withdraw(client: Client, event: Any, step: str = "withdraw") -> Any:
    address = reverse("event_step", args=[event.pk, step])
    return client.post(address, {"on": DAY.isoformat(), "reason": REASON, "version": event.version})


def fresh(event: Any) -> Event:
    return Event.objects.get(pk=event.pk)


def test_it_keeps_its_page_with_the_reason_and_leaves_lists_and_figures(lead: Client, unit: Any) -> None:
    wrong, twin = (
        EventFactory(unit=unit, name="Bearing fair"),
        EventFactory(unit=UnitFactory(), name="Bearing fair twin"),
    )
    organization = OrganizationUnitFactory(unit=unit, organization=EnterpriseFactory()).organization
    programme = ProgrammeItemFactory(event=wrong, programme__unit=unit).programme
    for event in (wrong, twin):
        EventKindFactory(event=event)
        ParticipationFactory(event=event, organization=organization)
    milestone = MilestoneFactory(event=wrong, agreement=None, unit=unit)
    pages = [
        reverse("event_list"),
        f"{reverse('search')}?q=Bearing",
        section_url(organization, "related"),
        f"{reverse('calendar')}?month={DAY:%Y-%m}",
        f"{reverse('activity_log')}",
    ]
    link = f'{wrong.get_absolute_url()}"'
    measures = (ProgrammeMeasure.EVENTS, ProgrammeMeasure.ENTERPRISES)

    offers = (f"{reverse('activity_log')}?event={wrong.pk}", reverse("milestone_add", args=["event", wrong.pk]))
    before = lead.get(wrong.get_absolute_url()).text
    assert [offer in before for offer in offers] == [True, True]

    shown = [link in lead.get(page).text for page in pages[:-1]]
    counted = [measured(programme, measure).count() for measure in measures]
    answer = withdraw(lead, wrong)
    page = lead.get(wrong.get_absolute_url()).text

    assert (answer.status_code, shown, counted) == (302, [True] * 4, [1, 1])
    assert [link in lead.get(page).text for page in pages[:-1]] == [False] * 4
    assert "Bearing fair</option>" not in lead.get(pages[-1]).text
    assert [measured(programme, measure).count() for measure in measures] == [0, 0]
    assert (REASON in page, "Withdrawn" in page) == (True, True)
    assert [offer in page for offer in offers] == [False, False]
    assert f'{twin.get_absolute_url()}"' in lead.get(pages[0]).text
    assert link in lead.get(pages[0], {"withdrawn": "yes"}).text
    milestone.refresh_from_db()
    assert milestone.status == "cancelled"


def test_it_is_restored_and_only_then_edited(unit: Any) -> None:
    client = Client()
    client.force_login(UserFactory(staff=True))
    event = EventFactory(unit=unit)
    going, dropped = (MilestoneFactory(event=event, agreement=None, unit=unit) for _ in range(2))
    cancel_milestone(dropped, actor=None, on=DAY, reason="Not needed")
    withdraw(client, event)

    refused = save(client, fresh(event), name="Another name")
    withdraw(client, fresh(event), "restore")
    kept = save(client, fresh(event), name="Another name")

    assert "This event was withdrawn. Restore it first." in refused.text
    assert (kept.status_code, fresh(event).name, fresh(event).withdrawn_on) == (302, "Another name", None)
    statuses = dict(event.milestones.values_list("pk", "status"))
    assert statuses == {going.pk: "open", dropped.pk: "cancelled"}


@pytest.mark.parametrize(
    ("made", "is_done"), [("viewer_in", False), ("coordinator_in", False), ("lead_in", True), ("staff", True)]
)
def test_leads_and_the_office_withdraw_on_the_page_and_in_the_admin(
    client: Client, unit: Any, made: str, is_done: bool
) -> None:
    client.force_login(UserFactory(**{made: True if made == "staff" else unit}))
    rows, twin = [EventFactory(unit=unit) for _ in range(2)], EventFactory(unit=UnitFactory())
    in_admin = [step_url(row, "withdraw") for row in (rows[1], twin)]
    sent = {"on": DAY.isoformat(), "reason": REASON, "version": 1}

    withdraw(client, rows[0])
    for address in in_admin:
        client.post(address, sent)

    assert [fresh(row).status == "withdrawn" for row in (*rows, twin)] == [is_done, is_done, made == "staff"]
