"""A thin SMTP client that always knows how far a hand-over came, because that decides what a failure means.

Before the final dot the server has accepted nothing. After it, silence means that the server may have the mail. The
library's own ``sendmail`` cannot tell these apart, and raises on a broken QUIT although the mail was accepted.

A hand-over is shorter than a lease: each answer may take EMAIL_TIMEOUT, the one to the final dot ANSWER_TIMEOUT.
"""

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from django.conf import settings

SERVICE_CLOSING = 421
# Seconds. A server that scans a mail does so before it answers the final dot.
ANSWER_TIMEOUT = 60


class Result(Enum):
    """How a hand-over ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # for good: this message or this recipient
    LATER = "later"  # this message or this recipient, for now
    TROUBLE = "trouble"  # of the relay as a whole; does not count against the message
    INTERRUPTED = "interrupted"  # broke off after the recipient was named, because of the relay or of this message
    UNKNOWN = "unknown"  # written to the end, no answer
    WITHDRAWN = "withdrawn"  # the caller said no before the final dot


@dataclass(frozen=True)
class HandOverOutcome:
    """The result of one hand-over and the answer of the mail server."""

    result: Result
    code: int | None = None
    reply: str = ""


class _Meaning(NamedTuple):
    """The meaning of a 5xx, a 4xx and a broken session at one stage."""

    permanent: Result
    temporary: Result
    broken: Result


# Up to MAIL all messages look alike; from RCPT on the failure may be due to this message.
OF_RELAY = _Meaning(Result.TROUBLE, Result.TROUBLE, Result.TROUBLE)
OF_MESSAGE = _Meaning(Result.REFUSED, Result.LATER, Result.INTERRUPTED)


class Marks(Protocol):
    """The marks that the caller commits on the way. If the first or second returns False or raises, the server keeps nothing."""

    def begin(self) -> bool:
        """Called when the server waits for the first byte of the message."""

    def before_dot(self) -> bool:
        """Called when everything but the final dot is written."""

    def after_dot(self) -> None:
        """Called when the final dot is written and the answer not yet read."""


class RelayTroubleError(Exception):
    """The relay cannot be reached or refuses the session."""


class _Answered(Exception):
    def __init__(self, outcome: HandOverOutcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Relay:
    """A session with EMAIL_HOST: ``with Relay() as relay: relay.hand_over(...)``; closed after trouble.

    Entering and ``connect`` raise ``RelayTroubleError``.
    """

    def __init__(self) -> None:
        self._session: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            with suppress(OSError, smtplib.SMTPException):  # all mails are answered for, so QUIT may fail
                self._session.quit()
            self._drop()

    @property
    def is_open(self) -> bool:
        return self._session is not None

    def connect(self) -> smtplib.SMTP:
        """Return the session; open a new one if the last was closed."""
        if self._session is None:
            try:
                self._session = _open_session()
            except (
                OSError,
                smtplib.SMTPException,
                ValueError,
            ) as error:  # ValueError: a name or password that cannot be encoded
                raise RelayTroubleError(_words(error)) from error
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def hand_over(self, sender: str, recipient: str, message: bytes, *, marks: Marks) -> HandOverOutcome:
        """Hand ``message``, with CRLF line ends, to one ``recipient``; server and network errors become outcomes.

        The final dot is a write of its own, between ``marks.before_dot`` and ``marks.after_dot``.
        """
        stage = OF_RELAY
        try:
            session = self.connect()
            self._ask(session.mail(sender), stage)
            stage = OF_MESSAGE
            self._ask(session.rcpt(recipient), stage)
            self._ask(session.docmd("DATA"), stage, expected=354)
        except _Answered as answer:
            self._after(answer.outcome, stage)
            return answer.outcome
        except (OSError, smtplib.SMTPException, RelayTroubleError) as error:
            self._drop()
            return HandOverOutcome(stage.broken, reply=_words(error))
        return self._write(session, message, marks)

    def _ask(self, answer: tuple[int, bytes], stage: _Meaning, *, expected: int = 250) -> None:
        code, reply = answer
        if code == expected or (expected == 250 and code == 251):
            return
        raise _Answered(_judge(code, reply, stage))

    def _after(self, outcome: HandOverOutcome, stage: _Meaning) -> None:
        if outcome.result is stage.broken:
            self._drop()
        else:
            self._reset()

    def _write(self, session: smtplib.SMTP, message: bytes, marks: Marks) -> HandOverOutcome:
        try:
            if not marks.begin():
                return self._withdraw()
            session.send(_stuffed(message))
            if not marks.before_dot():
                return self._withdraw()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()  # no server keeps a message without its final dot
            return HandOverOutcome(Result.INTERRUPTED, reply=_words(error))
        except BaseException:
            self._drop()  # the server still waits for a message that it must not get
            raise
        return self._finish(session, marks)

    def _withdraw(self) -> HandOverOutcome:
        self._drop()
        return HandOverOutcome(Result.WITHDRAWN)

    def _finish(self, session: smtplib.SMTP, marks: Marks) -> HandOverOutcome:
        """Write the final dot and read the answer. From here on the server may have the message whatever we hear."""
        try:
            session.send(b".\r\n")
            marks.after_dot()
            code, reply = _answer(session)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return HandOverOutcome(Result.UNKNOWN, reply=_words(error))
        if 200 <= code < 300:
            return HandOverOutcome(Result.ACCEPTED, code, _text(reply))
        if not 400 <= code < 600:
            self._drop()
            return HandOverOutcome(Result.UNKNOWN, None, _text(reply))
        outcome = _judge(code, reply, OF_MESSAGE)
        if outcome.result is Result.INTERRUPTED:
            self._drop()
        return outcome

    def _reset(self) -> None:
        """Reset the session for the next message, or close it if the server does not."""
        try:
            if self._session is not None and self._session.rset()[0] != 250:
                self._drop()
        except (OSError, smtplib.SMTPException):
            self._drop()


def _open_session() -> smtplib.SMTP:
    """Open a session: greeting, TLS, log-in. TLS checks the certificate against the machine's authorities."""
    where, timeout = (settings.EMAIL_HOST, settings.EMAIL_PORT), settings.EMAIL_TIMEOUT
    if settings.EMAIL_USE_SSL:
        context = ssl.create_default_context()
        session: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=timeout, context=context)
    else:
        session = smtplib.SMTP(*where, timeout=timeout)
    try:
        # Nagle's algorithm would keep the final dot back until the server has acknowledged the packet before it.
        _socket_of(session).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            session.starttls(context=ssl.create_default_context())
            session.ehlo()
        if settings.EMAIL_HOST_USER:
            session.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except BaseException:
        session.close()
        raise
    return session


def _answer(session: smtplib.SMTP) -> tuple[int, bytes]:
    """Read the answer to the final dot."""
    _socket_of(session).settimeout(ANSWER_TIMEOUT)
    answer = session.getreply()
    _socket_of(session).settimeout(settings.EMAIL_TIMEOUT)
    return answer


def _socket_of(session: smtplib.SMTP) -> socket.socket:
    if session.sock is None:
        raise smtplib.SMTPServerDisconnected("no session")
    return session.sock


def _judge(code: int, reply: bytes, stage: _Meaning) -> HandOverOutcome:
    if code == SERVICE_CLOSING or not 400 <= code < 600:
        return HandOverOutcome(stage.broken, code if code > 0 else None, _text(reply))
    return HandOverOutcome(stage.permanent if code >= 500 else stage.temporary, code, _text(reply))


def _stuffed(message: bytes) -> bytes:
    """Double the dots at line beginnings, and end the message with a line end, ready for the final dot."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _text(reply: bytes) -> str:
    return reply.decode("utf-8", "replace").replace("\x00", "")[:1000]


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:1000]
