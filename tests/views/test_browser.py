"""The main job in a real browser, on a phone and on a desk: log in, my work, the milestone, mark it as met."""

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from partnerships.factories import AgreementFactory, MilestoneFactory, UnitFactory, UserFactory
from partnerships.models import Milestone


@pytest.fixture(autouse=True)
def on_the_day() -> None:
    """The browser has its own clock: these tests run on today's date."""


@pytest.fixture
def milestone(transactional_db: None) -> Milestone:
    unit = UnitFactory()
    person = UserFactory(username="lin", password="a-long-password", coordinator_in=unit)
    agreement = AgreementFactory(unit=unit, coordinator=person, signed=True)
    due_on = timezone.localdate() + dt.timedelta(days=2)
    return MilestoneFactory(agreement=agreement, owner=person, title="Annual report exchanged", due_on=due_on)


@pytest.fixture
def watched(page: Any, live_server: Any) -> Any:
    """The page with what it logged as an error, and which other hosts it asked."""
    page.problems = []
    host = urlsplit(live_server.url).netloc
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: urlsplit(request.url).netloc == host or page.problems.append(request.url))
    return page


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reminder_is_answered_by_doing_the_work(
    width: int, scheme: str, milestone: Milestone, watched: Any, live_server: Any
) -> None:
    watched.set_viewport_size({"width": width, "height": 844})
    watched.emulate_media(color_scheme=scheme)

    watched.goto(live_server.url + milestone.get_absolute_url())
    watched.get_by_label("Username").fill("lin")
    watched.get_by_label("Password").fill("a-long-password")
    watched.get_by_role("button", name="Log in").click()
    watched.get_by_role("link", name="My work").first.click()
    watched.get_by_role("link", name="Mark as met: Annual report exchanged").click()
    watched.get_by_label("What shows it").fill("Sent by post on Monday")
    watched.get_by_role("button", name="Mark as met").click()
    watched.get_by_text("Done: Mark as met.").wait_for()

    assert watched.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.problems == []
    met = Milestone.objects.get(pk=milestone.pk)
    assert (met.status, met.evidence) == ("met", "Sent by post on Monday")


def test_the_keyboard_reaches_the_content_first(milestone: Milestone, watched: Any, live_server: Any) -> None:
    watched.goto(live_server.url + "/password/reset/")

    watched.keyboard.press("Tab")
    watched.keyboard.press("Enter")

    assert watched.evaluate("document.activeElement.id") == "main"
