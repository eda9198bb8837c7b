"""A sender killed or stopped in the middle: nothing sent twice, nothing lost without being listed."""

import datetime as dt
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from partnerships.factories import NOON, MilestoneFactory
from partnerships.mailing.claim import rescue
from partnerships.mailing.deliver import deliver_due
from partnerships.mailing.expand import expand_due
from partnerships.models import Delivery, Milestone, ReminderRule
from partnerships.reminders.clock import Clock
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.statuses import DeliveryStatus
from tests.reminders.conftest import MovableClock
from tests.services.processes import start_process
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SEND_AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
MAILS = 40


def environment(sink: SmtpSink) -> dict[str, str]:
    """Return the environment of a process that works on the database of this test."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        head, separator, options = os.environ["DATABASE_URL"].partition("?")
        url = f"{head.rpartition('/')[0]}/{name}{separator}{options}"
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url}
    return {**env, "EMAIL_HOST": sink.host, "EMAIL_PORT": str(sink.port)}


def start_sender(sink: SmtpSink, log: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.reminders.sender", *options]
    return start_process(command, log=log, env=environment(sink))


def queue_mails(number: int) -> None:
    MilestoneFactory.create_batch(number, due_on=dt.date(2026, 3, 12))
    reconcile_marked(real_now=NOON)
    expand_due(MovableClock(SEND_AT))


def let_leases_end() -> None:
    Delivery.objects.filter(status__in=("claimed", "handing")).update(lease_until=NOON)
    rescue(real_now=SEND_AT)


def send() -> Counter[str]:
    return deliver_due(Clock(SEND_AT), limit=100, is_stopping=lambda: False).counts


def readers(sink: SmtpSink) -> Counter[str]:
    return Counter(mail.recipients[0] for mail in sink.received)


def send_until_killed(sink: SmtpSink, log: Path, *, after: int) -> None:
    """Kill the sender once it has sent `after` more mails, and let its leases run out."""
    enough = min(len(sink.received) + after, MAILS)
    sender = start_sender(sink, log)
    eventually(lambda: len(sink.received) >= enough or sender.poll() is not None)
    sender.kill()
    sender.wait()
    let_leases_end()


def test_kills_double_nothing_and_lose_nothing_silently(
    rule: ReminderRule, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    queue_mails(MAILS)
    log = tmp_path / "sender.log"

    kills = 5
    for number in range(kills):
        send_until_killed(smtp_sink, log, after=2 + number)
    assert start_sender(smtp_sink, log).wait() == 0, log.read_text()

    received = readers(smtp_sink)
    assert max(received.values()) == 1
    by_status = {status: set() for status in DeliveryStatus.values} | _addresses_by_status()
    listed = by_status["uncertain"] | by_status["unconfirmed"]
    assert by_status["sent"] | listed == _addresses()
    assert by_status["sent"] <= set(received)
    assert len(listed) <= kills


# Killed there -> what the rescue makes of it, whether the mail is with its reader before, and after the next run.
RECOVERY = {
    "claim": ("queued", 0, 1),
    "RCPT": ("queued", 0, 1),
    "354": ("queued", 0, 1),
    "handing": ("queued", 0, 1),
    "body": ("queued", 0, 1),
    "P": ("queued", 0, 1),
    "noted": ("uncertain", 0, 0),
    "dot": ("uncertain", 1, 1),
    "dot-noted": ("unconfirmed", 1, 1),
    "D": ("unconfirmed", 1, 1),
    "250": ("unconfirmed", 1, 1),
    "commit": ("sent", 1, 1),
}


def test_what_becomes_of_a_mail_whose_sender_was_killed_at_a_named_point(
    rule: ReminderRule, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    queue_mails(len(RECOVERY))
    log = tmp_path / "sender.log"
    # Nothing is claimed before there is a session: whoever dies then leaves no trace.
    assert start_sender(smtp_sink, log, "--die-at", "connect", *RECOVERY).wait() == 0, log.read_text()
    written = sum(before for _status, before, _after in RECOVERY.values())
    eventually(lambda: len(smtp_sink.received) >= written)

    let_leases_end()
    found = list(Delivery.objects.order_by("pk").values_list("status", "person__email"))
    before = readers(smtp_sink)
    send()
    after = readers(smtp_sink)

    outcomes = [(status, before[reader], after[reader]) for status, reader in found]
    assert dict(zip(RECOVERY, outcomes, strict=True)) == RECOVERY


@pytest.mark.parametrize(
    ("point", "statuses"),
    [
        ("claim", ["queued", "sent"]),
        ("354", ["queued", "sent"]),
        ("body", ["queued", "sent"]),
        ("P", ["uncertain"] * 2),
    ],
)
def test_a_sender_stopped_past_its_lease_does_not_write_the_dot_when_it_goes_on(
    rule: ReminderRule, smtp_sink: SmtpSink, tmp_path: Path, point: str, statuses: list[str]
) -> None:
    queue_mails(1)
    sender = start_sender(smtp_sink, tmp_path / "sender.log", "--stop-at", point)
    eventually(lambda: _state(sender) == "T")
    let_leases_end()
    found = [Delivery.objects.get().status]
    send()

    sender.send_signal(signal.SIGCONT)

    assert sender.wait() == 0, (tmp_path / "sender.log").read_text()
    assert [*found, Delivery.objects.get().status] == statuses
    assert len(smtp_sink.received) == (statuses[-1] == "sent")


def test_a_sender_stopped_during_its_last_commit_gives_the_mail_back_itself(
    rule: ReminderRule, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    queue_mails(1)
    sender = start_sender(smtp_sink, tmp_path / "sender.log", "--stop-at", "P")
    eventually(lambda: _state(sender) == "T")

    sender.send_signal(signal.SIGCONT)

    assert sender.wait() == 0, (tmp_path / "sender.log").read_text()
    assert (Delivery.objects.get().status, smtp_sink.received) == ("queued", [])
    assert send() == {"sent": 1}


def test_the_answer_that_comes_after_a_rescue_is_believed(
    rule: ReminderRule, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    queue_mails(1)
    sender = start_sender(smtp_sink, tmp_path / "sender.log", "--stop-at", "D")
    eventually(lambda: _state(sender) == "T")
    let_leases_end()
    found = Delivery.objects.get().status

    sender.send_signal(signal.SIGCONT)

    assert sender.wait() == 0, (tmp_path / "sender.log").read_text()
    assert (found, Delivery.objects.get().status, len(smtp_sink.received)) == ("unconfirmed", "sent", 1)


def test_a_sender_asked_to_stop_finishes_its_mail_and_begins_no_other(
    queue: Callable[[], None], milestone: Milestone, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    MilestoneFactory(due_on=milestone.due_on)
    queue()
    smtp_sink.script({"at": "DATA", "reply": "250 OK", "stored": True, "held": True})
    log = tmp_path / "loop.log"
    loop = start_process([sys.executable, "manage.py", "reminders", "run"], log=log, env=environment(smtp_sink))
    eventually(lambda: Delivery.objects.filter(dot_sent_at__isnull=False).exists())

    loop.terminate()
    smtp_sink.script()

    assert loop.wait() == 0, log.read_text()
    assert list(Delivery.objects.order_by("status").values_list("status", "lease_epoch")) == [
        ("queued", 0),
        ("sent", 1),
    ]
    assert len(smtp_sink.received) == 1


def _state(process: subprocess.Popen[bytes]) -> str:
    """Return the state of a process by the kernel's letter; "T" is stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def _addresses() -> set[str]:
    return set(Delivery.objects.values_list("person__email", flat=True))


def _addresses_by_status() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for status, address in Delivery.objects.values_list("status", "person__email"):
        found.setdefault(status, set()).add(address)
    return found
