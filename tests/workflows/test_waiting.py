"""Whom a milestone waits for, and the decisions that wait for leads."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import NotAllowed, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    DemandFactory,
    MilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, Milestone, MilestoneKind, User
from partnerships.models.waiting import waiting_people
from partnerships.workflows.agreements import (
    approve_agreement,
    cancel_agreement,
    confirm_signing,
    record_signed_agreement,
    return_agreement,
    submit_agreement,
)
from partnerships.workflows.demands import ask_units, decline_answer, propose_answer, reopen_answer
from partnerships.workflows.milestones import (
    accept_milestone,
    assign_milestone,
    meet_milestone,
    move_milestone,
    send_back_milestone,
    snooze_milestone,
    submit_milestone,
    waive_milestone,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> User:
    return UserFactory(is_staff=True)


@pytest.fixture
def unit(office: User) -> Any:
    return UnitFactory(parent=UnitFactory())


@pytest.fixture
def coordinator(unit: Any) -> User:
    return UserFactory(coordinator_in=unit)


def submitted(unit: Any, by: User, **more: Any) -> Agreement:
    draft = AgreementFactory(unit=unit, ready=True, created_by=by, coordinator=by, **more)
    return submit_agreement(Agreement.objects.get(pk=draft.pk), actor=by, on=DAY)


def approval(agreement: Agreement) -> Milestone:
    return Milestone.objects.get(agreement=agreement, kind=MilestoneKind.APPROVAL)


def waiting(milestone: Milestone) -> set[User]:
    """Return whom it waits for; the bulk answer and that for one person have to agree."""
    found = waiting_people([milestone])[milestone.pk]
    asked = {
        person.pk
        for person in User.objects.all()
        if Milestone.objects.waiting_for(person, DAY).filter(pk=milestone.pk).exists()
    }
    assert asked == found
    return set(User.objects.filter(pk__in=found))


def test_an_agreement_in_review_waits_for_the_leads_of_its_unit(unit: Any, coordinator: User) -> None:
    lead, _far = UserFactory(lead_in=unit), UserFactory(lead_in=unit.parent)
    UserFactory(lead_in=unit, is_active=False)
    agreement = submitted(unit, coordinator, type__review_workdays=3)

    row = approval(agreement)

    assert (row.owner, row.waits_for, waiting(row)) == (None, "leads", {lead})
    assert row.due_on == dt.date(2026, 3, 5)  # three working days after Monday, 2 March
    assert not Milestone.objects.orphaned().exists()


def test_where_the_only_lead_is_the_author_the_unit_above_decides_and_else_the_office(unit: Any, office: User) -> None:
    author = UserFactory(lead_in=unit)
    agreement = submitted(unit, author)
    assert waiting(approval(agreement)) == {office}

    above = UserFactory(lead_in=unit.parent)
    assert waiting(approval(agreement)) == {above}

    beside = UserFactory(lead_in=unit)
    assert waiting(approval(agreement)) == {beside}


def test_without_any_lead_it_is_the_office(unit: Any, coordinator: User, office: User) -> None:
    assert waiting(approval(submitted(unit, coordinator))) == {office}


@pytest.mark.parametrize(
    ("step", "more", "status"),
    [
        (approve_agreement, {}, "met"),
        (return_agreement, {"reason": "Names"}, "met"),
        (cancel_agreement, {"reason": "Off"}, "cancelled"),
    ],
)
def test_an_approval_is_closed_by_its_step(
    unit: Any, coordinator: User, step: Any, more: dict[str, str], status: str
) -> None:
    lead = UserFactory(lead_in=unit)
    agreement = submitted(unit, coordinator)

    changed = step(agreement, actor=lead, on=DAY, **more)

    assert approval(agreement).status == status
    if status == "met" and more:
        submit_agreement(changed, actor=coordinator, on=DAY + dt.timedelta(days=7))
        again = approval(agreement)
        assert (again.status, again.due_on) == ("open", dt.date(2026, 3, 16))


@pytest.mark.parametrize(
    "act",
    [
        lambda row, by: waive_milestone(row, actor=by, on=DAY, reason="No"),
        lambda row, by: move_milestone(row, actor=by, at=NOON, due_on=dt.date(2026, 4, 1), reason="Later"),
        lambda row, by: snooze_milestone(row, actor=by, on=DAY, until=dt.date(2026, 3, 4), reason="Later"),
        lambda row, by: assign_milestone(row, actor=by, owner=by),
        lambda row, by: meet_milestone(row, actor=by, on=DAY, evidence="Done"),
    ],
)
def test_nothing_else_closes_or_moves_it(unit: Any, coordinator: User, act: Any) -> None:
    lead = UserFactory(lead_in=unit)
    row = approval(submitted(unit, coordinator))

    with pytest.raises((NotAllowed, TransitionRefused)):
        act(row, lead)


def test_a_submitted_milestone_waits_for_the_leads_and_then_for_its_owner_again(unit: Any, coordinator: User) -> None:
    lead = UserFactory(lead_in=unit)
    agreement = AgreementFactory(unit=unit)
    row = MilestoneFactory(agreement=agreement, unit=unit, owner=coordinator, requires_acceptance=True)

    row = submit_milestone(row, actor=coordinator, on=DAY, evidence="Minutes")
    assert waiting(row) == {lead}
    row = send_back_milestone(row, actor=lead, on=DAY, reason="Which?")
    assert waiting(row) == {coordinator}
    row = submit_milestone(row, actor=coordinator, on=DAY, evidence="Minutes of May")
    row = accept_milestone(row, actor=lead, on=DAY)
    assert (row.status, Milestone.objects.waiting_for(lead, DAY).count()) == ("met", 0)


def test_a_unit_that_is_asked_has_its_answer_in_my_work(unit: Any, coordinator: User) -> None:
    asked = UnitFactory()
    lead, helper = UserFactory(lead_in=asked), UserFactory(coordinator_in=asked)
    demand = DemandFactory(unit=unit, owner=coordinator, deadline_on=None)

    (answer,) = ask_units(demand, actor=coordinator, on=DAY, units=[asked])
    row = Milestone.objects.get(kind=MilestoneKind.ANSWER)
    assert (row.unit, row.due_on, waiting(row)) == (asked, dt.date(2026, 3, 16), {lead})

    given = assign_milestone(row, actor=lead, owner=helper)
    assert waiting(given) == {helper}

    proposed = propose_answer(answer, actor=helper, on=DAY, summary="We can")
    assert Milestone.objects.get(pk=row.pk).status == "met"
    declined = decline_answer(proposed, actor=helper, on=DAY, reason="No time")
    reopen_answer(declined, actor=coordinator, on=DAY, reason="Asked again")
    assert Milestone.objects.get(pk=row.pk).status == "open"


def test_a_registration_waits_for_a_lead_who_did_not_enter_it(unit: Any, coordinator: User) -> None:
    author, lead = UserFactory(lead_in=unit), UserFactory(lead_in=unit)
    draft = AgreementFactory(unit=unit, ready=True, created_by=author, coordinator=coordinator, type__review_workdays=3)
    agreement = record_signed_agreement(Agreement.objects.get(pk=draft.pk), actor=coordinator, on=DAY, today=DAY)
    asked = Milestone.objects.get(agreement=agreement, kind=MilestoneKind.CONFIRM_REGISTRATION)

    assert (asked.status, asked.due_on, asked.owner) == ("open", DAY + dt.timedelta(days=3), None)
    assert waiting(asked) == {lead}
    with pytest.raises(NotAllowed):
        confirm_signing(agreement, actor=author, on=DAY)
    confirm_signing(agreement, actor=lead, on=DAY)

    asked.refresh_from_db()
    assert (asked.status, asked.evidence) == ("met", "Signing confirmed")
    with pytest.raises(TransitionRefused):
        confirm_signing(Agreement.objects.get(pk=agreement.pk), actor=lead, on=DAY)


def test_what_a_lead_or_the_office_registers_waits_for_nobody(unit: Any, coordinator: User, office: User) -> None:
    for person in (UserFactory(lead_in=unit), office):
        draft = AgreementFactory(unit=unit, ready=True, created_by=coordinator)
        record_signed_agreement(Agreement.objects.get(pk=draft.pk), actor=person, on=DAY, today=DAY)

    assert not Milestone.objects.filter(kind=MilestoneKind.CONFIRM_REGISTRATION).exists()
