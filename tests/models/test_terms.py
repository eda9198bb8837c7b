"""The arithmetic of terms and their renewals; no database."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.dates import add_months, is_weekday, last_day_of, whole_months
from partnerships.models import AgreementTerm
from partnerships.models.terms import automatic_renewals, running_period
from partnerships.partial_dates import PartialDate, Precision

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31))
MONTHS = st.integers(1, 120)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def term(starts_on: str, ends_on: str, **more: Any) -> AgreementTerm:
    return AgreementTerm(**{"number": 1, "starts_on": day(starts_on), "ends_on": day(ends_on), **more})


def renewing(starts_on: str, ends_on: str, **more: Any) -> AgreementTerm:
    return term(starts_on, ends_on, renewal="automatic", **more)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2021-03-01", "2026-02-28", 60),
        ("2021-03-01", "2026-03-01", 60),
        ("2025-11-01", "2026-11-20", 12),
        ("2024-01-31", "2024-02-28", 1),
        ("2023-08-31", "2024-02-28", 6),
        ("2024-02-29", "2028-02-28", 48),
        ("2026-01-01", "2026-01-30", 0),
    ],
)
def test_the_whole_months_of_a_term(first: str, last: str, months: int) -> None:
    assert whole_months(day(first), day(last)) == months


@given(first=DAYS, months=MONTHS)
def test_a_term_of_so_many_months_has_so_many_whole_months(first: dt.date, months: int) -> None:
    assert whole_months(first, last_day_of(first, months)) == months
    assert last_day_of(first, months) + dt.timedelta(days=1) == add_months(first, months)


@pytest.mark.parametrize(
    ("today", "running"),
    [
        ("2026-11-20", (1, "2025-11-01", "2026-11-20")),
        ("2026-11-21", (2, "2026-11-21", "2027-11-20")),
        ("2026-11-29", (2, "2026-11-21", "2027-11-20")),
        ("2031-06-01", (6, "2030-11-21", "2031-11-20")),
    ],
)
def test_an_automatic_renewal_runs_by_the_calendar(today: str, running: tuple[int, str, str]) -> None:
    found = running_period([renewing("2025-11-01", "2026-11-20", notice=2)], day(today))
    assert found is not None
    assert found.ends_on is not None
    assert (found.number, found.starts_on.isoformat(), found.ends_on.isoformat()) == running


def test_three_years_then_two_years_at_a_time() -> None:
    three_years = renewing("2020-09-01", "2023-08-31", renewal_months=24)
    found = running_period([three_years], day("2026-11-29"))
    assert found is not None
    assert (found.number, found.starts_on, found.ends_on) == (3, day("2025-09-01"), day("2027-08-31"))


@pytest.mark.parametrize("renewal", ["none", "agreed"])
def test_other_terms_end(renewal: str) -> None:
    found = running_period([term("2020-09-01", "2023-08-31", renewal=renewal)], day("2026-11-29"))
    assert found is not None
    assert (found.number, found.has_ended(day("2026-11-29"))) == (1, True)


def test_renewals_end_after_the_last_that_was_agreed() -> None:
    twice = renewing("2020-01-01", "2020-12-31", renewal_limit=2)
    renewals = automatic_renewals([twice])
    assert renewals is not None
    assert renewals.until == day("2022-12-31")
    found = running_period([twice], day("2026-11-29"))
    assert found is not None
    assert (found.number, found.ends_on, found.has_ended(day("2026-11-29"))) == (3, day("2022-12-31"), True)


@pytest.mark.parametrize(
    ("given_on", "until"),
    [
        ("2026-09-20", "2026-11-20"),  # the last day on which it is in time
        ("2026-09-21", "2027-11-20"),  # a day late: the next renewal comes all the same
        ("2027-10-01", "2028-11-20"),
    ],
)
def test_notice_ends_the_period_that_it_is_in_time_for(given_on: str, until: str) -> None:
    noticed = renewing("2025-11-01", "2026-11-20", notice=2, notice_given_on=day(given_on))
    renewals = automatic_renewals([noticed])
    assert renewals is not None
    assert renewals.until == day(until)


def test_renewals_on_record_go_on_from_the_first_end() -> None:
    terms = [renewing("2023-02-01", "2023-08-31", renewal_months=6)]
    for number, (first, last) in enumerate([("2023-09-01", "2024-02-29"), ("2024-03-01", "2024-08-31")], start=2):
        terms.append(renewing(first, last, renewal_months=6, number=number, basis="tacit"))
    found = running_period(terms, day("2025-01-01"))
    assert found is not None
    assert (found.number, found.starts_on, found.ends_on) == (4, day("2024-09-01"), day("2025-02-28"))
    following = running_period(terms, day("2025-03-01"))
    assert following is not None
    assert following.ends_on == day("2025-08-31")


def test_an_end_entered_by_hand_begins_a_new_count() -> None:
    terms = [
        renewing("2023-01-01", "2023-12-31", renewal_limit=3),
        renewing("2024-01-01", "2025-06-30", number=2, basis="tacit", renewal_months=12, renewal_limit=3),
    ]
    renewals = automatic_renewals(terms)
    assert renewals is not None
    assert (renewals.until, renewals.elapsed(day("2026-01-01"))[0].ends_on) == (day("2027-06-30"), day("2026-06-30"))


@given(
    first=DAYS,
    length=MONTHS,
    renewal_months=st.none() | MONTHS,
    limit=st.none() | st.integers(1, 8),
    recorded=st.integers(0, 5),
    today=DAYS,
)
def test_five_periods_in_any_calendar(
    first: dt.date, length: int, renewal_months: int | None, limit: int | None, recorded: int, today: dt.date
) -> None:
    """Each period ends so many lengths after the first end, the next begins on the day after, and recording changes nothing."""
    start = AgreementTerm(
        number=1,
        starts_on=first,
        ends_on=last_day_of(first, length),
        renewal="automatic",
        renewal_months=renewal_months,
        renewal_limit=limit,
    )
    renewals = automatic_renewals([start])
    assert renewals is not None
    assert start.ends_on is not None
    months, times = renewal_months or length, [n for n in range(1, 6) if limit is None or n <= limit]
    periods = [renewals.period(n) for n in times]
    assert [period.ends_on for period in periods] == [add_months(start.ends_on, n * months) for n in times]
    ends: list[Any] = [start.ends_on, *(period.ends_on for period in periods)]
    assert [period.starts_on for period in periods] == [end + dt.timedelta(days=1) for end in ends[:-1]]

    conditions = {"renewal": "automatic", "renewal_months": renewal_months, "renewal_limit": limit, "basis": "tacit"}
    terms = [start] + [
        AgreementTerm(number=period.number, starts_on=period.starts_on, ends_on=period.ends_on, **conditions)
        for period in periods[:recorded]
    ]
    after, before = running_period(terms, today), running_period([start], today)
    assert after is not None
    assert before is not None
    if today > terms[-1].starts_on:
        assert (after.number, after.starts_on, after.ends_on) == (before.number, before.starts_on, before.ends_on)
    decision = start.decision_date(is_weekday, before.ends_on)
    assert decision is not None
    assert decision.decide_on.weekday() < 5
    assert decision.decide_on <= decision.lead_from <= decision.notice_by <= decision.ends_on


@given(
    first=DAYS,
    length=MONTHS,
    notice=st.integers(0, 24),
    notice_unit=st.sampled_from(AgreementTerm.NoticeUnit.values),
    lead_days=st.integers(0, 60),
    precision=st.sampled_from([Precision.DAY, Precision.MONTH, Precision.YEAR]),
    turned=st.sets(st.integers(0, 120), max_size=40),
)
def test_decisions_of_five_periods_fall_on_the_last_working_day_in_time(
    first: dt.date, length: int, notice: int, notice_unit: str, lead_days: int, precision: Precision, turned: set[int]
) -> None:
    """``turned`` days before the last in time are holidays instead of weekdays, or make-up workdays of a weekend."""
    row = AgreementTerm(
        number=1,
        starts_on=first,
        ends_on=PartialDate(last_day_of(first, length), precision).last,
        ends_precision=precision,
        renewal="automatic",
        renewal_months=length,
        notice=notice,
        notice_unit=notice_unit,
        lead_days=lead_days,
    )
    renewals = automatic_renewals([row])
    assert renewals is not None
    for period in (renewals.period(times) for times in range(1, 6)):
        assert period.ends_on is not None
        earliest = PartialDate(period.ends_on, precision).first
        in_time = row.notice_by(earliest) - dt.timedelta(days=lead_days)

        def works(day: dt.date, last: dt.date = in_time) -> bool:
            return is_weekday(day) != ((last - day).days in turned)

        found = row.decision_date(works, period.ends_on)
        assert found is not None
        between = (in_time - found.decide_on).days
        assert between >= 0
        assert works(found.decide_on)
        assert not any(works(in_time - dt.timedelta(days=days)) for days in range(between))
