"""Each figure of the overview has a definition."""

from dataclasses import fields
from typing import Any

import pytest

from partnerships.factories import UserFactory
from partnerships.reports.definitions import DEFINITIONS
from partnerships.reports.overview import FigureScope, Overview, overview
from tests.reports.random_office import PERIODS, TODAY

# Said by another one: the parts of a month, and what tells which figures these are.
NOT_DEFINED = {"period", "scope", "day", "decide_until", "key_figures", "months", "areas", "are_promises_counted"}
SAID_BY = {"unowned": "unassigned"}


@pytest.mark.django_db
def test_each_figure_has_a_definition() -> None:
    found: Any = overview(UserFactory(staff=True), FigureScope(), PERIODS[0], today=TODAY)
    names = {SAID_BY.get(field.name, field.name) for field in fields(Overview)} - NOT_DEFINED
    names |= {figure.key for figure in found.key_figures} | {"signed", "ended", "activities"}

    assert names - DEFINITIONS.keys() == set()
    assert all(str(one.text).endswith(".") for one in DEFINITIONS.values())
