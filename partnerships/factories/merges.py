"""Merges, and pairs that are known to be different."""

import factory
from django.contrib.contenttypes.models import ContentType

from partnerships.factories.base import ModelFactory
from partnerships.factories.organizations import ContactFactory, OrganizationFactory
from partnerships.factories.users import UserFactory
from partnerships.models import DifferentContacts, DifferentOrganizations, Merge, Organization


class MergeFactory(ModelFactory):
    """A merge into an organization of one that is gone."""

    class Meta:
        model = Merge

    content_type = factory.LazyFunction(lambda: ContentType.objects.get_for_model(Organization))
    kept_id = factory.LazyFunction(lambda: OrganizationFactory.create().pk)
    merged_id = factory.Sequence(lambda number: 900_000 + number)
    name = factory.Sequence("Merged {}".format)
    kept_name = factory.Sequence("Kept {}".format)
    by = factory.SubFactory(UserFactory)


class DifferentOrganizationsFactory(ModelFactory):
    class Meta:
        model = DifferentOrganizations

    first = factory.SubFactory(OrganizationFactory)
    second = factory.SubFactory(OrganizationFactory)


class DifferentContactsFactory(ModelFactory):
    class Meta:
        model = DifferentContacts

    first = factory.SubFactory(ContactFactory)
    second = factory.SubFactory(ContactFactory)
