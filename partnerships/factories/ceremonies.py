"""Ceremonies that were typed in part."""

import factory

from partnerships.factories.base import NOON, ModelFactory
from partnerships.factories.users import UserFactory
from partnerships.models import CeremonyDraft


class CeremonyDraftFactory(ModelFactory):
    class Meta:
        model = CeremonyDraft

    author = factory.SubFactory(UserFactory)
    content = factory.LazyFunction(lambda: {"name": ["Docking meeting"]})
    kept_at = NOON
