"""What the pages say: decision dates, promises, citations, samples, titles that want to be markup, errors."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    CitationFactory,
    EventFactory,
    MilestoneFactory,
    ParticipationFactory,
    ReminderItemFactory,
    SourceFactory,
)
from partnerships.statuses import DeliveryStatus
from tests.views.sections import section_url
from tests.views.world import World


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def words(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def test_the_agreement_page_shows_how_the_decision_date_was_found(world: World, client: Client) -> None:
    term = world.agreement.terms.get()
    term.ends_on, term.notice, term.lead_days = dt.date(2027, 12, 31), 3, 30
    term.save()

    page = client.get(world.agreement.get_absolute_url())

    date = page.context["decision"]["date"]
    assert (date.notice_by, date.lead_from) == (dt.date(2027, 9, 30), dt.date(2027, 8, 31))
    assert date.decide_on == dt.date(2027, 8, 31)
    assert "minus notice of 3 months Sept. 30, 2027" in words(page.text)


def test_an_incomplete_list_of_parties_says_so(world: World, client: Client) -> None:
    address = section_url(world.agreement, "terms")
    before = client.get(address).text
    world.agreement.is_party_list_complete = False
    world.agreement.save()

    after = client.get(address).text

    assert ["list incomplete" in page for page in (before, after)] == [False, True]


def test_a_cited_value_says_what_was_printed_or_assumed(world: World, client: Client) -> None:
    CitationFactory(record=world.agreement, field="signed_on", assumed=True, note="The year is not printed.")
    CitationFactory(record=world.agreement, field="title", printed="School Bank Cooperation")

    page = words(client.get(section_url(world.agreement, "terms")).text)

    assert "our assumption The year is not printed." in page
    assert "as printed “School Bank Cooperation”" in page


@pytest.mark.parametrize("name", ["agreement", "milestone", "activity", "enterprise"])
def test_sample_records_are_marked(name: str, world: World, client: Client) -> None:
    row = getattr(world, name)
    real = client.get(row.get_absolute_url()).text
    row.is_sample = True
    row.save()

    sample = client.get(row.get_absolute_url()).text

    assert ["mark-sample" in page for page in (real, sample)] == [False, True]


def test_a_title_is_text_whatever_it_looks_like(world: World, client: Client) -> None:
    world.agreement.title = "<script>alert(1)</script>"
    world.agreement.save()

    page = client.get(world.agreement.get_absolute_url()).text

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_pages_carry_no_inline_script_or_style(world: World, client: Client) -> None:
    rows = (world.agreement, world.milestone, world.activity, world.enterprise)

    for address in ("/", reverse("agreement_list"), reverse("me"), *(row.get_absolute_url() for row in rows)):
        page = client.get(address).text
        assert re.findall(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", page) == []
        assert re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', page) == []


def test_the_milestone_page_tells_what_became_of_its_reminders(world: World, client: Client) -> None:
    ReminderItemFactory(
        plan__milestone=world.milestone,
        delivery__status=DeliveryStatus.FAILED,
        delivery__reason="refused",
        person=world.coordinator,
    )

    page = words(client.get(world.milestone.get_absolute_url()).text)

    assert (
        f"→ To {world.coordinator.name}, owner of the milestone: Failed. The mail server refused the mail for good."
        in page
    )


def test_an_unresolved_participant_stands_as_printed(world: World, client: Client) -> None:
    event = EventFactory(unit=world.unit)
    ParticipationFactory(event=event, organization=None, name_as_printed="General Institute … Ltd.")

    page = words(client.get(section_url(event, "people")).text)

    assert "“General Institute … Ltd.” not identified" in page


def test_a_source_lists_only_records_one_may_see(
    world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    source = SourceFactory()
    CitationFactory(source=source, record=world.agreement, printed="a private word")

    own = client.get(source.get_absolute_url()).text
    foreign = client_of(world.people["outsider"]).get(source.get_absolute_url()).text

    assert ["a private word" in page for page in (own, foreign)] == [True, False]


def test_a_free_day_is_a_friendly_page(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.lead)
    empty = client.get("/").text
    MilestoneFactory(agreement=world.agreement, owner=world.lead)

    busy = client.get("/").text

    assert ["You're all caught up" in page for page in (empty, busy)] == [True, False]


def test_a_page_that_is_not_there_says_so_in_our_frame(world: World, client: Client) -> None:
    response = client.get("/agreements/999999/")

    assert response.status_code == 404
    assert "Page not found" in response.text


def test_a_form_without_its_secret_explains_itself(world: World) -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("login"), {"username": "a", "password": "b"})

    assert response.status_code == 403
    assert "Please send it again" in response.text


def test_an_error_of_ours_has_a_page_without_a_database(world: World, client: Client, monkeypatch: Any) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("partnerships.views.my_work.has_a_place", lambda user: 1 / 0)

    response = client.get("/")

    assert response.status_code == 500
    assert "Something went wrong on our side" in response.text
