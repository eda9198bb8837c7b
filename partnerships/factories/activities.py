"""Activities at each stage, with what a training, a research project or a visit has beyond; notes of calls."""

import factory

from partnerships.factories.agreements import AgreementFactory, CooperationAreaFactory
from partnerships.factories.base import DAY, ModelFactory, when_given
from partnerships.factories.organizations import OrganizationFactory
from partnerships.models import (
    Activity,
    ActivityCredit,
    ActivityKind,
    ActivityOrganization,
    ContactNote,
    Organization,
    ResearchProject,
    Training,
    Visit,
)
from partnerships.statuses import ActivityStatus


def _add_details(activity: Activity, _: object, **details: object) -> None:
    DETAIL_FACTORIES[activity.kind](activity=activity, **details)


class ActivityFactory(ModelFactory):
    """A meeting planned under a signed agreement, of its unit and its coordinator.

    ``training=True``, ``research_project=True`` and ``visit=True`` make the kind with its details
    (``with_details__headcount=...``); ``organizations=[...]`` take part. Without an agreement, give ``agreement=None`` and a ``unit``.
    """

    class Meta:
        model = Activity

    class Params:
        training = factory.Trait(kind=ActivityKind.TRAINING, with_details=when_given(_add_details, default=True))
        research_project = factory.Trait(
            kind=ActivityKind.RESEARCH_PROJECT, with_details=when_given(_add_details, default=True)
        )
        visit = factory.Trait(kind=ActivityKind.VISIT, with_details=when_given(_add_details, default=True))
        in_progress = factory.Trait(status=ActivityStatus.IN_PROGRESS, started_on=DAY)
        postponed = factory.Trait(status=ActivityStatus.POSTPONED, postponed_on=DAY)
        completed = factory.Trait(
            status=ActivityStatus.COMPLETED,
            started_on=DAY,
            completed_on=DAY,
            no_next_step_reason="Nothing more was agreed.",
        )
        cancelled = factory.Trait(status=ActivityStatus.CANCELLED, cancelled_on=DAY)

    agreement = factory.SubFactory(AgreementFactory, signed=True)
    unit = factory.LazyAttribute(lambda activity: activity.agreement.unit)
    owner = factory.LazyAttribute(lambda activity: activity.agreement and activity.agreement.coordinator)
    kind = ActivityKind.MEETING
    title = factory.Sequence("Activity {}".format)
    starts_on = DAY

    with_details = when_given(_add_details)

    @when_given
    def organizations(self, organizations: list[Organization]) -> None:
        for organization in organizations:
            ActivityOrganizationFactory(activity=self, organization=organization)


class ActivityOrganizationFactory(ModelFactory):
    class Meta:
        model = ActivityOrganization

    activity = factory.SubFactory(ActivityFactory)
    organization = factory.SubFactory(OrganizationFactory)


class ActivityCreditFactory(ModelFactory):
    class Meta:
        model = ActivityCredit

    activity = factory.SubFactory(ActivityFactory, completed=True)
    area = factory.SubFactory(CooperationAreaFactory)
    organization = factory.SubFactory(OrganizationFactory)


class TrainingFactory(ModelFactory):
    class Meta:
        model = Training

    activity = factory.SubFactory(ActivityFactory, kind=ActivityKind.TRAINING)
    audience = "CNC machine operators"
    headcount = 30
    hours = 16


class ResearchProjectFactory(ModelFactory):
    class Meta:
        model = ResearchProject

    activity = factory.SubFactory(ActivityFactory, kind=ActivityKind.RESEARCH_PROJECT)
    principal_investigator = factory.Sequence("Investigator {}".format)
    budget = 300_000


class VisitFactory(ModelFactory):
    class Meta:
        model = Visit

    activity = factory.SubFactory(ActivityFactory, kind=ActivityKind.VISIT)
    host = factory.SubFactory(OrganizationFactory)
    delegation = "Two teachers of the college"


DETAIL_FACTORIES: dict[str, type[ModelFactory]] = {
    ActivityKind.TRAINING: TrainingFactory,
    ActivityKind.RESEARCH_PROJECT: ResearchProjectFactory,
    ActivityKind.VISIT: VisitFactory,
}


class ContactNoteFactory(ModelFactory):
    """A call about a signed agreement by its coordinator; with ``agreement=None`` give unit and organization."""

    class Meta:
        model = ContactNote

    agreement = factory.SubFactory(AgreementFactory, signed=True)
    unit = factory.LazyAttribute(lambda note: note.agreement.unit)
    author = factory.LazyAttribute(lambda note: note.agreement and note.agreement.coordinator)
    happened_on = DAY
    summary = factory.Sequence("They called back about point {}.".format)
