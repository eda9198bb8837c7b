"""A real worker with a pool of processes: told to stop, it finishes the mail under way and takes no further one."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.services.processes import PATIENCE
from tests.services.stack import Stack, eventually, free_port

MAILS = 4
MAKE_MAILS = f"""
from partnerships.factories import ReminderItemFactory
for _mail in range({MAILS}):
    ReminderItemFactory(plan__status="expanded")
from partnerships.tasks import tick
tick.delay(trigger="beat")
"""
COUNT = """
from collections import Counter
from partnerships.models import Delivery
print(sorted(Counter(Delivery.objects.values_list("status", flat=True)).items()))
"""


class SlowServer:
    """Holds each message back until ``go``; ``accepted`` counts those it took."""

    def __init__(self) -> None:
        self.accepted = 0
        self.has_one, self.go = threading.Event(), threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.has_one.set()
        await asyncio.to_thread(self.go.wait, PATIENCE)
        self.accepted += 1
        return "250 OK"


@pytest.fixture
def slow_server() -> Iterator[tuple[SlowServer, int]]:
    handler = SlowServer()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield handler, controller.port
    handler.go.set()
    controller.stop()


def test_a_worker_told_to_stop_finishes_one_mail(
    live_stack: Callable[..., Stack], slow_server: tuple[SlowServer, int]
) -> None:
    server, port = slow_server
    stack = live_stack(EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(port))
    worker = stack.start_worker("--pool=prefork", "--concurrency=1")
    stack.manage("shell", "--no-imports", "-c", MAKE_MAILS)
    assert server.has_one.wait(PATIENCE), stack.log("worker")

    worker.terminate()
    eventually(lambda: "Warm shutdown" in stack.log("worker"))
    server.go.set()

    assert worker.wait(PATIENCE) == 0, stack.log("worker")
    counted = stack.manage("shell", "--no-imports", "-c", COUNT).stdout
    assert (server.accepted, counted.strip()) == (1, str([("queued", MAILS - 1), ("sent", 1)]))
