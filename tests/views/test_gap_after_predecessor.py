"""An agreement that leaves a gap after the one it follows is signed only when somebody confirms the gap."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.exceptions import InvalidInput
from partnerships.factories import DAY, AgreementFactory, AgreementTypeFactory, EnterpriseFactory
from partnerships.models import Agreement
from partnerships.workflows.agreements import sign_agreement
from tests.admin.forms import step_url
from tests.views.sent import errors, filled, send
from tests.views.world import World

pytestmark = pytest.mark.django_db

Enter = Callable[[Any], Client]
YEAR = dt.timedelta(days=365)


@pytest.fixture
def former(world: World) -> Agreement:
    """Runs until the end of January."""
    made = AgreementFactory(
        unit=world.unit,
        signed=True,
        signed_on=DAY - YEAR,
        with_term__starts_on=DAY - YEAR,
        with_term__ends_on=dt.date(2026, 1, 31),
    )
    return Agreement.objects.get(pk=made.pk)


def successor(former: Agreement, starts_on: dt.date, **more: Any) -> Agreement:
    term = {"with_term__starts_on": starts_on, "with_term__ends_on": starts_on + YEAR}
    made = AgreementFactory(unit=former.unit, predecessor=former, **{"approved": True, **term, **more})
    return Agreement.objects.get(pk=made.pk)


def page_address(row: Agreement, name: str) -> str:
    return reverse("agreement_step", args=[row.pk, name])


@pytest.mark.parametrize("address", [page_address, step_url])
@pytest.mark.parametrize(
    ("name", "more"), [("sign", {}), ("record_signed", {"approved": False, "ready": True, "with_parties": True})]
)
def test_the_gap_is_asked_about_when_the_signing_is_recorded(
    address: Callable[..., str], name: str, more: dict[str, Any], world: World, former: Agreement, client_of: Enter
) -> None:
    row, office = successor(former, DAY, **more), client_of(world.people["staff"])
    sent = {"version": str(row.version), "on": DAY.isoformat()}

    asked = office.post(address(row, name), sent)
    assert list(errors(asked)) == ["is_gap_meant"]
    assert "ran until Jan. 31, 2026" in asked.text
    row.refresh_from_db()
    assert not row.is_signed

    assert office.post(address(row, name), sent | {"is_gap_meant": "on"}).status_code == 302
    row.refresh_from_db()
    assert row.is_signed


def test_it_is_asked_about_when_a_signed_agreement_is_registered(
    world: World, former: Agreement, client_of: Enter
) -> None:
    college = world.agreement.parties.get(organization__kind="institution").organization
    typed = {
        "type": str(AgreementTypeFactory().pk),
        "title": "Once more",
        "on": DAY.isoformat(),
        "predecessor": str(former.pk),
        "parties__0__organization": str(college.pk),
        "parties__1__organization": str(EnterpriseFactory().pk),
    }
    client = client_of(world.coordinator)
    assert "is_gap_meant" not in client.get("/agreements/add/").text

    asked = send(client, "/agreements/add/", **typed)
    assert list(errors(asked)) == ["is_gap_meant"]
    assert 'name="is_gap_meant"' in asked.text

    assert client.post("/agreements/add/", filled(asked, is_gap_meant="on")).status_code == 302
    assert Agreement.objects.get(title="Once more").is_signed


@pytest.mark.parametrize(
    ("starts_on", "is_asked"), [(dt.date(2026, 2, 1), False), (dt.date(2026, 1, 1), False), (dt.date(2026, 2, 2), True)]
)
def test_only_days_between_them_are_a_gap(former: Agreement, starts_on: dt.date, is_asked: bool) -> None:
    row = successor(former, starts_on)

    if is_asked:
        with pytest.raises(InvalidInput, match="this gap is intended"):
            sign_agreement(row, actor=None, on=DAY, today=DAY)
    assert sign_agreement(row, actor=None, on=DAY, today=DAY, is_gap_meant=is_asked).is_signed


def test_nothing_is_asked_about_an_agreement_that_follows_none(world: World, client_of: Enter) -> None:
    row = AgreementFactory(unit=world.unit, approved=True)

    assert "is_gap_meant" not in client_of(world.lead).get(page_address(row, "sign")).text
