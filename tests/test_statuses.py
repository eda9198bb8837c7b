"""The transition tables are what the office expects, and name columns and permissions that exist."""

import pytest
from django.db import models

from partnerships.models import Activity, Agreement, Answer, Demand, Facility, Honour, Milestone
from partnerships.permissions import ACTIONS
from partnerships.statuses import (
    ACTIVITY_TRANSITIONS,
    AGREEMENT_TRANSITIONS,
    ANSWER_TRANSITIONS,
    DEMAND_TRANSITIONS,
    FACILITY_TRANSITIONS,
    HONOUR_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    TONES,
    ActivityStatus,
    AgreementStatus,
    AnswerStatus,
    DeliveryStatus,
    DemandStatus,
    FacilityStatus,
    HonourStatus,
    MilestoneStatus,
    PlanStatus,
    TransitionTable,
)
from tests.workflows.steps import WORKFLOWS

TABLES = [
    pytest.param("agreement", Agreement, AgreementStatus, AGREEMENT_TRANSITIONS, id="agreement"),
    pytest.param("milestone", Milestone, MilestoneStatus, MILESTONE_TRANSITIONS, id="milestone"),
    pytest.param("activity", Activity, ActivityStatus, ACTIVITY_TRANSITIONS, id="activity"),
    pytest.param("facility", Facility, FacilityStatus, FACILITY_TRANSITIONS, id="facility"),
    pytest.param("honour", Honour, HonourStatus, HONOUR_TRANSITIONS, id="honour"),
    pytest.param("demand", Demand, DemandStatus, DEMAND_TRANSITIONS, id="demand"),
    pytest.param("answer", Answer, AnswerStatus, ANSWER_TRANSITIONS, id="answer"),
]
each_table = pytest.mark.parametrize(("name", "model", "statuses", "table"), TABLES)


@each_table
def test_the_table_is_the_expected_one(
    name: str, model: type[models.Model], statuses: type[models.TextChoices], table: TransitionTable
) -> None:
    steps = {
        status.value: {step.name: str(step.target) for step in table.values() if status in step.sources}
        for status in statuses
    }
    assert steps == WORKFLOWS[name].expected


@each_table
def test_every_step_has_its_verb(
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
def test_every_status_can_be_reached_and_left(
    name: str, model: type[models.Model], statuses: type[models.TextChoices], table: TransitionTable
) -> None:
    initial = model._meta.get_field("status").default
    assert {step.target for step in table.values()} | {initial} == set(statuses)
    assert {source for step in table.values() for source in step.sources} == set(statuses)


@pytest.mark.parametrize(
    "status",
    [
        status
        for statuses in (
            AgreementStatus,
            MilestoneStatus,
            ActivityStatus,
            FacilityStatus,
            HonourStatus,
            DemandStatus,
            AnswerStatus,
            PlanStatus,
            DeliveryStatus,
        )
        for status in statuses
    ],
)
def test_every_status_has_a_tone(status: str) -> None:
    assert TONES[status] in {"neutral", "info", "success", "warning", "danger", "primary"}
