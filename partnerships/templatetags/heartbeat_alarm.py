"""The alarm on every page of the office: no run of the reminders for five minutes."""

from django import template
from django.template import Context
from django.utils import timezone

from partnerships.operations.heartbeat import Silence, silence, sound_alarm
from partnerships.permissions import may

register = template.Library()


@register.simple_tag(takes_context=True)
def silence_alarm(context: Context) -> Silence | None:
    """Return a silence of the reminders to the office and system administrators, by one query; None to everybody else."""
    user = getattr(context.get("request"), "user", None)
    if user is None or not may(user, "operations.view"):
        return None
    found = silence(timezone.now())
    if found is not None:
        sound_alarm(found)
    return found
