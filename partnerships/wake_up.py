"""Rings for a tick when an edit has committed, so that what it made due leaves now and not within the minute.

A convenience, never a duty: the tick of every minute finds all that is due, whether the bell was heard or not. A thread
rings, because a broker that is down, or takes a connection and says nothing, must not hold up a page.
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
PAUSE = 5.0  # seconds between two bells of one process: what happens meanwhile is heard by the second
EXPIRES = 55  # seconds; the beat's next tick comes before


class Bell:
    """``ring`` returns at once; its thread publishes, at most every ``pause`` seconds.

    The thread is started by the first ring in a process, and again by the first one after a fork.
    """

    def __init__(self, publish: Callable[[], None], *, pause: float = PAUSE) -> None:
        self._publish = publish
        self._pause = pause
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._ringer: threading.Thread | None = None

    def ring(self) -> None:
        self._wanted.set()
        with self._starting:
            if self._ringer is None or not self._ringer.is_alive():
                self._ringer = threading.Thread(target=self._ring_on_demand, name="bell", daemon=True)
                self._ringer.start()

    def _ring_on_demand(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            self._publish()
            time.sleep(self._pause)


def publish() -> None:
    """One message to the broker over a connection of its own, without a second try."""
    try:
        with current_app.connection_for_write(connect_timeout=1) as broker:
            current_app.send_task(TICK, kwargs={"bell": "hint"}, expires=EXPIRES, retry=False, connection=broker)
    except OperationalError as error:
        logger.info("Nobody heard the bell, the next tick comes within a minute: %s", error)


_bell = Bell(publish)


def ring_after_commit() -> None:
    """Within the transaction of the edit. Where no broker runs there is nobody to ring for."""
    if not current_app.conf.broker_url.startswith("memory:"):
        transaction.on_commit(_bell.ring, robust=True)
