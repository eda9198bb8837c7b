"""Several callers at once, each in a thread with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from partnerships.exceptions import DomainError
from tests.services.processes import PATIENCE


def run_together(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned, or the ``DomainError`` it raised, in the order of the calls.

    They start at the same moment. Any other exception (a deadlock, a constraint) fails the test.
    """
    barrier = threading.Barrier(len(calls), timeout=PATIENCE)

    def run(call: Callable[[], Any]) -> Any:
        connections["default"].ensure_connection()
        barrier.wait()
        try:
            return call()
        except DomainError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(PATIENCE) for future in [pool.submit(run, call) for call in calls]]


def refused(results: list[Any]) -> list[DomainError]:
    return [result for result in results if isinstance(result, DomainError)]
