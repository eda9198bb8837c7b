"""The calendar: what stands on which day for whom, its filters, its cost, its keys."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    DAY,
    ActivityFactory,
    CalendarDayFactory,
    ContactFactory,
    EventFactory,
    MilestoneFactory,
    WorkCalendarFactory,
)
from partnerships.lists.cells import partner_names
from partnerships.models import CalendarDay, Milestone
from partnerships.views.calendar import SHOWN
from tests.views.test_lists import more_of_everything
from tests.views.world import World, make_world

# Session, person, scope (2), choices (2), events, activities, milestones, the unit with its working days.
QUERIES = 13
AGENDA_QUERIES = 15


def days(client: Client, **query: str) -> dict[dt.date, Any]:
    page = client.get(reverse("calendar"), query)
    return {day.date: day for week in page.context["weeks"] for day in week}


def titles(client: Client, **query: str) -> list[str]:
    """In the order of the days, of the month that is shown."""
    return [str(entry.row) for day in days(client, **query).values() for entry in day.entries if not day.is_beside]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_month_costs_the_same_for_one_row_and_three(
    rows: int, world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    more_of_everything(world, rows - 1)
    client = client_of(world.coordinator)
    client.get(reverse("calendar"))

    with django_assert_num_queries(QUERIES):
        page = client.get(reverse("calendar"))

    assert page.text.count("More ") >= rows - 1


@pytest.mark.parametrize("rows", [1, 3])
def test_a_day_costs_the_same_for_one_row_and_three(
    rows: int, world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    EventFactory(unit=world.unit, starts_on=DAY)
    MilestoneFactory.create_batch(rows, agreement=world.agreement, due_on=DAY)
    ActivityFactory.create_batch(rows, agreement=world.agreement, starts_on=DAY)
    client = client_of(world.coordinator)

    with django_assert_num_queries(10):
        page = client.get(reverse("calendar"), {"day": DAY.isoformat()})

    assert len(page.context["entries"]) >= 1 + 2 * rows


def test_weeks_start_on_monday_and_have_their_number(world: World, client_of: Callable[[Any], Client]) -> None:
    page = client_of(world.coordinator).get(reverse("calendar"), {"month": "2027-01"})
    weeks = page.context["weeks"]

    assert {len(week) for week in weeks} == {7}
    assert weeks[0][0].date == dt.date(2026, 12, 28)
    assert weeks[-1][-1].date == dt.date(2027, 1, 31)
    assert '<th scope="row" class="week number">53</th>' in page.text


def test_each_stands_on_its_day(world: World, client_of: Callable[[Any], Client]) -> None:
    first = dt.date(2027, 5, 3)
    EventFactory(unit=world.unit, name="Fair", starts_on=first, ends_on=first + dt.timedelta(days=2))
    ActivityFactory(agreement=world.agreement, title="Visit", starts_on=first)
    ActivityFactory(agreement=world.agreement, title="Not held", starts_on=first, cancelled=True)
    MilestoneFactory(agreement=world.agreement, title="Report", due_on=first + dt.timedelta(days=1))
    MilestoneFactory(agreement=world.agreement, title="Not needed", due_on=first, waived=True)

    assert titles(client_of(world.coordinator), month="2027-05") == ["Fair", "Visit", "Fair", "Report", "Fair"]


def test_an_activity_is_not_said_twice_on_the_day_it_starts(world: World, client_of: Callable[[Any], Client]) -> None:
    visit = ActivityFactory(agreement=world.agreement, title="Visit", starts_on=dt.date(2027, 5, 3))
    for kind, day in (("starting_activity", 3), ("unfinished_activity", 5)):
        MilestoneFactory(agreement=world.agreement, activity=visit, kind=kind, title=kind, due_on=dt.date(2027, 5, day))

    assert titles(client_of(world.coordinator), month="2027-05") == ["Visit", "unfinished_activity"]


def test_a_full_day_opens_all_of_it(world: World, client_of: Callable[[Any], Client]) -> None:
    due_on = dt.date(2027, 5, 3)
    made = MilestoneFactory.create_batch(SHOWN + 2, agreement=world.agreement, due_on=due_on)
    client = client_of(world.coordinator)

    day = days(client, month="2027-05")[due_on]
    page = client.get(reverse("calendar"), {"day": "2027-05-03"})

    assert (len(day.entries), day.more) == (SHOWN, 2)
    assert "2 more" in client.get(reverse("calendar"), {"month": "2027-05"}).text
    assert [entry.row for entry in page.context["entries"]] == made


def test_the_pages_of_a_day_share_its_rows_out(
    world: World, client_of: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partnerships.views.calendar.PAGE_SIZE", 2)
    made = MilestoneFactory.create_batch(3, agreement=world.agreement, due_on=dt.date(2027, 5, 3))
    visit = ActivityFactory(agreement=world.agreement, starts_on=dt.date(2027, 5, 3))
    client = client_of(world.coordinator)

    pages = [client.get(reverse("calendar"), {"day": "2027-05-03", "page": number}) for number in (1, 2)]

    assert [[entry.row for entry in page.context["entries"]] for page in pages] == [[visit, made[0]], made[1:]]


def test_the_calendar_is_filtered_by_kind_and_person_and_unit(world: World, client_of: Callable[[Any], Client]) -> None:
    common = {"agreement": world.agreement, "owner": world.coordinator}
    EventFactory(unit=world.unit, name="Fair", starts_on=dt.date(2027, 5, 3))
    ActivityFactory(title="Visit", starts_on=dt.date(2027, 5, 3), **common)
    MilestoneFactory(title="Report", due_on=dt.date(2027, 5, 4), agreement=world.agreement, owner=world.lead)
    client = client_of(world.lead)

    assert titles(client, month="2027-05", kind="activity") == ["Visit"]
    assert titles(client, month="2027-05", kind="event") == ["Fair"]
    assert titles(client, month="2027-05", owner=str(world.coordinator.pk)) == ["Visit"]
    assert titles(client, month="2027-05", mine="yes") == ["Report"]
    assert titles(client, month="2027-05", unit=str(world.unit.pk)) == ["Fair", "Visit", "Report"]
    assert titles(client, month="2027-05", q="rep") == ["Report"]


def test_the_other_units_rows_are_not_there(world: World, client_of: Callable[[Any], Client]) -> None:
    south = make_world("South")
    on = dt.date(2027, 5, 3)
    for here in (world, south):
        MilestoneFactory(agreement=here.agreement, title=f"{here.name} report", due_on=on)
        ActivityFactory(agreement=here.agreement, title=f"{here.name} visit", starts_on=on)

    assert titles(client_of(world.coordinator), month="2027-05") == ["North visit", "North report"]
    page = client_of(world.coordinator).get(reverse("calendar"), {"day": "2027-05-03"})
    assert [str(entry.row) for entry in page.context["entries"]] == ["North visit", "North report"]


@pytest.mark.parametrize(
    "query",
    [{"month": "2026-13"}, {"month": "26-3"}, {"day": "2026-02-30"}, {"month": "0001-01"}, {"day": "9999-12-31"}],
)
def test_what_is_no_day_is_said_and_the_filters_kept(
    query: dict[str, str], world: World, client_of: Callable[[Any], Client]
) -> None:
    page = client_of(world.coordinator).get(reverse("calendar"), query | {"mine": "yes"})

    assert page.context["month"] == DAY.replace(day=1)
    assert "The address names no month or day we know" in page.text
    assert [chip.label for chip in page.context["filterset"].active] == ["Only mine"]


def test_a_bad_filter_and_an_unknown_one_are_named(world: World, client_of: Callable[[Any], Client]) -> None:
    page = client_of(world.coordinator).get(reverse("calendar"), {"kind": "bogus", "colour": "red", "mine": "yes"})

    assert page.status_code == 200
    assert "bogus is not one of the available choices." in page.text
    assert "“colour” is not a filter of this list" in page.text


@pytest.mark.parametrize(("month", "missing"), [("1900-01", "previous"), ("2199-12", "next")])
def test_there_is_no_way_out_of_the_years_we_know(
    month: str, missing: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    page = client_of(world.coordinator).get(reverse("calendar"), {"month": month})

    assert page.status_code == 200
    assert page.context[missing] is None


def test_holidays_and_worked_weekends_are_marked(world: World, client_of: Callable[[Any], Client]) -> None:
    world.unit.work_calendar = WorkCalendarFactory(covered_until=dt.date(2027, 5, 10))
    world.unit.save()
    common = {"calendar": world.unit.work_calendar}
    CalendarDayFactory(day=dt.date(2027, 5, 3), name="Labor Day", **common)
    CalendarDayFactory(day=dt.date(2027, 5, 8), is_workday=True, **common)
    found = days(client_of(world.coordinator), month="2027-05")

    assert [(found[dt.date(2027, 5, day)].is_off, found[dt.date(2027, 5, day)].holiday) for day in (3, 4, 8, 9)] == [
        (True, "Labor Day"),
        (False, ""),
        (False, ""),
        (True, ""),
    ]
    assert found[dt.date(2027, 5, 8)].is_worked_weekend is True
    page = client_of(world.coordinator).get(reverse("calendar"), {"month": "2027-05"})
    assert page.context["guessed_after"] == dt.date(2027, 5, 10)


def test_late_and_done_are_told_apart(world: World, client_of: Callable[[Any], Client]) -> None:
    late = MilestoneFactory(agreement=world.agreement, title="Late", due_on=DAY - dt.timedelta(days=1))
    met = MilestoneFactory(agreement=world.agreement, title="Met", met=True, due_on=DAY - dt.timedelta(days=1))
    client = client_of(world.coordinator)

    page = client.get(reverse("calendar"), {"day": late.due_on.isoformat(), "kind": "milestone", "q": ""})
    shown = {str(entry.row): (entry.is_late, entry.is_done) for entry in page.context["entries"]}

    assert (shown["Late"], shown["Met"]) == ((True, False), (False, True))
    assert met in Milestone.objects.all()


class TestInABrowser:
    @pytest.fixture
    def milestone(self, world: World) -> Milestone:
        CalendarDay.objects.all().delete()
        today = timezone.localdate()
        return MilestoneFactory(agreement=world.agreement, owner=world.coordinator, title="Report", due_on=today)

    @pytest.mark.parametrize(("width", "has_scripts"), [(390, False), (390, True), (1440, True)])
    def test_from_the_month_to_the_milestone_and_on(
        self, width: int, has_scripts: bool, milestone: Milestone, open_page: Callable[..., Any]
    ) -> None:
        page = open_page(reverse("calendar"), milestone.owner, width=width, has_scripts=has_scripts)

        page.get_by_role("link", name=re.compile("Milestone: .* Report")).click()
        page.wait_for_url("**" + milestone.get_absolute_url())
        page.go_back()
        page.get_by_role("link", name="Next").click()
        page.wait_for_url("**month=*")
        page.get_by_role("link", name="Today").click()
        page.locator("[aria-current=date]").click()
        page.wait_for_url("**day=*")

        assert page.get_by_role("link", name="Report").count() == 1

    def test_arrows_move_between_the_days(self, milestone: Milestone, open_page: Callable[..., Any]) -> None:
        page = open_page(reverse("calendar") + "?month=2027-05", milestone.owner)

        page.get_by_role("link", name="Monday May 10").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        reached = page.evaluate("document.activeElement.querySelector('time').dateTime")
        page.keyboard.press("PageDown")
        page.wait_for_url("**month=2027-06**")

        assert reached == "2027-05-18"


def test_the_agenda_names_partners_and_whom_to_call(
    world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    Milestone.objects.all().delete()
    ContactFactory(organization=world.enterprise, name="Li Call", phone="0571-1")
    for number in range(3):
        MilestoneFactory(
            agreement=world.agreement,
            kind="next_contact",
            title=f"Get in touch {number}",
            due_on=DAY + dt.timedelta(days=number),
        )
    client = client_of(world.coordinator)
    client.get(reverse("calendar"), {"view": "agenda"})

    with django_assert_num_queries(AGENDA_QUERIES):
        page = client.get(reverse("calendar"), {"view": "agenda"})

    [(_first, shown)] = page.context["months"]
    text = unescape(page.text)
    assert [str(entry.row) for day in shown for entry in day.entries if entry.kind == "milestone"] == [
        "Get in touch 0",
        "Get in touch 1",
        "Get in touch 2",
    ]
    assert (partner_names(world.agreement) in text, "tel:0571-1" in text) == (True, True)


def test_a_quarter_shows_three_months_and_turns_by_three(world: World, client_of: Callable[[Any], Client]) -> None:
    for month in (5, 6, 7, 8):
        MilestoneFactory(agreement=world.agreement, title=f"In {month}", due_on=dt.date(2027, month, 3))

    page = client_of(world.coordinator).get(reverse("calendar"), {"view": "quarter", "month": "2027-05"})

    shown = [[str(entry.row) for day in days for entry in day.entries] for _first, days in page.context["months"]]
    assert shown == [["In 5"], ["In 6"], ["In 7"]]
    assert (page.context["previous"], page.context["next"]) == (dt.date(2027, 2, 1), dt.date(2027, 8, 1))
