"""The life line of an agreement: its points in order, and labels that do not cover each other."""

import datetime as dt
from typing import Any

import pytest

from partnerships.factories import AgreementFactory, ContactNoteFactory
from partnerships.models import Agreement, AgreementTerm
from partnerships.models.terms import running_period
from partnerships.reports.life_line import LifeLine, life_line

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 30)
SIGNED, ENDS = dt.date(2026, 1, 23), dt.date(2029, 1, 22)


def drawn(agreement: Agreement, **term: Any) -> LifeLine | None:
    terms = [AgreementTerm(agreement=agreement, number=1, starts_on=SIGNED, **term)] if term else []
    period = running_period(terms, TODAY)
    decision = terms[0].decision_date(lambda day: day.weekday() < 5) if terms and terms[0].ends_on else None
    return life_line(agreement, terms, period, decision, TODAY)


def agreement(**columns: Any) -> Agreement:
    return AgreementFactory(**{"signed_on": SIGNED, "status": "signed"} | columns)


def names(line: LifeLine | None) -> list[str]:
    assert line is not None
    return [point.name for point in line.points]


def test_the_dates_of_a_running_agreement_stand_in_their_order() -> None:
    row = agreement()
    ContactNoteFactory(agreement=row, happened_on=dt.date(2026, 5, 1))

    line = drawn(row, ends_on=ENDS, notice=3, lead_days=30)

    assert line is not None
    assert names(line) == ["signed", "today", "decide", "notice", "end"]
    assert [point.words for point in line.points if point.name == "today"] == ["month 11 of 36"]
    assert (line.done, len(line.contacts), line.is_open_ended) == ("28.40%", 1, False)
    assert all(point.row for point in line.points)


def test_a_label_that_has_no_room_is_left_to_the_list() -> None:
    line = drawn(agreement(status="suspended", suspended_on=TODAY), ends_on=dt.date(2027, 6, 1), notice=1, lead_days=9)

    assert line is not None
    assert [point.name for point in line.points if not point.row] != []
    assert len({(point.row, point.x, point.anchor) for point in line.points if point.row}) >= 4


@pytest.mark.parametrize(
    ("columns", "term", "expected"),
    [
        ({}, {"review_on": dt.date(2027, 1, 2)}, ["signed", "today", "review"]),
        ({"status": "completed", "completed_on": dt.date(2026, 10, 2)}, {"ends_on": ENDS}, ["signed", "closed", "end"]),
        (
            {"status": "suspended", "suspended_on": TODAY},
            {"ends_on": ENDS},
            ["signed", "suspended", "today", "decide", "notice", "end"],
        ),
        ({"signed_on": None, "status": "draft"}, {"ends_on": ENDS}, ["start", "decide", "notice", "end"]),
        ({"signed_precision": "unknown"}, {"review_on": ENDS, "starts_precision": "unknown"}, ["today", "review"]),
    ],
)
def test_each_kind_of_agreement_has_its_points(columns: Any, term: Any, expected: list[str]) -> None:
    assert set(names(drawn(agreement(**columns), **term))) | {"notice"} == {*expected, "notice"}


def test_a_draft_without_a_term_has_no_line() -> None:
    assert drawn(agreement(signed_on=None, status="draft")) is None


def test_a_month_is_not_called_its_first_day() -> None:
    line = drawn(agreement(signed_precision="month"), ends_on=ENDS)

    assert line is not None
    assert (line.points[0].words, line.points[0].is_rough) == ("January 2026", True)
