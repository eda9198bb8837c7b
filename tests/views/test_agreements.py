"""The agreement's page: the matrix and its links, related agreements, one timeline of everything, each at a bounded cost."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from partnerships.factories import (
    DAY,
    NOON,
    ActivityCreditFactory,
    ActivityFactory,
    AgreementFactory,
    AgreementPartyFactory,
    AmendmentFactory,
    ContactNoteFactory,
    CooperationAreaFactory,
    CustodyStepFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    FacilityFactory,
    MilestoneFactory,
    ReminderItemFactory,
    UnitFactory,
)
from partnerships.models import Agreement
from partnerships.reports import timeline
from partnerships.workflows.activities import complete_activity
from partnerships.workflows.milestones import move_milestone, waive_milestone
from tests.views.sections import SECTIONS, cost, section_url, whole_page
from tests.views.world import World, make_world


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def words(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def part(html: str, name: str) -> str:
    """The section of the page that is labelled by ``name``."""
    return re.search(rf'<section[^>]* aria-labelledby="{name}".*?</section>', html, re.DOTALL)[0]  # type: ignore[index]


def listed(client: Client, address: str) -> list[Any]:
    response = client.get(unescape(address))
    assert (response.context["filterset"].form.errors, response.context["filterset"].unknown) == ({}, [])
    return list(response.context["rows"])


# Promise and delivery


def test_an_area_promised_says_what_came_of_it(world: World, client: Client) -> None:
    before = words(part(client.get(world.agreement.get_absolute_url()).text, "promised"))
    ActivityCreditFactory(activity__agreement=world.agreement, area=world.area, organization=world.enterprise)

    after = words(part(client.get(world.agreement.get_absolute_url()).text, "promised"))

    assert "1 area without a delivery" in before
    assert "nothing yet" in before
    assert "1 delivered" in after
    assert "without a delivery" not in after


def test_every_number_of_the_matrix_opens_as_many_follow_ups(world: World, client: Client) -> None:
    other = CooperationAreaFactory(name="Never promised")
    child = AgreementFactory(unit=world.unit, signed=True, parent=world.agreement)
    for agreement, area, stage in (
        (world.agreement, world.area, {"completed": True}),
        (world.agreement, world.area, {}),
        (child, world.area, {"completed": True}),
        (child, other, {}),
    ):
        activity = ActivityFactory(agreement=agreement, **stage)
        ActivityCreditFactory(activity=activity, area=area, organization=world.enterprise)

    matrix = part(client.get(world.agreement.get_absolute_url()).text, "promised")

    numbers = re.findall(r'href="([^"]*/activities/[^"]*)">\s*(\d+) (?:delivered|planned)', matrix)
    assert len(numbers) >= 8
    assert {int(number) for _address, number in numbers} == {1, 2}
    assert [len(listed(client, address)) for address, _number in numbers] == [int(number) for _a, number in numbers]
    assert "not promised" in words(matrix)


def test_a_promise_says_how_much_of_it_is_delivered_and_planned(world: World, client: Client) -> None:
    promise = world.agreement.promised_areas.get()
    promise.quantity, promise.counted, promise.per = 2, "courses", "year"
    promise.save()
    for stage in ({"completed": True, "completed_on": DAY}, {"starts_on": DAY + dt.timedelta(days=9)}):
        activity = ActivityFactory(agreement=world.agreement, **stage)
        ActivityCreditFactory(activity=activity, area=world.area, organization=world.enterprise)

    html = part(client.get(world.agreement.get_absolute_url()).text, "promised")

    assert "North area 2 courses a year 1 of 2 1 planned 0 of 2 0 of 2 1 of 6 1 planned" in words(html)
    assert re.findall(r'class="bar-(planned|done)" width="(\d+)%"', html)[:2] == [("planned", "100"), ("done", "50")]
    assert "style=" not in html


@pytest.mark.parametrize(("role", "may_plan"), [("coordinator", True), ("viewer", False)])
def test_a_promise_about_to_be_missed_leads_to_a_plan_for_it(
    role: str, may_plan: bool, world: World, client_of: Callable[[Any], Client]
) -> None:
    world.agreement.terms.update(ends_on=DAY + dt.timedelta(days=59))
    reader = client_of(world.people[role])

    html = part(reader.get(world.agreement.get_absolute_url()).text, "promised")

    shown = words(html)
    assert "North area: 0 of 1, 0 planned; the term ends on April 30, 2026 ." in shown
    links = re.findall(r'href="([^"]+)"\s+aria-label="Plan one: North area"', html)
    assert len(links) == may_plan
    for address in links:
        form = reader.get(unescape(address)).context["form"]
        assert (form["areas"].value(), form.about.agreement) == ([world.area.pk], world.agreement)
        assert form["organizations"].value() == [world.agreement.parties.first().organization_id]
        assert form["is_done"].value() is False


# What to do next


def test_the_summary_says_what_is_due_next(world: World, client: Client) -> None:
    summary = words(part(client.get(world.agreement.get_absolute_url()).text, "record-title"))

    assert "Next due 1 day late North obligation Owner" in summary


def test_long_parts_are_cut_and_open_their_lists(world: World, client: Client) -> None:
    MilestoneFactory.create_batch(9, agreement=world.agreement, owner=world.coordinator)
    ActivityFactory.create_batch(9, agreement=world.agreement)

    html = client.get(section_url(world.agreement, "work")).text

    for name, count, rows in (("milestones", 11, 8), ("activities", 10, 8)):
        section = part(html, name)
        address = re.search(rf'class="count" href="([^"]+)">{count}<', section)[1]  # type: ignore[index]
        assert section.count("row-title") == rows
        assert len(listed(client, address)) == count


# Related agreements


def test_related_agreements_are_drawn_from_the_framework_down(world: World, client: Client) -> None:
    same = {"unit": world.unit, "signed": True}
    framework = AgreementFactory(title="The framework", **same)
    world.agreement.parent = framework
    world.agreement.predecessor = AgreementFactory(title="The old one", **same)
    world.agreement.save()
    AgreementFactory(title="A sister", parent=framework, **same)
    child = AgreementFactory(title="A project", parent=world.agreement, **same)
    AgreementFactory(title="A part of it", parent=child, **same)
    AgreementFactory(title="The renewal", predecessor=world.agreement, **same)
    AmendmentFactory(agreement=world.agreement)

    related = words(part(client.get(section_url(world.agreement, "terms")).text, "related"))

    parts = ("The framework", "The old one", "North signed", "Amendment 1", "A project", "A part of it", "The renewal")
    places = [related.index(title) for title in parts]
    assert places == sorted(places)
    assert "and 1 more under it" in related
    assert "A sister" not in related


def test_two_hundred_children_are_a_dozen_and_a_number(
    world: World, client: Client, django_assert_max_num_queries: Any
) -> None:
    template = AgreementFactory(unit=world.unit, parent=world.agreement)
    Agreement.objects.bulk_create(
        Agreement(unit=world.unit, type=template.type, title=f"Child {n}", parent=world.agreement) for n in range(199)
    )
    address = section_url(world.agreement, "terms")
    client.get(address)

    with django_assert_max_num_queries(40):
        related = part(client.get(address).text, "related")

    assert related.count("related-under") == 12
    assert "and 188 more under it" in words(related)
    more = re.search(r'href="([^"]*under=[^"]*)"', related)[1]  # type: ignore[index]
    assert client.get(more).context["page"].paginator.count == 200


def test_a_relative_of_another_unit_is_not_named(world: World, client: Client) -> None:
    own = AgreementFactory(title="Seen below", unit=world.unit, parent=world.agreement, signed=True)
    AgreementFactory(title="Unseen below", unit=UnitFactory(), parent=world.agreement, signed=True)
    AgreementFactory(title="Unseen after", unit=UnitFactory(), predecessor=world.agreement, signed=True)

    html = whole_page(client, world.agreement)

    assert own.title in html
    assert "Unseen" not in html


def test_the_framework_of_another_unit_is_read_and_cannot_be_opened(world: World, client: Client) -> None:
    framework = AgreementFactory(title="The framework", signed=True, is_party_list_complete=False)
    framework.promised_areas.create(area=CooperationAreaFactory(name="Talent training"))
    world.agreement.parent = framework
    world.agreement.save()

    page = whole_page(client, world.agreement)

    shown = words(part(page, "framework"))
    parties = [str(party.organization) for party in framework.parties.all()]
    day = date_format(framework.signed_on, "DATE_FORMAT")
    assert [
        word for word in ("The framework", day, "Talent training", "list incomplete", *parties) if word not in shown
    ] == []
    assert framework.get_absolute_url() not in page
    assert client.get(framework.get_absolute_url()).status_code == 404


def test_an_agreement_that_stands_alone_has_no_related_agreements(world: World, client: Client) -> None:
    assert 'id="related"' not in whole_page(client, world.agreement)


# What happened


@pytest.fixture
def eventful(world: World) -> World:
    """One of each kind around the agreement."""
    agreement, who = world.agreement, world.coordinator
    AmendmentFactory(agreement=agreement, summary="The term is longer")
    CustodyStepFactory(agreement=agreement, desk="Archive")
    ReminderItemFactory(plan__milestone=world.milestone, delivery__sent=True, delivery__sent_at=NOON)
    DocumentVersionFactory(document__agreement=agreement, document__title="Scan", uploaded_by=who)
    FacilityFactory(agreement=agreement, unit=world.unit)
    move_milestone(world.milestone, actor=who, due_on=DAY + dt.timedelta(days=9), reason="They asked for it", at=NOON)
    complete_activity(
        world.activity, actor=who, on=DAY, summary="Thirty took part", next_step="", no_next_step_reason="All was said"
    )
    waive_milestone(world.obligation, actor=world.lead, on=DAY, reason="They sent it")
    agreement.refresh_from_db()
    agreement.reference = "N-1"
    agreement.save()
    return world


def test_one_timeline_has_everything_that_happened(eventful: World, client: Client) -> None:
    address = eventful.agreement.get_absolute_url()

    response = client.get(address, {"section": "history"})
    kinds = {name: words(client.get(address, {"happened": name}).text) for name in timeline.KINDS}

    assert {name for name, _label, _count in response.context["timeline"].kinds} == set(timeline.KINDS) - {"step"}
    assert "Training completed: North training Thirty took part" in kinds["done"]
    assert "North said yes" in kinds["note"]
    assert f"Reminder to {eventful.coordinator}: North milestone" in kinds["mail"]
    assert "Amendment 1 signed The term is longer" in kinds["paper"]
    assert "Printed Archive" in kinds["paper"]
    assert "Other: Scan" in kinds["paper"]
    assert "Added: North milestone" in kinds["due"]
    assert "Waived: North obligation They sent it" in kinds["due"]
    assert "Changed: North milestone due on" in kinds["edit"]
    assert "reference: — → N-1" in kinds["edit"]
    assert "Party added: North College" in kinds["edit"].replace("party added", "Party added")


def test_a_kind_shows_nothing_of_the_others(eventful: World, client: Client) -> None:
    response = client.get(eventful.agreement.get_absolute_url(), {"happened": "note"})

    assert [entry.kind for entry in response.context["timeline"].page] == ["note"]


@pytest.mark.parametrize("query", ["?happened=nonsense&moments=zero", "?moments=999", "?happened=paper&moments=-4"])
def test_a_timeline_that_is_asked_for_nonsense_answers(query: str, eventful: World, client: Client) -> None:
    response = client.get(eventful.agreement.get_absolute_url() + query)

    assert response.status_code == 200
    assert len(response.context["timeline"].page) > 0


def test_every_entry_is_on_one_page_of_the_timeline(world: World, client: Client) -> None:
    for number in range(40):
        ContactNoteFactory(agreement=world.agreement, summary=f"Call {number}.")
    address = world.agreement.get_absolute_url()

    first = client.get(address, {"happened": "note"}).context["timeline"]
    pages = range(1, first.page.paginator.num_pages + 1)
    said = [
        entry.detail
        for number in pages
        for entry in client.get(address, {"happened": "note", "moments": number}).context["timeline"].page
    ]

    assert sorted(said) == sorted(["North said yes", *(f"Call {number}." for number in range(40))])


def test_a_timeline_starts_where_its_shortest_source_was_cut(world: World, client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(timeline, "ROWS_PER_SOURCE", 3)
    for days in range(5):
        ContactNoteFactory(agreement=world.agreement, happened_on=DAY - dt.timedelta(days=days), summary=f"{days} ago")

    response = client.get(world.agreement.get_absolute_url(), {"happened": "note"})

    starts_after = response.context["timeline"].starts_after
    assert starts_after is not None
    assert all(entry.day > starts_after for entry in response.context["timeline"].page)
    assert "are in the history of each record" in words(response.text)


def test_htmx_gets_the_timeline_alone_and_the_whole_page_when_going_back(eventful: World, client: Client) -> None:
    address = eventful.agreement.get_absolute_url()

    some = client.get(address, {"happened": "edit"}, headers={"HX-Request": "true"}).text
    back = client.get(address, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}).text

    assert some.lstrip().startswith("<section")
    assert "<h1" not in some
    assert "<h1" in back


def test_the_timeline_shows_nothing_of_another_unit(
    eventful: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    twin = make_world("South")

    own = whole_page(client, eventful.agreement)
    foreign = client_of(twin.coordinator).get(eventful.agreement.get_absolute_url())

    assert "South" not in own
    assert foreign.status_code == 404


# Cost


def more_of_everything(world: World, count: int) -> None:
    for number in range(count):
        agreement, organization = world.agreement, EnterpriseFactory()
        AgreementPartyFactory(agreement=agreement, organization=organization)
        milestone = MilestoneFactory(agreement=agreement, owner=world.coordinator)
        ReminderItemFactory(plan__milestone=milestone, delivery__sent=True)
        activity = ActivityFactory(agreement=agreement, completed=True, organizations=[organization])
        ActivityCreditFactory(activity=activity, area=CooperationAreaFactory(), organization=organization)
        child = AgreementFactory(unit=world.unit, signed=True, parent=agreement)
        AgreementFactory(unit=world.unit, signed=True, parent=child)
        AmendmentFactory(agreement=agreement)
        CustodyStepFactory(agreement=agreement)
        ContactNoteFactory(agreement=agreement, summary=f"Note {number}")
        FacilityFactory(agreement=agreement, unit=world.unit, opened=True)
        DocumentVersionFactory(document__agreement=agreement)
        complete_activity(
            ActivityFactory(agreement=agreement, owner=world.coordinator),
            actor=world.coordinator,
            on=timezone.localdate(),
            summary="",
            next_step="",
            no_next_step_reason="Done",
        )


QUERIES = {
    "coordinator": {"overview": 27, "work": 40, "terms": 25, "files": 22, "history": 42},
    "viewer": {"overview": 35, "work": 47, "terms": 30, "files": 29, "history": 47},
    "staff": {"overview": 28, "work": 41, "terms": 26, "files": 23, "history": 43},
}


def test_each_section_costs_a_fixed_number_of_queries(world: World, client_of: Callable[[Any], Client]) -> None:
    agreement, clients = world.agreement, {role: client_of(world.people[role]) for role in QUERIES}
    more_of_everything(world, 1)
    for client in clients.values():
        whole_page(client, agreement)
    few = {name: cost(clients["coordinator"], section_url(agreement, name)) for name in SECTIONS}
    more_of_everything(world, 2)

    many = {
        role: {name: cost(client, section_url(agreement, name)) for name in SECTIONS}
        for role, client in clients.items()
    }
    assert (few, many) == (QUERIES["coordinator"], QUERIES)


def test_the_step_pages_stay_where_they_were(world: World, client: Client) -> None:
    html = client.get(world.agreement.get_absolute_url()).text

    assert reverse("activity_add", args=[world.agreement.pk]) in html
    assert "Only a lead of its unit may do this." in words(html)
    assert f"Leads of North school: {world.lead}" in words(html)
