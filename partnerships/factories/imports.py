"""Imports, their rows and recipes."""

import factory

from partnerships.factories.base import NOON, ModelFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import Import, ImportRecipe, ImportRow


class ImportFactory(ModelFactory):
    """A draft."""

    class Meta:
        model = Import

    kind = "organizations"
    unit = factory.SubFactory(UnitFactory)
    file = "imports/none"
    name = "list.csv"
    language = "en"
    created_by = factory.SubFactory(UserFactory)
    created_at = NOON


class ImportRowFactory(ModelFactory):
    class Meta:
        model = ImportRow

    imported = factory.SubFactory(ImportFactory)
    number = factory.Sequence(lambda number: number + 2)
    cells = factory.LazyFunction(list)


class ImportRecipeFactory(ModelFactory):
    class Meta:
        model = ImportRecipe

    name = factory.Sequence(lambda number: f"Recipe {number}")
    kind = "organizations"
    owner = factory.SubFactory(UserFactory)
