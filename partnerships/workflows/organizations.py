"""Which unit holds which organization, and which organizations are out of use."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import TransitionRefused
from partnerships.models import Agreement, Organization, OrganizationUnit, Unit, User
from partnerships.permissions import require
from partnerships.statuses import AgreementStatus
from partnerships.workflows.transitions import lock, save_as

OPEN_AGREEMENTS = frozenset(AgreementStatus) - {
    AgreementStatus.COMPLETED,
    AgreementStatus.TERMINATED,
    AgreementStatus.CANCELLED,
}


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


def archive_organization(organization: Organization, *, actor: User | None, on: dt.date) -> Organization:
    """Takes it out of use on ``on``; refused while an agreement with it is open."""
    with transaction.atomic():
        locked = lock(organization)
        require(actor, "organization.archive", locked)
        if locked.archived_on is not None:
            raise TransitionRefused(_("It is in the archive already."))
        if Agreement.objects.filter(parties__organization=locked.pk, status__in=OPEN_AGREEMENTS).exists():
            raise TransitionRefused(_("An agreement with it is still open."))
        locked.version = organization.version  # save() refuses a stale one
        locked.archived_on = on
        save_as(locked, actor)
    return locked


def restore_organization(organization: Organization, *, actor: User | None) -> Organization:
    """Takes it back into use."""
    with transaction.atomic():
        locked = lock(organization)
        require(actor, "organization.archive", locked)
        if locked.archived_on is None:
            raise TransitionRefused(_("It is not in the archive."))
        locked.version = organization.version
        locked.archived_on = None
        save_as(locked, actor)
    return locked
