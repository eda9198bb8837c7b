"""Enterprises ask, universities answer: the answers, the deadline, and what comes of a demand."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    AgreementTypeFactory,
    AnswerFactory,
    AssociationFactory,
    DemandFactory,
    EnterpriseFactory,
    EventFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Activity, Agreement, Demand, DemandOutcome, MilestoneKind, StatusChange
from partnerships.workflows.demands import (
    agree_with_agreement,
    agree_with_project,
    ask_units,
    choose_answer,
    close_demand,
    decline_answer,
    edit_answer,
    edit_demand,
    propose_answer,
    register_demand,
    reopen_answer,
    reopen_demand,
)
from partnerships.workflows.milestones import move_milestone
from tests.workflows.steps import footprint

pytestmark = pytest.mark.django_db

DEADLINE = dt.date(2026, 5, 29)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def released(**more: Any) -> Demand:
    given = {"unit": UnitFactory(), "organization": EnterpriseFactory(), "deadline_on": DEADLINE, **more}
    return fresh(register_demand(DemandFactory.build(**given), actor=None, today=DAY))


def edited(demand: Demand, *, today: dt.date = DAY, **changes: Any) -> Demand:
    return edit_demand(fresh(demand), actor=None, today=today, changes=changes)


def deadlines(demand: Demand) -> list[tuple[str, str]]:
    return [(row.due_on.isoformat(), row.status) for row in demand.milestones.all()]


# The deadline


def test_the_deadline_is_a_milestone_of_the_owner() -> None:
    demand = released()
    milestone = demand.milestones.get()
    assert (milestone.kind, milestone.due_on) == (MilestoneKind.DEMAND_DEADLINE, DEADLINE)
    assert (milestone.unit, milestone.owner) == (demand.unit, demand.owner)


def test_the_milestone_follows_the_deadline_and_goes_with_it() -> None:
    demand = released()
    edited(demand, deadline_on=dt.date(2026, 4, 1))
    assert deadlines(demand) == [("2026-04-01", "open")]
    edited(demand, deadline_on=None)
    assert deadlines(demand) == [("2026-04-01", "cancelled")]


def test_moved_by_hand_it_stays() -> None:
    demand = released()
    milestone = demand.milestones.get()
    move_milestone(milestone, actor=None, at=NOON, due_on=dt.date(2026, 5, 8), reason="They need it earlier")
    edited(demand, field="Bearings")
    assert deadlines(demand) == [("2026-05-08", "open")]


def test_a_deadline_that_passed_asks_for_nothing() -> None:
    assert deadlines(released(deadline_on=DAY - dt.timedelta(days=1))) == []


def test_closed_without_a_match_and_reopened() -> None:
    closed = close_demand(released(), actor=None, on=DAY, reason="Nobody works in this field")
    assert deadlines(closed) == [("2026-05-29", "cancelled")]
    reopened = reopen_demand(closed, actor=None, on=DAY, reason="Somebody does")
    assert (reopened.status, reopened.closed_on, deadlines(reopened)) == ("released", None, [("2026-05-29", "open")])


def test_a_deadline_that_passes_stays_open_when_the_demand_is_saved_again() -> None:
    demand = released()
    edited(demand, today=DEADLINE + dt.timedelta(days=1), field="Bearings")
    assert deadlines(demand) == [(DEADLINE.isoformat(), "open")]


def test_a_new_owner_takes_over_the_deadline() -> None:
    demand = released()
    owner = UserFactory(coordinator_in=demand.unit)
    edited(demand, owner=owner)
    assert demand.milestones.get().owner == owner


def test_a_slip_in_the_year_of_the_deadline_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        released(deadline_on=dt.date(9999, 12, 31))
    assert refusal.value.field == "deadline_on"


# Answers


def test_asking_units_asks_each_of_them_once() -> None:
    demand, units = released(), [UnitFactory(), UnitFactory()]
    ask_units(demand, actor=None, on=DAY, units=units[:1])
    answers = ask_units(fresh(demand), actor=None, on=DAY, units=units)
    assert [answer.unit for answer in answers] == units[1:]
    assert (fresh(demand).status, fresh(demand).asked_on) == ("asked", DAY)
    with pytest.raises(InvalidInput, match="asked already"):
        ask_units(fresh(demand), actor=None, on=DAY, units=units)


def test_units_are_not_asked_by_a_page_older_than_the_demand() -> None:
    demand = released()
    stale = fresh(demand)
    fresh(demand).save()
    with pytest.raises(StaleVersion):
        ask_units(stale, actor=None, on=DAY, units=[UnitFactory()])
    assert demand.answers.count() == 0


def test_a_closed_demand_is_not_asked() -> None:
    with pytest.raises(TransitionRefused, match="closed"):
        ask_units(DemandFactory(no_match=True), actor=None, on=DAY, units=[UnitFactory()])


def test_the_unit_asked_sees_the_demand_and_no_other_unit_does() -> None:
    demand = released()
    asked, other = UnitFactory(), UnitFactory()
    people = [UserFactory(viewer_in=unit) for unit in (demand.unit, asked, other)]
    ask_units(demand, actor=None, on=DAY, units=[asked])
    assert [list(Demand.objects.visible_to(person)) for person in people] == [[demand], [demand], []]


def test_the_first_answer_answers_the_demand() -> None:
    demand = released()
    answer, second = ask_units(demand, actor=None, on=DAY, units=[UnitFactory(), UnitFactory()])
    person = UserFactory(coordinator_in=answer.unit)
    proposed = propose_answer(answer, actor=person, on=DAY, summary=" A ceramic cage ")
    propose_answer(second, actor=None, on=DAY, summary="Oil mist")
    assert (proposed.status, proposed.summary) == ("proposed", "A ceramic cage")
    assert (fresh(demand).status, fresh(demand).answered_on) == ("answered", DAY)
    steps = StatusChange.objects.of(demand).values_list("transition", "actor")
    assert list(steps) == [("ask", None), ("answer", person.pk)]


def test_the_unit_asked_does_not_choose_itself() -> None:
    answer = AnswerFactory(proposed=True)
    before = footprint(answer)
    with pytest.raises(NotAllowed):
        choose_answer(fresh(answer), actor=UserFactory(lead_in=answer.unit), on=DAY)
    assert footprint(answer) == before
    asking = UserFactory(coordinator_in=answer.demand.unit)
    assert choose_answer(fresh(answer), actor=asking, on=DAY).status == "chosen"


def test_one_answer_is_chosen_at_a_time() -> None:
    first = AnswerFactory(proposed=True)
    second = AnswerFactory(demand=first.demand, proposed=True)
    chosen = choose_answer(first, actor=None, on=DAY)
    with pytest.raises(TransitionRefused, match="Another answer"):
        choose_answer(second, actor=None, on=DAY)
    reopen_answer(chosen, actor=None, on=DAY, reason="Wrong row")
    assert choose_answer(second, actor=None, on=DAY).status == "chosen"


def test_an_answer_is_declined_by_either_side_with_a_reason() -> None:
    for of_answer in (True, False):
        answer = AnswerFactory(proposed=True)
        person = UserFactory(coordinator_in=answer.unit if of_answer else answer.demand.unit)
        declined = decline_answer(answer, actor=person, on=DAY, reason="No capacity this year")
        assert (declined.status, declined.declined_on) == ("declined", DAY)


# What comes of it


@pytest.mark.parametrize("status", ["chosen", "declined", "closed"])
def test_the_words_of_an_answer_stay_once_they_were_judged(status: str) -> None:
    if status == "closed":
        answer = AnswerFactory(proposed=True, demand=DemandFactory(no_match=True))
    else:
        answer = AnswerFactory(**{status: True}, summary="A trial")
    coordinator, summary = UserFactory(coordinator_in=answer.unit), answer.summary
    with pytest.raises(TransitionRefused):
        edit_answer(answer, actor=coordinator, today=DAY, changes={"summary": "Something else"})
    answer.refresh_from_db()
    assert answer.summary == summary
    edit_answer(answer, actor=coordinator, today=DAY, changes={"summary": summary})


def test_an_agreement_comes_of_it_in_one_step() -> None:
    demand = released(title_zh="低噪声轴承")
    chosen = AnswerFactory(demand=demand, chosen=True)
    partner, owner = InstitutionFactory(), demand.owner
    agreement = agree_with_agreement(
        demand, actor=owner, on=DAY, agreement_type=AgreementTypeFactory(), title="", partner=partner
    )
    assert (agreement.status, agreement.title, agreement.title_zh, agreement.unit, agreement.created_by) == (
        "draft",
        demand.title,
        "低噪声轴承",
        demand.unit,
        owner,
    )
    parties = {party.organization_id for party in agreement.parties.all()}
    assert parties == {partner.pk, demand.organization_id}
    outcome = DemandOutcome.objects.get()
    assert (outcome.answer, agreement.demand_outcomes.get(), demand.outcomes.get()) == (chosen, outcome, outcome)
    assert (fresh(demand).status, fresh(demand).agreed_on) == ("agreed", DAY)
    assert deadlines(demand) == [("2026-05-29", "cancelled")]


def test_a_project_comes_of_it_in_one_step() -> None:
    demand = released(event=EventFactory(), rewritten_wording="Cooling of fast spindle bearings")
    partner = InstitutionFactory()
    project = agree_with_project(demand, actor=demand.owner, on=DAY, title="Cool bearings", partner=partner)
    assert (project.kind, project.title, project.owner, project.event) == (
        "research_project",
        "Cool bearings",
        demand.owner,
        demand.event,
    )
    assert project.summary == "Cooling of fast spindle bearings"
    assert [row.organization_id for row in project.partners.all()] == [demand.organization_id, partner.pk]
    assert (project.demand_outcomes.get().demand, demand.outcomes.get().activity) == (demand, project)


def test_what_comes_of_it_was_arranged_by_the_same_organization() -> None:
    association, college = AssociationFactory(), InstitutionFactory()

    def outcome(**given: Any) -> Agreement:
        demand = released(**given)
        more = {"agreement_type": AgreementTypeFactory(), "title": "", "partner": college}
        return agree_with_agreement(demand, actor=demand.owner, on=DAY, **more)

    arranged, by_partner = outcome(through=association), outcome(through=college)
    demand = released(through=association)
    project = agree_with_project(demand, actor=demand.owner, on=DAY, title="Cool bearings")

    assert [arranged.through, by_partner.through, project.through] == [association, None, association]


def test_all_or_nothing() -> None:
    demand = released()
    stale = fresh(demand)
    close_demand(demand, actor=None, on=DAY, reason="Nobody works in this field")
    before = footprint(demand)
    with pytest.raises(TransitionRefused):
        agree_with_project(stale, actor=None, on=DAY, title="", partner=InstitutionFactory())
    with pytest.raises(TransitionRefused):
        agree_with_agreement(
            stale, actor=None, on=DAY, agreement_type=AgreementTypeFactory(), title="", partner=InstitutionFactory()
        )
    assert footprint(demand) == before
    assert [model.objects.count() for model in (Activity, Agreement, DemandOutcome)] == [0, 0, 0]


def test_a_viewer_makes_nothing_of_it() -> None:
    demand = released()
    with pytest.raises(NotAllowed):
        agree_with_project(demand, actor=UserFactory(viewer_in=demand.unit), on=DAY, title="")
    assert (fresh(demand).status, Activity.objects.count()) == ("released", 0)


def test_what_came_of_it_is_in_the_history_of_each() -> None:
    demand = released()
    project = agree_with_project(demand, actor=demand.owner, on=DAY, title="")
    outcome = demand.outcomes.get()
    rows = (project, project.research_project, project.partners.get(), outcome)
    assert [[row.history_user for row in part.history.all()] for part in rows] == [[demand.owner]] * 4
    assert fresh(demand).history.first().history_user == demand.owner
