"""The overview: its scope in the address, what needs a decision, tiles, its file, and whose home it is."""

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from partnerships.factories import (
    AgreementFactory,
    DemandFactory,
    MilestoneFactory,
    UnitFactory,
)
from partnerships.lists import LISTS
from partnerships.models import Milestone, MilestoneKind, SavedView
from partnerships.reports.overview_figures import Overview, ReportPeriod
from partnerships.views import overview as view
from partnerships.views.overview_decisions import MOST_SHOWN, SHOWN, pending_decisions
from partnerships.views.overview_scope import asked_overview
from tests.reports.overviews import empty_overview, make_overview
from tests.views.world import World

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 12, 1)
UNTIL = dt.date(2027, 4, 30)


@pytest.fixture
def lead(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.lead)


def draw(monkeypatch: pytest.MonkeyPatch, found: Overview) -> None:
    monkeypatch.setattr(view, "figures_of", lambda user, scope, period, *, today: found)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


# Scope and period


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("", ReportPeriod(2026)),
        ("2025", ReportPeriod(2025)),
        ("2026-2027", ReportPeriod(2026, is_academic=True)),
        ("2027", ReportPeriod(2026)),
        ("1850", ReportPeriod(2026)),
        ("x", ReportPeriod(2026)),
    ],
)
def test_the_period_stands_in_the_address(text: str, period: ReportPeriod, world: World) -> None:
    assert asked_overview(QueryDict(f"period={text}"), world.lead, TODAY).period == period


def test_an_academic_year_that_has_not_begun_is_not_shown(world: World) -> None:
    asked = asked_overview(QueryDict("period=2026-2027"), world.lead, dt.date(2026, 8, 31))

    assert asked.period == ReportPeriod(2026)


def test_the_scope_is_read_in_one_query_and_keeps_to_the_readers_units(world: World) -> None:
    other = UnitFactory()
    query = QueryDict(f"unit={world.unit.pk}&area={world.area.pk}&type=x&region=99999999")
    assert world.lead.scope.roles

    with CaptureQueriesContext(connection) as queries:
        asked = asked_overview(query, world.lead, TODAY)

    assert len(queries) == 1
    assert (asked.scope.unit, asked.scope.area, asked.scope.type, asked.scope.region) == (
        world.unit.pk,
        world.area.pk,
        None,
        None,
    )
    assert asked.address == f"/overview/?unit={world.unit.pk}&area={world.area.pk}"
    assert asked_overview(QueryDict(f"unit={other.pk}"), world.lead, TODAY).scope.unit is None


def test_units_lie_below_the_one_they_are_part_of(world: World) -> None:
    below = UnitFactory(parent=world.unit, name="A workshop")
    lead = type(world.lead).objects.get(pk=world.lead.pk)

    [chip, period, *_others] = asked_overview(QueryDict(f"unit={below.pk}"), lead, TODAY).chips()

    assert (chip.shown, chip.is_set) == ("A workshop", True)
    assert [(one.label, one.depth, one.is_current) for one in chip.options] == [
        ("All units", 0, False),
        (world.unit.name, 0, False),
        ("A workshop", 1, True),
    ]
    assert [one.label for one in period.options] == [
        "Year 2026",
        "Year 2025",
        "Academic year 2026/27",
        "Academic year 2025/26",
    ]
    assert period.options[2].address == f"/overview/?unit={below.pk}&period=2026-2027"


# The page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_has_each_chart_with_its_table(language: str, lead: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, make_overview())

    html = lead.get(reverse("overview"), headers={"accept-language": language}).text

    charts = ("chart-months", "chart-contact", "chart-promised", "chart-coming")
    assert [html.count(f'class="chart {name}"') for name in charts] == [1] * len(charts)
    assert html.count('<details class="as-table">') == 4
    assert html.count('class="chart trend"') == 6
    assert " style=" not in html


def test_a_figure_says_how_it_changed_and_what_is_worse(lead: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, make_overview())

    text = plain(lead.get(reverse("overview")).text)

    assert "In force 142 127 a year ago +15" in text
    assert "Delivered of promised 78% 74% a year ago +4 pts" in text
    assert "Overdue 23 31 a year ago −8" in text
    assert "No contact in 180 days 35 29 a year ago +6 worse" in text


def test_an_office_without_agreements_is_told_what_would_be_here(lead: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, empty_overview())

    html = lead.get(reverse("overview")).text

    assert "No agreement is in force yet." in html
    assert reverse("agreement_add") in html
    assert "chart-months" not in html
    assert "chart-contact" not in html
    assert "Agreements that are signed" in html
    assert plain(html).count("–") >= 1  # nothing promised is not 0%


def test_somebody_without_a_role_gets_the_usual_page(world: World, client_of: Callable[[Any], Client]) -> None:
    html = client_of(world.people["nobody"]).get(reverse("overview")).text

    assert "Your account has no role in a unit yet" in html


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_a_fixed_number_of_queries(
    count: int, world: World, lead: Client, django_assert_num_queries: Any
) -> None:
    for _number in range(count):
        agreement = AgreementFactory(unit=world.unit, coordinator=world.coordinator, signed=True)
        waiting = {"agreement": agreement, "unit": world.unit, "due_on": TODAY}
        MilestoneFactory(kind=MilestoneKind.DECISION_DATE, derived_key=f"decision_date:{agreement.pk}", **waiting)
        DemandFactory(unit=world.unit)
    lead.get(reverse("overview"))

    # Seven are of the scope, the saved views and the decisions, four of every page, the others of the figures.
    with django_assert_num_queries(27):
        lead.get(reverse("overview"))


# Decisions


def decision_date(world: World, due_on: dt.date, **more: Any) -> Milestone:
    agreement = AgreementFactory(unit=world.unit, coordinator=world.coordinator, signed=True, **more)
    key = f"decision_date:{agreement.pk}"
    return MilestoneFactory(
        agreement=agreement, unit=world.unit, kind=MilestoneKind.DECISION_DATE, derived_key=key, due_on=due_on
    )


def rows_of(address: str, person: Any) -> int:
    """Return how many rows the list at an address shows a person."""
    parts = urlsplit(address)
    key = {reverse(name): name for name in LISTS if not name.startswith("admin")}[parts.path]
    data = QueryDict(parts.query)
    return LISTS[key](data, user=person, today=timezone.localdate()).filterset.qs.count()


@pytest.mark.parametrize("role", ["viewer", "coordinator", "lead", "staff"])
def test_each_count_is_that_of_the_list_it_opens(role: str, world: World) -> None:
    today = timezone.localdate()
    decision_date(world, today + dt.timedelta(days=9))
    decision_date(world, today + dt.timedelta(days=900))
    DemandFactory(unit=world.unit)
    MilestoneFactory(agreement=world.draft, unit=world.unit, kind=MilestoneKind.APPROVAL, derived_key="approval:1")
    person = world.people[role]
    scope = {"unit": str(world.unit.pk)}

    found = pending_decisions(person, scope, today, decide_until=today + dt.timedelta(days=120))

    assert {one.label: one.number for one in found.counts} == {
        "Renew or end": 1,
        "Approve": 1,
        "Ask units": 1,
    }
    assert [rows_of(one.address, person) for one in found.counts] == [one.number for one in found.counts]
    assert found.total == len(found.lines) == 3


def test_the_buttons_are_those_that_the_reader_may_use(world: World) -> None:
    today = timezone.localdate()
    milestone = decision_date(world, today + dt.timedelta(days=9))
    demand = DemandFactory(unit=world.unit)

    def buttons(role: str) -> dict[str, list[str]]:
        found = pending_decisions(world.people[role], {}, today, decide_until=today + dt.timedelta(days=120))
        return {line.key: [button.label for button in line.buttons] for line in found.lines}

    decide, ask = f"milestone-{milestone.pk}", f"demand-{demand.pk}"
    assert buttons("viewer") == {decide: [], ask: []}
    assert buttons("coordinator") == {decide: ["Mark as done"], ask: ["Ask units"]}
    assert buttons("lead") == {decide: ["Renew", "Let end"], ask: ["Ask units"]}
    assert buttons("staff")[decide][0] == "Renew"


def test_a_submitted_proposal_is_counted_once_and_accepted_here(world: World, lead: Client) -> None:
    today = timezone.localdate()
    milestone = decision_date(world, today + dt.timedelta(days=9))
    Milestone.objects.filter(pk=milestone.pk).update(status="submitted", requires_acceptance=True, waits_for="leads")

    found = pending_decisions(world.lead, {}, today, decide_until=today + dt.timedelta(days=120))

    assert found.total == 1
    assert {one.label: one.number for one in found.counts} == {"Renew or end": 1, "Accept": 1}
    [line] = found.lines
    assert [button.label for button in line.buttons] == ["Accept", "Send back"]
    button = line.buttons[0]
    assert button.decision is not None
    answer = lead.post(button.decision.address, {"version": button.decision.version, "on": today.isoformat()})
    assert answer.status_code == 302
    milestone.refresh_from_db()
    assert milestone.status == "met"


def test_the_most_pressing_come_first_and_all_are_shown_on_demand(world: World, lead: Client) -> None:
    today = timezone.localdate()
    for days in range(SHOWN + 3, 0, -1):
        decision_date(world, today + dt.timedelta(days=days))

    found = pending_decisions(world.lead, {}, today, decide_until=today + dt.timedelta(days=120))
    page = lead.get(reverse("overview")).text
    whole = lead.get(reverse("overview"), {"decisions": "all"}).text

    assert [line.day for line in found.lines] == [today + dt.timedelta(days=days) for days in range(1, SHOWN + 1)]
    assert (found.total, all(line.is_soon for line in found.lines)) == (SHOWN + 3, True)
    assert (page.count('class="todo-line"'), whole.count('class="todo-line"')) == (SHOWN, SHOWN + 3)
    assert MOST_SHOWN > SHOWN
    assert "decisions=all#decide" in page


def test_a_decision_says_when_the_agreement_ends(world: World) -> None:
    today = timezone.localdate()
    agreement = AgreementFactory(unit=world.unit, signed=True, title="Joint lab")
    MilestoneFactory(
        agreement=agreement,
        unit=world.unit,
        kind=MilestoneKind.DECISION_DATE,
        derived_key="decision_date:9",
        due_on=today + dt.timedelta(days=9),
    )
    agreement.current_ends_on = dt.date(today.year + 1, 3, 8)
    type(agreement).objects.filter(pk=agreement.pk).update(current_ends_on=agreement.current_ends_on)

    [line] = pending_decisions(world.lead, {}, today, decide_until=today + dt.timedelta(days=120)).lines

    assert line.about == f"Joint lab, ends Mar 8, {today.year + 1}"


# Saved views as tiles


def test_a_saved_view_becomes_a_tile_with_the_number_of_its_list(world: World, lead: Client) -> None:
    saved = SavedView.objects.create(user=world.lead, list="agreement_list", name="Signed ones", query="status=signed")
    other = SavedView.objects.create(user=world.lead, list="demand_list", name="Demands", query="")
    assert "Add a view" in lead.get(reverse("overview")).text

    for one in (saved, other):
        answer = lead.post(reverse("overview_tile", args=[one.pk]))
        assert answer.url == "/overview/#views"
    tiles = view._tiles(list(SavedView.objects.filter(user=world.lead)), world.lead, timezone.localdate())

    assert {tile.view.name: tile.count for tile in tiles} == {"Signed ones": 1, "Demands": 1}
    assert all(tile.count == rows_of(tile.address, world.lead) for tile in tiles)
    lead.post(reverse("overview_tile", args=[saved.pk]), {"remove": "yes"})
    assert SavedView.objects.get(pk=saved.pk).is_on_overview is False


def test_all_tiles_are_counted_in_one_query_and_those_of_the_administration_have_no_number(world: World) -> None:
    for number in range(3):
        SavedView.objects.create(user=world.lead, list="agreement_list", name=f"View {number}", query="status=signed")
    SavedView.objects.create(user=world.lead, list="admin:partnerships_unit_changelist", name="Units", query="")
    views = list(SavedView.objects.filter(user=world.lead))
    assert world.lead.scope.roles

    with CaptureQueriesContext(connection) as queries:
        tiles = view._tiles(views, world.lead, timezone.localdate())

    assert len(queries) == 1
    assert [tile.count for tile in tiles if tile.view.name == "Units"] == [None]


def test_eight_tiles_are_enough_and_those_of_others_are_not_mine(world: World, lead: Client) -> None:
    for number in range(9):
        SavedView.objects.create(
            user=world.lead, list="agreement_list", name=f"View {number}", is_on_overview=number < 8
        )
    theirs = SavedView.objects.create(user=world.coordinator, list="agreement_list", name="Mine")

    last = SavedView.objects.get(name="View 8")
    page = lead.post(reverse("overview_tile", args=[last.pk]), follow=True).text

    assert "Eight saved views are enough" in page
    assert SavedView.objects.get(pk=last.pk).is_on_overview is False
    assert lead.post(reverse("overview_tile", args=[theirs.pk])).status_code == 404
    assert lead.get(reverse("overview_tile", args=[last.pk])).status_code == 405


# The file


def test_the_file_has_a_sheet_for_each_chart_with_numbers_as_numbers(
    lead: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(monkeypatch, make_overview())

    answer = lead.get(reverse("overview_tables"))
    book = load_workbook(io.BytesIO(answer.content))

    assert answer["Content-Disposition"] == 'attachment; filename="overview-2026-11-29.xlsx"'
    assert answer["Cache-Control"] == "private, no-store"
    assert book.sheetnames == [
        "Key figures",
        "By month",
        "By unit",
        "Promised and delivered",
        "Next 12 months",
        "Load by person",
        "By region",
    ]
    assert [cell.value for cell in book["By region"][2]] == ["Yuecheng", 34, 31]
    assert [cell.value for cell in book["Promised and delivered"][2]] == ["Mechanical", "Training", 31, 34]
