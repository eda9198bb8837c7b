"""A real SMTP server process that records what it accepts before it answers, and can be told to answer otherwise.

As a program: `python -m tests.services.smtp_sink DIRECTORY`. Every accepted message is a line of JSON in `accepted`,
on disk before the client reads 250; `port` holds the port; `script` holds the rules of SmtpSink.script(); `connections`
has one for each MAIL; `options` says what it asks of its clients.
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
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TypedDict

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.services.processes import start_process, stop_process, wait_until

DISCONNECT = "disconnect"


class Rule(TypedDict, total=False):
    """How to answer at one command; see SmtpSink.script()."""

    at: str
    reply: str
    to: str
    times: int
    stored: bool
    delay: float
    held: bool


class Options(TypedDict):
    """What the server asks of its clients."""

    tls: str
    login: list[str] | None


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

    def __init__(self, *, tls: str = "", login: tuple[str, str] | None = None) -> None:
        """``tls``: "" for none, "starttls" or "implicit" (both then demanded), with the certificate ``authority``."""
        self.directory = Path(tempfile.mkdtemp(prefix="smtp-"))
        self.log = self.directory / "log"
        self.authority = self.directory / "certificate.pem"
        if tls:
            _certify(self.directory, self.host)
        (self.directory / "options").write_text(json.dumps({"tls": tls, "login": login}))
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

    @property
    def connections(self) -> int:
        """Over which mail was offered since the start, or since it was cleared."""
        path = self.directory / "connections"
        return len(set(path.read_text().splitlines())) if path.exists() else 0

    def script(self, *rules: Rule) -> None:
        """Answer differently from now on. A rule: {"at": "MAIL" | "RCPT" | "DATA" | "QUIT", "reply": "451 Later"}.

        Optional: "to" (a recipient; else all), "times" (then the rule is used up; else for ever), "stored" (at DATA:
        record the message all the same), "delay" (seconds before the reply),
        "held" (no reply until another script is given). The reply "disconnect" closes the connection without a word. First match wins.
        """
        _replace(self.directory / "script", json.dumps(rules))

    def clear(self) -> None:
        for name in ("accepted", "connections"):
            (self.directory / name).unlink(missing_ok=True)
        self.script()

    def stop(self) -> None:
        if self.process:
            stop_process(self.process)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _certify(directory: Path, host: str) -> None:
    """A key and a certificate of its own authority, for a day."""
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
    ]
    names = ["-subj", "/CN=sink.test", "-addext", f"subjectAltName=IP:{host}"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    subprocess.run([*new, *names, *files], check=True, capture_output=True)


def _replace(path: Path, content: str) -> None:
    scratch = path.with_suffix(".new")
    scratch.write_text(content)
    scratch.replace(path)


def _version(stat: os.stat_result) -> tuple[int, int]:
    """Tell two scripts apart; on a coarse clock two may carry the same time."""
    return stat.st_ino, stat.st_mtime_ns


class _Handler:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.used: dict[str, int] = {}
        self.version = (0, 0)  # of the script that was read last

    def _rules(self) -> list[Rule]:
        """Return the rules of the current script; a new one is unused, even if it reads like the last."""
        path = self.directory / "script"
        if not path.exists():
            return []
        with path.open() as file:
            # Of the open file, because another may take its place at any moment.
            version = _version(os.fstat(file.fileno()))
            if version != self.version:
                self.version, self.used = version, {}
            return json.load(file)

    def _rule(self, at: str, recipients: list[str]) -> Rule | None:
        for rule in self._rules():
            key = json.dumps(rule)
            if rule["at"] != at or ("to" in rule and rule["to"] not in recipients):
                continue
            if self.used.get(key, 0) >= rule.get("times", sys.maxsize):
                continue
            self.used[key] = self.used.get(key, 0) + 1
            return rule
        return None

    async def _reply(self, rule: Rule | None, server: SMTP) -> str | None:
        version = self.version
        if rule and "delay" in rule:
            await asyncio.sleep(rule["delay"])
        if rule and rule.get("held"):
            await self._wait_for_another_script(version)
        if rule and rule["reply"] == DISCONNECT:
            server.transport.abort()
            return "421 Closing"
        return rule["reply"] if rule else None

    async def _wait_for_another_script(self, version: tuple[int, int]) -> None:
        """Wait until the script is no longer the one that the rule came from.

        Not the one that is there now: while a message was being stored, the next script may have come already.
        """
        script = self.directory / "script"
        while _version(script.stat()) == version:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        with (self.directory / "connections").open("a") as file:
            file.write(f"{session.peer}\n")
        reply = await self._reply(self._rule("MAIL", []), server)
        if not reply:
            envelope.mail_from = address
        return reply or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = await self._reply(self._rule("RCPT", [address]), server)
        if not reply:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        rule = self._rule("DATA", envelope.rcpt_tos)
        if rule is None or rule.get("stored"):
            self._record(envelope)
        return await self._reply(rule, server) or "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await self._reply(self._rule("QUIT", []), server) or "221 Bye"

    def _record(self, envelope: Envelope) -> None:
        line = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8", "surrogateescape"),
        }
        with (self.directory / "accepted").open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _protocol(directory: Path, options: Options, context: ssl.SSLContext | None) -> Callable[[], SMTP]:
    handler = _Handler(directory)
    login = [part.encode() for part in options["login"] or ()]
    is_upgraded = options["tls"] == "starttls"

    def check(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=[data.login, data.password] == login, handled=False)

    return lambda: SMTP(
        handler,
        enable_SMTPUTF8=True,
        hostname="sink.test",
        tls_context=context if is_upgraded else None,
        require_starttls=is_upgraded,
        authenticator=check if login else None,
        auth_required=bool(login),
        auth_require_tls=is_upgraded,
    )


async def _serve(directory: Path) -> None:
    options = json.loads((directory / "options").read_text())
    context = None
    if options["tls"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
    known = directory / "port"
    server = await asyncio.get_running_loop().create_server(
        _protocol(directory, options, context),
        SmtpSink.host,
        int(known.read_text()) if known.exists() else 0,
        ssl=context if options["tls"] == "implicit" else None,
    )
    _replace(known, str(server.sockets[0].getsockname()[1]))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    server.close()


@contextlib.contextmanager
def running_sink(*, tls: str = "", login: tuple[str, str] | None = None) -> Iterator[SmtpSink]:
    sink = SmtpSink(tls=tls, login=login)
    sink.start()
    try:
        yield sink
    finally:
        sink.remove()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
