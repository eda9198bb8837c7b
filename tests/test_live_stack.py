"""The product's processes together, on both databases: a tick asked for by one is run by another and seen by a third."""

import signal
from collections.abc import Callable

import pytest

from tests.services.redis import RedisServer
from tests.services.stack import Stack, answers, eventually

ASK_FOR_A_TICK = "from partnerships.tasks import tick; tick.delay()"


@pytest.mark.parametrize("embedded", [False, True], ids=["postgresql", "sqlite"])
def test_web_worker_and_broker_work_together(live_stack: Callable[..., Stack], embedded: bool) -> None:
    stack = live_stack(embedded=embedded)
    url = stack.start_web()
    stack.start_worker()
    stack.start_beat()
    assert not answers(f"{url}/readyz")

    stack.manage("shell", "-c", ASK_FOR_A_TICK)

    assert eventually(lambda: answers(f"{url}/readyz"))


def test_pages_and_worker_outlive_the_broker(live_stack: Callable[..., Stack], redis_server: RedisServer) -> None:
    stack = live_stack()
    url = stack.start_web()
    worker = stack.start_worker()
    redis_server.kill(lose_data=True)
    assert eventually(lambda: "Cannot connect" in stack.log("worker"))
    assert (answers(f"{url}/healthz"), answers(f"{url}/readyz"), worker.poll()) == (True, False, None)

    redis_server.start()
    stack.manage("shell", "-c", ASK_FOR_A_TICK)

    assert eventually(lambda: answers(f"{url}/readyz"))


def test_the_worker_outlives_a_broker_whose_memory_is_full(
    live_stack: Callable[..., Stack], redis_server: RedisServer
) -> None:
    """The worker takes the tick at the moment when the broker refuses to record that it did."""
    stack = live_stack()
    url = stack.start_web()
    worker = stack.start_worker()
    worker.send_signal(signal.SIGSTOP)
    stack.manage("shell", "-c", ASK_FOR_A_TICK)
    redis_server.client.config_set("maxmemory-policy", "noeviction")
    redis_server.client.config_set("maxmemory", 1)
    worker.send_signal(signal.SIGCONT)
    assert eventually(lambda: "OutOfMemoryError" in stack.log("worker"))
    assert (answers(f"{url}/healthz"), answers(f"{url}/readyz")) == (True, False)

    redis_server.client.config_set("maxmemory", 0)
    stack.manage("shell", "-c", ASK_FOR_A_TICK)

    assert eventually(lambda: answers(f"{url}/readyz"))
    assert worker.poll() is None
