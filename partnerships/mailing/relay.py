"""The state of the mail server that all processes share: its pause while it is in trouble, and the rate of a minute.

One row per relay, written only when it fails, works again, or a rate is set.
"""

import datetime as dt
import logging

from django.conf import settings
from django.db.models import Q

from partnerships.mailing.lease import LEASE
from partnerships.models import Delivery, MailRelay
from partnerships.reminders.clock import Clock
from partnerships.statuses import DeliveryStatus

logger = logging.getLogger(__name__)

FIRST_PAUSE = dt.timedelta(seconds=30)
LONGEST_PAUSE = dt.timedelta(minutes=15)
MINUTE = dt.timedelta(minutes=1)


def relay_name() -> str:
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def relay_state() -> MailRelay:
    """Return what is known of the relay in the settings; a relay that never was in trouble has no row."""
    name = relay_name()
    return MailRelay.objects.filter(name=name).first() or MailRelay(name=name)


class Breaker:
    """Keeps all processes off a relay that one of them found in trouble.

    Pauses double from 30 seconds to 15 minutes. When a pause is over, a single process tries.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found = relay_state()

    @property
    def trouble(self) -> str:
        return self._found.trouble

    def lets_through(self) -> bool:
        """Return whether this process may try; then it has begun the next pause, so that no other tries as well."""
        found, at = self._found, self._clock.real_now
        if found.open_until is None:
            return True
        # A pause that is longer than any pause was begun while the clock was wrong.
        if at < found.open_until <= at + LONGEST_PAUSE:
            return False
        until = at + pause_after(found.failures)
        return bool(MailRelay.objects.filter(name=found.name, open_until=found.open_until).update(open_until=until))

    def note_trouble(self, trouble: str) -> None:
        """Begin the next pause; log one error per outage. Of several processes that fail at once, one counts."""
        found, at = self._found, self._clock.real_now
        failures = found.failures + 1
        fields = {"failures": failures, "open_until": at + pause_after(failures), "trouble": trouble[:1000]}
        if not found.failures:
            MailRelay.objects.get_or_create(name=found.name)
            fields |= {"since": at, "alerted_at": at}
        is_ours = MailRelay.objects.filter(name=found.name, failures=found.failures).update(**fields)
        if is_ours and not found.failures:
            logger.error("The mail server %s cannot be used; mails wait until it can: %s", found.name, trouble)

    def note_success(self) -> None:
        """Note that the relay answered for a mail, accepted or not."""
        found = self._found
        if not found.failures:
            return
        works = {"failures": 0, "open_until": None, "trouble": "", "since": None, "alerted_at": None}
        if MailRelay.objects.filter(name=found.name, failures=found.failures).update(**works):
            logger.info("The mail server %s works again; it did not since %s", found.name, found.since)
        self._found = MailRelay(name=found.name)


def pause_after(failures: int) -> dt.timedelta:
    return min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE)


def is_rate_reached(real_now: dt.datetime) -> bool:
    """Return whether the minute's mails are handed over or claimed; without a rate it asks nothing."""
    most, at = settings.EMAIL_MAX_PER_MINUTE, real_now
    if not most:
        return False
    # A row lock, held until the claim commits, so that claims count the minute's mails one after another.
    MailRelay.objects.select_for_update().get_or_create(name=relay_name())
    claimed = Q(status=DeliveryStatus.CLAIMED, lease_until__range=(at, at + 2 * LEASE))
    lately = Delivery.objects.filter(Q(handed_at__gt=at - MINUTE, handed_at__lt=at + MINUTE) | claimed)
    return lately.order_by()[:most].count() >= most
