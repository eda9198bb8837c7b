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
_cause: ContextVar[str] = ContextVar("cause", default="")
_reason: ContextVar[str] = ContextVar("reason", default="")
_is_without_locks: ContextVar[bool] = ContextVar("without_locks", default=False)
_is_rolled_back: ContextVar[bool] = ContextVar("rolled_back", default=False)
_is_unchecked: ContextVar[bool] = ContextVar("constraints_unchecked", default=False)


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


@contextmanager
def caused_by(words: str) -> Iterator[None]:
    """Give history rows written inside a reason where their verb gives none, such as the import and the row of its file."""
    token = _cause.set(words)
    try:
        yield
    finally:
        _cause.reset(token)


def current_cause() -> str:
    """Return the reason for what is saved now, where its verb gives none; "" outside an import."""
    return _cause.get()


@contextmanager
def recorded_as(words: str) -> Iterator[None]:
    """Give history rows written inside a reason where there is no better one: the act on many rows, the command, the run.

    Unlike ``caused_by`` it says nothing of the people who acted: what is done inside is as much news as otherwise.
    """
    token = _reason.set(words)
    try:
        yield
    finally:
        _reason.reset(token)


def current_reason() -> str:
    """Return the reason for what is saved now, where its verb gives none: the import and its row, else the wider act."""
    return current_cause() or _reason.get()


@contextmanager
def without_locks() -> Iterator[None]:
    """Make verbs take no locks inside: a long import would keep everybody waiting, and its check is rolled back anyway.

    A row that somebody changes meanwhile is still refused by its version, and a double one by its constraints.
    """
    token = _is_without_locks.set(True)
    try:
        yield
    finally:
        _is_without_locks.reset(token)


def is_without_locks() -> bool:
    return _is_without_locks.get()


@contextmanager
def constraints_unchecked() -> Iterator[None]:
    """Make verbs leave constraints to the database inside, which asks no query for each, but has no words for a refusal.

    The caller does the same again with constraints checked when the database refuses something.
    """
    token = _is_unchecked.set(True)
    try:
        yield
    finally:
        _is_unchecked.reset(token)


def are_constraints_unchecked() -> bool:
    return _is_unchecked.get()


@contextmanager
def to_be_rolled_back() -> Iterator[None]:
    """Make verbs take no locks inside, not even those by which a second edit sees the first: nothing is saved."""
    token = _is_rolled_back.set(True)
    try:
        with without_locks():
            yield
    finally:
        _is_rolled_back.reset(token)


def is_to_be_rolled_back() -> bool:
    return _is_rolled_back.get()
