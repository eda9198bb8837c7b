"""Promises met, moved and coming back; dates that follow from an agreement."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    ContactNoteFactory,
    EventFactory,
    MilestoneFactory,
    OrganizationFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, Milestone, MilestoneKind, ReminderMark, StatusChange
from partnerships.statuses import MilestoneStatus
from partnerships.workflows.agreements import sign_agreement
from partnerships.workflows.derivation import derive_milestones, last_contact_on
from partnerships.workflows.milestones import (
    accept_milestone,
    assign_milestone,
    cancel_milestone,
    edit_milestone,
    give_milestones_to,
    meet_milestone,
    move_milestone,
    register_milestone,
    reopen_milestone,
    send_back_milestone,
    submit_milestone,
    waive_milestone,
)
from tests.workflows.follow_ups import log_contact
from tests.workflows.steps import footprint

pytestmark = pytest.mark.django_db


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def meet(milestone: Milestone, **more: Any) -> Milestone:
    return meet_milestone(fresh(milestone), **{"actor": None, "on": DAY, "evidence": "Minutes", **more})


def move(milestone: Milestone, due_on: str, **more: Any) -> Milestone:
    values = {"actor": None, "at": NOON, "due_on": day(due_on), "reason": "Holiday", **more}
    return move_milestone(fresh(milestone), **values)


def register(**columns: Any) -> Milestone:
    return register_milestone(Milestone(title="Report", due_on=DAY, **columns), actor=None, today=DAY)


def test_a_new_milestone_takes_the_agreement_of_its_activity() -> None:
    activity = ActivityFactory(agreement=AgreementFactory(signed=True))

    assert register(unit=activity.unit, activity=activity).agreement == activity.agreement


def test_a_new_milestone_of_an_activity_stands_under_no_other_agreement() -> None:
    activity = ActivityFactory(agreement=AgreementFactory(signed=True))

    with pytest.raises(InvalidInput) as refusal:
        register(unit=activity.unit, activity=activity, agreement=AgreementFactory(signed=True))
    assert refusal.value.field == "agreement"


def test_nobody_adds_a_milestone_to_an_agreement_they_do_not_follow_up() -> None:
    actor, agreement = UserFactory(coordinator_in=UnitFactory()), AgreementFactory(signed=True)
    milestone = Milestone(title="Report", due_on=DAY, unit=actor.memberships.get().unit, agreement=agreement)

    with pytest.raises(NotAllowed) as refusal:
        register_milestone(milestone, actor=actor, today=DAY)
    assert refusal.value.field == "agreement"


@pytest.mark.parametrize("is_under_agreement", [True, False])
def test_nobody_adds_a_milestone_to_what_they_merely_see_by_naming_their_own_unit(is_under_agreement: bool) -> None:
    own, other = UnitFactory(), UnitFactory()
    agreement = AgreementFactory(signed=True, unit=other) if is_under_agreement else None
    activity = ActivityFactory(unit=other, agreement=agreement)
    milestone = Milestone(title="Report", due_on=DAY, unit=own, activity=activity)

    with pytest.raises(NotAllowed) as refusal:
        register_milestone(milestone, actor=UserFactory(lead_in=own, viewer_in=other), today=DAY)
    assert refusal.value.field == ("agreement" if is_under_agreement else "activity")


def test_who_works_in_the_unit_of_a_follow_up_adds_a_milestone_to_it() -> None:
    activity = ActivityFactory(unit=UnitFactory(), agreement=AgreementFactory(signed=True))
    milestone = Milestone(title="Report", due_on=DAY, unit=activity.unit, activity=activity)

    assert register_milestone(milestone, actor=UserFactory(coordinator_in=activity.unit), today=DAY).pk


def test_a_derived_kind_is_not_registered_by_hand() -> None:
    with pytest.raises(InvalidInput) as refusal:
        register(unit=UnitFactory(), event=EventFactory(), kind=MilestoneKind.NEXT_CONTACT)
    assert refusal.value.field == "kind"


@pytest.mark.parametrize("state", [{"met": True}, {"derived_key": "report"}])
def test_what_is_closed_or_derived_is_not_edited(state: dict[str, Any]) -> None:
    milestone = MilestoneFactory(agreement=AgreementFactory(signed=True), **state)
    before = footprint(milestone)

    with pytest.raises(TransitionRefused):
        edit_milestone(fresh(milestone), actor=None, today=DAY, changes={"title": "Another"})
    assert footprint(milestone) == before


def test_a_party_of_another_agreement_owes_nothing_here() -> None:
    party = AgreementFactory(signed=True).parties.first()
    milestone = MilestoneFactory(agreement=AgreementFactory(signed=True))

    with pytest.raises(InvalidInput) as refusal:
        edit_milestone(fresh(milestone), actor=None, today=DAY, changes={"party": party})
    assert refusal.value.field == "party"


def test_met_with_its_evidence() -> None:
    met = meet(MilestoneFactory(), evidence="  Minutes of 2 March ")
    assert (met.status, met.met_on, met.evidence) == (MilestoneStatus.MET, DAY, "Minutes of 2 March")


@pytest.mark.parametrize("evidence", ["", " \n ", "a\x00b"])
def test_met_needs_evidence(evidence: str) -> None:
    milestone = MilestoneFactory()
    before = footprint(milestone)
    with pytest.raises(InvalidInput) as refusal:
        meet(milestone, evidence=evidence)
    assert (refusal.value.field, footprint(milestone)) == ("evidence", before)


def test_what_a_lead_accepts_is_submitted_and_met_on_the_day_of_submission() -> None:
    milestone = MilestoneFactory(requires_acceptance=True)
    with pytest.raises(TransitionRefused, match="submit it instead"):
        meet(milestone)
    submitted = submit_milestone(milestone, actor=milestone.owner, on=DAY, evidence="Report")
    lead = UserFactory(lead_in=milestone.unit)
    met = accept_milestone(submitted, actor=lead, on=DAY + dt.timedelta(days=5))
    assert (met.status, met.met_on) == (MilestoneStatus.MET, DAY)


def test_the_owner_does_not_accept_what_they_submitted() -> None:
    milestone = MilestoneFactory(submitted=True)
    with pytest.raises(NotAllowed, match="Only a lead"):
        accept_milestone(milestone, actor=milestone.owner, on=DAY)


def test_what_is_sent_back_keeps_its_evidence() -> None:
    sent_back = send_back_milestone(MilestoneFactory(submitted=True), actor=None, on=DAY, reason="No stamp")
    assert (sent_back.status, sent_back.submitted_on, sent_back.evidence) == ("open", None, "Minutes of 2 March")


def test_nobody_submits_what_nobody_accepts() -> None:
    with pytest.raises(TransitionRefused, match="mark it as done"):
        submit_milestone(MilestoneFactory(), actor=None, on=DAY, evidence="Report")


# Coming back


def due_dates(agreement: Agreement) -> list[str]:
    return [row.due_on.isoformat() for row in agreement.milestones.order_by("due_on")]


def test_a_monthly_promise_of_the_31st_never_drifts() -> None:
    milestone = MilestoneFactory(due_on=day("2027-10-31"), recurs_every_months=1)
    for _ in range(5):
        meet(milestone.agreement.milestones.get(status="open"))
    assert due_dates(milestone.agreement) == [
        "2027-10-31",
        "2027-11-30",
        "2027-12-31",
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
    ]


@pytest.mark.parametrize("moved_to", ["2027-02-20", "2027-02-28", "2027-03-10"])
def test_a_moved_occurrence_neither_shifts_the_next_nor_comes_twice(moved_to: str) -> None:
    first = MilestoneFactory(due_on=day("2027-01-31"), recurs_every_months=1)
    meet(first)
    second = first.agreement.milestones.get(status="open")
    if moved_to != "2027-02-28":
        second = move(second, moved_to)
    meet(second)
    assert due_dates(first.agreement) == ["2027-01-31", moved_to, "2027-03-31"]


def test_the_first_occurrence_moved_does_not_move_the_series() -> None:
    first = MilestoneFactory(due_on=day("2027-05-01"), recurs_every_months=1)
    meet(move(first, "2027-05-06"))
    assert due_dates(first.agreement) == ["2027-05-06", "2027-06-01"]


def test_the_next_occurrence_is_new_in_everything_but_its_promise() -> None:
    first = MilestoneFactory(title="Monthly report", recurs_every_months=1, requires_acceptance=True, code="m-1")
    submit_milestone(first, actor=None, on=DAY, evidence="Report")
    accept_milestone(fresh(first), actor=None, on=DAY)
    following = first.agreement.milestones.get(status="open")
    assert (following.title, following.owner, following.requires_acceptance) == ("Monthly report", first.owner, True)
    assert (following.code, following.evidence, following.met_on, following.submitted_on, following.version) == (
        None,
        "",
        None,
        None,
        1,
    )
    assert following.history.count() == 1
    assert ReminderMark.objects.filter(milestone=following).count() == 1


def test_a_waived_promise_does_not_come_back() -> None:
    milestone = MilestoneFactory(recurs_every_months=1)
    waive_milestone(milestone, actor=None, on=DAY, reason="Not needed")
    assert milestone.agreement.milestones.count() == 1


# Moved and given to others


def test_moved_with_a_reason_in_row_and_history() -> None:
    milestone = MilestoneFactory()
    moved = move(milestone, "2026-06-01", actor=milestone.owner)
    assert (moved.due_on, moved.scheduled_on, moved.overridden_at) == (day("2026-06-01"), milestone.due_on, None)
    change = moved.history.first()
    assert (change.history_user, change.history_change_reason) == (milestone.owner, "Holiday")
    assert StatusChange.objects.count() == 0


@pytest.mark.parametrize(
    ("due_on", "reason", "field"),
    [
        ("2026-03-01", "Before the signing", "due_on"),
        ("2026-04-01", "Where it is", "due_on"),
        ("9999-12-31", "Never", "due_on"),
        ("0026-05-01", "A slip", "due_on"),
        ("2026-05-01", "  ", "reason"),
    ],
)
def test_a_move_that_cannot_be_is_refused(due_on: str, reason: str, field: str) -> None:
    milestone = MilestoneFactory(due_on=day("2026-04-01"))
    before = footprint(milestone)
    with pytest.raises(InvalidInput) as refusal:
        move(milestone, due_on, reason=reason)
    assert (refusal.value.field, footprint(milestone)) == (field, before)


def test_a_closed_or_changed_milestone_is_not_moved() -> None:
    with pytest.raises(TransitionRefused):
        move(MilestoneFactory(met=True), "2026-05-01")
    stale = MilestoneFactory()
    fresh(stale).save()
    with pytest.raises(StaleVersion):
        move_milestone(stale, actor=None, at=NOON, due_on=day("2026-05-01"), reason="Holiday")


def test_given_to_somebody_who_sees_it_and_can_be_reached() -> None:
    milestone = MilestoneFactory()
    colleague = UserFactory(coordinator_in=milestone.unit)
    assigned = assign_milestone(milestone, actor=milestone.owner, owner=colleague)
    assert (assigned.owner, assigned.history.first().history_user) == (colleague, milestone.owner)
    for stranger in (UserFactory(coordinator_in=UnitFactory()), UserFactory(coordinator_in=milestone.unit, email="")):
        with pytest.raises(InvalidInput) as refusal:
            assign_milestone(fresh(milestone), actor=None, owner=stranger)
        assert refusal.value.field == "owner"


def test_a_new_coordinator_takes_over_what_the_former_or_nobody_had() -> None:
    agreement = AgreementFactory(signed=True)
    former, kept = agreement.coordinator, UserFactory(coordinator_in=agreement.unit)
    rows = [MilestoneFactory(agreement=agreement, owner=owner) for owner in (former, None, kept)]
    done = MilestoneFactory(agreement=agreement, owner=former, met=True)
    agreement.coordinator = UserFactory(coordinator_in=agreement.unit)
    give_milestones_to(agreement, owner_id=agreement.coordinator_id, actor=None, previous=former)
    owners = [fresh(row).owner for row in (*rows, done)]
    assert owners == [agreement.coordinator, agreement.coordinator, kept, former]


# What follows from an agreement


@pytest.fixture
def agreement() -> Agreement:
    return sign_agreement(fresh(AgreementFactory(approved=True)), actor=None, on=DAY, today=DAY)


def next_contact(agreement: Agreement) -> Milestone:
    return agreement.milestones.get(derived_key="next_contact")


def call(agreement: Agreement, on: str) -> None:
    log_contact(actor=None, on=day(on), unit=agreement.unit, channel="call", summary="Called", agreement=agreement)


def test_the_next_contact_is_counted_from_the_last(agreement: Agreement) -> None:
    assert (last_contact_on(agreement), next_contact(agreement).due_on) == (DAY, day("2026-08-29"))
    call(agreement, "2026-05-01")
    call(agreement, "2026-04-01")
    assert (last_contact_on(agreement), next_contact(agreement).due_on) == (day("2026-05-01"), day("2026-10-28"))


def test_only_what_happened_counts_as_contact() -> None:
    agreement = AgreementFactory(signed=True)
    ActivityFactory(agreement=agreement, starts_on=day("2026-09-01"))
    ActivityFactory(agreement=agreement, completed=True, completed_on=day("2026-06-01"))
    ContactNoteFactory(agreement=agreement, happened_on=day("2026-05-01"))
    assert last_contact_on(agreement) == day("2026-06-01")


def test_a_next_contact_is_met_by_making_it(agreement: Agreement) -> None:
    with pytest.raises(TransitionRefused, match="Log the call"):
        meet(next_contact(agreement))


def test_a_moved_next_contact_stays_until_the_next_call(agreement: Agreement) -> None:
    move(next_contact(agreement), "2026-04-01")
    derive_milestones(agreement, actor=None, on=DAY)
    assert next_contact(agreement).due_on == day("2026-04-01")
    call(agreement, "2026-03-30")
    moved = next_contact(agreement)
    assert (moved.due_on, moved.overridden_at, moved.override_reason) == (day("2026-09-26"), None, "")


def test_a_waived_next_contact_stays_waived_until_the_next_call(agreement: Agreement) -> None:
    waive_milestone(next_contact(agreement), actor=None, on=DAY, reason="They asked for quiet")
    derive_milestones(agreement, actor=None, on=DAY)
    assert next_contact(agreement).status == MilestoneStatus.WAIVED
    call(agreement, "2026-03-30")
    assert (next_contact(agreement).status, next_contact(agreement).due_on) == ("open", day("2026-09-26"))


def test_a_moved_decision_date_keeps_its_day(agreement: Agreement) -> None:
    decision = agreement.milestones.get(kind=MilestoneKind.DECISION_DATE)
    lead = UserFactory(lead_in=agreement.unit)
    with pytest.raises(NotAllowed, match="follows from the agreement"):
        move(decision, "2028-01-10", actor=agreement.coordinator)
    moved = move(decision, "2028-01-10", actor=lead)
    derive_milestones(agreement, actor=None, on=DAY)
    assert (fresh(decision).due_on, fresh(decision).version) == (day("2028-01-10"), moved.version)


def test_deriving_twice_changes_nothing(agreement: Agreement) -> None:
    before = list(Milestone.objects.values()), Milestone.history.count(), ReminderMark.objects.count()
    derive_milestones(agreement, actor=None, on=DAY + dt.timedelta(days=1))
    after = list(Milestone.objects.values()), Milestone.history.count(), ReminderMark.objects.count()
    assert after == before


def test_a_derived_date_is_waived_not_cancelled(agreement: Agreement) -> None:
    with pytest.raises(TransitionRefused, match="waive it instead"):
        cancel_milestone(next_contact(agreement), actor=None, on=DAY, reason="No")


def test_a_reopened_milestone_has_no_date_of_its_end() -> None:
    reopened = reopen_milestone(MilestoneFactory(met=True), actor=None, on=DAY, reason="Wrong row")
    assert (reopened.status, reopened.met_on, reopened.submitted_on) == ("open", None, None)


@pytest.mark.parametrize("target", ["activity", "event", "organization"])
def test_what_belongs_to_something_else_than_an_agreement_is_met_too(target: str) -> None:
    factories = {"activity": ActivityFactory, "event": EventFactory, "organization": OrganizationFactory}
    milestone = MilestoneFactory(**{target: factories[target]()})
    assert (meet(milestone).status, fresh(milestone).target) == (MilestoneStatus.MET, getattr(milestone, target))


def test_who_marks_it_as_met_does_not_excuse_it_from_acceptance() -> None:
    unit = UnitFactory()
    milestone = MilestoneFactory(unit=unit, requires_acceptance=True, organization=OrganizationFactory())
    excuse = {"requires_acceptance": False}

    with pytest.raises(NotAllowed) as refusal:
        edit_milestone(fresh(milestone), actor=UserFactory(coordinator_in=unit), today=DAY, changes=excuse)
    assert refusal.value.field == "requires_acceptance"
    lead = UserFactory(lead_in=unit)
    assert not edit_milestone(fresh(milestone), actor=lead, today=DAY, changes=excuse).requires_acceptance


def test_an_obligation_is_always_accepted_by_a_lead() -> None:
    milestone = MilestoneFactory(kind=MilestoneKind.OBLIGATION, requires_acceptance=True)

    with pytest.raises(InvalidInput) as refusal:
        edit_milestone(fresh(milestone), actor=None, today=DAY, changes={"requires_acceptance": False})
    assert refusal.value.field == "requires_acceptance"


def test_what_is_closed_is_given_to_nobody() -> None:
    milestone = MilestoneFactory(met=True)
    before = footprint(milestone)

    with pytest.raises(TransitionRefused, match="closed"):
        assign_milestone(fresh(milestone), actor=None, owner=UserFactory(lead_in=milestone.unit))
    assert footprint(milestone) == before
