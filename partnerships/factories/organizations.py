"""Organizations of each kind with their regions, names, people and holders."""

import factory

from partnerships.factories.base import ModelFactory, when_given
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import (
    Association,
    AssociationMembership,
    Contact,
    ContactPosition,
    Enterprise,
    GovernmentBody,
    Institution,
    Organization,
    OrganizationCode,
    OrganizationKind,
    OrganizationName,
    OrganizationUnit,
    Region,
    Unit,
)


class RegionFactory(ModelFactory):
    class Meta:
        model = Region

    code = factory.Sequence("region-{}".format)
    name = factory.Sequence("Region {}".format)
    level = Region.Level.CITY


class OrganizationFactory(ModelFactory):
    """An enterprise, or another ``kind``; ``held_by=unit`` makes it the unit's own."""

    class Meta:
        model = Organization

    kind = OrganizationKind.ENTERPRISE
    name = factory.Sequence("Organization {}".format)

    @when_given
    def held_by(self, unit: Unit) -> None:
        OrganizationUnitFactory(organization=self, unit=unit, coordinator=None)


class InstitutionFactory(OrganizationFactory):
    class Meta:
        model = Institution

    kind = OrganizationKind.INSTITUTION
    name = factory.Sequence("College {}".format)
    institution_type = Organization.InstitutionType.VOCATIONAL_COLLEGE


class EnterpriseFactory(OrganizationFactory):
    class Meta:
        model = Enterprise

    name = factory.Sequence("Enterprise {} Co., Ltd.".format)


class AssociationFactory(OrganizationFactory):
    class Meta:
        model = Association

    kind = OrganizationKind.ASSOCIATION
    name = factory.Sequence("Association {}".format)


class GovernmentBodyFactory(OrganizationFactory):
    class Meta:
        model = GovernmentBody

    kind = OrganizationKind.GOVERNMENT_BODY
    name = factory.Sequence("Bureau {}".format)


class OrganizationNameFactory(ModelFactory):
    class Meta:
        model = OrganizationName

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence("Other name {}".format)


class OrganizationCodeFactory(ModelFactory):
    class Meta:
        model = OrganizationCode

    organization = factory.SubFactory(OrganizationFactory)
    scheme = "ROR"
    code = factory.Sequence("0{:08}".format)


class AssociationMembershipFactory(ModelFactory):
    class Meta:
        model = AssociationMembership

    association = factory.SubFactory(OrganizationFactory, kind=OrganizationKind.ASSOCIATION)
    member = factory.SubFactory(OrganizationFactory)


class OrganizationUnitFactory(ModelFactory):
    class Meta:
        model = OrganizationUnit

    organization = factory.SubFactory(OrganizationFactory)
    unit = factory.SubFactory(UnitFactory)
    coordinator = factory.LazyAttribute(lambda row: UserFactory(coordinator_in=row.unit))


class ContactPositionFactory(ModelFactory):
    class Meta:
        model = ContactPosition

    contact = factory.SubFactory("partnerships.factories.ContactFactory")
    organization = factory.SubFactory(OrganizationFactory)
    position = "Adviser"


class ContactFactory(ModelFactory):
    class Meta:
        model = Contact

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence("Contact {}".format)
    email = factory.Sequence("contact{}@example.org".format)
    phone = factory.Sequence("0575-8300-{:04}".format)
