"""Demands and answers at each stage, achievements on offer, and what came of a demand."""

import factory

from partnerships.factories.agreements import AgreementFactory
from partnerships.factories.base import DAY, ModelFactory
from partnerships.factories.organizations import EnterpriseFactory, InstitutionFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import Achievement, Answer, Demand, DemandOutcome
from partnerships.statuses import AnswerStatus, DemandStatus


class DemandFactory(ModelFactory):
    """Released by an enterprise, owned by a coordinator of its unit.

    ``unpublished=True``: a source names the demand and not what it asks. The traits of the stages make no answers.
    """

    class Meta:
        model = Demand

    class Params:
        unpublished = factory.Trait(is_content_published=False, original_wording="")
        asked = factory.Trait(status=DemandStatus.ASKED, asked_on=DAY)
        answered = factory.Trait(asked=True, status=DemandStatus.ANSWERED, answered_on=DAY)
        agreed = factory.Trait(answered=True, status=DemandStatus.AGREED, agreed_on=DAY)
        no_match = factory.Trait(asked=True, status=DemandStatus.NO_MATCH, closed_on=DAY)
        orphaned = factory.Trait(owner=None)

    unit = factory.SubFactory(UnitFactory)
    owner = factory.LazyAttribute(lambda row: UserFactory(coordinator_in=row.unit))
    organization = factory.SubFactory(EnterpriseFactory)
    title = factory.Sequence("Demand {}".format)
    original_wording = "Our bearings run hot above 12,000 revolutions a minute."
    released_on = DAY


class AchievementFactory(ModelFactory):
    class Meta:
        model = Achievement

    unit = factory.SubFactory(UnitFactory)
    organization = factory.SubFactory(InstitutionFactory)
    name = factory.Sequence("Achievement {}".format)


class AnswerFactory(ModelFactory):
    """Asked of a unit other than the demand's."""

    class Meta:
        model = Answer

    class Params:
        proposed = factory.Trait(
            status=AnswerStatus.PROPOSED, proposed_on=DAY, summary="A ceramic cage would keep it cool."
        )
        shortlisted = factory.Trait(proposed=True, status=AnswerStatus.SHORTLISTED, shortlisted_on=DAY)
        chosen = factory.Trait(proposed=True, status=AnswerStatus.CHOSEN, chosen_on=DAY)
        declined = factory.Trait(status=AnswerStatus.DECLINED, declined_on=DAY)

    demand = factory.SubFactory(DemandFactory, asked=True)
    unit = factory.SubFactory(UnitFactory)


class DemandOutcomeFactory(ModelFactory):
    """A draft agreement of the demand's unit; for a project give ``activity`` and ``agreement=None``."""

    class Meta:
        model = DemandOutcome

    demand = factory.SubFactory(DemandFactory, agreed=True)
    agreement = factory.SubFactory(AgreementFactory, unit=factory.SelfAttribute("..demand.unit"))
