"""Sends what is due: claim -> freeze the bytes -> ``handing`` -> SMTP -> outcome, each committed before the next.

No transaction is open while the mail server is spoken to.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from partnerships.models import ComponentHeartbeat, Delivery
from partnerships.reminders import message, notices, reasons
from partnerships.reminders.claim import LEASE, Claim, advance, claim_next, has_due, put_back, times_put_back
from partnerships.reminders.expand import Clock
from partnerships.reminders.smtp import Outcome, Relay, RelayTroubleError, Result
from partnerships.statuses import DeliveryStatus

logger = logging.getLogger(__name__)

RETRY_MINUTES = (1, 5, 15, 30, 60, 120, 240)  # and then every four hours
KEEP_TRYING = dt.timedelta(days=5)
TROUBLES = (Result.TROUBLE, Result.INTERRUPTED)
RELAY = "relay"  # its heartbeat: when the mail server was last tried, and what was wrong


@dataclass
class Deliveries:
    """What became of the deliveries that were claimed; ``trouble``: what the relay said last, if it broke off or is down."""

    counts: Counter[str] = field(default_factory=Counter)
    trouble: str = ""


def deliver_due(*, now: dt.datetime, clock: Clock, limit: int, is_stopping: Callable[[], bool]) -> Deliveries:
    """Sends up to ``limit`` of what is due at ``now``, over one session; ``is_stopping`` is asked before each claim.

    The session comes first: while the relay is down nothing is claimed, nothing changes and no attempt is counted.
    """
    done = Deliveries()
    if not has_due(now=now):
        return done
    try:
        with Relay() as relay:
            _send_each(relay, done, now=now, clock=clock, limit=limit, is_stopping=is_stopping)
    except RelayTroubleError as error:
        done.trouble = str(error)
    _note_relay(done.trouble, clock)
    return done


def _send_each(
    relay: Relay,
    done: Deliveries,
    *,
    now: dt.datetime,
    clock: Clock,
    limit: int,
    is_stopping: Callable[[], bool],
) -> None:
    """One trouble may be that message's or that session's: it goes on over a new one. Two running are the relay's."""
    was_in_trouble = False
    for _turn in range(limit):
        if is_stopping() or not _is_ready(relay, now):
            return
        claim = claim_next(now=now, clock=clock)
        if claim is None:
            return
        if claim.delivery.status == DeliveryStatus.CANCELLED:
            done.counts[DeliveryStatus.CANCELLED] += 1
            continue
        outcome = _send(relay, claim, now=now, clock=clock)
        done.counts[claim.delivery.status] += 1
        is_in_trouble = outcome.result in TROUBLES
        done.trouble = outcome.reply if is_in_trouble else ""
        if is_in_trouble and was_in_trouble:
            return
        was_in_trouble = is_in_trouble


def _is_ready(relay: Relay, now: dt.datetime) -> bool:
    """With a session before anything is claimed; raises ``RelayTroubleError``. False: nothing is left to send."""
    if relay.is_open:
        return True
    if not has_due(now=now):
        return False
    relay.connect()
    return True


def _note_relay(trouble: str, clock: Clock) -> None:
    if trouble:
        logger.warning("The mail server cannot be used: %s", trouble)
    ComponentHeartbeat.objects.update_or_create(name=RELAY, defaults={"at": clock(), "note": trouble[:300]})


def _send(relay: Relay, claim: Claim, *, now: dt.datetime, clock: Clock) -> Outcome:
    delivery = claim.delivery
    try:
        written = _freeze(claim, now=now, at=clock())
    except Exception as error:
        # Whatever is wrong with one mail must not stop the others; it is logged, and listed as failed.
        logger.exception("Delivery %s could not be written", delivery.pk)
        outcome = Outcome(Result.REFUSED, reply=f"{type(error).__name__}: {error}"[:1000])
        _conclude(delivery, DeliveryStatus.FAILED, outcome, clock, reason=reasons.CANNOT_BE_WRITTEN)
        return outcome
    consent = partial(commit_handing, delivery, written, clock)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    outcome = relay.hand_over(sender, written.address, written.data, consent=consent)
    _record(delivery, outcome, clock)
    return outcome


def _freeze(claim: Claim, *, now: dt.datetime, at: dt.datetime) -> message.Written:
    """The bytes of the first attempt again, unless the address they were written for is no longer the person's."""
    delivery = claim.delivery
    address = message.ascii_address(delivery.person.email)
    if delivery.message is not None and delivery.address == address:
        return message.Written(delivery.address, delivery.subject, bytes(delivery.message))
    if delivery.kind == Delivery.Kind.NOTICE:
        return notices.write_notice(delivery, at=at)
    return message.write(delivery, claim.items, now=now, at=at)


def commit_handing(delivery: Delivery, written: message.Written, clock: Clock) -> bool:
    """The mark before the first byte: a process that dies after it leaves the delivery uncertain, never doubled."""
    at = clock()
    with transaction.atomic(durable=True):
        return advance(
            delivery,
            DeliveryStatus.HANDING,
            at=at,
            handed_at=at,
            lease_until=at + LEASE,
            address=written.address,
            subject=written.subject,
            message=written.data,
        )


def _record(delivery: Delivery, outcome: Outcome, clock: Clock) -> None:
    match outcome.result:
        case Result.ACCEPTED:
            _conclude(delivery, DeliveryStatus.SENT, outcome, clock, sent_at=clock())
        case Result.REFUSED:
            _conclude(delivery, DeliveryStatus.FAILED, outcome, clock, reason=reasons.REFUSED)
        case Result.LATER:
            _put_off(delivery, outcome, clock)
        case Result.UNKNOWN:
            _conclude(delivery, DeliveryStatus.UNCERTAIN, outcome, clock, reason=reasons.OUTCOME_UNKNOWN)
        case Result.TROUBLE:
            with transaction.atomic(durable=True):
                put_back(delivery, reasons.RELAY_TROUBLE, at=clock(), note=_note(outcome, reasons.RELAY_TROUBLE))
        case Result.INTERRUPTED:
            _let_others_pass(delivery, outcome, clock)
        case Result.WITHDRAWN:
            logger.warning("Delivery %s was taken back before it was handed over", delivery.pk)


def _let_others_pass(delivery: Delivery, outcome: Outcome, clock: Clock) -> None:
    """Back to where it waited, but not at the head: what breaks every session must not keep all others from leaving."""
    at, reason = clock(), reasons.INTERRUPTED
    with transaction.atomic(durable=True):
        again = at + retry_after(times_put_back(delivery, reason) + 1)
        put_back(delivery, reason, at=at, note=_note(outcome, reason), next_attempt_at=again)


def _put_off(delivery: Delivery, outcome: Outcome, clock: Clock) -> None:
    at = clock()
    if at - delivery.queued_at >= KEEP_TRYING:
        _conclude(delivery, DeliveryStatus.FAILED, outcome, clock, reason=reasons.GAVE_UP)
        return
    again = at + retry_after(delivery.attempts + 1)
    _conclude(delivery, DeliveryStatus.RETRY, outcome, clock, reason=reasons.PUT_OFF, next_attempt_at=again)


def retry_after(attempts: int) -> dt.timedelta:
    """How long to wait after the ``attempts``-th attempt was put off."""
    return dt.timedelta(minutes=RETRY_MINUTES[min(attempts, len(RETRY_MINUTES)) - 1])


def _conclude(
    delivery: Delivery, status: DeliveryStatus, outcome: Outcome, clock: Clock, *, reason: str = "", **fields: Any
) -> None:
    """Commits what the server said; counts the attempt.

    When we slept through the lease, the rescue has listed the delivery as uncertain: we know better, and nobody else
    can have claimed it since.
    """
    fields |= {"reason": reason, "attempts": delivery.attempts + 1}
    fields |= {"smtp_code": outcome.code, "smtp_reply": outcome.reply}
    note = _note(outcome, reason)
    with transaction.atomic(durable=True):
        if advance(delivery, status, at=clock(), note=note, **fields):
            return
        delivery.status = DeliveryStatus.UNCERTAIN
        if not advance(delivery, status, at=clock(), note=note, **fields):
            logger.warning("Delivery %s was changed by somebody else; the server said: %s", delivery.pk, note)


def _note(outcome: Outcome, reason: str) -> str:
    answer = " ".join(str(part) for part in (outcome.code, outcome.reply) if part)
    return ": ".join(part for part in (reason.removesuffix("."), answer) if part)
