"""Celery's doorbell: tasks take ids or nothing, call one function and return its outcome."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from partnerships.lists import exports
from partnerships.models import Export
from partnerships.reminders.run import run_once

_stopping = threading.Event()


@worker_shutting_down.connect
def begin_no_more(**_signal: Any) -> None:
    """A worker told to stop finishes the mail under way. (The children of a prefork pool do not hear this.)"""
    _stopping.set()


@shared_task(name="partnerships.tasks.tick")
def tick() -> dict[str, Any]:
    """One run of the reminders; lost or doubled ticks change nothing, the next one finds all that is due."""
    done = run_once(now=timezone.now(), is_stopping=_stopping.is_set).as_dict()
    exports.make_waiting(clock=timezone.now, is_stopping=_stopping.is_set)  # those whose call was lost
    return done


@shared_task(name="partnerships.tasks.make_export")
def make_export(pk: int) -> None:
    """The file somebody waits for; without a broker the next tick makes it."""
    for export in Export.objects.filter(pk=pk):
        exports.make(export, clock=timezone.now)
