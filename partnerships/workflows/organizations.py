"""Which unit holds which organization."""

from collections.abc import Iterable

from partnerships.models import Organization, OrganizationUnit, Unit, User
from partnerships.workflows.transitions import save_as


def hold_organizations(
    organizations: Iterable[Organization], *, unit: Unit, coordinator: User | None, actor: User | None
) -> None:
    """Makes ``unit`` a holder of each organization that it does not hold yet: one query, and one save for each new."""
    wanted = {organization.pk: organization for organization in organizations}
    held = OrganizationUnit.objects.filter(unit=unit, organization__in=wanted)
    known = set(held.values_list("organization_id", flat=True))
    for pk, organization in wanted.items():
        if pk not in known:
            save_as(OrganizationUnit(organization=organization, unit=unit, coordinator=coordinator), actor)
