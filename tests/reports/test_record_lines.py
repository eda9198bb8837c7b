"""The life lines of records other than agreements."""

import datetime as dt

import pytest

from partnerships.factories import DAY, DemandFactory, FacilityFactory, HonourFactory, ProgrammeFactory
from partnerships.models import ProgrammeTarget
from partnerships.reports.life_line import LifeLine
from partnerships.reports.record_lines import demand_line, facility_line, honour_line, programme_line

pytestmark = pytest.mark.django_db


def days(number: int) -> dt.date:
    return DAY + dt.timedelta(days=number)


def named(line: LifeLine | None) -> list[str]:
    return [point.label for point in line.points] if line else []


def test_an_open_demand_runs_to_its_deadline_and_a_closed_one_to_its_end() -> None:
    demand = DemandFactory(released_on=days(-30), deadline_on=days(10))
    assert named(demand_line(demand, DAY)) == ["Released", "Today", "Deadline"]

    demand.asked_on, demand.closed_on = days(-20), days(-5)

    line = demand_line(demand, DAY)
    assert named(line) == ["Released", "Units asked", "No match"]
    assert line is not None
    assert line.done == "100.00%"


def test_a_facility_shows_its_agreed_start_only_where_it_opened_later() -> None:
    facility = FacilityFactory(starts_on=days(-100), ends_on=days(100))
    facility.opened_on = days(-90)
    assert named(facility_line(facility, DAY)) == ["Agreed from", "Opened", "Today", "Agreed until"]

    facility.starts_on, facility.closed_on = days(-90), days(-1)

    assert named(facility_line(facility, DAY)) == ["Opened", "Closed"]


def test_a_line_needs_two_dates() -> None:
    honour = HonourFactory(granted_on=days(-50), valid_until=None)
    assert honour_line(honour, DAY) is None

    honour.valid_until = days(50)

    assert named(honour_line(honour, DAY)) == ["Granted", "Today", "Valid until"]
    assert programme_line(ProgrammeFactory(starts_on=days(-9)), [], DAY) is None


def test_a_programme_shows_the_days_of_its_targets() -> None:
    programme = ProgrammeFactory(starts_on=days(-100), ends_on=days(100))
    target = ProgrammeTarget(programme=programme, measure="events", value=4, by_on=days(20))

    labels = named(programme_line(programme, [target], DAY))

    assert [labels[0], labels[1], labels[-1]] == ["Start", "Today", "End"]
    assert labels[2].startswith("Target: 4")
