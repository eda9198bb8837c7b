"""Figures as a source reports them."""

import factory

from partnerships.factories.base import DAY, NOON, ModelFactory
from partnerships.factories.events import EventFactory
from partnerships.factories.honours import HonourSchemeFactory
from partnerships.factories.organizations import AssociationFactory
from partnerships.factories.sources import SourceFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import CountingRule, FigureConfirmation, ReportedFigure
from partnerships.models.figures import FIGURE_SUBJECTS


class ReportedFigureFactory(ModelFactory):
    """A count about an event, quoted alone; ``organization``, ``region`` or ``programme`` make it theirs.

    ``compared=True`` counts agreements signed at the event, ``of_members=True`` members that hold an honour.
    """

    class Meta:
        model = ReportedFigure

    class Params:
        compared = factory.Trait(counting_rule=CountingRule.EVENT_AGREEMENTS)
        of_members = factory.Trait(
            organization=factory.SubFactory(AssociationFactory),
            scheme=factory.SubFactory(HonourSchemeFactory),
            counting_rule=CountingRule.MEMBERS_WITH_HONOUR,
        )
        share = factory.Trait(measure=ReportedFigure.Measure.SHARE, value="0.3333", printed="more than 1/3")

    unit = factory.SubFactory(UnitFactory)
    source = factory.SubFactory(SourceFactory)
    organization = None
    region = None
    programme = None
    event = factory.Maybe(
        factory.LazyAttribute(lambda figure: any(getattr(figure, name) for name in FIGURE_SUBJECTS if name != "event")),
        yes_declaration=None,
        no_declaration=factory.SubFactory(EventFactory),
    )
    name = factory.Sequence("Figure {}".format)
    value = 9
    as_of = DAY
    printed = "9 enterprises"


class FigureConfirmationFactory(ModelFactory):
    class Meta:
        model = FigureConfirmation

    figure = factory.SubFactory(ReportedFigureFactory)
    by = factory.SubFactory(UserFactory)
    at = NOON
    reported = factory.SelfAttribute("figure.value")
