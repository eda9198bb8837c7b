"""From a demand to what comes of it, on its pages; joint facilities from planned to closed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    AgreementFactory,
    AgreementTypeFactory,
    AnswerFactory,
    CitationFactory,
    DemandFactory,
    DemandOutcomeFactory,
    FacilityFactory,
    MilestoneFactory,
    ProgrammeItemFactory,
    ReportedFigureFactory,
    SourceFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Activity, Agreement, Answer, Demand, Facility
from tests.views.sections import section_url, whole_page
from tests.views.world import World

TODAY = DAY.isoformat()


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def step(row: Any, name: str) -> str:
    return reverse(f"{row._meta.model_name}_step", args=[row.pk, name])


def test_both_wordings_of_a_demand_stand_side_by_side(world: World, client: Client) -> None:
    world.demand.rewritten_wording = "A bearing cage for high speed"
    world.demand.save()

    page = client.get(world.demand.get_absolute_url()).text

    assert world.demand.original_wording in page
    assert "A bearing cage for high speed" in page
    assert "The content is not published" not in page


def test_units_are_asked_and_asked_again(world: World, client: Client) -> None:
    demand, first, second = DemandFactory(unit=world.unit), UnitFactory(), UnitFactory()

    for number, unit in enumerate((first, second)):
        page = client.get(demand.get_absolute_url()).text
        assert step(demand, "ask") in page
        client.post(step(demand, "ask"), {"version": 1 + number, "on": TODAY, "units": [unit.pk]})

    assert Demand.objects.get(pk=demand.pk).status == "asked"
    assert [answer.unit for answer in demand.answers.all()] == [first, second]


def test_only_units_that_were_not_asked_are_offered(world: World, client: Client) -> None:
    asked, other = UnitFactory(name="Chemistry"), UnitFactory(name="Mechanics")
    AnswerFactory(demand=world.demand, unit=asked)

    page = client.get(step(world.demand, "ask")).text
    refused = client.post(step(world.demand, "ask"), {"version": 1, "on": TODAY, "units": [asked.pk]}).text

    assert (asked.name in page, other.name in page) == (False, True)
    assert "This unit was asked already" in refused
    assert world.demand.answers.filter(unit=asked).count() == 1


def test_the_unit_asked_answers_and_sees_no_other_answer(world: World, client_of: Callable[[Any], Client]) -> None:
    asked = UnitFactory()
    answer = AnswerFactory(demand=world.demand, unit=asked)
    other = AnswerFactory(demand=world.demand, proposed=True, person="Somebody else")
    client = client_of(UserFactory(coordinator_in=asked))

    page = client.get(world.demand.get_absolute_url()).text
    client.post(step(answer, "propose"), {"version": 1, "on": TODAY, "summary": "A ceramic cage"})

    assert [step(answer, "propose") in page, "Somebody else" in page] == [True, False]
    assert client.post(step(other, "decline"), {"version": 1, "on": TODAY, "reason": "x"}).status_code == 404
    assert (Answer.objects.get(pk=answer.pk).status, Answer.objects.get(pk=other.pk).status) == ("proposed", "proposed")


def test_an_answer_is_chosen_and_the_reason_of_another_is_kept(world: World, client: Client) -> None:
    other = AnswerFactory(demand=world.demand, unit=world.unit, person="Second", proposed=True)

    client.post(step(world.answer, "choose"), {"version": 1, "on": TODAY})
    response = client.post(step(other, "decline"), {"version": 1, "on": TODAY, "reason": "Too slow"})

    assert response.url == f"{world.demand.get_absolute_url()}#answer-{other.pk}"
    assert "Too slow" in client.get(world.demand.get_absolute_url()).text
    assert Answer.objects.get(pk=world.answer.pk).status == "chosen"


def test_a_demand_becomes_an_agreement_and_each_page_leads_to_the_other(world: World, client: Client) -> None:
    values = {"version": 1, "on": TODAY, "title": "Bearing agreement", "agreement_type": AgreementTypeFactory().pk}
    values["partner"] = world.agreement.parties.get(organization__kind="institution").organization_id

    client.post(step(world.demand, "agreement"), values)

    agreement = Agreement.objects.get(title="Bearing agreement")
    assert agreement.get_absolute_url() in client.get(world.demand.get_absolute_url()).text
    assert world.demand.get_absolute_url() in client.get(section_url(agreement, "terms")).text
    assert Demand.objects.get(pk=world.demand.pk).status == "agreed"


def test_a_demand_becomes_a_project_and_each_page_leads_to_the_other(world: World, client: Client) -> None:
    client.post(step(world.demand, "project"), {"version": 1, "on": TODAY, "title": "Bearing project"})

    project = Activity.objects.get(title="Bearing project")
    assert project.get_absolute_url() in client.get(world.demand.get_absolute_url()).text
    assert world.demand.get_absolute_url() in client.get(project.get_absolute_url()).text


def test_a_demand_that_another_unit_agreed_shows_no_foreign_agreement(world: World, client: Client) -> None:
    own = DemandOutcomeFactory(demand__unit=world.unit, agreement__title="Our agreement")
    foreign = DemandOutcomeFactory(demand=own.demand, agreement=AgreementFactory(title="Their agreement"))

    page = client.get(own.demand.get_absolute_url()).text

    assert ["Our agreement" in page, foreign.agreement.title in page] == [True, False]


@pytest.mark.parametrize("name", ["ask", "agreement", "project"])
def test_a_closed_demand_takes_no_further_step(name: str, world: World, client: Client) -> None:
    closed = DemandFactory(unit=world.unit, no_match=True)

    response = client.get(step(closed, name))

    assert response.status_code == 409
    assert step(closed, name) not in client.get(closed.get_absolute_url()).text


def test_a_stale_question_keeps_what_was_typed(world: World, client: Client) -> None:
    world.demand.field = "Bearings"
    world.demand.save()

    response = client.post(step(world.demand, "project"), {"version": 1, "on": TODAY, "title": "Typed title"})

    assert response.status_code == 409
    assert "Typed title" in response.text
    assert Activity.objects.filter(title="Typed title").exists() is False


def test_a_facility_opens_suspends_and_closes_on_its_page(world: World, client: Client) -> None:
    assert step(world.facility, "open") in client.get(world.facility.get_absolute_url()).text
    client.post(step(world.facility, "open"), {"version": 1, "on": TODAY})
    opened = client.get(world.facility.get_absolute_url()).text
    client.post(step(world.facility, "close"), {"version": 2, "on": TODAY, "reason": "The lease ended"})
    closed = client.get(world.facility.get_absolute_url()).text

    assert ["Review the joint facility" in opened, step(world.facility, "suspend") in opened] == [True, True]
    assert "The lease ended" in closed
    assert Facility.objects.get(pk=world.facility.pk).status == "closed"


def test_an_agreement_shows_its_facilities(world: World, client: Client) -> None:
    facility = FacilityFactory(agreement=world.agreement, unit=world.unit, name="Forge base", opened=True)

    page = client.get(section_url(world.agreement, "work")).text

    assert facility.get_absolute_url() in page


def test_an_organization_shows_what_is_run_asked_and_reported_with_it(world: World, client: Client) -> None:
    figure = ReportedFigureFactory(organization=world.enterprise, name="Patents held")

    page = whole_page(client, world.enterprise)

    shown = [row.get_absolute_url() in page for row in (world.facility, world.demand, figure)]
    assert shown == [True, True, True]


def test_a_programme_shows_of_its_items_only_those_one_may_see(world: World, client: Client) -> None:
    programme = ProgrammeItemFactory(demand=world.demand).programme
    foreign = ProgrammeItemFactory(programme=programme, demand=DemandFactory(title="Their demand")).demand

    page = client.get(section_url(programme, "items")).text

    assert [world.demand.title in page, foreign.title in page] == [True, False]


@pytest.mark.parametrize("kind", ["facility", "demand", "term", "item"])
def test_a_source_keeps_quotations_of_records_one_may_not_see(
    kind: str, world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    records = {
        "facility": lambda: world.facility,
        "demand": lambda: world.demand,
        "term": world.agreement.terms.get,
        "item": lambda: ProgrammeItemFactory(agreement=world.agreement),
    }
    source = SourceFactory()
    CitationFactory(source=source, record=records[kind](), printed="a private word")

    own = client.get(source.get_absolute_url()).text
    foreign = client_of(world.people["outsider"]).get(source.get_absolute_url()).text

    assert ["a private word" in page for page in (own, foreign)] == [True, False]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_amounts_are_grouped_in_every_language(language: str, world: World, client: Client) -> None:
    world.agreement.amount = "1234567.50"
    world.agreement.save()
    world.coordinator.language = language
    world.coordinator.save()

    page = client.get(section_url(world.agreement, "terms")).text

    assert f'<html lang="{language}">' in page
    assert "1,234,567.50 CNY" in page


def test_what_the_asking_unit_has_to_do_is_not_shown_to_the_unit_asked(world: World, client: Client) -> None:
    demand = DemandFactory()
    AnswerFactory(demand=demand, unit=world.unit)
    MilestoneFactory(demand=demand, unit=demand.unit, title="Weigh the offers in private")
    own = MilestoneFactory(demand=demand, unit=world.unit, title="Write our offer")

    page = client.get(demand.get_absolute_url()).text

    assert own.title in page
    assert "Weigh the offers in private" not in page


def test_the_title_of_an_unsigned_framework_one_may_not_see_is_not_shown(world: World, client: Client) -> None:
    hidden, seen = (
        AgreementFactory(title="Framework of strangers"),
        AgreementFactory(unit=world.unit, title="Our frame"),
    )
    agreement = AgreementFactory(unit=world.unit, parent=hidden, predecessor=seen)

    page = whole_page(client, agreement)

    assert "Our frame" in page
    assert "Framework of strangers" not in page


def test_a_rival_is_not_told_whose_answer_an_agreement_came_from(
    world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    chosen = AnswerFactory(demand=world.demand, unit__name="The unit that won")
    agreement = AgreementFactory(unit=world.unit)
    DemandOutcomeFactory(demand=world.demand, answer=chosen, agreement=agreement)
    rival = UserFactory(coordinator_in=AnswerFactory(demand=world.demand).unit)
    agreement.participating_units.create(unit=rival.memberships.get().unit)

    owner, theirs = (client_of(who).get(world.demand.get_absolute_url()).text for who in (world.coordinator, rival))

    assert "from the answer of The unit that won" in owner
    assert agreement.title in theirs
    assert "The unit that won" not in theirs
