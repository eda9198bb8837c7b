"""A real SMTP server process that records what it accepts before it answers, and can be told to answer otherwise.

As a program: `python -m tests.services.smtp_sink DIRECTORY`. Every accepted message is a line of JSON in `accepted`,
on disk before the client reads 250; `port` holds the port; `script` holds the rules of SmtpSink.script().
"""

import asyncio
import contextlib
import email
import email.policy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from tests.services.processes import start_process, stop_process, wait_until

DISCONNECT = "disconnect"


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: list[str]
    content: str

    @property
    def message(self) -> EmailMessage:
        return email.message_from_string(self.content, policy=email.policy.default)  # type: ignore[return-value]

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def text(self, subtype: str = "plain") -> str:
        """The decoded text of the "plain" or "html" part."""
        part = self.message.get_body((subtype,))
        assert part is not None, f"The message has no {subtype} part"
        return part.get_content()


class SmtpSink:
    """The process and what it received."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="smtp-"))
        self.log = self.directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """On the port of before, if there was one: an outage and its end."""
        self.process = start_process(
            [sys.executable, "-m", "tests.services.smtp_sink", str(self.directory)], log=self.log
        )
        wait_until(self._listens, process=self.process, log=self.log, what="The SMTP sink")

    def _listens(self) -> bool:
        if not (self.directory / "port").exists():
            return False
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
            return True
        return False

    @property
    def port(self) -> int:
        return int((self.directory / "port").read_text())

    @property
    def received(self) -> list[Received]:
        """Every accepted message, in order."""
        path = self.directory / "accepted"
        if not path.exists():
            return []
        return [Received(**json.loads(line)) for line in path.read_text().splitlines()]

    def script(self, *rules: dict[str, Any]) -> None:
        """Answer differently from now on. A rule: {"at": "MAIL" | "RCPT" | "DATA", "reply": "451 Later"}.

        Optional: "to" (a recipient; else all), "times" (then the rule is used up; else for ever), "stored" (at DATA:
        record the message all the same). The reply "disconnect" closes the connection without a word. First match wins.
        """
        _replace(self.directory / "script", json.dumps(rules))

    def clear(self) -> None:
        (self.directory / "accepted").unlink(missing_ok=True)
        self.script()

    def stop(self) -> None:
        if self.process:
            stop_process(self.process)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _replace(path: Path, content: str) -> None:
    scratch = path.with_suffix(".new")
    scratch.write_text(content)
    scratch.replace(path)


class _Handler:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.used: dict[str, int] = {}
        self.written_at = 0

    def _rules(self) -> list[dict[str, Any]]:
        """Those of now; a new script is unused, even one that reads like the last."""
        path = self.directory / "script"
        if not path.exists():
            return []
        written_at = path.stat().st_mtime_ns
        if written_at != self.written_at:
            self.written_at, self.used = written_at, {}
        return json.loads(path.read_text())

    def _rule(self, at: str, recipients: list[str]) -> dict[str, Any] | None:
        for rule in self._rules():
            key = json.dumps(rule)
            if rule["at"] != at or ("to" in rule and rule["to"] not in recipients):
                continue
            if self.used.get(key, 0) >= rule.get("times", sys.maxsize):
                continue
            self.used[key] = self.used.get(key, 0) + 1
            return rule
        return None

    def _reply(self, rule: dict[str, Any] | None, server: Any) -> str | None:
        if rule and rule["reply"] == DISCONNECT:
            server.transport.abort()
            return "421 Closing"
        return rule["reply"] if rule else None

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        reply = self._reply(self._rule("MAIL", []), server)
        if not reply:
            envelope.mail_from = address
        return reply or "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        reply = self._reply(self._rule("RCPT", [address]), server)
        if not reply:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        rule = self._rule("DATA", envelope.rcpt_tos)
        if rule is None or rule.get("stored"):
            self._record(envelope)
        return self._reply(rule, server) or "250 OK"

    def _record(self, envelope: Any) -> None:
        line = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8", "surrogateescape"),
        }
        with (self.directory / "accepted").open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


async def _serve(directory: Path) -> None:
    handler = _Handler(directory)
    known = directory / "port"
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, hostname="sink.test"),
        SmtpSink.host,
        int(known.read_text()) if known.exists() else 0,
    )
    _replace(known, str(server.sockets[0].getsockname()[1]))
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    server.close()


@contextlib.contextmanager
def running_sink() -> Iterator[SmtpSink]:
    sink = SmtpSink()
    sink.start()
    try:
        yield sink
    finally:
        sink.remove()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
