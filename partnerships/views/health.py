"""Health checks: `/healthz` for load balancers, `/readyz` for monitoring."""

from datetime import datetime
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import ChannelError, OperationalError

from partnerships.client_address import is_loopback
from partnerships.models import ComponentHeartbeat
from partnerships.operations.heartbeat import HEARTBEAT, SILENT_AFTER, Silence, sound_alarm
from partnerships.storage import is_unwritable

# A broker that takes the connection and never answers must not hold up the check.
PROBE = {"socket_connect_timeout": 1, "socket_timeout": 1}
QUEUE = "celery"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers. Asks nobody, so that an outage of the broker takes no page away."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 when a part fails: {"database": "ok", "broker": "unreachable", "reminders": "late"}.

    Strangers see the status alone: which part fails is for this machine and whoever knows ``READYZ_TOKEN``.
    """
    database = _database_state()
    parts = {
        "database": database,
        "broker": broker_state()[0],
        "reminders": _reminders_state(timezone.now()) if database == "ok" else "unknown",
    }
    is_ready = set(parts.values()) == {"ok"}
    shown = parts if _may_see_details(request) else {"status": "ok" if is_ready else "unavailable"}
    return JsonResponse(shown, status=200 if is_ready else 503)


def _may_see_details(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.READYZ_TOKEN}"
    sent = request.headers.get("Authorization", "")
    has_token = bool(settings.READYZ_TOKEN) and constant_time_compare(sent, expected)
    return has_token or is_loopback(request)


def _database_state() -> str:
    """Return "ok", "unreachable" or "read-only": a change of no row fails where nothing can be changed."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE partnerships_componentheartbeat SET note = note WHERE 1 = 0")
    except DatabaseError as error:
        return "read-only" if is_unwritable(error) else "unreachable"
    return "ok"


def broker_state() -> tuple[str, int]:
    """Return "ok" or "unreachable", and how many ticks wait for a worker; takes a few seconds at most."""
    from redis.exceptions import RedisError  # redis imports asyncio, which only this probe and the worker need

    try:
        with current_app.connection_for_read(connect_timeout=1, transport_options=PROBE) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
            return "ok", _waiting(broker)
    except (OperationalError, RedisError):
        return "unreachable", 0


def _waiting(broker: Any) -> int:
    try:
        return int(broker.default_channel.queue_declare(QUEUE, passive=True).message_count)
    except ChannelError:  # no worker and no wake-up has made the queue yet
        return 0


def _reminders_state(now: datetime) -> str:
    """ "late" when the last tick is too long ago, or there never was one; a silence is logged here, too."""
    last = ComponentHeartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()
    if last is not None and abs(now - last) <= SILENT_AFTER:
        return "ok"
    if last is not None:
        sound_alarm(Silence(last))
    return "late"
