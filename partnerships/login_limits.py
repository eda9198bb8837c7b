"""How many wrong passwords are allowed before logging in is paused."""

from typing import Any

from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from partnerships.client_address import client_network

# Within AXES_COOLOFF_TIME.
PER_ACCOUNT_AND_ADDRESS = 10
PER_ADDRESS = 30  # over all names: a whole college may sit behind one address
# After so many failures from anywhere the account counts as attacked, and each address gets fewer tries.
ATTACKED_AFTER = 30
WHEN_ATTACKED = 3


def failure_limit(request: HttpRequest, credentials: dict[str, Any] | None) -> int:
    """Return how many wrong passwords the client's address may enter for the account it names.

    Failures from other addresses lower the limit but never to zero: strangers slow guessing down, and cannot lock the
    owner out.
    """
    network = client_network(request)
    if network and _failures(ip_address=network) >= PER_ADDRESS:
        return 0
    username = get_client_username(request, credentials)
    return WHEN_ATTACKED if _failures(username=username) >= ATTACKED_AFTER else PER_ACCOUNT_AND_ADDRESS


def _failures(**of: str | None) -> int:
    recent = AccessAttempt.objects.filter(attempt_time__gte=timezone.now() - get_cool_off(), **of)
    return recent.aggregate(count=Sum("failures_since_start"))["count"] or 0
