"""A worker's run hangs at a slow mail server past Celery's limit; its process is ended, and every mail leaves once."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from django.utils import timezone

from partnerships.models import Delivery
from tests.faults.elsewhere import connected_to
from tests.faults.office import finish, judge, open_office
from tests.services.processes import PATIENCE
from tests.services.redis import RedisServer
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import Stack, eventually

LONGER_THAN_THE_LIMIT = {"reply": "250 OK", "delay": 19, "times": 1}


@pytest.fixture
def office(live_stack: Callable[..., Stack], django_db_blocker: Any) -> Iterator[Stack]:
    """Three mails are due, and a worker waits for a tick; this test is connected to its database."""
    stack = live_stack(DJANGO_SETTINGS_MODULE="tests.faults.limited", DEBUG="1")
    with django_db_blocker.unblock(), connected_to(stack.env["DATABASE_URL"]):
        open_office(3, made_at=timezone.now() - dt.timedelta(days=2))
        stack.start_worker("--pool=prefork", "--concurrency=1")
        yield stack


def send_tick(broker: RedisServer, **options: Any) -> None:
    with Celery(broker=broker.url, set_as_current=False, fixups=[]) as app:
        app.send_task("partnerships.tasks.tick", task_id=str(uuid.uuid4()), retry=False, **options)


def statuses() -> Counter[str]:
    return Counter(Delivery.objects.values_list("status", flat=True))


@pytest.mark.parametrize(
    ("slow", "left_as", "undecided"),
    [
        ({"at": "RCPT"}, "claimed", {}),
        ({"at": "DATA", "stored": True}, "handing", {"unconfirmed": 1}),
    ],
)
def test_what_a_run_had_when_it_reached_its_limit_is_taken_back_or_listed(
    slow: dict[str, Any],
    left_as: str,
    undecided: dict[str, int],
    office: Stack,
    redis_server: RedisServer,
    smtp_sink: SmtpSink,
) -> None:
    smtp_sink.script({**slow, **LONGER_THAN_THE_LIMIT})
    send_tick(redis_server)
    eventually(lambda: "Hard time limit" in office.log("worker"))
    assert statuses() == {left_as: 1, "queued": 2}

    send_tick(redis_server, time_limit=PATIENCE)
    eventually(lambda: statuses() == {left_as: 1, "sent": 2})  # the same worker goes on, and leaves the lease alone

    finish(timezone.now())  # until after the lease
    verdict = judge(smtp_sink.received)
    assert (verdict.is_clean, verdict.undecided) == (True, Counter(undecided))
