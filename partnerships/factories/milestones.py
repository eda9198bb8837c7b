"""Milestones at each stage, on an agreement or on what else has a date."""

import datetime as dt
from typing import Any

import factory

from partnerships.factories.agreements import AgreementFactory
from partnerships.factories.base import DAY, ModelFactory
from partnerships.factories.users import UnitFactory
from partnerships.models import Milestone, ReminderMark
from partnerships.models.milestones import MILESTONE_TARGETS
from partnerships.statuses import MilestoneStatus


def _target(row: factory.builder.Resolver) -> Any:
    return next(filter(None, (getattr(row, name) for name in MILESTONE_TARGETS)), None)


def _of_target(row: factory.builder.Resolver, name: str) -> Any:
    return getattr(_target(row), name, None)


class MilestoneFactory(ModelFactory):
    """Open, of a signed agreement, with its unit and its coordinator as owner.

    Another target (``activity``, ``event``, ``organization``, ``facility``, ``honour``, ``demand``) makes it its own:
    unit, owner and context follow where the target has them.
    """

    class Meta:
        model = Milestone

    class Params:
        submitted = factory.Trait(
            status=MilestoneStatus.SUBMITTED, submitted_on=DAY, evidence="Minutes of 2 March", requires_acceptance=True
        )
        met = factory.Trait(status=MilestoneStatus.MET, met_on=DAY, evidence="Minutes of 2 March")
        waived = factory.Trait(status=MilestoneStatus.WAIVED, waived_on=DAY)
        cancelled = factory.Trait(status=MilestoneStatus.CANCELLED, cancelled_on=DAY)
        orphaned = factory.Trait(owner=None)

    activity = None
    event = None
    organization = None
    facility = None
    honour = None
    demand = None
    agreement = factory.Maybe(
        factory.LazyAttribute(_target),
        yes_declaration=factory.LazyAttribute(lambda row: _of_target(row, "agreement")),
        no_declaration=factory.SubFactory(AgreementFactory, signed=True),
    )
    unit = factory.Maybe(
        "organization",
        yes_declaration=factory.SubFactory(UnitFactory),
        no_declaration=factory.LazyAttribute(lambda row: (_target(row) or row.agreement).unit),
    )
    owner = factory.LazyAttribute(
        lambda row: _of_target(row, "owner") if _target(row) else row.agreement and row.agreement.coordinator
    )
    title = factory.Sequence("Milestone {}".format)
    due_on = DAY + dt.timedelta(days=30)


class ReminderMarkFactory(ModelFactory):
    """A mark in addition to those that saving a milestone leaves."""

    class Meta:
        model = ReminderMark

    milestone = factory.SubFactory(MilestoneFactory)
