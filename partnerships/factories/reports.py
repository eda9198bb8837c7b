"""Reports and their texts."""

import factory

from partnerships.factories.base import DAY, NOON, ModelFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import Report, ReportText
from partnerships.statuses import ReportStatus


class ReportFactory(ModelFactory):
    """A draft of the annual report of a unit, in English; ``confirmed=True`` has no figures worth reading."""

    class Meta:
        model = Report

    class Params:
        confirmed = factory.Trait(
            status=ReportStatus.CONFIRMED,
            figures={},
            confirmed_by=factory.SubFactory(UserFactory),
            confirmed_at=NOON,
        )

    unit = factory.SubFactory(UnitFactory)
    year = DAY.year
    language = "en"


class ReportTextFactory(ModelFactory):
    class Meta:
        model = ReportText

    report = factory.SubFactory(ReportFactory)
    section = ReportText.Section.SUMMARY
    text = "The number of agreements grew."
    author = factory.SubFactory(UserFactory)
    written_on = DAY
