"""Two addresses for machines: `/healthz` for whoever routes requests, `/readyz` for whoever is called at night."""

from datetime import datetime, timedelta

from celery import current_app
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from partnerships.models import ComponentHeartbeat

# A tick comes every minute and may work for four.
TICK_ALARM_AFTER = timedelta(minutes=5)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers. Asks nobody, so that an outage of the broker takes no page away."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 when a part fails: {"database": "ok", "broker": "unreachable", "reminders": "late"}."""
    database = _database_state()
    parts = {
        "database": database,
        "broker": _broker_state(),
        "reminders": _reminders_state(timezone.now()) if database == "ok" else "unknown",
    }
    return JsonResponse(parts, status=200 if set(parts.values()) == {"ok"} else 503)


def _database_state() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _broker_state() -> str:
    try:
        with current_app.connection_for_read(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
    except OperationalError:
        return "unreachable"
    return "ok"


def _reminders_state(now: datetime) -> str:
    """ "late" when the last tick is too long ago, or there never was one."""
    is_fresh = ComponentHeartbeat.objects.filter(name="reminders", at__gt=now - TICK_ALARM_AFTER).exists()
    return "ok" if is_fresh else "late"
