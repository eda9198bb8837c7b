"""Joint facilities at each stage, and the organizations that run them."""

import factory

from partnerships.factories.base import DAY, ModelFactory, when_given
from partnerships.factories.organizations import InstitutionFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import Facility, FacilityKind, FacilityPartner, Organization
from partnerships.statuses import FacilityStatus


class FacilityFactory(ModelFactory):
    """A planned employment base, owned by a coordinator of its unit; ``partners=[...]`` run it, the first on its site.

    The traits write a status and its dates as they are after the steps, and make no reviews.
    """

    class Meta:
        model = Facility

    class Params:
        opened = factory.Trait(status=FacilityStatus.OPENED, opened_on=DAY)
        suspended = factory.Trait(opened=True, status=FacilityStatus.SUSPENDED, suspended_on=DAY)
        closed = factory.Trait(opened=True, status=FacilityStatus.CLOSED, closed_on=DAY)
        orphaned = factory.Trait(owner=None)

    unit = factory.SubFactory(UnitFactory)
    owner = factory.LazyAttribute(lambda row: UserFactory(coordinator_in=row.unit))
    kind = FacilityKind.EMPLOYMENT_BASE
    name = factory.Sequence("Employment base {}".format)

    @when_given
    def partners(self, organizations: list[Organization]) -> None:
        for number, organization in enumerate(organizations):
            FacilityPartnerFactory(facility=self, organization=organization, is_host=number == 0)


class FacilityPartnerFactory(ModelFactory):
    class Meta:
        model = FacilityPartner

    facility = factory.SubFactory(FacilityFactory)
    organization = factory.SubFactory(InstitutionFactory)
