"""Which unit holds which organization."""

from collections.abc import Iterable

from django.db import transaction

from partnerships.models import Organization, OrganizationUnit, Unit, User
from partnerships.workflows.transitions import save_as


def hold_organizations(
    organizations: Iterable[Organization], *, unit: Unit, coordinator: User | None, actor: User | None
) -> None:
    """Makes ``unit`` a holder of each organization that it does not hold yet: one query, and one save for each new."""
    missing = _not_held({organization.pk for organization in organizations}, unit)
    if not missing:
        return
    with transaction.atomic():
        # In one order and under a lock: two first agreements with the same partners make each holder once.
        rows = Organization.objects.select_for_update(no_key=True).filter(pk__in=missing).order_by("pk")
        locked = {organization.pk: organization for organization in rows}
        for pk in sorted(_not_held(set(locked), unit)):
            save_as(OrganizationUnit(organization=locked[pk], unit=unit, coordinator=coordinator), actor)


def _not_held(organization_ids: set[int], unit: Unit) -> set[int]:
    held = OrganizationUnit.objects.filter(unit=unit, organization__in=organization_ids)
    return organization_ids - set(held.values_list("organization_id", flat=True))
