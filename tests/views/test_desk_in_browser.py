"""Leads and coordinators at their desk and on the way: work handed over and calls logged, with scripts and without."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from partnerships.factories import AgreementFactory, UserFactory
from partnerships.models import Agreement, ContactNote, Milestone
from tests.views.world import World


@pytest.fixture(params=[(390, True), (1440, True), (390, False)], ids=["phone", "desk", "no scripts"])
def visit(request: Any, world: World, open_page: Callable[..., Any]) -> Callable[[str], Any]:
    """``visit(address)`` as the unit's lead."""
    width, has_scripts = request.param
    return lambda address: open_page(address, world.lead, width=width, has_scripts=has_scripts)


def test_a_lead_hands_work_over(world: World, visit: Callable[[str], Any]) -> None:
    new_owner = UserFactory(name="Zhao Min", coordinator_in=world.unit)

    page = visit("/team/")
    page.get_by_role("link", name=f"Hand over: {world.coordinator}").click()
    page.get_by_label("To whom").select_option("Zhao Min")
    page.get_by_label("Reason").fill("On leave")
    page.get_by_role("checkbox", name="North demand").uncheck()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Hand over").click()
    page.get_by_text("went to Zhao Min").wait_for()

    assert set(Milestone.objects.values_list("owner", flat=True)) == {new_owner.pk}
    assert set(Agreement.objects.values_list("coordinator", flat=True)) == {new_owner.pk}
    world.demand.refresh_from_db()
    assert world.demand.owner == world.coordinator


def test_a_quiet_agreement_is_called(world: World, visit: Callable[[str], Any]) -> None:
    long_ago = timezone.localdate() - dt.timedelta(days=300)
    silent = AgreementFactory(unit=world.unit, title="Silent", signed=True, signed_on=long_ago)

    page = visit("/quiet/")
    page.get_by_role("link", name="Log a call: Silent").click()
    page.get_by_label("What was said").fill("They will write")
    page.get_by_role("button", name="Log", exact=True).click()
    page.get_by_text("Logged.").first.wait_for()

    assert ContactNote.objects.get(agreement=silent).summary == "They will write"
