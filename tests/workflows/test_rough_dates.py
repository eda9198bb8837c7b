"""Agreements of which only the year or the month of signing, start or end is known, or nothing."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput
from partnerships.factories import AgreementFactory, AgreementTypeFactory, TypeMilestoneFactory
from partnerships.models import Agreement, MilestoneKind, quiet_agreements
from partnerships.workflows.agreements import complete_agreement, record_signed_agreement, unsign_agreement
from partnerships.workflows.terms import amend_agreement, complete_dates, confirm_renewal

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

TODAY = dt.date(2026, 11, 29)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def registered(on: str, precision: str, **more: Any) -> Agreement:
    draft = AgreementFactory(with_parties=True, **more)
    return record_signed_agreement(fresh(draft), actor=None, on=day(on), precision=precision, today=TODAY)


def in_force(agreement: Agreement, on: str) -> bool:
    return Agreement.objects.in_force(day(on)).filter(pk=agreement.pk).exists()


@pytest.mark.parametrize(
    ("precision", "signed_on", "latest", "words"),
    [
        ("year", "2021-01-01", "2021-12-31", "2021"),
        ("month", "2021-03-01", "2021-03-31", "March 2021"),
        ("unknown", "1900-01-01", "2026-11-29", "date not known"),
        ("day", "2021-03-05", None, "March 5, 2021"),
    ],
)
def test_the_first_day_and_the_last_are_kept(precision: str, signed_on: str, latest: str | None, words: str) -> None:
    agreement = fresh(registered("2021-03-05", precision))
    assert (agreement.signed_on, str(agreement.signed)) == (day(signed_on), words)
    assert agreement.signed_at_latest == (latest and day(latest))
    term = agreement.current_term
    assert (term.starts_on, term.starts_precision) == (agreement.signed_on, precision)
    assert Agreement.objects.with_dates_to_complete().exists() == (precision != "day")


def test_the_running_year_counts_until_today_alone() -> None:
    agreement = registered("2026-01-01", "year")
    assert agreement.signed_at_latest == TODAY
    contact = agreement.milestones.get(kind=MilestoneKind.NEXT_CONTACT)
    assert contact.due_on == TODAY + dt.timedelta(days=180)
    assert not quiet_agreements(Agreement.objects.all(), TODAY).exists()


def test_contact_and_milestones_of_the_type_count_from_the_latest_signing() -> None:
    kind = AgreementTypeFactory()
    TypeMilestoneFactory(type=kind, title="First report", months_after_signing=18)
    agreement = registered("2025-09-10", "month", type=kind)
    assert agreement.milestones.get(title="First report").due_on == day("2027-03-30")
    assert quiet_agreements(Agreement.objects.all(), TODAY).get() == agreement


def with_term(**term: Any) -> Agreement:
    values = {"starts_on": day("2021-03-01"), **term}
    return AgreementFactory(with_parties=True, **{f"with_term__{name}": value for name, value in values.items()})


@pytest.mark.parametrize(
    ("precision", "ends_on", "decide_on"),
    [("year", "2027-12-31", "2026-10-30"), ("month", "2027-06-30", "2027-04-01"), ("day", "2027-06-15", "2027-04-15")],
)
def test_in_force_until_the_latest_end_and_decided_by_the_earliest(
    precision: str, ends_on: str, decide_on: str
) -> None:
    draft = with_term(ends_on=day("2027-06-15"), ends_precision=precision, notice=2, lead_days=0)
    term = draft.current_term
    assert term is not None
    term.clean()
    term.save()
    agreement = record_signed_agreement(
        fresh(draft), actor=None, on=day("2021-03-01"), precision="day", today=day("2026-10-01")
    )
    assert fresh(agreement).current_ends_on == day(ends_on)
    assert [in_force(agreement, on) for on in ("2021-02-28", "2021-03-01", ends_on, "2028-01-01")] == [
        False,
        True,
        True,
        False,
    ]
    assert agreement.milestones.get(derived_key="decision_date:1").due_on == day(decide_on)


def renewing_with_a_rough_end() -> Agreement:
    draft = with_term(
        ends_on=day("2025-12-31"), ends_precision="year", notice=0, lead_days=30, renewal="automatic", renewal_months=12
    )
    return record_signed_agreement(fresh(draft), actor=None, on=day("2021-03-01"), today=day("2025-10-01"))


def test_a_renewal_of_a_rough_end_is_as_rough() -> None:
    agreement = renewing_with_a_rough_end()
    confirm_renewal(fresh(agreement), actor=None, on=TODAY)
    row = fresh(agreement)
    assert (row.current_term.number, str(row.runs_until)) == (2, "2026")
    derive = {milestone.derived_key: milestone.due_on for milestone in row.milestones.all()}
    assert derive["decision_date:2"] == day("2025-12-02")


def test_an_amendment_of_the_conditions_keeps_a_rough_end() -> None:
    agreement = renewing_with_a_rough_end()
    values = {"signed_on": day("2022-01-01"), "effective_on": day("2022-01-01"), "today": day("2025-10-01")}
    amend_agreement(agreement, actor=None, summary="Notice", conditions={"notice": 1}, **values)
    assert [str(term) for term in agreement.terms.all()] == ["March 1, 2021 – Dec. 31, 2021", "Jan. 1, 2022 – 2025"]


@pytest.mark.parametrize("is_closed", [False, True])
def test_dates_that_can_no_longer_be_completed_are_not_asked_for(is_closed: bool) -> None:
    agreement = renewing_with_a_rough_end()
    confirm_renewal(fresh(agreement), actor=None, on=TODAY)
    assert (Agreement.objects.with_dates_to_complete().get(), list(fresh(agreement).dates_to_complete)) == (
        agreement,
        ["ends_on"],
    )
    if is_closed:
        complete_agreement(fresh(agreement), actor=None, on=TODAY)
    else:
        complete_dates(fresh(agreement), actor=None, today=TODAY, ends_on=day("2026-09-30"))
    assert agreement.terms.filter(ends_precision="year").exists()  # the end of the first term stays as rough as it is
    assert (Agreement.objects.with_dates_to_complete().exists(), fresh(agreement).dates_to_complete) == (False, {})


def test_dates_are_completed_within_what_is_known() -> None:
    agreement = registered("2021-05-05", "year")
    with pytest.raises(InvalidInput, match="On record is: 2021") as refusal:
        complete_dates(agreement, actor=None, today=TODAY, signed_on=day("2022-01-01"))
    assert refusal.value.field == "signed_on"
    complete_dates(fresh(agreement), actor=None, today=TODAY, signed_on=day("2021-06-07"), starts_on=day("2021-06-07"))
    agreement = fresh(agreement)
    assert (agreement.signed_on, agreement.signed_precision, agreement.signed_at_latest) == (
        day("2021-06-07"),
        "day",
        None,
    )
    assert agreement.milestones.get(kind=MilestoneKind.NEXT_CONTACT).is_pending
    assert not Agreement.objects.with_dates_to_complete().exists()
    with pytest.raises(InvalidInput, match="known already"):
        complete_dates(agreement, actor=None, today=TODAY, signed_on=day("2021-06-08"))


def test_taking_a_signing_back_forgets_how_much_of_it_was_known() -> None:
    agreement = registered("2021-05-05", "year")
    draft = unsign_agreement(agreement, actor=None, on=TODAY, reason="Wrong paper")
    assert (draft.signed_on, draft.signed_precision, draft.signed_at_latest) == (None, "day", None)


@pytest.mark.parametrize("typed", [False, True])
def test_taking_a_signing_back_after_its_date_was_completed_takes_its_term_back(typed: bool) -> None:
    draft = with_term(ends_on=None, review_on=day("2026-12-01")) if typed else AgreementFactory(with_parties=True)
    agreement = record_signed_agreement(fresh(draft), actor=None, on=day("2025-05-05"), precision="year", today=TODAY)
    complete_dates(fresh(agreement), actor=None, today=TODAY, signed_on=day("2025-09-09"))
    unsigned = unsign_agreement(fresh(agreement), actor=None, on=TODAY, reason="Wrong paper")
    assert unsigned.terms.exists() == typed


def test_a_year_to_come_is_refused() -> None:
    with pytest.raises(InvalidInput):
        registered("2027-05-05", "year")
