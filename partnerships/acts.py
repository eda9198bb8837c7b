"""Which act the running code belongs to: one request of a person, or one import."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

_current: ContextVar[str] = ContextVar("act", default="")


@contextmanager
def one_act() -> Iterator[None]:
    """Give everything done inside one act id."""
    token = _current.set(uuid4().hex)
    try:
        yield
    finally:
        _current.reset(token)


def current_act() -> str:
    """Return the id of the act under way; "" in the worker, whose work is nobody's act."""
    return _current.get()
