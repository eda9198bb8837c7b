"""The mail server of a machine that has none: it takes every message, delivers none, and keeps them as files.

A message is on disk before the client reads 250, as with a server one could rely on.
"""

import email
import email.policy
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class MailCatcher:
    """The handler of an SMTP server that writes to `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        # The recipients of the envelope need not be named in the headers of the message.
        envelope_lines = "".join(f"Delivered-To: {address}\r\n" for address in envelope.rcpt_tos)
        assert isinstance(envelope.content, bytes)
        self._keep(envelope_lines.encode() + envelope.content)
        return "250 Kept on this machine"

    def _keep(self, content: bytes) -> None:
        path = self.directory / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.eml"
        descriptor = os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # Renamed last: the page, which looks for *.eml, never reads half a message.
        path.with_suffix(".new").replace(path)


@dataclass(frozen=True)
class CaughtMail:
    """One kept message, taken apart for reading."""

    name: str
    message: EmailMessage

    @property
    def at(self) -> datetime:
        return datetime.strptime(self.name, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)

    @property
    def subject(self) -> str:
        return self.message.get("Subject", "")

    @property
    def sender(self) -> str:
        return self.message.get("From", "")

    @property
    def recipients(self) -> list[str]:
        return self.message.get_all("Delivered-To", [])

    @property
    def headers(self) -> list[tuple[str, str]]:
        return self.message.items()

    @property
    def text(self) -> str | None:
        return self._body("plain")

    @property
    def html(self) -> str | None:
        return self._body("html")

    def _body(self, subtype: str) -> str | None:
        part = self.message.get_body((subtype,))
        return part.get_content() if part else None

    @property
    def attachments(self) -> list[str]:
        return [part.get_filename() or part.get_content_type() for part in self.message.iter_attachments()]


def caught_mails(directory: Path) -> Iterator[CaughtMail]:
    """Yield the kept messages, newest first, read as they are asked for."""
    for path in sorted(directory.glob("*.eml"), reverse=True):
        yield read_mail(path)


def read_mail(path: Path) -> CaughtMail:
    with path.open("rb") as file:
        # The default policy's parser makes EmailMessage, which the signature does not say.
        message = email.message_from_binary_file(file, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return CaughtMail(path.stem, message)
