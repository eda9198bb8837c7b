"""Organizations and their people as they are kept, which unit holds which, and which are out of use."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    Agreement,
    Contact,
    Facility,
    Organization,
    OrganizationName,
    OrganizationUnit,
    Unit,
    User,
)
from partnerships.permissions import require
from partnerships.statuses import AgreementStatus
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.transitions import delete_as, lock, save_as

OPEN_AGREEMENTS = frozenset(AgreementStatus) - {
    AgreementStatus.COMPLETED,
    AgreementStatus.TERMINATED,
    AgreementStatus.CANCELLED,
}

ORGANIZATION = Aggregate(Organization, "organization.add", "organization.edit", parts=(OrganizationName,))

LOOK_FIRST = gettext_lazy("Look at those of a similar name first; if it is none of them, say so.")
# What makes two contacts of an organization the same person.
SAME_PERSON = ("name", "position", "phone", "email", "wechat")


def register_organization(
    organization: Organization,
    *,
    actor: User | None,
    unit: Unit | None,
    names: Sequence[OrganizationName] = (),
    none_of: Collection[int] = (),
) -> Organization:
    """Keeps a new organization with its other names; ``unit`` holds it from now on, so that its people go on with it.

    Raises ``InvalidInput`` on ``is_another`` when there are look-alikes beside ``none_of``, the ids of those it is said
    not to be. One at a time, so that a form sent twice makes one organization.
    """
    with transaction.atomic():
        lock(ContentType.objects.get_for_model(Organization))
        require(actor, "organization.add")
        if set(Organization.objects.resembling(organization).values_list("pk", flat=True)) - set(none_of):
            raise InvalidInput(LOOK_FIRST, field="is_another")
        save_as(organization, actor)
        for name in names:
            name.organization = organization
            save_as(name, actor)
        if unit is not None:
            require(actor, "organization.edit", unit)
            coordinator = actor if actor and actor.scope.role_in(unit.pk) else None
            save_as(OrganizationUnit(organization=organization, unit=unit, coordinator=coordinator), actor)
    return organization


def edit_organization(
    organization: Organization,
    *,
    actor: User | None,
    is_changed: bool = True,
    names: Iterable[OrganizationName] = (),
    removed: Iterable[OrganizationName] = (),
) -> Organization:
    """Keeps what was changed of it and of its other names as one edit."""
    with transaction.atomic():
        require(actor, "organization.edit", organization)
        if is_changed:
            save_as(organization, actor)
        if ORGANIZATION.save_parts(organization, names, removed, actor=actor) and not is_changed:
            organization.touch()
    return organization


def keep_contact(contact: Contact, *, actor: User | None) -> Contact:
    """Keeps a person at an organization, new or changed. The same new person sent twice is kept once.

    The organization is locked for a new one alone: whoever edits one has locked it, and elsewhere people come after it.
    """
    with transaction.atomic():
        if contact._state.adding:
            lock(contact.organization)
        require(actor, "contact.edit", contact)
        if contact._state.adding:
            same = {name: getattr(contact, name) for name in SAME_PERSON}
            known = contact.organization.contacts.filter(is_active=True, **same).first()
            if known is not None:
                return known
        save_as(contact, actor)
    return contact


def update_holders(
    organizations: Iterable[Organization], *, unit: Unit, coordinator: User | None, actor: User | None
) -> None:
    """Make ``unit`` a holder of each organization it has a ground to hold, and end its holding of the others.

    Whatever adds or ends a ground calls it afterwards: a signing, taking one back, opening or closing a facility.
    What the unit entered or was granted stays.
    """
    with transaction.atomic():
        # In one order and under a lock: two first agreements with the same partners make each holder once.
        ids = [organization.pk for organization in organizations]
        rows = Organization.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        locked = {organization.pk: organization for organization in rows}
        held = {row.organization_id: row for row in unit.held_organizations.filter(organization__in=locked)}
        grounded = _with_ground(unit, locked)
        for pk in sorted(grounded - held.keys()):
            holder = OrganizationUnit(organization=locked[pk], unit=unit, coordinator=coordinator, is_granted=False)
            save_as(holder, actor)
        for pk in sorted(held.keys() - grounded):
            if not held[pk].is_granted:
                delete_as(held[pk], actor)


def _with_ground(unit: Unit, organization_ids: Collection[int]) -> set[int]:
    """The organizations that ``unit`` signed an agreement with, closed meanwhile or not, or runs an open facility with."""
    signed = Agreement.objects.filter(unit=unit, is_signing_confirmed=True)
    sides = Facility.objects.running().filter(unit=unit, partners__organization__in=organization_ids)
    parties = signed.filter(parties__organization__in=organization_ids)
    return {
        *parties.values_list("parties__organization_id", flat=True),
        *sides.values_list("partners__organization_id", flat=True),
    }


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
