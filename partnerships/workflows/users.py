"""Accounts: deactivated with their work handed over, activated again, given a password."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import StaleVersion, TransitionRefused
from partnerships.models import Activity, Agreement, FeedToken, Milestone, OrganizationUnit, Unit, User
from partnerships.models.users import read_tree
from partnerships.permissions import require
from partnerships.statuses import AgreementStatus
from partnerships.workflows.milestones import give_milestones_to
from partnerships.workflows.transitions import lock, save_as

CLOSED = (AgreementStatus.COMPLETED, AgreementStatus.TERMINATED, AgreementStatus.CANCELLED)


def deactivate_user(user: User, *, actor: User | None) -> User:
    """Closes the account and hands the person's open work to the fallback person of the unit it belongs to.

    Effects in order: the account is inactive and its password void, which ends every session, also after a later
    activation; its calendar addresses are gone; agreements with their milestones, other milestones, activities and held organizations move. Where no
    unit above names a fallback person who can be reached, work keeps its owner and shows up as orphaned.
    """
    with transaction.atomic():
        locked = _lock(user, actor)
        if actor is not None and locked.pk == actor.pk:
            raise TransitionRefused(_("Somebody else has to deactivate your account."))
        if not locked.is_active:
            raise TransitionRefused(_("This account is inactive already."))
        if locked.is_superuser and not _other_system_admins(locked):
            raise TransitionRefused(_("This is the last system administrator."))
        locked.is_active = False
        locked.set_unusable_password()
        save_as(locked, actor)
        FeedToken.objects.filter(user=locked).delete()
        _hand_over(locked, actor=actor)
    return locked


def activate_user(user: User, *, actor: User | None) -> User:
    """Opens the account again. Work that was handed over stays where it is; a new password has to be set."""
    with transaction.atomic():
        locked = _lock(user, actor)
        if locked.is_active:
            raise TransitionRefused(_("This account is active already."))
        locked.is_active = True
        save_as(locked, actor)
    return locked


def set_password(user: User, *, actor: User | None, password: str) -> User:
    """Gives the account another password, which ends its sessions."""
    with transaction.atomic():
        locked = _lock(user, actor)
        if not locked.is_active:
            raise TransitionRefused(_("Activate the account first."))
        locked.set_password(password)
        locked.save(update_fields={"password"})
    return locked


def open_work(user: User) -> dict[str, int]:
    """How much a deactivation would hand over."""
    return {
        "agreements": _agreements(user).count(),
        "milestones": user.milestones.pending().count(),
        "activities": user.activities.unfinished().count(),
        "organizations": user.held_organizations.count(),
    }


def _lock(user: User, actor: User | None) -> User:
    locked = lock(user)
    require(actor, "user.edit", locked)
    if locked.version != user.version:
        raise StaleVersion(
            _("Somebody else changed this since you opened it. Please look at it again."), current=locked.version
        )
    return locked


def _other_system_admins(user: User) -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists()


def _agreements(user: User) -> Any:
    return user.coordinated_agreements.exclude(status__in=CLOSED)


def _hand_over(user: User, *, actor: User | None) -> None:
    """Agreements first: their milestones follow the coordinator; then what the person had beside them."""
    fallback = _fallback_finder(user)
    agreements: Iterable[Agreement] = _agreements(user).select_for_update(of=("self",), no_key=True)
    for agreement in agreements:
        if new_owner := fallback(agreement.unit_id):
            agreement.coordinator = new_owner
            save_as(agreement, actor)
            give_milestones_to(agreement, owner_id=agreement.coordinator_id, actor=actor, previous=user)
    milestones: Iterable[Milestone] = user.milestones.pending().select_for_update(of=("self",), no_key=True)
    activities: Iterable[Activity] = user.activities.unfinished().select_for_update(of=("self",), no_key=True)
    owned_rows: list[Milestone | Activity] = [*milestones, *activities]
    for owned in owned_rows:
        _give(owned, "owner", fallback(owned.unit_id), actor=actor)
    for held in OrganizationUnit.objects.filter(coordinator=user).select_for_update(of=("self",), no_key=True):
        _give(held, "coordinator", fallback(held.unit_id), actor=actor)


def _give(row: Any, field: str, new_owner: User | None, *, actor: User | None) -> None:
    if new_owner is not None:
        setattr(row, field, new_owner)
        save_as(row, actor)


def _fallback_finder(user: User) -> Callable[[int], User | None]:
    """Finds the nearest fallback person at or above a unit who can be reached and is not ``user``; two queries."""
    tree = read_tree(Unit)
    named = {unit.pk: unit.fallback_person for unit in Unit.objects.select_related("fallback_person")}

    def find(unit_id: int) -> User | None:
        people = (named[ancestor] for ancestor in tree.with_ancestors(unit_id))
        return next((person for person in people if person and person.is_reachable and person != user), None)

    return find
