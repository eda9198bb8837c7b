"""Joint facilities at each stage, and the organizations that run them."""

import factory

from partnerships.factories.base import DAY, ModelFactory, when_given
from partnerships.factories.organizations import EnterpriseFactory, InstitutionFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import Facility, FacilityKind, FacilityPartner, Organization
from partnerships.statuses import FacilityStatus


def _add_partners(facility: Facility, _: object) -> None:
    if facility.partners.exists():  # given as partners=[...]
        return
    for organization in (InstitutionFactory(), EnterpriseFactory()):
        FacilityPartnerFactory(facility=facility, organization=organization)


class FacilityFactory(ModelFactory):
    """A planned employment base, owned by a coordinator of its unit; from ``ready`` on a college and an enterprise run it.

    ``partners=[...]`` stands in place of the two. The traits write a status and its dates as they are after the steps,
    and make no reviews.
    """

    class Meta:
        model = Facility

    class Params:
        ready = factory.Trait(with_partners=when_given(_add_partners, default=True))
        opened = factory.Trait(ready=True, status=FacilityStatus.OPENED, opened_on=DAY)
        suspended = factory.Trait(opened=True, status=FacilityStatus.SUSPENDED, suspended_on=DAY)
        closed = factory.Trait(opened=True, status=FacilityStatus.CLOSED, closed_on=DAY)
        orphaned = factory.Trait(owner=None)

    unit = factory.SubFactory(UnitFactory)
    owner = factory.LazyAttribute(lambda row: UserFactory(coordinator_in=row.unit))
    kind = FacilityKind.EMPLOYMENT_BASE
    name = factory.Sequence("Employment base {}".format)

    with_partners = when_given(_add_partners)

    @when_given
    def partners(self, organizations: list[Organization]) -> None:
        for organization in organizations:
            FacilityPartnerFactory(facility=self, organization=organization)


class FacilityPartnerFactory(ModelFactory):
    class Meta:
        model = FacilityPartner

    facility = factory.SubFactory(FacilityFactory)
    organization = factory.SubFactory(InstitutionFactory)
