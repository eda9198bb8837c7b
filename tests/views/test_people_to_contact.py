"""The page of a next contact names whom to call, with the numbers for those who may see them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from partnerships.factories import (
    ContactFactory,
    ContactNoteFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    UnitFactory,
)
from partnerships.models import Milestone
from tests.views.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def milestone(world: World) -> Milestone:
    return MilestoneFactory(agreement=world.agreement, kind="next_contact", derived_key="next_contact")


def person(world: World, name: str, **more: Any) -> Any:
    return ContactFactory(organization=world.enterprise, name=name, phone=f"0575-{len(name)}", unit=world.unit, **more)


def test_who_was_reached_last_comes_first(
    world: World, milestone: Milestone, client_of: Callable[[Any], Client]
) -> None:
    first, second = person(world, "An Li"), person(world, "Bai Yun", wechat="baiyun")
    ContactNoteFactory(agreement=world.agreement, contact=second, happened_on=timezone.localdate())
    gone = person(world, "Cao Hong", is_active=False)
    page = client_of(world.coordinator).get(milestone.get_absolute_url()).text
    assert page.index("Bai Yun") < page.index("An Li")
    assert ("reached last" in page, f'href="tel:{second.phone}"' in page, "baiyun" in page) == (True, True, True)
    assert (first.phone in page, str(gone) in page) == (True, False)


def test_numbers_stay_with_the_unit_that_entered_them(
    world: World, milestone: Milestone, client_of: Callable[[Any], Client]
) -> None:
    other = UnitFactory(name="Another school")
    OrganizationUnitFactory(organization=world.enterprise, unit=other)
    theirs = ContactFactory(organization=world.enterprise, name="Dai Min", phone="0575-98765", unit=other)
    shared = ContactFactory(
        organization=world.enterprise, name="Fei Hua", phone="0575-12345", unit=other, is_shared=True
    )
    page = client_of(world.coordinator).get(milestone.get_absolute_url()).text
    assert (str(theirs) in page, theirs.phone in page, "Entered by Another school" in page) == (True, False, True)
    assert shared.phone in page
    viewer = client_of(world.people["viewer"]).get(milestone.get_absolute_url()).text
    assert (shared.phone in viewer, theirs.phone in viewer) == (False, False)


def test_other_milestones_name_nobody(world: World, client_of: Callable[[Any], Client]) -> None:
    person(world, "An Li")
    assert "Whom to contact" not in client_of(world.coordinator).get(world.milestone.get_absolute_url()).text
