"""Honour schemes and who holds what until when."""

import datetime as dt

import factory

from partnerships.factories.base import DAY, ModelFactory
from partnerships.factories.organizations import EnterpriseFactory
from partnerships.factories.users import UnitFactory
from partnerships.models import Honour, HonourScheme


class HonourSchemeFactory(ModelFactory):
    """A scheme on the provincial level; ``ladder=True`` gives it a next level, a national one."""

    class Meta:
        model = HonourScheme

    class Params:
        ladder = factory.Trait(
            next_scheme=factory.SubFactory(
                "partnerships.factories.honours.HonourSchemeFactory", level=HonourScheme.Level.NATIONAL
            )
        )

    name = factory.Sequence("Honour {}".format)
    level = HonourScheme.Level.PROVINCIAL


class HonourFactory(ModelFactory):
    """Granted on ``DAY`` for three years; ``lasting=True``: without an end."""

    class Meta:
        model = Honour

    class Params:
        lasting = factory.Trait(valid_until=None)
        withdrawn = factory.Trait(status="withdrawn", withdrawn_on=DAY)

    scheme = factory.SubFactory(HonourSchemeFactory)
    organization = factory.SubFactory(EnterpriseFactory)
    unit = factory.SubFactory(UnitFactory)
    granted_on = DAY
    valid_until = factory.LazyAttribute(lambda honour: honour.granted_on + dt.timedelta(days=3 * 365))
