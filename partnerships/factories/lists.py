"""Saved views and exports."""

import factory

from partnerships.factories.base import NOON, ModelFactory
from partnerships.factories.users import UserFactory
from partnerships.models import Export, SavedView


class SavedViewFactory(ModelFactory):
    class Meta:
        model = SavedView

    user = factory.SubFactory(UserFactory)
    list = "agreement_list"
    name = factory.Sequence("View {}".format)
    query = "status=signed"


class ExportFactory(ModelFactory):
    """Waiting to be made."""

    class Meta:
        model = Export

    user = factory.SubFactory(UserFactory)
    list = "agreement_list"
    format = "csv"
    language = "en"
    asked_at = NOON
