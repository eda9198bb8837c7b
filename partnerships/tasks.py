"""Celery tasks. A task takes ids or nothing, calls one function and returns its outcome."""

import mmap
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from partnerships.lists import exports
from partnerships.models import Export
from partnerships.operations.run import run_once
from partnerships.workflows.derived_sweep import sweep_derived

# One byte that the processes of a prefork pool share with their parent, which alone hears that the worker is stopping.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def begin_no_more(**_signal: Any) -> None:
    """A worker told to stop finishes the mail under way and takes no further one, in whichever process it is sent."""
    _stopping[0] = 1


def is_stopping() -> bool:
    return _stopping[0] != 0


@shared_task(name="partnerships.tasks.tick")
def tick(trigger: str = "") -> dict[str, Any]:
    """Run the reminders once, then a part of the sweep of derived milestones, whose marks the next run reads.

    Lost or doubled ticks change nothing, the next one finds all that is due. ``trigger`` says what
    asked for it: the ``beat`` of every minute, or a ``hint`` after an edit.
    """
    done = run_once(now=timezone.now(), is_stopping=is_stopping, trigger=trigger).as_dict()
    sweep_derived(now=timezone.now(), is_over=is_stopping)
    exports.make_waiting(clock=timezone.now, is_stopping=is_stopping)  # those whose call was lost
    return done


@shared_task(name="partnerships.tasks.make_export")
def make_export(pk: int) -> None:
    """The file somebody waits for; without a broker the next tick makes it."""
    for export in Export.objects.filter(pk=pk):
        exports.make(export, clock=timezone.now)
