"""Honours: recorded, watched until they lapse, withdrawn when they were recorded in error."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.exceptions import TransitionRefused
from partnerships.models import Honour, MilestoneKind, OrganizationUnit, User
from partnerships.permissions import require
from partnerships.statuses import HONOUR_TRANSITIONS, HonourStatus
from partnerships.workflows.derivation import Derived, update_derived
from partnerships.workflows.milestones import cancel_pending_milestones
from partnerships.workflows.transitions import check_day, lock, save_as, take_step


def record_honour(honour: Honour, *, actor: User | None, on: dt.date) -> Honour:
    """Saves an honour, new or changed, and keeps the milestone of its lapse in step.

    One that had lapsed before ``on`` when it was recorded asks for nothing: it is history.
    """
    with transaction.atomic():
        require(actor, "honour.edit", honour)
        if honour.status == HonourStatus.WITHDRAWN:
            raise TransitionRefused(_("This honour was withdrawn. Restore it first."))
        if honour.valid_until:
            check_day(honour.valid_until, field="valid_until")
        save_as(honour, actor)
        watch_lapse(honour, actor=actor, on=on)
    return honour


def withdraw_honour(honour: Honour, *, actor: User | None, on: dt.date, reason: str) -> Honour:
    """A correction: recorded in error. It counts nowhere any more, and what waits for its lapse is cancelled."""
    with transaction.atomic():
        withdrawn = take_step(honour, HONOUR_TRANSITIONS, "withdraw", actor=actor, on=on, reason=reason)
        cancel_pending_milestones(withdrawn, actor=actor, on=on, reason=reason)
    return withdrawn


def restore_honour(honour: Honour, *, actor: User | None, on: dt.date, reason: str) -> Honour:
    """A correction: withdrawn in error. Its lapse is watched again; refused when it was recorded anew meanwhile."""
    with transaction.atomic():
        locked = lock(honour)
        same = {name: getattr(locked, name) for name in ("scheme_id", "organization_id", "granted_on")}
        # Two who restore twins at once: the constraint stops the second.
        if Honour.objects.recorded().filter(**same).exclude(pk=locked.pk).exists():
            raise TransitionRefused(_("This honour is recorded already."))
        restored = take_step(honour, HONOUR_TRANSITIONS, "restore", actor=actor, on=on, reason=reason)
        watch_lapse(restored, actor=actor, on=on)
    return restored


STEPS: dict[str, Callable[..., Honour]] = {"withdraw": withdraw_honour, "restore": restore_honour}


def watch_lapse(honour: Honour, *, actor: User | None, on: dt.date) -> None:
    """The milestone of the lapse follows ``valid_until``; the coordinator who holds the organization owns it."""
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
    title = gettext_noop("The honour lapses: renew it or apply for the next level")
    return [Derived("lapse", MilestoneKind.HONOUR_LAPSE, title, honour.valid_until)]
