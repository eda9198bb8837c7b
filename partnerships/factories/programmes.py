"""Programmes with their organizers, items and targets."""

import factory

from partnerships.factories.base import ModelFactory
from partnerships.factories.events import EventFactory
from partnerships.factories.organizations import GovernmentBodyFactory
from partnerships.factories.users import UnitFactory
from partnerships.models import Programme, ProgrammeItem, ProgrammeMeasure, ProgrammeOrganizer, ProgrammeTarget


class ProgrammeFactory(ModelFactory):
    class Meta:
        model = Programme

    unit = factory.SubFactory(UnitFactory)
    name = factory.Sequence("Programme {}".format)


class ProgrammeOrganizerFactory(ModelFactory):
    class Meta:
        model = ProgrammeOrganizer

    programme = factory.SubFactory(ProgrammeFactory)
    organization = factory.SubFactory(GovernmentBodyFactory)


class ProgrammeItemFactory(ModelFactory):
    """Labels an event; with ``agreement``, ``facility`` or ``demand`` that one instead."""

    class Meta:
        model = ProgrammeItem

    programme = factory.SubFactory(ProgrammeFactory)
    agreement = None
    facility = None
    demand = None
    event = factory.Maybe(
        factory.LazyAttribute(lambda item: item.agreement or item.facility or item.demand),
        yes_declaration=None,
        no_declaration=factory.SubFactory(EventFactory),
    )


class ProgrammeTargetFactory(ModelFactory):
    class Meta:
        model = ProgrammeTarget

    programme = factory.SubFactory(ProgrammeFactory)
    measure = ProgrammeMeasure.AGREEMENTS
    value = 20
