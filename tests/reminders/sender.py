"""A sender in a process of its own, for the tests that kill it: `python -m tests.reminders.sender [--die-at POINT ...]`.

Sends what is due on 5 March 2026 on the database and to the mail server that the environment names. With points it
sends one mail for each, in a child that is killed there; `--stop-at POINT` stops itself there instead, until SIGCONT,
and then believes that more than a lease has passed.
"""

import argparse
import datetime as dt
import os
import signal
import smtplib
from collections.abc import Callable
from typing import Any

import django
from django.utils import timezone


class Watch:
    """The sender's real time. Set ahead, it shows what a stop longer than the lease would, without the wait."""

    ahead = dt.timedelta()

    def read(self) -> dt.datetime:
        return timezone.now() + self.ahead


watch = Watch()


def send(limit: int) -> None:
    from partnerships.mailing.deliver import deliver_due  # needs the models, so Django first
    from partnerships.reminders.clock import Clock  # as above

    due_at = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    deliver_due(Clock(due_at, watch.read), limit=limit, is_stopping=lambda: False)


def interrupt_at(point: str, number: signal.Signals) -> None:
    """Send this process the signal as soon as it has passed ``point``."""
    from partnerships.mailing import deliver, smtp  # as above
    from partnerships.mailing.lease import LEASE  # as above

    places: dict[str, tuple[Any, str, Callable[..., bool]]] = {
        "connect": (smtp.Relay, "connect", _always),
        "claim": (deliver, "claim_next", _always),
        "RCPT": (smtplib.SMTP, "rcpt", _always),
        "354": (smtplib.SMTP, "docmd", lambda _session, command: command == "DATA"),
        "handing": (deliver.Handing, "begin", _always),
        "body": (smtplib.SMTP, "send", lambda _session, data: b"Message-ID" in _bytes(data)),
        "P": (deliver, "commit_mark", lambda _delivery, **mark: "dot_due_at" in mark),
        "noted": (deliver, "note", lambda _delivery, stage, **_at: stage == "writing"),
        "dot": (smtplib.SMTP, "send", lambda _session, data: data == b".\r\n"),
        "dot-noted": (deliver, "note", lambda _delivery, stage, **_at: stage == "written"),
        "D": (deliver.Handing, "after_dot", _always),
        "250": (smtp, "_answer", _always),
        "commit": (deliver, "_record", _always),
    }
    owner, name, is_here = places[point]
    original = getattr(owner, name)

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        if is_here(*args, **kwargs):
            os.kill(os.getpid(), number)
            watch.ahead = 2 * LEASE
        return found

    setattr(owner, name, interrupted)


def _always(*_args: Any, **_kwargs: Any) -> bool:
    return True


def _bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def die_at(point: str) -> None:
    child = os.fork()
    if child == 0:
        interrupt_at(point, signal.SIGKILL)
        send(1)
        os._exit(os.EX_SOFTWARE)  # it never came to the point
    _pid, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        raise SystemExit(f"The sender outlived {point}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--die-at", nargs="*", default=[])
    parser.add_argument("--stop-at", default="")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    for point in options.die_at:
        die_at(point)
    if options.stop_at:
        interrupt_at(options.stop_at, signal.SIGSTOP)
    if not options.die_at:
        send(1 if options.stop_at else 1000)


if __name__ == "__main__":
    main()
