"""Reports and their texts."""

import factory

from partnerships.factories.base import DAY, ModelFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import Report, ReportText


class ReportFactory(ModelFactory):
    """A draft of the annual report of a unit, in English."""

    class Meta:
        model = Report

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
