"""Saved views, column sets and exports."""

import factory

from partnerships.factories.base import NOON, ModelFactory
from partnerships.factories.users import UserFactory
from partnerships.models import ColumnSet, Export, SavedView


class SavedViewFactory(ModelFactory):
    class Meta:
        model = SavedView

    user = factory.SubFactory(UserFactory)
    list = "agreement_list"
    name = factory.Sequence("View {}".format)
    query = "status=signed"


class ColumnSetFactory(ModelFactory):
    """For the whole office: a running number, and the title of an agreement under a heading of a bureau."""

    class Meta:
        model = ColumnSet

    name = factory.Sequence("Ledger {}".format)
    list = "agreement_list"
    columns = factory.LazyFunction(
        lambda: [
            {"column": "#", "heading": "序号", "text": ""},
            {"column": "title", "heading": "合作内容", "text": ""},
        ]
    )


class ExportFactory(ModelFactory):
    """Waiting to be made."""

    class Meta:
        model = Export

    user = factory.SubFactory(UserFactory)
    list = "agreement_list"
    format = "csv"
    language = "en"
    asked_at = NOON
