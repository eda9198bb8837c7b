"""Asks the worker for a tick when an edit has committed, so that newly due mail leaves at once.

Nothing depends on it: the tick of every minute finds everything that is due. A thread sends the message, because a
broker that is down, or accepts a connection and does not answer, must not hold up a page.
"""

import logging
import threading
import time
from collections.abc import Callable

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

TICK = "partnerships.tasks.tick"
PAUSE = 5.0  # seconds between two wake-ups of one process; the second covers what happens in between
EXPIRES = 55  # seconds; the beat's next tick comes before


class WakeUp:
    """A thread that publishes the requested wake-ups, at most one every ``pause`` seconds.

    The first request in a process starts the thread, and so does the first one after a fork.
    """

    def __init__(self, publish: Callable[[], None], *, pause: float = PAUSE) -> None:
        self._publish = publish
        self._pause = pause
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Have the thread publish soon, and return at once."""
        self._wanted.set()
        with self._starting:
            # After a fork the object is still there, but its thread runs in the parent only.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._publish_on_demand, name="wake-up", daemon=True)
                self._thread.start()

    def _publish_on_demand(self) -> None:
        while self._wanted.wait():
            # Cleared first: a request that comes while the message is sent asks for another one.
            self._wanted.clear()
            self._publish()
            time.sleep(self._pause)


def publish() -> None:
    """Send one message to the broker over a connection of its own, without a second try."""
    try:
        with current_app.connection_for_write(connect_timeout=1) as broker:
            current_app.send_task(TICK, kwargs={"trigger": "hint"}, expires=EXPIRES, retry=False, connection=broker)
    except OperationalError as error:
        logger.info("No worker was woken; the next tick comes within a minute: %s", error)


_wake_up = WakeUp(publish)


def wake_after_commit() -> None:
    """Request a wake-up once the transaction of the edit has committed; do nothing where no broker runs."""
    if not current_app.conf.broker_url.startswith("memory:"):
        transaction.on_commit(_wake_up.request, robust=True)
