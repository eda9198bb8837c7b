"""The wake-up after an edit: requested once, without keeping anybody waiting."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from partnerships import wake_up
from partnerships.factories import MilestoneFactory, ReminderItemFactory
from partnerships.mailing.resend import send_again
from partnerships.models import Milestone
from tests.services.processes import PATIENCE
from tests.services.redis import RedisServer
from tests.services.stack import eventually


class Heard:
    """Counts what is published; the first one waits until ``go`` is set."""

    def __init__(self) -> None:
        self.count = 0
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.count += 1
        self.begun.set()
        assert self.go.wait(PATIENCE)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch, broker_url: Callable[[str], None]) -> Iterator[Heard]:
    publish = Heard()
    broker_url("redis://127.0.0.1:1/0")
    monkeypatch.setattr(wake_up, "_wake_up", wake_up.WakeUp(publish, pause=0))
    yield publish
    publish.go.set()


@pytest.fixture
def broker_url() -> Iterator[Callable[[str], None]]:
    before = current_app.conf.broker_url

    def use(url: str) -> None:
        current_app.conf.broker_url = url

    yield use
    use(before)


def test_many_rings_are_heard_as_two_and_nobody_waits_for_them() -> None:
    publish = Heard()
    waking = wake_up.WakeUp(publish, pause=0)

    waking.request()
    assert publish.begun.wait(PATIENCE)
    for _edit in range(100):
        waking.request()
    assert publish.count == 1
    publish.go.set()

    eventually(lambda: publish.count == 2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_an_edit_rings_once_it_is_committed_and_does_not_wait(heard: Heard) -> None:
    with transaction.atomic():
        MilestoneFactory.create_batch(3)
        assert not heard.begun.wait(0.1)

    assert heard.begun.wait(PATIENCE)
    assert (heard.count, heard.go.is_set(), Milestone.objects.count()) == (1, False, 3)


@pytest.mark.django_db(transaction=True)
def test_an_edit_that_is_rolled_back_does_not_ring(heard: Heard) -> None:
    with transaction.atomic():
        MilestoneFactory()
        transaction.set_rollback(True)

    assert not heard.begun.wait(0.1)


@pytest.mark.django_db
def test_a_mail_sent_again_rings(heard: Heard, django_capture_on_commit_callbacks: Any) -> None:
    item = ReminderItemFactory(delivery__failed=True)

    with django_capture_on_commit_callbacks() as callbacks:
        send_again(item.delivery, actor=None, now=item.delivery.queued_at)

    assert callbacks == [wake_up._wake_up.request]


@pytest.mark.django_db
def test_without_a_broker_no_worker_is_woken(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        MilestoneFactory()

    assert callbacks == []


def test_the_broker_gets_a_hint_that_expires(broker_url: Callable[[str], None], redis_server: RedisServer) -> None:
    broker_url(redis_server.url)

    wake_up.publish()

    with redis_server.client as client:
        [message] = [json.loads(raw) for raw in client.lrange("celery", 0, -1)]
    assert message["headers"]["task"] == wake_up.TICK
    assert "'trigger': 'hint'" in message["headers"]["kwargsrepr"]
    assert message["headers"]["expires"] is not None


def test_a_dead_broker_is_told_in_one_line(broker_url: Callable[[str], None], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "partnerships.wake_up")
    broker_url("redis://127.0.0.1:1/0")

    wake_up.publish()

    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "No worker was woken; the next tick comes within a minute"
    ]


def test_a_broker_that_never_answers_is_given_up(
    broker_url: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "partnerships.wake_up")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker_url(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        wake_up.publish()

    assert len(caplog.records) == 1
