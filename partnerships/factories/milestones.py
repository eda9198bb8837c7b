"""Milestones at each stage, on an agreement or on what else has a date."""

import datetime as dt

import factory

from partnerships.factories.agreements import AgreementFactory
from partnerships.factories.base import DAY, ModelFactory
from partnerships.factories.users import UnitFactory
from partnerships.models import Milestone, ReminderMark
from partnerships.statuses import MilestoneStatus


def _target(row: factory.builder.Resolver) -> object:
    return row.activity or row.event or row.organization


class MilestoneFactory(ModelFactory):
    """Open, of a signed agreement, with its unit and its coordinator as owner.

    ``activity``, ``event`` or ``organization`` make it theirs: unit, owner and context follow.
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
    agreement = factory.Maybe(
        factory.LazyAttribute(_target),
        yes_declaration=factory.LazyAttribute(lambda row: row.activity.agreement if row.activity else None),
        no_declaration=factory.SubFactory(AgreementFactory, signed=True),
    )
    unit = factory.Maybe(
        "organization",
        yes_declaration=factory.SubFactory(UnitFactory),
        no_declaration=factory.LazyAttribute(lambda row: (row.activity or row.event or row.agreement).unit),
    )
    owner = factory.LazyAttribute(
        lambda row: row.activity.owner if row.activity else row.agreement and row.agreement.coordinator
    )
    title = factory.Sequence("Milestone {}".format)
    due_on = DAY + dt.timedelta(days=30)


class ReminderMarkFactory(ModelFactory):
    """Beside the marks that saving a milestone leaves."""

    class Meta:
        model = ReminderMark

    milestone = factory.SubFactory(MilestoneFactory)
