"""Joint facilities: opened, reviewed every year, closed, and opened again after an error."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput
from partnerships.factories import DAY, NOON, AgreementFactory, FacilityFactory, UserFactory
from partnerships.models import Agreement, Facility, MilestoneKind, Organization
from partnerships.workflows.agreements import terminate_agreement
from partnerships.workflows.facilities import (
    close_facility,
    edit_facility,
    open_facility,
    register_facility,
    reopen_facility,
    resume_facility,
    suspend_facility,
)
from partnerships.workflows.milestones import meet_milestone, move_milestone
from tests.workflows.steps import footprint

pytestmark = pytest.mark.django_db


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def opened(**more: Any) -> Facility:
    return open_facility(FacilityFactory(ready=True, **more), actor=None, on=DAY, today=DAY)


def reviews(facility: Facility) -> list[tuple[str, str]]:
    return [(row.due_on.isoformat(), row.status) for row in facility.milestones.order_by("due_on", "pk")]


def meet_review(facility: Facility) -> None:
    review = facility.milestones.get(status="open")
    meet_milestone(review, actor=None, on=review.due_on, evidence="Report")


def close_and_open_again(facility: Facility, *, today: dt.date) -> Facility:
    closed = close_facility(facility, actor=None, on=today, reason="Typing slip")
    planned = reopen_facility(closed, actor=None, on=today, reason="It goes on")
    return open_facility(planned, actor=None, on=DAY, today=today)


def test_opening_asks_for_a_review_every_year() -> None:
    facility = opened()
    review = facility.milestones.get()
    assert (review.kind, review.unit, review.owner) == (MilestoneKind.FACILITY_REVIEW, facility.unit, facility.owner)
    for _ in range(3):
        meet_review(facility)
    assert reviews(facility) == [
        ("2027-03-02", "met"),
        ("2028-03-02", "met"),
        ("2029-03-02", "met"),
        ("2030-03-02", "open"),
    ]


def test_its_unit_holds_both_sides() -> None:
    facility = opened()
    held = Organization.objects.filter(holders__unit=facility.unit, holders__coordinator=facility.owner)
    assert sorted(held.values_list("kind", flat=True)) == ["enterprise", "institution"]


def test_one_that_opened_long_ago_asks_for_nothing_past() -> None:
    facility = open_facility(FacilityFactory(ready=True), actor=None, on=day("2020-02-29"), today=DAY)
    assert reviews(facility) == [("2027-02-28", "open")]
    assert facility.milestones.overdue(DAY).count() == 0


def test_a_review_due_today_is_asked_for() -> None:
    facility = open_facility(FacilityFactory(ready=True), actor=None, on=day("2020-03-02"), today=DAY)
    assert reviews(facility) == [("2026-03-02", "open")]


def test_closing_cancels_the_review_with_the_reason() -> None:
    facility = opened()
    closed = close_facility(facility, actor=None, on=DAY, reason="The plant moved")
    assert (closed.status, closed.closed_on) == ("closed", DAY)
    assert reviews(facility) == [("2027-03-02", "cancelled")]


def test_opening_again_reopens_the_review_and_does_not_double_it() -> None:
    facility = close_and_open_again(opened(), today=DAY)
    assert reviews(facility) == [("2027-03-02", "open")]


def test_opening_again_goes_on_after_the_last_review() -> None:
    facility = opened()
    meet_review(facility)
    again = close_and_open_again(Facility.objects.get(), today=day("2027-02-20"))
    assert reviews(again) == [("2027-03-02", "met"), ("2028-03-02", "open")]


def test_opened_again_with_another_day_its_reviews_follow_that_day() -> None:
    closed = close_facility(opened(), actor=None, on=DAY, reason="Typing slip")
    planned = reopen_facility(closed, actor=None, on=DAY, reason="It goes on")
    facility = open_facility(planned, actor=None, on=day("2026-01-15"), today=DAY)
    meet_review(facility)
    assert reviews(facility) == [("2027-01-15", "met"), ("2028-01-15", "open")]


def test_a_review_moved_by_hand_does_not_move_the_next() -> None:
    facility = opened()
    review = facility.milestones.get()
    move_milestone(review, actor=None, at=NOON, due_on=day("2027-03-20"), reason="Holiday")
    meet_review(facility)
    assert reviews(facility) == [("2027-03-20", "met"), ("2028-03-02", "open")]


def test_a_suspended_one_is_still_reviewed() -> None:
    facility = suspend_facility(opened(), actor=None, on=DAY, reason="Building works")
    assert reviews(facility) == [("2027-03-02", "open")]
    resumed = resume_facility(facility, actor=None, on=DAY)
    assert (resumed.status, resumed.suspended_on) == ("opened", None)


def test_under_another_agreement_its_review_is_not_cancelled_with_the_former() -> None:
    first = AgreementFactory(signed=True)
    second = AgreementFactory(signed=True, unit=first.unit)
    facility = opened(agreement=first, unit=first.unit)
    edit_facility(facility, actor=None, today=DAY, changes={"agreement": second})
    terminate_agreement(Agreement.objects.get(pk=first.pk), actor=None, on=DAY, reason="The partner left")
    assert [(row.agreement, row.status) for row in facility.milestones.all()] == [(second, "open")]


def test_one_without_sides_is_not_opened() -> None:
    facility = FacilityFactory()
    before = footprint(facility)
    with pytest.raises(InvalidInput, match="which organizations"):
        open_facility(facility, actor=None, on=DAY, today=DAY)
    assert footprint(facility) == before


def test_a_new_link_to_an_agreement_that_has_ended_is_refused() -> None:
    facility = FacilityFactory()
    ended = AgreementFactory(completed=True, unit=facility.unit)
    calls: list[Callable[[], Facility]] = [
        lambda: edit_facility(facility, actor=None, today=DAY, changes={"agreement": ended}),
        lambda: register_facility(
            Facility(unit=facility.unit, kind=facility.kind, name="Base", agreement=ended), actor=None, today=DAY
        ),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match="has ended") as refusal:
            call()
        assert refusal.value.field == "agreement"
    assert not Facility.objects.exclude(agreement=None).exists()


def test_a_facility_of_an_agreement_that_ended_since_can_be_edited() -> None:
    ended = AgreementFactory(completed=True)
    facility = FacilityFactory(unit=ended.unit, agreement=ended)
    changes = {"site": "Hall 2", "agreement": ended}
    assert edit_facility(facility, actor=None, today=DAY, changes=changes).site == "Hall 2"


def test_it_does_not_open_tomorrow() -> None:
    facility = FacilityFactory(ready=True)
    with pytest.raises(InvalidInput) as refusal:
        open_facility(facility, actor=None, on=DAY + dt.timedelta(days=1), today=DAY)
    assert (refusal.value.field, facility.milestones.count()) == ("on", 0)


def test_each_step_is_in_the_history_with_its_actor() -> None:
    facility = FacilityFactory(ready=True)
    lead = UserFactory(lead_in=facility.unit)
    suspended = suspend_facility(
        open_facility(facility, actor=lead, on=DAY, today=DAY), actor=lead, on=DAY, reason="Building works"
    )
    history = suspended.history.order_by("history_id").values_list("status", "history_user")
    assert list(history) == [("planned", None), ("opened", lead.pk), ("suspended", lead.pk)]
    assert [row.history_user for row in suspended.milestones.get().history.all()] == [lead]
