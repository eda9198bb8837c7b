"""Sends what is due: claim -> handing -> mark before the final dot -> mark after it -> outcome.

Five commits a mail, each on disk before the next step; no transaction is open while the mail server is spoken to.
"""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction

from partnerships.mailing import message, notices
from partnerships.mailing.claim import Claim, claim_next, has_due, may_repeat, put_back
from partnerships.mailing.delivery_writes import WAITING, advance, commit, commit_mark
from partnerships.mailing.expand import Clock
from partnerships.mailing.lease import LEASE
from partnerships.mailing.relay import Breaker
from partnerships.mailing.smtp import HandOverOutcome, Relay, RelayTroubleError, Result
from partnerships.models import Delivery, ReminderItem
from partnerships.models.reasons import Reason
from partnerships.reminders.unanswered import mark_told
from partnerships.statuses import DeliveryStatus

logger = logging.getLogger(__name__)

RETRY_MINUTES = (1, 5, 15, 30, 60, 120, 240)  # and then every four hours
KEEP_TRYING = dt.timedelta(days=5)
COMMIT_AGAIN = (0.5, 1, 2, 4, 8)  # seconds
# As a rescue leaves what was handed over.
SETTLED = (DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED, *WAITING)
BREAKS_AT_MOST = 8
TROUBLES = (Result.TROUBLE, Result.INTERRUPTED, Result.UNKNOWN)
NOTHING = HandOverOutcome(Result.WITHDRAWN)  # the relay was not asked
ANSWERS = (Result.ACCEPTED, Result.REFUSED, Result.LATER)


@dataclass
class Deliveries:
    """What became of the deliveries that were claimed; ``trouble``: what the relay said last, if it broke off or is down."""

    counts: Counter[str] = field(default_factory=Counter)
    trouble: str = ""


def deliver_due(*, now: dt.datetime, clock: Clock, limit: int, is_stopping: Callable[[], bool]) -> Deliveries:
    """Sends up to ``limit`` of what is due at ``now``, over one session; ``is_stopping`` is asked before each claim.

    The session comes first: while the relay is down nothing is claimed, nothing changes and no attempt is counted, and
    for a growing while nobody tries.
    """
    done = Deliveries()
    if not has_due(now=now):
        return done
    breaker = Breaker(clock)
    if not breaker.lets_through():
        done.trouble = breaker.trouble
        return done
    try:
        with Relay() as relay:
            _Run(relay, breaker, done, now, clock).send(limit, is_stopping)
    except RelayTroubleError as error:
        done.trouble = str(error)
        breaker.note_trouble(done.trouble)
    return done


@dataclass
class _Run:
    """The claims and hand-overs of one run.

    After one failure it reconnects, because the message or the session may be the cause. After two in a row it treats
    the mail server as down.
    """

    relay: Relay
    breaker: Breaker
    done: Deliveries
    now: dt.datetime
    clock: Clock
    is_in_trouble: bool = False
    suspect: Delivery | None = None  # broke the last session

    def send(self, limit: int, is_stopping: Callable[[], bool]) -> None:
        """Raises ``RelayTroubleError`` after two troubles running."""
        for _turn in range(limit):
            if is_stopping():
                return
            is_ready = _is_ready(self.relay, self.now)
            claim = claim_next(now=self.now, clock=self.clock) if is_ready else None
            if claim is None:
                self._settle_suspect(others_passed=False)
                return
            is_cancelled = claim.delivery.status == DeliveryStatus.CANCELLED
            outcome = NOTHING if is_cancelled else self._send(claim)
            self.done.counts[claim.delivery.status] += 1
            self._judge(claim.delivery, outcome)

    def _send(self, claim: Claim) -> HandOverOutcome:
        delivery = claim.delivery
        try:
            written = _freeze(claim, now=self.now, at=self.clock())
        except DatabaseError:
            raise  # its trouble, not the mail's: that waits again when the lease is over
        except Exception as error:
            # Whatever is wrong with one mail must not stop the others; it is logged, and listed as failed.
            logger.exception("Delivery %s could not be written", delivery.pk)
            outcome = HandOverOutcome(Result.WITHDRAWN, reply=f"{type(error).__name__}: {error}"[:1000])
            _conclude(delivery, DeliveryStatus.FAILED, outcome, self.clock, reason=Reason.CANNOT_BE_WRITTEN)
            return outcome
        if delivery.is_repeat and bytes(delivery.message or b"") != written.data:
            return _leave_uncertain(delivery, self.clock)
        marks = Handing(delivery, written, self.clock)
        sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        outcome = self.relay.hand_over(sender, written.address, written.data, marks=marks)
        _record(claim, outcome, self.clock)
        return outcome

    def _judge(self, delivery: Delivery, outcome: HandOverOutcome) -> None:
        if outcome.result in ANSWERS:
            self.breaker.note_success()
            self._settle_suspect(others_passed=True)
            self.is_in_trouble, self.done.trouble = False, ""
        elif outcome.result in TROUBLES:
            if self.is_in_trouble:
                raise RelayTroubleError(outcome.reply)
            self.is_in_trouble, self.done.trouble = True, outcome.reply
            self.suspect = delivery if outcome.result is Result.INTERRUPTED else None

    def _settle_suspect(self, *, others_passed: bool) -> None:
        if self.suspect is not None:
            _hold_against(self.suspect, self.clock, others_passed=others_passed)
            self.suspect = None


def _is_ready(relay: Relay, now: dt.datetime) -> bool:
    """With a session before anything is claimed; raises ``RelayTroubleError``. False: nothing is left to send."""
    if relay.is_open:
        return True
    if not has_due(now=now):
        return False
    relay.connect()
    return True


def _leave_uncertain(delivery: Delivery, clock: Clock) -> HandOverOutcome:
    """Leave the delivery uncertain: only the same bytes may be repeated, so that a reader who gets both sees one mail."""
    reason = Reason.OUTCOME_UNKNOWN
    with transaction.atomic(durable=True):
        advance(delivery, DeliveryStatus.UNCERTAIN, at=clock(), reason=reason)
    return NOTHING


def _freeze(claim: Claim, *, now: dt.datetime, at: dt.datetime) -> message.Written:
    """The bytes of the first attempt again, unless the address they were written for is no longer the person's."""
    delivery = claim.delivery
    address = message.ascii_address(delivery.reader.email)
    if delivery.message is not None and delivery.address == address:
        return message.Written(delivery.address, delivery.subject, bytes(delivery.message))
    if delivery.kind == Delivery.Kind.NOTICE:
        return notices.write_notice(delivery, at=at)
    return message.write(delivery, claim.items, now=now, at=at)


@dataclass
class Handing:
    """The commits of one hand-over: what a rescue will know of a process that ends between them."""

    delivery: Delivery
    written: message.Written
    clock: Clock
    lease_until: dt.datetime = field(init=False)

    def begin(self) -> bool:
        """The bytes, before the first of them is written: a process that ends from here to the dot left nothing behind."""
        at = self.clock()
        self.lease_until = at + LEASE
        return commit(
            self.delivery,
            DeliveryStatus.HANDING,
            at=at,
            handed_at=at,
            lease_until=self.lease_until,
            address=self.written.address,
            subject=self.written.subject,
            message=self.written.data,
        )

    def before_dot(self) -> bool:
        """From this commit on the server may have the mail.

        False when another process has taken the delivery, or may have by now: one that was stopped during this very
        commit must not write the dot when it goes on.
        """
        is_marked = commit_mark(self.delivery, dot_due_at=self.clock())
        return is_marked and self.clock() < self.lease_until

    def after_dot(self) -> None:
        """As good as it can be had: without this mark the answer still counts, and a rescue says uncertain."""
        try:
            commit_mark(self.delivery, dot_sent_at=self.clock())
        except DatabaseError:
            logger.exception("Delivery %s: the mark after the final dot was not written", self.delivery.pk)


def _record(claim: Claim, outcome: HandOverOutcome, clock: Clock) -> None:
    delivery = claim.delivery
    match outcome.result:
        case Result.ACCEPTED:
            _conclude(delivery, DeliveryStatus.SENT, outcome, clock, delivered=claim.items, sent_at=clock())
        case Result.REFUSED:
            _conclude(delivery, DeliveryStatus.FAILED, outcome, clock, reason=Reason.REFUSED)
        case Result.LATER:
            _put_off(delivery, outcome, clock)
        case Result.UNKNOWN:
            _settle_unknown(delivery, outcome, clock)
        case Result.TROUBLE:
            with transaction.atomic(durable=True):
                put_back(delivery, Reason.RELAY_TROUBLE, at=clock(), note=_note(outcome))
        case Result.INTERRUPTED:
            _let_others_pass(delivery, outcome, clock)
        case Result.WITHDRAWN:
            _give_back(delivery, clock)


def _settle_unknown(delivery: Delivery, outcome: HandOverOutcome, clock: Clock) -> None:
    if may_repeat(delivery):
        again = clock() + retry_after(delivery.attempts + 1)
        again_once: dict[str, Any] = {"is_repeat": True, "next_attempt_at": again}
        _conclude(delivery, DeliveryStatus.RETRY, outcome, clock, reason=Reason.SENT_ONCE_MORE, **again_once)
    else:
        _conclude(delivery, DeliveryStatus.UNCERTAIN, outcome, clock, reason=Reason.OUTCOME_UNKNOWN)


def _give_back(delivery: Delivery, clock: Clock) -> None:
    """The lease was over before the dot; unless somebody has taken it back already, it waits again."""
    at = clock()
    with transaction.atomic(durable=True):
        is_back = put_back(delivery, Reason.LEASE_LOST, at=at)
    logger.warning("Delivery %s was held up and not handed over%s", delivery.pk, "" if is_back else ": it is another's")


def _let_others_pass(delivery: Delivery, outcome: HandOverOutcome, clock: Clock) -> None:
    """Back to where it waited, but not at the head: what breaks every session must not keep all others from leaving."""
    at, times = clock(), delivery.interruptions + 1
    again = at + retry_after(times)
    with transaction.atomic(durable=True):
        put_back(
            delivery,
            Reason.INTERRUPTED,
            at=at,
            note=_note(outcome),
            next_attempt_at=again,
            interruptions=times,
        )


def _hold_against(delivery: Delivery, clock: Clock, *, others_passed: bool) -> None:
    """The session broke and the relay is well: it is this mail. After a while of that it has failed.

    When nobody else's mail was there to tell the two apart, only time decides.
    """
    at, reason = clock(), Reason.BROKE_OFF_OFTEN
    breaks = delivery.breaks + others_passed
    with transaction.atomic(durable=True):
        if breaks >= BREAKS_AT_MOST or at - delivery.queued_at >= KEEP_TRYING:
            advance(delivery, DeliveryStatus.FAILED, at=at, reason=reason, breaks=breaks)
        elif others_passed:
            Delivery.objects.filter(pk=delivery.pk, lease_epoch=delivery.lease_epoch).update(breaks=breaks)


def _put_off(delivery: Delivery, outcome: HandOverOutcome, clock: Clock) -> None:
    at = clock()
    if at - delivery.queued_at >= KEEP_TRYING:
        _conclude(delivery, DeliveryStatus.FAILED, outcome, clock, reason=Reason.GAVE_UP)
        return
    again = at + retry_after(delivery.attempts + 1)
    _conclude(delivery, DeliveryStatus.RETRY, outcome, clock, reason=Reason.PUT_OFF, next_attempt_at=again)


def retry_after(attempts: int) -> dt.timedelta:
    """How long to wait after the ``attempts``-th attempt was put off."""
    return dt.timedelta(minutes=RETRY_MINUTES[min(attempts, len(RETRY_MINUTES)) - 1])


def _conclude(
    delivery: Delivery,
    status: DeliveryStatus,
    outcome: HandOverOutcome,
    clock: Clock,
    *,
    reason: str = "",
    delivered: Sequence[ReminderItem] = (),
    **fields: Any,
) -> None:
    """Commit what the server said and count the attempt; while the database is away, try again for 15 seconds.

    ``delivered``: the items that the reader has now, so that rules may wait for an answer.
    """
    fields |= {"reason": reason, "attempts": delivery.attempts + 1, "note": _note(outcome)}
    fields |= {"smtp_code": outcome.code, "smtp_reply": outcome.reply}
    for pause in (*COMMIT_AGAIN, None):
        try:
            _commit(delivery, status, delivered, at=clock(), **fields)
            break
        except OperationalError:
            if pause is None:
                raise
            logger.exception("Delivery %s: the answer of the mail server could not be stored yet", delivery.pk)
            connection.close()
            time.sleep(pause)


def _commit(delivery: Delivery, status: DeliveryStatus, delivered: Sequence[ReminderItem], **fields: Any) -> None:
    """Write the outcome, also over what a rescue wrote when the lease had run out, unless the delivery was claimed since."""
    with transaction.atomic(durable=True):
        if delivered:
            mark_told([delivery.pk])
        if advance(delivery, status, **fields):
            return
        found = Delivery.objects.select_for_update().get(pk=delivery.pk)
        delivery.status = found.status
        if status == found.status:
            return  # ours, of which we had not heard
        if found.lease_epoch == delivery.lease_epoch and found.status in SETTLED:
            advance(delivery, status, **fields)
        else:
            note = fields["note"]
            logger.warning("Delivery %s was changed by somebody else; the server said: %s", delivery.pk, note)


def _note(outcome: HandOverOutcome) -> str:
    """Return what the mail server said: code and text."""
    return " ".join(str(part) for part in (outcome.code, outcome.reply) if part)
