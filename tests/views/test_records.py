"""Demands, facilities and the like added and edited on pages, by the coordinators who may."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import AgreementFactory, EnterpriseFactory, UnitFactory
from partnerships.models import Demand, Facility
from tests.services.drawing import undrawn
from tests.views.sent import filled
from tests.views.world import World


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def test_a_coordinator_adds_a_demand_and_rewrites_it(world: World, client: Client) -> None:
    asker = EnterpriseFactory()
    page = client.get(reverse("demand_add"), {"organization": asker.pk})

    typed = filled(page) | {"title": "Quieter bearings", "original_wording": "Too loud", "unit": world.unit.pk}
    added = client.post(reverse("demand_add"), typed)
    demand = Demand.objects.latest("pk")
    edit = reverse("demand_edit", args=[demand.pk])
    client.post(edit, filled(undrawn(client, edit)) | {"rewritten_wording": "Less noise at 6,000 rpm"})

    demand.refresh_from_db()
    assert added.url == demand.get_absolute_url()
    assert (demand.organization, demand.rewritten_wording) == (asker, "Less noise at 6,000 rpm")
    assert edit in client.get(demand.get_absolute_url()).text


def test_an_agreement_of_another_unit_stays_and_is_not_named(world: World, client: Client) -> None:
    hidden = AgreementFactory(unit=UnitFactory(), title="Secret agreement", signed=True)
    Facility.objects.filter(pk=world.facility.pk).update(agreement=hidden)
    edit = reverse("facility_edit", args=[world.facility.pk])

    page = client.get(edit)
    client.post(edit, filled(page) | {"site": "Hall 3"})

    facility = Facility.objects.get(pk=world.facility.pk)
    assert "Secret agreement" not in page.text
    assert (facility.agreement, facility.site) == (hidden, "Hall 3")


def test_what_is_missing_is_said_and_what_was_typed_stays(client: Client) -> None:
    page = client.post(
        reverse("demand_add"), filled(undrawn(client, reverse("demand_add"))) | {"title": "Half a demand"}
    )

    assert page.status_code == 200
    assert "organization" in page.context["form"].errors
    assert "Half a demand" in page.text
    assert "<title>Error:" in page.text
