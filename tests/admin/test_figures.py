"""Reported figures in the admin: quoted, counted, and what is left to register; the number opens its list."""

import datetime as dt
import re

import pytest

from partnerships.factories import (
    AgreementFactory,
    CitationFactory,
    EnterpriseFactory,
    EventFactory,
    ParticipationFactory,
    ReportedFigureFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import CountingRule, ReportedFigure
from tests.admin.forms import change_url, save

pytestmark = pytest.mark.django_db
LIST = "/admin/partnerships/reportedfigure/"


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True))


@pytest.fixture
def figure():
    """Nine agreements reported of an event; one of our unit and one of another are recorded, one is only a draft."""
    figure = ReportedFigureFactory(compared=True, qualifier=ReportedFigure.Qualifier.AT_LEAST)
    AgreementFactory(event=figure.event, signed=True, unit=figure.unit)
    AgreementFactory(event=figure.event, signed=True)
    AgreementFactory(event=figure.event, unit=figure.unit)
    return figure


def links_with(response):
    return re.findall(r'href="([^"]*\?counted=\d+)">(\d+)<', response.content.decode())


def test_the_recorded_number_opens_exactly_its_list(office, figure):
    ((link, number),) = links_with(office.get(LIST))

    opened = office.get(link).context["cl"]

    assert (number, opened.result_count) == ("2", 2)
    assert {row.event for row in opened.result_list} == {figure.event}


def test_a_lead_reads_the_same_number_and_how_many_they_may_not_see(enter, figure):
    client = enter(UserFactory(lead_in=figure.unit))

    ((link, number),) = links_with(client.get(change_url(figure)))

    opened = client.get(link)
    assert (number, opened.context["cl"].result_count) == ("2", 1)
    assert f"{figure} (1 more that you may not see)" in opened.text


def test_enterprises_are_counted_in_the_directory(office):
    event = EventFactory()
    ParticipationFactory(event=event, organization=EnterpriseFactory())
    ReportedFigureFactory(event=event, counting_rule=CountingRule.EVENT_PARTICIPANTS)

    ((link, number),) = links_with(office.get(LIST))

    assert (number, office.get(link).context["cl"].result_count) == ("1", 1)


def test_reported_recorded_and_to_register_stand_side_by_side(office, figure):
    page = office.get(change_url(figure))

    seen = page.context["reconciliation"]
    assert (seen["quoted"], seen["missing"]) == ('<q class="pt-quoted">at least 9</q>', "7")
    assert "Counted: agreements signed at the event." in page.content.decode()


def test_a_share_is_quoted_alone_as_printed(office):
    figure = ReportedFigureFactory(share=True)

    page = office.get(change_url(figure))

    seen = page.context["reconciliation"]
    assert (seen["quoted"], seen["counted"]) == ('<q class="pt-quoted">more than 1/3</q>', "–")
    assert "Press figure only" in page.content.decode()


def test_a_share_cannot_be_compared_with_a_count(office):
    response = save(office, ReportedFigureFactory(share=True), counting_rule="event_agreements")

    errors = response.context["adminform"].form.errors
    assert errors == {"counting_rule": ["Only a count can be compared with records."]}


def test_a_list_says_as_of_when_as_exactly_as_the_source(office):
    ReportedFigureFactory(as_of=dt.date(2023, 12, 31), as_of_precision="year")
    ReportedFigureFactory(as_of=dt.date(2024, 1, 12))

    page = office.get(LIST).content.decode()

    assert re.findall(r"field-day_or_year[^>]*>\s*([\d-]+)\s*<", page) == ["2023", "2024-01-12"]


def test_what_is_left_to_register_is_listed(office, figure):
    done = ReportedFigureFactory(compared=True, value=1)
    AgreementFactory(event=done.event, signed=True)
    ReportedFigureFactory()

    response = office.get(f"{LIST}?attention=to_register")

    assert list(response.context["cl"].result_list) == [figure]


@pytest.mark.parametrize(("asked", "rows"), [("x", 3), ("²", 3), ("999999", 3), ("9" * 40, 3)])
def test_an_address_that_names_no_figure_filters_nothing(office, figure, asked, rows):
    assert office.get(f"/admin/partnerships/agreement/?counted={asked}").context["cl"].result_count == rows


def test_a_figure_counts_nothing_in_a_list_of_something_else(office, figure):
    EventFactory(unit=UnitFactory())

    response = office.get(f"/admin/partnerships/organization/?counted={figure.pk}")

    assert response.context["cl"].result_count == 0


def test_a_citation_in_the_list_opens_beside_its_record(office):
    citation = CitationFactory(record=AgreementFactory(), field="title")

    page = office.get("/admin/partnerships/citation/").content.decode()

    assert re.findall(r'<a [^>]*href="(/admin/partnerships/[^"?]+/\d+/change/)"[^>]*>([^<]+)</a>', page) == [
        (change_url(citation), "title"),
        (change_url(citation.record), f"agreement: {citation.record}"),
    ]
