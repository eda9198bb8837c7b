"""Celery's doorbell: tasks take ids or nothing, call one function and return its outcome."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from partnerships.reminders.run import run_once


@shared_task(name="partnerships.tasks.tick")
def tick() -> dict[str, Any]:
    """One run of the reminders; lost or doubled ticks change nothing, the next one finds all that is due."""
    return run_once(now=timezone.now()).as_dict()
