"""A sender killed in the middle: nothing sent twice, nothing lost without being listed."""

import datetime as dt
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from partnerships.factories import NOON, MilestoneFactory
from partnerships.models import Delivery, ReminderRule
from partnerships.reminders.claim import rescue
from partnerships.reminders.expand import expand_due
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.statuses import DeliveryStatus
from tests.reminders.conftest import Clock
from tests.services.processes import start_process
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import eventually

pytestmark = pytest.mark.django_db(transaction=True)

SEND_AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
MAILS = 40


def start_sender(sink: SmtpSink, log: Path) -> subprocess.Popen[bytes]:
    name = connection.settings_dict["NAME"]
    head, separator, options = os.environ["DATABASE_URL"].partition("?")
    url = f"{head.rpartition('/')[0]}/{name}{separator}{options}"
    env = {**os.environ, "DATABASE_URL": url, "EMAIL_HOST": sink.host, "EMAIL_PORT": str(sink.port)}
    return start_process([sys.executable, "-m", "tests.reminders.sender"], log=log, env=env)


def send_until_killed(sink: SmtpSink, log: Path, *, after: int) -> None:
    """Kills the sender once it has sent `after` more, and lets its leases run out."""
    enough = min(len(sink.received) + after, MAILS)
    sender = start_sender(sink, log)
    eventually(lambda: len(sink.received) >= enough or sender.poll() is not None)
    sender.kill()
    sender.wait()
    Delivery.objects.filter(status__in=("claimed", "handing")).update(lease_until=NOON)
    rescue(clock=Clock(SEND_AT))


def test_kills_double_nothing_and_lose_nothing_silently(
    rule: ReminderRule, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    MilestoneFactory.create_batch(MAILS, due_on=dt.date(2026, 3, 12))
    reconcile_marked(now=NOON)
    expand_due(now=SEND_AT, clock=Clock(SEND_AT))
    log = tmp_path / "sender.log"

    kills = 5
    for number in range(kills):
        send_until_killed(smtp_sink, log, after=2 + number)
    assert start_sender(smtp_sink, log).wait() == 0, log.read_text()

    received = Counter(mail.recipients[0] for mail in smtp_sink.received)
    assert max(received.values()) == 1
    by_status = {status: set() for status in DeliveryStatus.values} | _addresses_by_status()
    assert by_status["sent"] | by_status["uncertain"] == _addresses()
    assert by_status["sent"] <= set(received)
    assert len(by_status["uncertain"]) <= kills


def _addresses() -> set[str]:
    return set(Delivery.objects.values_list("person__email", flat=True))


def _addresses_by_status() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for status, address in Delivery.objects.values_list("status", "person__email"):
        found.setdefault(status, set()).add(address)
    return found
