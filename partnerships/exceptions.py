"""What the domain raises; views, admin and commands turn it into a message where the person is looking."""

from typing import Any


class DomainError(Exception):
    """A rule of the office refuses the step. ``str(error)`` is a sentence for the person who asked.

    ``field`` names the input concerned, when there is one, so that a form can show the message beside it.
    """

    def __init__(self, message: Any, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(DomainError):
    """The actor may not do this to this row; says who may, where that is known."""


class TransitionRefused(DomainError):
    """The row's status does not allow the step (any more: somebody else may have taken it)."""


class StaleVersion(DomainError):
    """The row was changed since the form was opened. ``current`` is its version now."""

    def __init__(self, message: Any, *, current: int | None) -> None:
        super().__init__(message)
        self.current = current


class InvalidInput(DomainError):
    """Input that no status would accept: a date before another, a missing reason, too few signatories."""
