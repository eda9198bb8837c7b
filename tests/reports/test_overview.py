"""The overview's figures, against the lists they open and against slow counts, in offices made at random."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import pytest
from django.http import QueryDict
from django.utils.http import urlencode

from partnerships.lists import LISTS
from partnerships.models import Agreement, Milestone
from partnerships.reports.overview import (
    FigureScope,
    ListedCount,
    Overview,
    PromisedFigures,
    ReportPeriod,
    overview,
)
from partnerships.reports.trends import month_ends
from tests.reports.random_office import FIRST, PERIODS, TODAY, RandomOffice, is_in_force, is_pending

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

# Six of these read the promises.
QUERIES = 17


def listed_counts(value: Any, path: str = "") -> Iterator[tuple[str, ListedCount]]:
    """All counts of an overview but deliveries, of which one row of a list may stand for several."""
    if isinstance(value, ListedCount):
        yield path, value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from listed_counts(one, f"{path}.{name}")
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from listed_counts(one, f"{path}[{n}]")
    elif is_dataclass(value) and not isinstance(value, PromisedFigures) and getattr(value, "key", "") != "delivered":
        for one in fields(value):
            yield from listed_counts(getattr(value, one.name), f"{path}.{one.name}")


def rows_listed(count: ListedCount, user: Any) -> Any:
    found = LISTS[count.list](QueryDict(urlencode(count.query)), user=user, today=TODAY)
    assert not found.has_problems, (count, found.filterset.form.errors, found.filterset.unknown)
    return found.filterset.qs


@pytest.mark.parametrize("seed", range(3))
def test_each_number_is_the_length_of_the_list_it_opens(seed: int) -> None:
    office = RandomOffice(seed)
    chance = random.Random(seed)
    cases = [(role, scope, period) for role in office.users for scope in office.scopes() for period in PERIODS]
    tried = 0
    for role, scope, period in chance.sample(cases, 10):
        user = office.users[role]
        if scope.unit is not None and not (user.sees_all_units or scope.unit in user.scope.unit_ids):
            continue
        found = overview(user, scope, period, today=TODAY)
        all_counts = dict(listed_counts(found))
        names = {name for name in all_counts if ".months[" not in name or chance.random() < 0.03}
        for name in sorted(names):
            tried += 1
            listed = rows_listed(all_counts[name], user).count()
            assert all_counts[name].value == listed, (seed, role, scope, period, name, all_counts[name])
    assert tried > 200


@pytest.mark.parametrize("seed", range(2))
def test_the_headline_adds_up(seed: int) -> None:
    office = RandomOffice(seed)
    for role in office.users:
        found = overview(office.users[role], FigureScope(), PERIODS[0], today=TODAY)
        assert found.in_contact.value + found.without_contact.value == found.in_force.value
        assert sum(unit.in_force.value for unit in found.units) == found.in_force.value
        for unit in found.units:
            assert sum(bucket.value for bucket in unit.contact) == unit.in_force.value
        assert sum(bucket.value for unit in found.units for bucket in unit.contact[3:]) == found.without_contact.value


@pytest.mark.parametrize("seed", range(2))
def test_in_force_on_each_day_is_what_the_records_say(seed: int) -> None:
    RandomOffice(seed)
    agreements = list(Agreement.objects.prefetch_related("terms", "past_suspensions"))
    chance = random.Random(seed)
    edges = {day for agreement in agreements for day in edges_of(agreement)}
    for day in chance.sample(sorted(edges), 25):
        in_force = {agreement.pk for agreement in agreements if is_in_force(agreement, day)}
        assert set(Agreement.objects.in_force(day).values_list("pk", flat=True)) == in_force, day


def edges_of(agreement: Agreement) -> set[dt.date]:
    """The days on which the answer may change, those before and those after."""
    columns = ("signed_on", "suspended_on", "resumed_on", "completed_on", "terminated_on")
    days = [getattr(agreement, column) for column in columns]
    days += [day for term in agreement.terms.all() for day in (term.starts_on, term.ends_on, term.renews_until)]
    return {day + dt.timedelta(days=n) for day in days if day for n in (-1, 0, 1)}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("period", [PERIODS[0], PERIODS[3]])
def test_trends_are_the_state_at_the_end_of_each_month(seed: int, period: ReportPeriod) -> None:
    office = RandomOffice(seed)
    user = office.users["viewer"]
    found = overview(user, FigureScope(), period, today=TODAY)
    figures = {figure.key: figure for figure in found.key_figures}
    days = month_ends(found.day)
    seen = Agreement.objects.visible_to(user).prefetch_related("terms", "past_suspensions")
    for key, query in (("in_force", {"in_force": "yes"}), ("without_contact", {"quiet": "yes"})):
        for day, value in zip(days, figures[key].trend, strict=True):
            count = ListedCount(0, "agreement_list", {**query, "as_of": day.isoformat()})
            assert value in {None, rows_listed(count, user).count()}, (key, day)
        assert figures[key].trend[-1] == figures[key].count.value
        assert figures[key].trend.count(None) < 12
    in_force = [sum(is_in_force(agreement, day) for agreement in seen) for day in days]
    assert [count for count in figures["in_force"].trend if count is not None] == in_force
    milestones = list(Milestone.objects.visible_to(user))
    late = [sum(is_pending(one, day) and one.due_on < day for one in milestones) for day in days]
    assert figures["overdue"].trend == late
    year_ago = dt.date(found.day.year - 1, found.day.month, found.day.day)
    assert figures["in_force"].year_ago == sum(is_in_force(agreement, year_ago) for agreement in seen)
    assert figures["signed"].year_ago == sum(
        period.previous.starts_on <= one.signed_on <= year_ago for one in seen if one.signed_on
    )
    assert min(one.signed_on for one in seen if one.signed_on) >= FIRST


def test_queries_do_not_grow_with_rows(django_assert_num_queries: Any) -> None:
    office = RandomOffice(1, agreements=8)
    for role in ("office", "viewer"):
        user = office.users[role]
        figures = partial(overview, user, FigureScope(), PERIODS[0], today=TODAY)
        figures()  # the units of a role are read once
        with django_assert_num_queries(QUERIES):
            figures()
    RandomOffice(2)
    with django_assert_num_queries(QUERIES):
        found: Overview = overview(office.users["office"], FigureScope(), PERIODS[0], today=TODAY)
    assert found.in_force.value > 8
