"""Faults of Redis and beat: ticks are lost or delivered five times, and every mail leaves once."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from celery import Celery
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from partnerships.factories import MilestoneFactory, ReminderPlanFactory
from partnerships.models import ReminderPlan
from tests.faults.elsewhere import connected_to
from tests.faults.office import has_all_arrived, judge, open_office
from tests.services.redis import RedisServer
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import Stack, answers, eventually

TICK = "partnerships.tasks.tick"


@pytest.fixture
def office(live_stack: Callable[..., Stack], django_db_blocker: Any) -> Iterator[Stack]:
    """A stack that does not run yet, with reminders due since yesterday; this test is connected to its database."""
    stack = live_stack(DJANGO_SETTINGS_MODULE="tests.faults.hurried", DEBUG="1")
    with django_db_blocker.unblock(), connected_to(stack.env["DATABASE_URL"]):
        open_office(3, made_at=timezone.now() - dt.timedelta(days=2))
        yield stack


def become_due(mails: int) -> None:
    """Add that many milestones with a due plan; the worker may be at work meanwhile."""
    known = ReminderPlan.objects.select_related("milestone").earliest("pk")
    like = {name: getattr(known, name) for name in ("rule", "due_on", "send_at", "expires_at", "time_zone")}
    with transaction.atomic():  # else a tick between the two would find nothing planned, and its time past
        for _mail in range(mails):
            agreement, owner = known.milestone.agreement, known.milestone.owner
            milestone = MilestoneFactory(agreement=agreement, owner=owner, due_on=known.due_on)
            ReminderPlanFactory(milestone=milestone, **like)


def send_tick(broker: RedisServer, times: int = 1) -> None:
    """Send one tick that many times."""
    name = str(uuid.uuid4())
    with Celery(broker=broker.url) as app:
        for _time in range(times):
            app.send_task(TICK, task_id=name, retry=False)


def test_redis_may_lose_everything(office: Stack, redis_server: RedisServer, smtp_sink: SmtpSink) -> None:
    send_tick(redis_server, times=5)
    redis_server.client.flushall()
    office.start_worker()
    url = office.start_web()
    assert smtp_sink.received == []
    send_tick(redis_server)
    eventually(lambda: has_all_arrived(smtp_sink.received))

    become_due(3)
    _fill_up(redis_server)
    with pytest.raises(OperationalError):
        send_tick(redis_server)
    assert (answers(f"{url}/healthz"), answers(f"{url}/login/")) == (True, True)
    redis_server.client.config_set("maxmemory", 0)
    send_tick(redis_server)
    eventually(lambda: has_all_arrived(smtp_sink.received))

    become_due(3)
    redis_server.kill(lose_data=True)
    assert (answers(f"{url}/healthz"), answers(f"{url}/login/")) == (True, True)
    redis_server.start()
    send_tick(redis_server, times=3)
    eventually(lambda: has_all_arrived(smtp_sink.received))

    become_due(3)
    redis_server.kill(lose_data=True)
    office.manage("reminders", "run", "--once")  # a day without a broker

    verdict = judge(smtp_sink.received)
    assert (verdict.is_clean, verdict.undecided) == (True, Counter())


def _fill_up(broker: RedisServer) -> None:
    broker.client.config_set("maxmemory-policy", "noeviction")
    broker.client.config_set("maxmemory", 1)
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        broker.client.set("one more", "word")


def test_five_beats_and_five_deliveries_of_one_tick(
    office: Stack, redis_server: RedisServer, smtp_sink: SmtpSink
) -> None:
    # Slower than the broker's patience: what a busy worker holds is given to the other one as well.
    smtp_sink.script({"at": "DATA", "reply": "250 OK", "stored": True, "delay": 1})
    for number in (1, 2):
        office.start_worker("--pool=prefork", "--concurrency=3", name=f"worker{number}")
    send_tick(redis_server, times=5)
    for number in range(1, 6):
        office.start_beat(name=f"beat{number}")

    eventually(lambda: has_all_arrived(smtp_sink.received))
    eventually(lambda: _ticks_run(office) > 15)

    verdict = judge(smtp_sink.received)
    assert (verdict.is_clean, verdict.undecided) == (True, Counter())


def _ticks_run(office: Stack) -> int:
    return sum(office.log(name).count("Task partnerships.tasks.tick") for name in ("worker1", "worker2"))
