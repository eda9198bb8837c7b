"""Events that were recorded in error are withdrawn: kept with the reason, and out of lists and figures."""

import datetime as dt
from collections.abc import Callable, Iterator

from django.db import transaction

from partnerships.models import Event, Milestone, StatusChange, User
from partnerships.statuses import EVENT_TRANSITIONS, MilestoneStatus
from partnerships.workflows.milestones import cancel_pending_milestones, take_milestone_step
from partnerships.workflows.transitions import take_step


def withdraw_event(event: Event, *, actor: User | None, on: dt.date, reason: str) -> Event:
    """Withdraw an event recorded in error. It counts nowhere any more, and its open milestones are cancelled."""
    with transaction.atomic():
        withdrawn = take_step(event, EVENT_TRANSITIONS, "withdraw", actor=actor, on=on, reason=reason)
        cancel_pending_milestones(withdrawn, actor=actor, on=on, reason=reason)
    return withdrawn


def restore_event(event: Event, *, actor: User | None, on: dt.date, reason: str) -> Event:
    """Restore an event withdrawn in error; the milestones that the withdrawal cancelled are open again."""
    with transaction.atomic():
        restored = take_step(event, EVENT_TRANSITIONS, "restore", actor=actor, on=on, reason=reason)
        for milestone in _cancelled_by_withdrawal(restored):
            take_milestone_step(milestone, "reopen", actor=actor, on=on, reason=reason, is_consequence=True)
    return restored


def _cancelled_by_withdrawal(event: Event) -> Iterator[Milestone]:
    """Yield the milestones that went with the last withdrawal, locked; what was cancelled by itself stays so."""
    withdrawal = StatusChange.objects.of(event).filter(transition="withdraw").last()
    cancelled = event.milestones.filter(status=MilestoneStatus.CANCELLED).order_by("pk")
    for milestone in list(cancelled.select_for_update(no_key=True, of=("self",))):
        last = StatusChange.objects.of(milestone).last()
        # Both were written in one transaction, and with one reason.
        if last and withdrawal and last.at >= withdrawal.at and last.reason == withdrawal.reason:
            yield milestone


STEPS: dict[str, Callable[..., Event]] = {"withdraw": withdraw_event, "restore": restore_event}
