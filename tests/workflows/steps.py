"""What every test of the steps needs: rows at each status, the verbs with what they ask for, and what must not change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import factory

from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    AnswerFactory,
    DemandFactory,
    EventFactory,
    FacilityFactory,
    HonourFactory,
    MilestoneFactory,
    ReportFactory,
)
from partnerships.models import Answer, Demand, Report, StatusChange
from partnerships.statuses import (
    ACTIVITY_TRANSITIONS,
    AGREEMENT_TRANSITIONS,
    ANSWER_TRANSITIONS,
    DEMAND_TRANSITIONS,
    EVENT_TRANSITIONS,
    FACILITY_TRANSITIONS,
    HONOUR_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    REPORT_TRANSITIONS,
    Transition,
    TransitionTable,
)
from partnerships.workflows import activities, agreements, demands, events, facilities, honours, milestones, reports

REASON = "As the partners asked"


@dataclass(frozen=True)
class Workflow:
    """A transition table with its verbs; ``expected`` is the table once more, written by hand: status -> step -> status."""

    table: TransitionTable
    verbs: Mapping[str, Callable[..., Any]]
    factory: Any
    expected: Mapping[str, Mapping[str, str]]
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    traits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def row(self, status: str, **more: Any) -> Any:
        made = self.factory(**self.traits.get(status, {status: True}), **more)
        return type(made).objects.get(pk=made.pk)

    def take(self, row: Any, name: str, *, actor: Any, **more: Any) -> Any:
        values = {"on": DAY, **self.inputs.get(name, {})}
        if self.table[name].needs_reason:
            values["reason"] = REASON
        return self.verbs[name](row, actor=actor, **{**values, **more})

    def cases(self) -> list[tuple[str, Transition]]:
        return [(status, transition) for status in self.expected for transition in self.table.values()]


def agree(demand: Demand, **values: Any) -> Demand:
    """A demand is agreed by making what comes of it; here a project."""
    demands.agree_with_project(demand, title="", **values)
    return Demand.objects.get(pk=demand.pk)


def answer_of_the_same_unit(**values: Any) -> Answer:
    """Asked of the demand's own unit, so that one lead may take every step."""
    return AnswerFactory(**{"unit": factory.SelfAttribute("demand.unit"), **values})


def confirm(report: Report, **values: Any) -> Report:
    return reports.confirm_report(report, now=NOON, figures={"frozen": 1}, **values)


WORKFLOWS = {
    "agreement": Workflow(
        table=AGREEMENT_TRANSITIONS,
        verbs=agreements.STEPS,
        factory=AgreementFactory,
        inputs={"sign": {"today": DAY}, "record_signed": {"today": DAY}},
        traits={"draft": {"ready": True}},
        expected={
            "draft": {"submit": "in_review", "record_signed": "signed", "cancel": "cancelled"},
            "in_review": {"approve": "approved", "return": "returned", "cancel": "cancelled"},
            "returned": {"submit": "in_review", "cancel": "cancelled"},
            "approved": {"sign": "signed", "return": "returned", "cancel": "cancelled"},
            "signed": {
                "suspend": "suspended",
                "complete": "completed",
                "terminate": "terminated",
                "end_by_notice": "terminated",
                "unsign": "draft",
            },
            "suspended": {"resume": "signed", "terminate": "terminated", "end_by_notice": "terminated"},
            "completed": {"reinstate": "signed"},
            "terminated": {"reinstate": "signed"},
            "cancelled": {"reopen": "draft"},
        },
    ),
    "milestone": Workflow(
        table=MILESTONE_TRANSITIONS,
        verbs=milestones.STEPS,
        factory=MilestoneFactory,
        inputs={"meet": {"evidence": "Minutes"}, "submit": {"evidence": "Minutes"}},
        traits={"open": {}},
        expected={
            "open": {"submit": "submitted", "meet": "met", "note": "met", "waive": "waived", "cancel": "cancelled"},
            "submitted": {"accept": "met", "send_back": "open", "waive": "waived", "cancel": "cancelled"},
            "met": {"reopen": "open"},
            "waived": {"reopen": "open"},
            "cancelled": {"reopen": "open"},
        },
    ),
    "activity": Workflow(
        table=ACTIVITY_TRANSITIONS,
        verbs=activities.STEPS,
        factory=ActivityFactory,
        inputs={"complete": {"summary": "Held", "no_next_step_reason": "Nothing was asked for"}},
        traits={"planned": {}},
        expected={
            "planned": {
                "start": "in_progress",
                "complete": "completed",
                "postpone": "postponed",
                "cancel": "cancelled",
            },
            "in_progress": {"complete": "completed", "postpone": "postponed", "cancel": "cancelled"},
            "postponed": {"start": "in_progress", "replan": "planned", "cancel": "cancelled"},
            "completed": {"reopen": "in_progress"},
            "cancelled": {"reopen": "in_progress"},
        },
    ),
    "facility": Workflow(
        table=FACILITY_TRANSITIONS,
        verbs=facilities.STEPS,
        factory=FacilityFactory,
        inputs={"open": {"today": DAY}},
        traits={"planned": {"ready": True}},
        expected={
            "planned": {"open": "opened", "close": "closed"},
            "opened": {"suspend": "suspended", "close": "closed"},
            "suspended": {"resume": "opened", "close": "closed"},
            "closed": {"reopen": "planned"},
        },
    ),
    "event": Workflow(
        table=EVENT_TRANSITIONS,
        verbs=events.STEPS,
        factory=EventFactory,
        traits={"recorded": {}},
        expected={"recorded": {"withdraw": "withdrawn"}, "withdrawn": {"restore": "recorded"}},
    ),
    "honour": Workflow(
        table=HONOUR_TRANSITIONS,
        verbs=honours.STEPS,
        factory=HonourFactory,
        traits={"recorded": {}},
        expected={"recorded": {"withdraw": "withdrawn"}, "withdrawn": {"restore": "recorded"}},
    ),
    "demand": Workflow(
        table=DEMAND_TRANSITIONS,
        verbs={**demands.STEPS, "agree": agree},
        factory=DemandFactory,
        traits={"released": {}},
        expected={
            "released": {"ask": "asked", "answer": "answered", "agree": "agreed", "close": "no_match"},
            "asked": {"answer": "answered", "agree": "agreed", "close": "no_match"},
            "answered": {"agree": "agreed", "close": "no_match"},
            "agreed": {"reopen": "released"},
            "no_match": {"reopen": "released"},
        },
    ),
    "answer": Workflow(
        table=ANSWER_TRANSITIONS,
        verbs=demands.ANSWER_STEPS,
        factory=answer_of_the_same_unit,
        traits={"asked": {}},
        expected={
            "asked": {"propose": "proposed", "decline": "declined"},
            "proposed": {"shortlist": "shortlisted", "choose": "chosen", "decline": "declined"},
            "shortlisted": {"choose": "chosen", "decline": "declined"},
            "chosen": {"reopen": "asked"},
            "declined": {"reopen": "asked"},
        },
    ),
    "report": Workflow(
        table=REPORT_TRANSITIONS,
        verbs={"confirm": confirm},
        factory=ReportFactory,
        traits={"draft": {}},
        expected={"draft": {"confirm": "confirmed"}, "confirmed": {}},
    ),
}


def footprint(row: Any) -> tuple[dict[str, Any], int, int]:
    """Columns, number of history rows, number of steps: what a refused step leaves as it was."""
    columns = type(row).objects.filter(pk=row.pk).values().get()
    return columns, row.history.count(), StatusChange.objects.count()
