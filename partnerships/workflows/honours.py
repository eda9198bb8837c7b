"""Honours: recorded, watched until they lapse, withdrawn when they were recorded in error."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.exceptions import TransitionRefused
from partnerships.models import Honour, MilestoneKind, OrganizationUnit, User
from partnerships.statuses import HONOUR_TRANSITIONS, HonourStatus
from partnerships.workflows.derivation import Derived, update_derived
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.milestones import cancel_pending_milestones
from partnerships.workflows.transitions import lock, take_step

# The milestone of its lapse stays with the unit that has it.
HONOUR = Aggregate(Honour, "honour.edit", "honour.edit", fixed=frozenset({"unit"}))


def register_honour(
    honour: Honour, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Honour:
    """Register an honour; somebody is asked to act before it lapses.

    One that had lapsed before ``today`` asks for nothing: it is history.
    """
    with transaction.atomic():
        HONOUR.register(honour, parts, actor=actor)
        watch_lapse(honour, actor=actor, on=today)
    return honour


def edit_honour(
    honour: Honour,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Honour:
    """Change an honour; the milestone of its lapse follows. One that was withdrawn is restored first."""
    with transaction.atomic():
        before, after = HONOUR.begin(honour, changes, actor=actor)
        if before.status == HonourStatus.WITHDRAWN:
            raise TransitionRefused(_("This honor was withdrawn. Restore it first."))
        HONOUR.finish(before, after, parts, removed, actor=actor)
        watch_lapse(after, actor=actor, on=today)
    return after


def withdraw_honour(honour: Honour, *, actor: User | None, on: dt.date, reason: str) -> Honour:
    """Withdraw an honour recorded in error. It counts nowhere any more, and the milestone of its lapse is cancelled."""
    with transaction.atomic():
        withdrawn = take_step(honour, HONOUR_TRANSITIONS, "withdraw", actor=actor, on=on, reason=reason)
        cancel_pending_milestones(withdrawn, actor=actor, on=on, reason=reason)
    return withdrawn


def restore_honour(honour: Honour, *, actor: User | None, on: dt.date, reason: str) -> Honour:
    """Restore an honour withdrawn in error. Its lapse is watched again; refused when it was recorded anew meanwhile."""
    with transaction.atomic():
        locked = lock(honour)
        same = {name: getattr(locked, name) for name in ("scheme_id", "organization_id", "granted_on")}
        # Two people may restore duplicates at the same moment: then the unique constraint refuses the second.
        if Honour.objects.recorded().filter(**same).exclude(pk=locked.pk).exists():
            raise TransitionRefused(_("This honor is recorded already."))
        restored = take_step(honour, HONOUR_TRANSITIONS, "restore", actor=actor, on=on, reason=reason)
        watch_lapse(restored, actor=actor, on=on)
    return restored


STEPS: dict[str, Callable[..., Honour]] = {"withdraw": withdraw_honour, "restore": restore_honour}


def watch_lapse(honour: Honour, *, actor: User | None, on: dt.date) -> None:
    """Update the milestone of the lapse by ``valid_until``; the coordinator of the organization in the unit owns it."""
    with transaction.atomic():
        locked = lock(honour)
        holder = OrganizationUnit.objects.filter(organization=locked.organization, unit=locked.unit).first()
        owner = holder.coordinator if holder else None
        reason = _("It no longer lapses on a known day.")
        wanted = derived_of_honour(locked)
        update_derived(locked, wanted, owner=owner, actor=actor, on=on, reason=reason, not_before=on)


def derived_of_honour(honour: Honour) -> list[Derived]:
    if honour.status != HonourStatus.RECORDED or honour.valid_until is None:
        return []
    title = gettext_noop("The honor lapses: renew it or apply for the next level")
    return [Derived("lapse", MilestoneKind.HONOUR_LAPSE, title, honour.valid_until)]
