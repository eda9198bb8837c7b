"""The daily sweep: what is derived comes in step by itself, in bounded pieces, and nothing else is touched."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    ContactNoteFactory,
    DemandFactory,
    FacilityFactory,
    HonourFactory,
    MilestoneFactory,
    OrganizationFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import (
    Agreement,
    AgreementTerm,
    CalendarDay,
    Facility,
    Milestone,
    Organization,
    ReminderMark,
    Sweep,
    quiet_agreements,
)
from partnerships.workflows import derived_sweep
from partnerships.workflows.agreements import sign_agreement, submit_agreement
from partnerships.workflows.derived_sweep import sweep_derived
from partnerships.workflows.facilities import open_facility
from partnerships.workflows.milestones import meet_milestone, move_milestone, waive_milestone
from partnerships.workflows.transitions import save_as

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TOMORROW = NOON + dt.timedelta(days=1)


def sweep(now: dt.datetime = NOON, **more: Any) -> int:
    return sweep_derived(now=now, **more)


def signed(**values: Any) -> Agreement:
    draft = AgreementFactory(approved=True, **values)
    return sign_agreement(Agreement.objects.get(pk=draft.pk), actor=None, on=DAY, today=DAY)


def derived() -> list[tuple[str, str, str]]:
    rows = Milestone.objects.exclude(derived_key="").order_by("derived_key", "pk")
    return [(row.derived_key, row.due_on.isoformat(), row.status) for row in rows]


def everything() -> tuple[Any, ...]:
    return list(Milestone.objects.order_by("pk").values()), Milestone.history.count(), ReminderMark.objects.count()


def test_rows_written_without_a_verb_get_their_milestones() -> None:
    agreement = AgreementFactory(signed=True)
    ActivityFactory(agreement=agreement, starts_on=DAY, title="Visit")
    DemandFactory(deadline_on=dt.date(2026, 5, 29), unit=agreement.unit)
    HonourFactory(valid_until=dt.date(2026, 6, 30), unit=agreement.unit)
    assert sweep() == 4
    assert [key for key, _due_on, _status in derived()] == [
        *("deadline", "decision_date:1", "end", "lapse", "next_contact", "start")
    ]
    assert sweep(TOMORROW) == 0


def test_a_second_sweep_changes_nothing() -> None:
    signed()
    before = everything()
    assert (sweep(), sweep(TOMORROW)) == (0, 0)
    assert everything() == before


def test_days_that_passed_stay_as_they_are() -> None:
    """Overdue is what the reminders are for: the sweep of a later day closes nothing."""
    DemandFactory(deadline_on=DAY)
    HonourFactory(valid_until=DAY)
    ActivityFactory(starts_on=DAY, agreement=None, unit=UnitFactory(), owner=None)
    sweep()
    before = everything()
    assert sweep(NOON + dt.timedelta(days=40)) == 0
    assert everything() == before


def test_a_new_holiday_moves_the_decision_dates_at_once() -> None:
    calendar = WorkCalendarFactory()
    agreement = signed(unit=UnitFactory(work_calendar=calendar))
    decision = agreement.milestones.get(kind="decision_date")
    sweep()
    holiday = CalendarDay.objects.create(calendar=calendar, day=decision.due_on, is_workday=False)
    assert sweep() == 1
    moved = Milestone.objects.get(pk=decision.pk)
    assert moved.due_on < decision.due_on
    assert (moved.version, moved.history.count()) == (2, 2)
    holiday.delete()
    assert (sweep(), Milestone.objects.get(pk=decision.pk).due_on) == (1, decision.due_on)


def test_a_note_taken_away_counts_no_more() -> None:
    agreement = signed()
    note = ContactNoteFactory(agreement=agreement, happened_on=DAY + dt.timedelta(days=20))
    sweep()
    assert agreement.milestones.get(derived_key="next_contact").due_on == DAY + dt.timedelta(days=200)
    note.delete()
    assert sweep(TOMORROW) == 1
    assert agreement.milestones.get(derived_key="next_contact").due_on == DAY + dt.timedelta(days=180)


def test_a_lead_who_edits_during_the_review_is_no_longer_waited_for() -> None:
    unit = UnitFactory()
    author, lead = UserFactory(coordinator_in=unit), UserFactory(lead_in=unit)
    draft = AgreementFactory(unit=unit, ready=True, created_by=author, coordinator=author)
    submit_agreement(Agreement.objects.get(pk=draft.pk), actor=author, on=DAY)
    assert sweep() == 0
    save_as(MilestoneFactory.build(agreement=draft, unit=unit, owner=author), lead)
    assert sweep(TOMORROW) == 1
    assert Milestone.objects.get(derived_key="approval").excluded_ids == sorted([author.pk, lead.pk])


def test_an_agreement_that_goes_quiet_or_expires_has_been_asking_for_it() -> None:
    """Nothing has to happen on the morning itself: the dates were there. Once it has expired, its end is asked for instead."""
    agreement = signed()
    before = everything()
    assert sweep(NOON + dt.timedelta(days=181)) == 0
    assert everything() == before
    assert sweep(NOON + dt.timedelta(days=4000)) == 1
    assert quiet_agreements(Agreement.objects.all(), DAY + dt.timedelta(days=181)).get() == agreement
    assert Agreement.objects.expired(DAY + dt.timedelta(days=4000)).get() == agreement
    overdue = agreement.milestones.overdue(DAY + dt.timedelta(days=4000))
    assert sorted(overdue.values_list("kind", flat=True)) == ["next_contact", "record_end"]


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (Agreement, {"current_ends_on": DAY}),
        (Agreement, {"current_ends_precision": "year"}),
        (AgreementTerm, {"renews_until": DAY}),
    ],
)
def test_a_wrong_end_is_stored_anew(model: Any, wrong: dict[str, Any]) -> None:
    signed()
    before = model.objects.values(*wrong).get()
    model.objects.update(**wrong)
    assert (sweep(), sweep(TOMORROW), model.objects.values(*wrong).get()) == (1, 0, before)


def test_what_somebody_moved_met_or_waived_stays() -> None:
    sweep()
    rows = [signed().milestones.get(derived_key="next_contact") for _ in range(2)]
    Milestone.objects.filter(pk=rows[0].pk).update(
        due_on=DAY, scheduled_on=rows[0].due_on, overridden_at=NOON, override_reason="Earlier"
    )
    Milestone.objects.filter(pk=rows[1].pk).update(status="waived", waived_on=DAY)
    before = everything()
    assert sweep(TOMORROW) == 0
    assert everything() == before


def test_an_agreement_that_ended_without_a_verb_asks_no_more() -> None:
    agreement = signed()
    Agreement.objects.filter(pk=agreement.pk).update(status="completed", completed_on=DAY)
    assert sweep() == 1
    assert {status for _key, _due_on, status in derived()} == {"cancelled"}


def reviewed(**values: Any) -> Milestone:
    """The review of a facility that opened on 2 March 2026."""
    facility = FacilityFactory(ready=True, **values)
    return open_facility(facility, actor=None, on=DAY, today=DAY).milestones.get()


@pytest.mark.parametrize("stage", ["opened", "suspended"])
def test_a_lost_review_of_a_facility_is_asked_for_again(stage: str) -> None:
    facility = FacilityFactory(**{stage: True})
    assert (sweep(), sweep(TOMORROW)) == (1, 0)
    review = facility.milestones.get()
    assert (review.kind, review.due_on, review.owner) == ("facility_review", DAY.replace(year=2027), facility.owner)


def test_after_a_lost_review_the_next_one_follows_the_last_that_was_met() -> None:
    review = reviewed()
    met = meet_milestone(review, actor=None, on=review.due_on, evidence="Report")
    Milestone.objects.exclude(pk=met.pk).delete()
    assert sweep(NOON.replace(year=2027, month=2)) == 1
    assert Milestone.objects.get(status="open").due_on == DAY.replace(year=2028)


def test_a_wrong_review_is_corrected() -> None:
    review = reviewed()
    wrong = {"due_on": DAY.replace(year=2027, month=5), "unit": UnitFactory()}
    Milestone.objects.filter(pk=review.pk).update(**wrong)
    assert (sweep(), sweep(TOMORROW)) == (1, 0)
    assert Milestone.objects.get(pk=review.pk).due_on == review.due_on
    assert Milestone.objects.get(pk=review.pk).unit == review.unit


def test_the_review_of_a_closed_facility_is_cancelled() -> None:
    review = reviewed()
    Facility.objects.update(status="closed", closed_on=DAY)
    assert sweep() == 1
    assert Milestone.objects.get(pk=review.pk).status == "cancelled"


def test_reviews_that_are_overdue_moved_waived_or_met_stay() -> None:
    reviewed()
    met, moved, waived = reviewed(), reviewed(), reviewed()
    meet_milestone(met, actor=None, on=met.due_on, evidence="Report")
    move_milestone(moved, actor=None, at=NOON, due_on=DAY.replace(year=2027, month=4), reason="Holiday")
    waive_milestone(waived, actor=None, on=DAY, reason="Audited elsewhere")
    leap_day = FacilityFactory(ready=True)
    open_facility(leap_day, actor=None, on=dt.date(2024, 2, 29), today=dt.date(2024, 3, 1))
    for _year in range(3):
        review = leap_day.milestones.get(status="open")
        meet_milestone(review, actor=None, on=review.due_on, evidence="Report")
    before = everything()
    for year in (2026, 2029, 2032):
        assert sweep(NOON.replace(year=year)) == 0
    assert everything() == before


def test_it_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        AgreementFactory(signed=True)
    assert [sweep(batch=2, batches=1) for _ in range(4)] == [2, 2, 1, 0]


def test_it_runs_once_a_day_of_the_site(django_assert_num_queries: Any) -> None:
    sweep()
    AgreementFactory(signed=True)
    with django_assert_num_queries(3):
        assert sweep(NOON + dt.timedelta(hours=3)) == 0  # 23:00 in Shanghai
    assert sweep(NOON + dt.timedelta(hours=4)) == 1


def test_a_row_that_older_code_wrote_gets_its_sort_keys() -> None:
    organization = OrganizationFactory(name="Zeta", name_zh="重庆大学")
    Organization.objects.update(sort_key="", sort_key_zh="")
    sweep()
    found = Organization.objects.get()
    assert (found.sort_key, found.sort_key_zh) == (organization.sort_key, organization.sort_key_zh)
    assert found.sort_key == "zeta"


def test_told_to_stop_it_begins_nothing() -> None:
    AgreementFactory(signed=True)
    assert (sweep(is_over=lambda: True), sweep()) == (0, 1)


def test_of_two_at_once_one_goes_on() -> None:
    """The second finds that the position was moved, and leaves the rest to the first."""
    AgreementFactory(signed=True)
    Sweep.objects.create(name=derived_sweep.NAME, began_at=NOON, fingerprint="")
    mine, theirs = Sweep.objects.get(), Sweep.objects.get()
    following = mine.moved(part=1)
    assert (mine.replace_with(following), theirs.replace_with(following)) == (True, False)


def test_one_row_that_cannot_be_brought_in_step_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    calendar = WorkCalendarFactory()
    broken = AgreementFactory(signed=True, unit=UnitFactory(work_calendar=calendar))
    end = broken.current_term.ends_on
    days = [CalendarDay(calendar=calendar, day=end - dt.timedelta(days=n), is_workday=False) for n in range(400)]
    CalendarDay.objects.bulk_create(days)
    whole = AgreementFactory(signed=True)
    assert sweep() == 1
    assert (broken.milestones.count(), whole.milestones.count()) == (0, 2)
    assert f"Agreement {broken.pk} could not be brought in step" in caplog.text


def queries_for(count: int) -> int:
    for _ in range(count):
        signed()
        reviewed()
    Sweep.objects.all().delete()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert sweep() == 0
    return len(captured)


def test_what_is_in_step_costs_the_same_for_many_as_for_few() -> None:
    few = queries_for(2)
    assert queries_for(20) == few
