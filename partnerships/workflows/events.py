"""Events that were recorded in error are withdrawn: kept with the reason, and out of lists and figures."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction

from partnerships.models import Event, User
from partnerships.statuses import EVENT_TRANSITIONS
from partnerships.workflows.milestones import cancel_pending_milestones
from partnerships.workflows.transitions import take_step


def withdraw_event(event: Event, *, actor: User | None, on: dt.date, reason: str) -> Event:
    """Withdraw an event recorded in error. It counts nowhere any more, and its open milestones are cancelled."""
    with transaction.atomic():
        withdrawn = take_step(event, EVENT_TRANSITIONS, "withdraw", actor=actor, on=on, reason=reason)
        cancel_pending_milestones(withdrawn, actor=actor, on=on, reason=reason)
    return withdrawn


def restore_event(event: Event, *, actor: User | None, on: dt.date, reason: str) -> Event:
    """Restore an event withdrawn in error."""
    return take_step(event, EVENT_TRANSITIONS, "restore", actor=actor, on=on, reason=reason)


STEPS: dict[str, Callable[..., Event]] = {"withdraw": withdraw_event, "restore": restore_event}
