"""Send due deliveries: claim, handing, mark before the final dot, mark after it, outcome.

These are five commits per mail, each on disk before the next step. No transaction is open while we talk to the mail
server.
"""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Unpack

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction

from partnerships.mailing import message, month, notices
from partnerships.mailing.claim import Claim, claim_next, may_repeat, put_back
from partnerships.mailing.delivery_writes import DeliveryFields, advance, commit_mark, has_due
from partnerships.mailing.dot_journal import DotStage, note
from partnerships.mailing.lease import LEASE
from partnerships.mailing.people import log_disclosure
from partnerships.mailing.relay import Breaker
from partnerships.mailing.smtp import HandOverOutcome, Relay, RelayTroubleError, Result
from partnerships.models import Delivery, ReminderItem
from partnerships.models.reasons import Reason
from partnerships.reminders.clock import Clock
from partnerships.reminders.unanswered import mark_notified
from partnerships.statuses import WAITING_DELIVERIES, DeliveryStatus

logger = logging.getLogger(__name__)

RETRY_MINUTES = (1, 5, 15, 30, 60, 120, 240)  # and then every four hours
KEEP_TRYING = dt.timedelta(days=5)
COMMIT_AGAIN = (0.5, 1, 2, 4, 8)  # seconds
# The statuses in which a rescue leaves a mail that was handed over.
SETTLED = (DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED, *WAITING_DELIVERIES)
BREAKS_AT_MOST = 8
TROUBLES = (Result.TROUBLE, Result.INTERRUPTED, Result.UNKNOWN)
NOT_OFFERED = HandOverOutcome(Result.WITHDRAWN)  # the mail server saw nothing of it
ANSWERS = (Result.ACCEPTED, Result.REFUSED, Result.LATER)


@dataclass
class Deliveries:
    """Counts of claimed deliveries by the status they reached, and the mail server's last word if it is in trouble."""

    counts: Counter[str] = field(default_factory=Counter)
    trouble: str = ""


def deliver_due(clock: Clock, *, limit: int, is_stopping: Callable[[], bool]) -> Deliveries:
    """Send up to ``limit`` due deliveries over one session; ``is_stopping`` is asked before each claim."""
    done = Deliveries()
    if not has_due(clock.due_at):
        return done
    breaker = Breaker(clock)
    if not breaker.lets_through():
        done.trouble = breaker.trouble
        return done
    # The session comes before the first claim: while the server is down, no row changes and no attempt is counted.
    try:
        with Relay() as relay:
            _Run(relay, breaker, done, clock).send(limit, is_stopping)
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
    clock: Clock
    is_in_trouble: bool = False
    suspect: Delivery | None = None  # the delivery at which the last session broke

    def send(self, limit: int, is_stopping: Callable[[], bool]) -> None:
        """Send until nothing is due; raise ``RelayTroubleError`` after two failures in a row."""
        for _turn in range(limit):
            if is_stopping():
                return
            claim = claim_next(self.clock) if _is_ready(self.relay, self.clock) else None
            if claim is None:
                self._settle_suspect(others_passed=False)
                return
            is_cancelled = claim.delivery.status == DeliveryStatus.CANCELLED
            outcome = NOT_OFFERED if is_cancelled else self._send(claim)
            self.done.counts[claim.delivery.status] += 1
            self._judge(claim.delivery, outcome)

    def _send(self, claim: Claim) -> HandOverOutcome:
        delivery = claim.delivery
        try:
            written = _freeze(claim, self.clock)
        except DatabaseError:
            raise  # the database's fault and not the mail's, which is queued again when the lease is over
        except Exception as error:
            # One mail that cannot be written must not stop the others. It is logged and listed as failed.
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
            _count_break(self.suspect, self.clock, others_passed=others_passed)
            self.suspect = None


def _is_ready(relay: Relay, clock: Clock) -> bool:
    """Open a session if none is; return False if nothing is left to send. Raises ``RelayTroubleError``."""
    if relay.is_open:
        return True
    if not has_due(clock.due_at):
        return False
    relay.connect()
    return True


def _leave_uncertain(delivery: Delivery, clock: Clock) -> HandOverOutcome:
    """Leave the delivery uncertain: only the same bytes may be repeated, so that a reader who gets both sees one mail."""
    with transaction.atomic(durable=True):
        advance(delivery, DeliveryStatus.UNCERTAIN, at=clock.real_now, reason=Reason.OUTCOME_UNKNOWN)
    return NOT_OFFERED


def _freeze(claim: Claim, clock: Clock) -> message.Written:
    """Return the bytes of the first attempt, or a new message if there is none or the person's address has changed."""
    delivery = claim.delivery
    address = message.ascii_address(delivery.reader.email)
    if delivery.message is not None and delivery.address == address:
        return message.Written(delivery.address, delivery.subject, bytes(delivery.message))
    if delivery.kind == Delivery.Kind.NOTICE:
        return notices.write_notice(delivery, real_now=clock.real_now)
    if delivery.kind == Delivery.Kind.MONTH:
        return month.write_month(delivery, real_now=clock.real_now)
    return message.write(delivery, claim.items, clock)


@dataclass
class Handing:
    """The commits of one hand-over, by which a rescue knows how far a process came before it ended."""

    delivery: Delivery
    written: message.Written
    clock: Clock
    lease_until: dt.datetime = field(init=False)

    def begin(self) -> bool:
        """Store the exact bytes before the server gets the first of them, and renew the lease."""
        at = self.clock.real_now
        self.lease_until = at + LEASE
        with transaction.atomic(durable=True):
            is_ours = advance(
                self.delivery,
                DeliveryStatus.HANDING,
                at=at,
                handed_at=at,
                lease_until=self.lease_until,
                address=self.written.address,
                subject=self.written.subject,
                message=self.written.data,
            )
            if is_ours and self.written.disclosed:
                log_disclosure(self.delivery, self.written.disclosed)
            return is_ours

    def before_dot(self) -> bool:
        """Mark that the server may have the mail from now on; return False if the delivery is no longer ours."""
        has_journal = self._note(DotStage.BEFORE)
        is_marked = commit_mark(self.delivery, dot_due_at=self.clock.real_now)
        # A process that was stopped during this very commit must not write the dot when it goes on after its lease.
        if not is_marked or self.clock.real_now >= self.lease_until:
            return False
        # Without this note a rescue would conclude that no dot was written, so no dot is written then.
        return not has_journal or self._note(DotStage.WRITING)

    def after_dot(self) -> None:
        """Mark that the server was sent the whole mail."""
        self._note(DotStage.WRITTEN)
        try:
            commit_mark(self.delivery, dot_sent_at=self.clock.real_now)
        except DatabaseError:
            # The answer still counts. If this process ends before it, the rescue says uncertain instead of unconfirmed.
            logger.exception("Delivery %s: the mark after the final dot was not written", self.delivery.pk)

    def _note(self, stage: DotStage) -> bool:
        try:
            note(self.delivery, stage, at=self.clock.real_now)
        except OSError:
            return False  # no disk to write to: the marks alone tell how far it came
        return True


def _record(claim: Claim, outcome: HandOverOutcome, clock: Clock) -> None:
    """Write what the hand-over means for the delivery."""
    delivery = claim.delivery
    match outcome.result:
        case Result.ACCEPTED:
            _conclude(delivery, DeliveryStatus.SENT, outcome, clock, delivered=claim.items, sent_at=clock.real_now)
        case Result.REFUSED:
            _conclude(delivery, DeliveryStatus.FAILED, outcome, clock, reason=Reason.REFUSED)
        case Result.LATER:
            _put_off(delivery, outcome, clock)
        case Result.UNKNOWN:
            _settle_unknown(delivery, outcome, clock)
        case Result.TROUBLE:
            with transaction.atomic(durable=True):
                put_back(delivery, reason=Reason.RELAY_TROUBLE, at=clock.real_now, note=_note(outcome))
        case Result.INTERRUPTED:
            _let_others_pass(delivery, outcome, clock)
        case Result.WITHDRAWN:
            _give_back(delivery, clock)


def _settle_unknown(delivery: Delivery, outcome: HandOverOutcome, clock: Clock) -> None:
    if may_repeat(delivery):
        again = clock.real_now + retry_after(delivery.attempts + 1)
        reason = Reason.SENT_ONCE_MORE
        _conclude(delivery, DeliveryStatus.RETRY, outcome, clock, reason=reason, is_repeat=True, next_attempt_at=again)
    else:
        _conclude(delivery, DeliveryStatus.UNCERTAIN, outcome, clock, reason=Reason.OUTCOME_UNKNOWN)


def _give_back(delivery: Delivery, clock: Clock) -> None:
    """Queue a delivery again whose lease ran out before the dot, unless a rescue has done so."""
    with transaction.atomic(durable=True):
        is_back = put_back(delivery, reason=Reason.LEASE_LOST, at=clock.real_now)
    logger.warning("Delivery %s was held up and not handed over%s", delivery.pk, "" if is_back else ": it is another's")


def _let_others_pass(delivery: Delivery, outcome: HandOverOutcome, clock: Clock) -> None:
    """Queue the delivery again, but later: a mail that breaks every session must not keep the others from leaving."""
    at, times = clock.real_now, delivery.interruptions + 1
    again = at + retry_after(times)
    with transaction.atomic(durable=True):
        put_back(
            delivery,
            reason=Reason.INTERRUPTED,
            at=at,
            note=_note(outcome),
            next_attempt_at=again,
            interruptions=times,
        )


def _count_break(delivery: Delivery, clock: Clock, *, others_passed: bool) -> None:
    """Count a broken session against the delivery; after several, or five days, it has failed."""
    at, reason = clock.real_now, Reason.BROKE_OFF_OFTEN
    # Only if another mail got through is it this mail, and not the server, that breaks sessions.
    breaks = delivery.breaks + others_passed
    with transaction.atomic(durable=True):
        if breaks >= BREAKS_AT_MOST or at - delivery.queued_at >= KEEP_TRYING:
            advance(delivery, DeliveryStatus.FAILED, at=at, reason=reason, breaks=breaks)
        elif others_passed:
            Delivery.objects.filter(pk=delivery.pk, lease_epoch=delivery.lease_epoch).update(breaks=breaks)


def _put_off(delivery: Delivery, outcome: HandOverOutcome, clock: Clock) -> None:
    at = clock.real_now
    if at - delivery.queued_at >= KEEP_TRYING:
        _conclude(delivery, DeliveryStatus.FAILED, outcome, clock, reason=Reason.GAVE_UP)
        return
    again = at + retry_after(delivery.attempts + 1)
    _conclude(delivery, DeliveryStatus.RETRY, outcome, clock, reason=Reason.PUT_OFF, next_attempt_at=again)


def retry_after(attempts: int) -> dt.timedelta:
    """Return how long to wait after the ``attempts``-th attempt was put off."""
    return dt.timedelta(minutes=RETRY_MINUTES[min(attempts, len(RETRY_MINUTES)) - 1])


def _conclude(
    delivery: Delivery,
    status: DeliveryStatus,
    outcome: HandOverOutcome,
    clock: Clock,
    *,
    delivered: Sequence[ReminderItem] = (),
    **fields: Unpack[DeliveryFields],
) -> None:
    """Commit what the server said and count the attempt; while the database is away, try again for 15 seconds.

    ``delivered``: the items that the reader has now, so that rules may wait for an answer.
    """
    fields = {"reason": "", **fields, "attempts": delivery.attempts + 1}
    fields |= {"smtp_code": outcome.code, "smtp_reply": outcome.reply}
    for pause in (*COMMIT_AGAIN, None):
        try:
            _commit(delivery, status, delivered, at=clock.real_now, note=_note(outcome), **fields)
            break
        except OperationalError:
            if pause is None:
                raise
            logger.exception("Delivery %s: the answer of the mail server could not be stored yet", delivery.pk)
            connection.close()
            time.sleep(pause)


def _commit(
    delivery: Delivery,
    status: DeliveryStatus,
    delivered: Sequence[ReminderItem],
    *,
    at: dt.datetime,
    note: str,
    **fields: Unpack[DeliveryFields],
) -> None:
    """Write the outcome. It replaces what a rescue wrote after the lease, unless the delivery was claimed since."""
    with transaction.atomic(durable=True):
        if delivered:
            mark_notified([delivery.pk])
        if advance(delivery, status, at=at, note=note, **fields):
            return
        found = Delivery.objects.select_for_update().get(pk=delivery.pk)
        delivery.status = found.status
        if status == found.status:
            return  # our own commit, whose answer was lost
        if found.lease_epoch == delivery.lease_epoch and found.status in SETTLED:
            advance(delivery, status, at=at, note=note, **fields)
        else:
            logger.warning("Delivery %s was changed by somebody else; the server said: %s", delivery.pk, note)


def _note(outcome: HandOverOutcome) -> str:
    """Return what the mail server said: code and text."""
    return " ".join(str(part) for part in (outcome.code, outcome.reply) if part)
