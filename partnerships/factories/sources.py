"""Articles and what they printed."""

import factory

from partnerships.factories.base import ModelFactory
from partnerships.factories.organizations import OrganizationFactory
from partnerships.models import Citation, Source, Statement


class SourceFactory(ModelFactory):
    class Meta:
        model = Source

    title = factory.Sequence("Article {}".format)


class StatementFactory(ModelFactory):
    class Meta:
        model = Statement

    source = factory.SubFactory(SourceFactory)
    number = factory.Sequence(lambda number: number + 1)
    opening = "The association and the college held"
    text = "They met and signed."


class CitationFactory(ModelFactory):
    """Cites an organization, or another ``record``."""

    class Meta:
        model = Citation

    class Params:
        assumed = factory.Trait(printed="", is_assumption=True, note="The year is not printed.")

    source = factory.SubFactory(SourceFactory)
    record = factory.SubFactory(OrganizationFactory)
    printed = "as the article says"
