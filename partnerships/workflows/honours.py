"""Honours: recorded, watched until they lapse."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.models import Honour, MilestoneKind, OrganizationUnit, User
from partnerships.permissions import require
from partnerships.workflows.milestones import Derived, keep_in_step
from partnerships.workflows.transitions import check_day, lock, save_as


def record_honour(honour: Honour, *, actor: User | None, on: dt.date) -> Honour:
    """Saves an honour, new or changed, and keeps the milestone of its lapse in step.

    One that had lapsed before ``on`` when it was recorded asks for nothing: it is history.
    """
    with transaction.atomic():
        require(actor, "honour.edit", honour)
        if honour.valid_until:
            check_day(honour.valid_until, field="valid_until")
        save_as(honour, actor)
        watch_lapse(honour, actor=actor, on=on)
    return honour


def watch_lapse(honour: Honour, *, actor: User | None, on: dt.date) -> None:
    """The milestone of the lapse follows ``valid_until``; the coordinator who holds the organization owns it."""
    with transaction.atomic():
        locked = lock(honour)
        holder = OrganizationUnit.objects.filter(organization=locked.organization, unit=locked.unit).first()
        owner = holder.coordinator if holder else None
        reason = _("It no longer lapses on a known day.")
        wanted = derived_of_honour(locked)
        keep_in_step(locked, wanted, owner=owner, actor=actor, on=on, reason=reason, not_before=on)


def derived_of_honour(honour: Honour) -> list[Derived]:
    if honour.valid_until is None:
        return []
    title = gettext_noop("The honour lapses: renew it or apply for the next level")
    return [Derived("lapse", MilestoneKind.HONOUR_LAPSE, title, honour.valid_until)]
