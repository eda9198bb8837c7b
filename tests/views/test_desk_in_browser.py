"""Leads and coordinators at their desk and on the way: work handed over and calls logged, with scripts and without."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from partnerships.factories import AgreementFactory, UserFactory
from partnerships.models import Agreement, ContactNote, Milestone
from tests.views.world import World, make_world


@pytest.fixture(autouse=True)
def on_the_day() -> None:
    """The browser has its own clock: these tests run on today's date."""


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world("North")


@pytest.fixture(params=[(390, True), (1440, True), (390, False)], ids=["phone", "desk", "no scripts"])
def visit(request: Any, world: World, browser: Any, live_server: Any) -> Iterator[Callable[[str], Any]]:
    """``visit(address)`` as the unit's lead; at the end nothing was complained of and no other host was asked."""
    width, has_scripts = request.param
    login = Client()
    login.force_login(world.lead)
    value = login.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(viewport={"width": width, "height": 844}, java_script_enabled=has_scripts)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
    page, problems, host = context.new_page(), [], urlsplit(live_server.url).netloc
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: urlsplit(asked.url).netloc == host or problems.append(asked.url))

    def open_page(address: str) -> Any:
        page.goto(live_server.url + address)
        return page

    yield open_page
    context.close()
    assert problems == []


def test_a_lead_hands_work_over(world: World, visit: Callable[[str], Any]) -> None:
    heir = UserFactory(name="Zhao Min", coordinator_in=world.unit)

    page = visit("/team/")
    page.get_by_role("link", name=f"Hand over: {world.coordinator}").click()
    page.get_by_label("To whom").select_option("Zhao Min")
    page.get_by_label("Reason").fill("On leave")
    page.get_by_role("checkbox", name="North demand").uncheck()
    page.get_by_role("button", name="Look at what would move").click()
    page.get_by_role("button", name="Hand over").click()
    page.get_by_text("went to Zhao Min").wait_for()

    assert set(Milestone.objects.values_list("owner", flat=True)) == {heir.pk}
    assert set(Agreement.objects.values_list("coordinator", flat=True)) == {heir.pk}
    world.demand.refresh_from_db()
    assert world.demand.owner == world.coordinator


def test_a_quiet_agreement_is_called(world: World, visit: Callable[[str], Any]) -> None:
    long_ago = timezone.localdate() - dt.timedelta(days=300)
    silent = AgreementFactory(unit=world.unit, title="Silent", signed=True, signed_on=long_ago)

    page = visit("/quiet/")
    page.get_by_role("link", name="Log a call: Silent").click()
    page.get_by_label("What was said").fill("They will write")
    page.get_by_role("button", name="Log it").click()
    page.get_by_text("Logged.").first.wait_for()

    assert ContactNote.objects.get(agreement=silent).summary == "They will write"
