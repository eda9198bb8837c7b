"""The transition tables are what the office expects, and name only columns and permissions that exist."""

import pytest
from django.db import models
from django.utils.translation import override

from partnerships.models import Activity, Agreement, Answer, Demand, Event, Facility, Honour, Milestone
from partnerships.models.base import status_of
from partnerships.permissions import ACTIONS
from partnerships.statuses import (
    ACTIVITY_TRANSITIONS,
    AGREEMENT_TRANSITIONS,
    ANSWER_TRANSITIONS,
    DEMAND_TRANSITIONS,
    EVENT_TRANSITIONS,
    FACILITY_TRANSITIONS,
    HONOUR_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    ActivityStatus,
    AgreementStatus,
    AnswerStatus,
    DemandStatus,
    EventStatus,
    FacilityStatus,
    HonourStatus,
    MilestoneStatus,
    Status,
    TransitionTable,
)
from tests.workflows.steps import WORKFLOWS

TABLES = [
    pytest.param("agreement", Agreement, AgreementStatus, AGREEMENT_TRANSITIONS, id="agreement"),
    pytest.param("milestone", Milestone, MilestoneStatus, MILESTONE_TRANSITIONS, id="milestone"),
    pytest.param("activity", Activity, ActivityStatus, ACTIVITY_TRANSITIONS, id="activity"),
    pytest.param("facility", Facility, FacilityStatus, FACILITY_TRANSITIONS, id="facility"),
    pytest.param("event", Event, EventStatus, EVENT_TRANSITIONS, id="event"),
    pytest.param("honour", Honour, HonourStatus, HONOUR_TRANSITIONS, id="honour"),
    pytest.param("demand", Demand, DemandStatus, DEMAND_TRANSITIONS, id="demand"),
    pytest.param("answer", Answer, AnswerStatus, ANSWER_TRANSITIONS, id="answer"),
]
each_table = pytest.mark.parametrize(("name", "model", "statuses", "table"), TABLES)


@each_table
def test_the_table_allows_the_expected_steps_and_no_others(
    name: str, model: type[models.Model], statuses: type[models.TextChoices], table: TransitionTable
) -> None:
    steps = {
        status.value: {step.name: str(step.target) for step in table.values() if status in step.sources}
        for status in statuses
    }
    assert steps == WORKFLOWS[name].expected


@each_table
def test_every_step_has_a_verb(
    name: str, model: type[models.Model], statuses: type[models.TextChoices], table: TransitionTable
) -> None:
    assert set(WORKFLOWS[name].verbs) == set(table)
    assert {key: step.name for key, step in table.items()} == {key: key for key in table}


@each_table
def test_steps_name_columns_and_permissions_that_exist(
    name: str, model: type[models.Model], statuses: type[models.TextChoices], table: TransitionTable
) -> None:
    dates = {field.name for field in model._meta.fields if isinstance(field, models.DateField)}
    for step in table.values():
        assert {*filter(None, [step.stamps]), *step.clears, *step.after} - dates == set()
        assert step.permission in ACTIONS
        assert (step.needs_reason, step.is_correction) in {(True, True), (True, False), (False, False)}


@each_table
def test_histories_say_in_the_past_tense_what_was_done(
    name: str, model: type[models.Model], statuses: type[models.TextChoices], table: TransitionTable
) -> None:
    assert [step for step, row in table.items() if row.past == row.label] == []
    with override("zh-hans"):
        assert [step for step, row in table.items() if not str(row.past).startswith(("已", "未"))] == []


@each_table
def test_every_status_can_be_reached_and_left(
    name: str, model: type[models.Model], statuses: type[models.TextChoices], table: TransitionTable
) -> None:
    initial = model._meta.get_field("status").default
    assert {step.target for step in table.values()} | {initial} == set(statuses)
    assert {source for step in table.values() for source in step.sources} == set(statuses)


@pytest.mark.parametrize("status", [status for statuses in Status.__subclasses__() for status in statuses], ids=str)
def test_every_status_has_a_tone_that_the_stylesheets_know(status: Status) -> None:
    assert status.tone in {"neutral", "info", "success", "warning", "danger", "primary"}


def test_a_row_shows_the_label_and_tone_of_its_own_status() -> None:
    """Two aggregates may use the same stored value for statuses of different weight."""
    shown = [status_of(Facility(status="suspended")), status_of(Honour()), status_of(Answer(status="asked"))]
    assert [(status.label, status.tone) for status in shown] == [
        ("Suspended", "warning"),
        ("Recorded", "success"),
        ("Asked", "info"),
    ]
