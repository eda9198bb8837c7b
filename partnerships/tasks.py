"""Celery tasks. A task takes ids or nothing, calls one function and returns its outcome."""

import mmap
from dataclasses import asdict
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from partnerships.lists import exports
from partnerships.models import Export
from partnerships.reminders.clock import Clock
from partnerships.tick import run_tick

# One byte that the processes of a prefork pool share with their parent, which alone hears that the worker is stopping.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def begin_no_more(**_signal: Any) -> None:
    """Stop a worker after its current mail, in whichever process it sends; it begins no other mail."""
    _stopping[0] = 1


def is_stopping() -> bool:
    return _stopping[0] != 0


@shared_task(name="partnerships.tasks.tick")
def tick(trigger: str = "") -> dict[str, Any]:
    """Run one tick. ``trigger`` says what asked for it: the ``beat`` of every minute, or a ``hint`` after an edit."""
    return asdict(run_tick(Clock(timezone.now()), is_stopping=is_stopping, trigger=trigger))


@shared_task(name="partnerships.tasks.make_export")
def make_export(pk: int) -> None:
    """Make the file that somebody waits for; without a broker the next tick makes it."""
    for export in Export.objects.filter(pk=pk):
        exports.make(export, clock=timezone.now)
