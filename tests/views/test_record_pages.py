"""The pages of records beside agreements: their costs, what is added on them, and their history."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    AnswerFactory,
    CitationFactory,
    CustodyStepFactory,
    DemandFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    EventFactory,
    FacilityFactory,
    HonourFactory,
    MilestoneFactory,
    ParticipationFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    RegionFactory,
    ReportedFigureFactory,
    SourceFactory,
)
from partnerships.models import Citation, CustodyStep, Document, FacilityPartner, ReportedFigure
from tests.services.drawing import undrawn
from tests.views.sections import cost, section_url
from tests.views.sent import filled
from tests.views.world import World

ROLES = ("lead", "coordinator", "viewer")


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


# Cost


def more_of(world: World, region: Any, programme: Any, event: Any, honour: Any) -> None:
    """Add one row of each kind that the pages show."""
    partner = EnterpriseFactory(region=RegionFactory(parent=region))
    AgreementFactory(unit=world.unit, signed=True, event=event, parties=[partner, world.enterprise])
    ActivityFactory(unit=world.unit, event=event, organizations=[partner])
    ParticipationFactory(event=event, organization=partner)
    FacilityFactory(unit=world.unit, event=event, partners=[partner])
    FacilityPartner(facility=world.facility, organization=EnterpriseFactory()).save()
    demand = DemandFactory(unit=world.unit, event=event, organization=partner)
    AnswerFactory(demand=world.demand, proposed=True)
    for about in ({"demand": world.demand}, {"facility": world.facility}, {"honour": honour}, {"event": event}):
        MilestoneFactory(agreement=None, unit=world.unit, **about)
        DocumentVersionFactory(document__agreement=None, **{f"document__{name}": row for name, row in about.items()})
        (row,) = about.values()
        row.refresh_from_db()
        row.save()
    ProgrammeItemFactory(programme=programme, demand=demand)
    ReportedFigureFactory(programme=programme, unit=world.unit)
    ReportedFigureFactory(event=None, region=region, unit=world.unit)
    CitationFactory(record=demand)


QUERIES = {
    "facility": {"lead": 19, "coordinator": 19, "viewer": 19},
    "honour": {"lead": 15, "coordinator": 15, "viewer": 15},
    "region": {"lead": 16, "coordinator": 16, "viewer": 16},
    "demand overview": {"lead": 16, "coordinator": 16, "viewer": 15},
    "demand files": {"lead": 12, "coordinator": 12, "viewer": 12},
    "demand history": {"lead": 20, "coordinator": 20, "viewer": 19},
    "event overview": {"lead": 20, "coordinator": 20, "viewer": 20},
    "event people": {"lead": 15, "coordinator": 15, "viewer": 15},
    "event files": {"lead": 13, "coordinator": 13, "viewer": 13},
    "event history": {"lead": 20, "coordinator": 20, "viewer": 20},
    "programme overview": {"lead": 22, "coordinator": 22, "viewer": 22},
    "programme items": {"lead": 13, "coordinator": 13, "viewer": 13},
    "programme files": {"lead": 13, "coordinator": 13, "viewer": 13},
    "programme history": {"lead": 18, "coordinator": 18, "viewer": 18},
}


def test_the_pages_cost_a_fixed_number_of_queries(world: World, client_of: Callable[[Any], Client]) -> None:
    region, programme = RegionFactory(), ProgrammeFactory(unit=world.unit)
    event, honour = EventFactory(unit=world.unit), HonourFactory(unit=world.unit)
    pages = {"facility": world.facility.get_absolute_url(), "honour": honour.get_absolute_url()}
    pages["region"] = region.get_absolute_url()
    for name, row in (("demand", world.demand), ("event", event), ("programme", programme)):
        sections = dict.fromkeys(["overview", *type(row).page_sections.values()])
        pages |= {f"{name} {section}": section_url(row, section) for section in sections}
    clients = {role: client_of(world.people[role]) for role in ROLES}

    def costs() -> dict[str, dict[str, int]]:
        return {
            name: {role: cost(client, address) for role, client in clients.items()} for name, address in pages.items()
        }

    more_of(world, region, programme, event, honour)
    costs()  # the first view of a day notes in the security log whose numbers it shows
    few = costs()
    for _again in range(2):
        more_of(world, region, programme, event, honour)

    many = costs()
    assert (few, many) == (QUERIES, QUERIES)


# A region


def test_each_number_of_a_region_opens_a_list_of_as_many(world: World, client: Client) -> None:
    region = RegionFactory()
    inside = EnterpriseFactory(name="Inside Works", region=RegionFactory(parent=region))
    AgreementFactory(unit=world.unit, signed=True, parties=[inside])
    ActivityFactory(unit=world.unit, organizations=[inside])
    for _again in range(2):
        DemandFactory(unit=world.unit, organization=inside)
    DemandFactory(unit=world.unit, organization=inside, status="no_match", closed_on=DAY)
    FacilityFactory(unit=world.unit, region=region)
    EventFactory(unit=world.unit, region=region)
    HonourFactory(unit=world.unit, organization=inside)

    page = client.get(region.get_absolute_url())
    relations = page.context["relations"]
    listed = {
        name: client.get(reverse(one.address), dict(one.query)).context["page"].paginator.count
        for name, one in relations.items()
    }

    assert {name: one.count for name, one in relations.items()} == listed
    assert listed == {
        "organizations": 1,
        "agreements_in_force": 1,
        "activities": 1,
        "demands_open": 2,
        "facilities": 1,
        "honours": 1,
        "events": 1,
    }
    assert "Inside Works" in page.text
    assert f'href="{region.get_absolute_url()}"' in client.get(inside.region.get_absolute_url()).text
    assert f'href="{inside.region.get_absolute_url()}"' in client.get(inside.get_absolute_url()).text


# What coordinators add on pages


def test_a_coordinator_adds_a_press_figure_about_an_event(world: World, client: Client) -> None:
    event, source = EventFactory(unit=world.unit), SourceFactory()
    address = f"{reverse('figure_add')}?event={event.pk}"

    typed = {"name": "Signed", "printed": "12 were signed", "value": "12", "source": str(source.pk)}
    answer = client.post(address, filled(undrawn(client, address), **typed))

    figure = ReportedFigure.objects.get()
    assert answer.url == figure.get_absolute_url()
    assert (figure.event, figure.source, figure.unit, figure.value) == (event, source, world.unit, 12)
    assert "12 were signed" in client.get(section_url(event, "files")).text


def test_a_coordinator_cites_a_source_for_a_field(world: World, client: Client) -> None:
    source = SourceFactory(title="Evening Post")
    address = f"{reverse('citation_add', args=['demand', world.demand.pk])}?source={source.pk}"
    page = client.get(address)

    empty = client.post(address, filled(page))
    answer = client.post(address, filled(page, field="title", printed="They want quieter bearings"))

    citation = Citation.objects.get()
    assert "printed" in empty.context["form"].errors
    assert answer.url == world.demand.get_absolute_url()
    assert (citation.record, citation.source, citation.field) == (world.demand, source, "title")
    assert "They want quieter bearings" in client.get(answer.url).text


def test_the_office_corrects_a_citation_from_the_page_of_the_record(
    world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    citation = CitationFactory(record=world.demand, printed="As printed")
    address, office = reverse("citation_edit", args=[citation.pk]), client_of(world.people["staff"])
    page = world.demand.get_absolute_url()

    shown = [f'href="{address}"' in one.get(page).text for one in (client, office)]
    answer = office.post(address, filled(office.get(address), printed="What was printed"))
    citation.refresh_from_db()
    gone = office.post(reverse("citation_delete", args=[citation.pk]), {"reason": "Twice", "version": citation.version})

    assert shown == [False, True]
    assert (answer.url, citation.printed) == (page, "What was printed")
    assert (gone.url, Citation.objects.count()) == (page, 0)


@pytest.mark.parametrize("kind", ["event", "facility", "demand"])
def test_programmes_that_one_may_not_edit_stay_on_a_record(
    kind: str, world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    row = {"facility": world.facility, "demand": world.demand}.get(kind) or EventFactory(unit=world.unit)
    ours, theirs = ProgrammeFactory(unit=world.unit), ProgrammeFactory()
    for programme in (ours, theirs):
        ProgrammeItemFactory(programme=programme, **{kind: row})
    row.refresh_from_db()
    address = reverse(f"{kind}_edit", args=[row.pk])

    page = client.get(address)
    (lines,) = [one for one in page.context["form"].formsets if one.prefix == "programmeitem"]
    client.post(address, filled(page, **{"programmeitem-0-DELETE": "on"}))

    assert [line.instance.programme for line in lines.initial_forms] == [ours]
    assert [item.programme for item in row.programme_items.all()] == [theirs]


def test_a_step_of_the_original_is_corrected_and_taken_out(world: World, client: Client) -> None:
    kept, wrong = (CustodyStepFactory(agreement=world.agreement, desk=desk) for desk in ("Shelf 3", "Shelf 4"))
    shown = client.get(section_url(world.agreement, "files")).text
    first, second = (reverse("custody_edit", args=[step.pk]) for step in (kept, wrong))

    client.post(first, filled(undrawn(client, first), desk="Shelf 5", since=(DAY - dt.timedelta(days=3)).isoformat()))
    answer = client.post(second, filled(undrawn(client, second), is_wrong="on"))

    assert [f'href="{one}"' in shown for one in (first, second)] == [True, True]
    assert answer.url == f"{section_url(world.agreement, 'files')}#paper"
    assert list(CustodyStep.objects.values_list("desk", flat=True)) == ["Shelf 5"]


@pytest.mark.parametrize("kind", ["activity", "event", "programme", "honour"])
def test_the_readers_of_documents_are_limited_on_the_page(kind: str, world: World, client: Client) -> None:
    makers = {"event": EventFactory, "programme": ProgrammeFactory, "honour": HonourFactory}
    row = world.activity if kind == "activity" else makers[kind](unit=world.unit)
    document = DocumentVersionFactory(document__agreement=None, **{f"document__{kind}": row}).document
    edit = reverse("document_edit", args=[document.pk])

    shown = client.get(document.get_absolute_url()).text
    client.post(edit, filled(undrawn(client, edit), level="unit"))

    assert f'href="{edit}"' in shown
    assert Document.objects.get(pk=document.pk).level == "unit"


# History and frame


def test_the_history_names_parts_and_steps_once_a_save(world: World, client: Client) -> None:
    edit = reverse("event_edit", args=[EventFactory(unit=world.unit, place="Hall 1").pk])
    page = client.get(edit)
    more = client.post(edit, filled(page, more="participation"))
    typed = {"place": "Hall 2", "participation-0-name_as_printed": "A bank", "participation-0-role": "guest"}
    answer = client.post(edit, filled(more, **typed))

    history = client.get(f"{answer.url}?section=history").context["timeline"]

    entries = [(entry.what, entry.detail) for entry in history.page.object_list]
    assert entries[0][0] == "Changed"
    assert "Hall 1 → Hall 2" in entries[0][1]
    assert "added: A bank" in entries[0][1]
    assert entries[-1][0] == "Created"


def test_what_belongs_to_a_record_stands_where_the_record_does(world: World, client: Client) -> None:
    addresses = {
        reverse("contact_note_edit", args=[world.note.pk]): "Agreements",
        reverse("citation_add", args=["demand", world.demand.pk]): "Demands",
        reverse("document_add", args=["demand", world.demand.pk]): "Demands",
    }

    for address, place in addresses.items():
        page = client.get(address).text
        here = [
            part.partition("</a>")[0] for part in page.split("<a ") if 'aria-current="page"' in part.partition(">")[0]
        ]
        assert any(place in part for part in here), address
