"""The act under way: one request of a person, or one import."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import uuid4


@dataclass(frozen=True)
class Act:
    """A request, import or command under way: the client's address, "" where there is none, and what it was refused, in words."""

    id: str = ""
    address: str = ""
    refusals: dict[str, None] = field(default_factory=dict)  # a dictionary: each is kept once, in order


_current: ContextVar[Act | None] = ContextVar("act", default=None)


@contextmanager
def one_act(address: str = "") -> Iterator[Act]:
    """Give everything done inside one act id."""
    act = Act(uuid4().hex, address)
    token = _current.set(act)
    try:
        yield act
    finally:
        _current.reset(token)


def current_act() -> str:
    """Return the id of the act under way; "" in the worker, whose work is nobody's act."""
    act = _current.get()
    return act.id if act else ""


def current_address() -> str:
    """Return the address of the client whose request is handled; "" outside a request."""
    act = _current.get()
    return act.address if act else ""


def note_refusal(words: str) -> None:
    """Remember that the act under way was refused something, for the security log.

    It is written when the request ends: a refusal rolls the transaction back, and the row with it.
    """
    act = _current.get()
    if act:
        act.refusals[words] = None
