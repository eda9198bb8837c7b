"""Events and who took part in them."""

import factory

from partnerships.factories.base import DAY, ModelFactory
from partnerships.factories.organizations import OrganizationFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import Event, EventKind, EventPerson, Participation


class EventFactory(ModelFactory):
    class Meta:
        model = Event

    class Params:
        withdrawn = factory.Trait(status="withdrawn", withdrawn_on=DAY)

    unit = factory.SubFactory(UnitFactory)
    name = factory.Sequence("Docking meeting {}".format)
    starts_on = DAY


class EventKindFactory(ModelFactory):
    class Meta:
        model = EventKind

    event = factory.SubFactory(EventFactory)
    kind = EventKind.Kind.DOCKING_MEETING


class ParticipationFactory(ModelFactory):
    """``unresolved=True``: a name as printed that nobody could match with an organization."""

    class Meta:
        model = Participation

    class Params:
        unresolved = factory.Trait(organization=None, name_as_printed=factory.Sequence("Printed name {}".format))

    event = factory.SubFactory(EventFactory)
    organization = factory.SubFactory(OrganizationFactory)


class EventPersonFactory(ModelFactory):
    class Meta:
        model = EventPerson

    event = factory.SubFactory(EventFactory)
    user = factory.SubFactory(UserFactory)
    invited_on = DAY
