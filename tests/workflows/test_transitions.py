"""Every status with every step: taken exactly where the table says so, and otherwise nothing has happened."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import DomainError, InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import DAY, UserFactory
from partnerships.models import StatusChange
from partnerships.statuses import Transition
from tests.workflows.steps import REASON, WORKFLOWS, Workflow, footprint

pytestmark = pytest.mark.django_db

CASES = [
    pytest.param(workflow, status, transition, id=f"{name}-{status}-{transition.name}")
    for name, workflow in WORKFLOWS.items()
    for status, transition in workflow.cases()
]
POSSIBLE = [case for case in CASES if case.values[2].name in case.values[0].expected[case.values[1]]]


def make(workflow: Workflow, status: str, transition: Transition) -> Any:
    """A milestone that a lead accepts cannot be met, the others cannot be submitted, and only news is noted; notice comes before its end."""
    if transition.name == "end_by_notice":
        year = dt.timedelta(days=365)
        term = {"starts_on": DAY - year, "ends_on": DAY - dt.timedelta(days=1), "notice_given_on": DAY - year}
        return workflow.row(status, with_term__renewal="automatic", **{f"with_term__{n}": v for n, v in term.items()})
    if workflow is WORKFLOWS["milestone"] and transition.name == "note":
        return workflow.row(status, kind="new_holder")
    is_handed_in = workflow is WORKFLOWS["milestone"] and transition.name == "submit" and status != "submitted"
    return workflow.row(status, **({"requires_acceptance": True} if is_handed_in else {}))


@pytest.mark.parametrize(("workflow", "status", "transition"), CASES)
def test_every_status_with_every_step(workflow: Workflow, status: str, transition: Transition) -> None:
    row = make(workflow, status, transition)
    lead = UserFactory(lead_in=row.unit)
    target = workflow.expected[status].get(transition.name)
    before = footprint(row)
    if target is None:
        with pytest.raises(TransitionRefused):
            workflow.take(row, transition.name, actor=lead)
        assert footprint(row) == before
        return
    taken = workflow.take(row, transition.name, actor=lead)
    assert (taken.status, type(row).objects.get(pk=row.pk).status) == (target, target)
    if transition.stamps:
        assert getattr(taken, transition.stamps) == DAY
    assert [getattr(taken, column) for column in transition.clears] == [None] * len(transition.clears)


@pytest.mark.both_databases
@pytest.mark.parametrize(("workflow", "status", "transition"), POSSIBLE)
def test_a_step_leaves_one_history_row_and_one_status_change(
    workflow: Workflow, status: str, transition: Transition
) -> None:
    row = make(workflow, status, transition)
    lead = UserFactory(lead_in=row.unit)
    workflow.take(row, transition.name, actor=lead)
    assert list(row.history.values_list("history_user", flat=True)) == [lead.pk, None]
    change = StatusChange.objects.of(row).get()
    assert (change.transition, change.from_status, change.to_status, change.actor, change.reason) == (
        transition.name,
        status,
        transition.target,
        lead,
        REASON if transition.needs_reason else "",
    )


@pytest.mark.parametrize(("workflow", "status", "transition"), POSSIBLE)
def test_a_step_asks_for_permission(workflow: Workflow, status: str, transition: Transition) -> None:
    row = make(workflow, status, transition)
    viewer = UserFactory(viewer_in=row.unit)
    before = footprint(row)
    with pytest.raises(NotAllowed):
        workflow.take(row, transition.name, actor=viewer)
    assert footprint(row) == before


@pytest.mark.both_databases
@pytest.mark.parametrize(("workflow", "status", "transition"), POSSIBLE)
def test_a_step_from_a_stale_page_is_refused(workflow: Workflow, status: str, transition: Transition) -> None:
    row = make(workflow, status, transition)
    type(row).objects.get(pk=row.pk).save()
    before = footprint(row)
    with pytest.raises(StaleVersion) as refusal:
        workflow.take(row, transition.name, actor=None)
    assert refusal.value.current == 2
    assert footprint(row) == before


@pytest.mark.parametrize(
    ("workflow", "status", "transition"), [case for case in POSSIBLE if case.values[2].needs_reason]
)
def test_a_reason_is_more_than_spaces(workflow: Workflow, status: str, transition: Transition) -> None:
    row = make(workflow, status, transition)
    before = footprint(row)
    for reason in ("", "  \n", "because\x00"):
        with pytest.raises(InvalidInput) as refusal:
            workflow.take(row, transition.name, actor=None, reason=reason)
        assert refusal.value.field == "reason"
    assert footprint(row) == before


@pytest.mark.parametrize(
    ("workflow", "status", "transition"), [case for case in POSSIBLE if case.values[2].name != "accept"]
)
def test_a_slip_in_the_year_is_refused(workflow: Workflow, status: str, transition: Transition) -> None:
    row = make(workflow, status, transition)
    before = footprint(row)
    for on in (dt.date(24, 3, 2), dt.date(9999, 12, 31)):
        with pytest.raises(InvalidInput) as refusal:
            workflow.take(row, transition.name, actor=None, on=on)
        assert refusal.value.field == "on"
    assert footprint(row) == before


@pytest.mark.parametrize(
    ("name", "status", "step"),
    [
        ("agreement", "signed", "suspend"),
        ("agreement", "suspended", "resume"),
        ("agreement", "signed", "complete"),
        ("agreement", "signed", "terminate"),
        ("agreement", "suspended", "terminate"),
        ("activity", "in_progress", "complete"),
        ("facility", "opened", "suspend"),
        ("facility", "suspended", "resume"),
        ("facility", "suspended", "close"),
        ("demand", "released", "ask"),
        ("demand", "asked", "answer"),
        ("demand", "answered", "agree"),
        ("demand", "answered", "close"),
        ("answer", "proposed", "shortlist"),
        ("answer", "shortlisted", "choose"),
        ("answer", "shortlisted", "decline"),
    ],
)
def test_a_step_cannot_lie_before_the_one_it_follows(name: str, status: str, step: str) -> None:
    workflow = WORKFLOWS[name]
    row = workflow.row(status)
    before = footprint(row)
    with pytest.raises(InvalidInput) as refusal:
        workflow.take(row, step, actor=None, on=DAY - dt.timedelta(days=1))
    assert (refusal.value.field, DAY.isoformat() in str(refusal.value)) == ("on", True)
    assert footprint(row) == before


@pytest.mark.both_databases
def test_the_row_given_is_not_touched() -> None:
    agreement = WORKFLOWS["agreement"].row("in_review")
    WORKFLOWS["agreement"].take(agreement, "approve", actor=None)
    assert (agreement.status, agreement.version, agreement.approved_on) == ("in_review", 1, None)


@pytest.mark.both_databases
def test_a_row_deleted_meanwhile_is_refused_in_words() -> None:
    agreement = WORKFLOWS["agreement"].row("draft")
    for part in (*agreement.parties.all(), *agreement.terms.all()):
        part.delete()
    type(agreement).objects.get(pk=agreement.pk).delete()
    with pytest.raises(DomainError, match="deleted"):
        WORKFLOWS["agreement"].take(agreement, "submit", actor=None)
