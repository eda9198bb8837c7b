"""The errors the domain raises; views, admin and commands turn them into a message beside the input."""

from collections.abc import Collection

from django.db.models import Model

from partnerships.texts import LazyText


class DomainError(Exception):
    """A refusal by a rule of the office. ``str(error)`` is a sentence for the person who asked.

    ``field`` names the input concerned, when there is one, so that a form can show the message beside it. ``part`` is
    the row concerned where that is not the root but a row that belongs to it: the one the caller handed over.
    """

    def __init__(self, message: LazyText, *, field: str | None = None, part: Model | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.part = part

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(DomainError):
    """The actor may not do this to this row; says who may, where that is known."""


class TransitionRefused(DomainError):
    """The row's status does not allow the step (any more: somebody else may have taken it)."""


class StaleVersion(DomainError):
    """The row was changed since the form was opened. ``current`` is its version now."""

    def __init__(self, message: LazyText, *, current: int | None) -> None:
        super().__init__(message)
        self.current = current


class InvalidInput(DomainError):
    """Input that no status would accept: a date before another, a missing reason, too few signatories."""


class EnteredAlready(InvalidInput):
    """The same row is on record: a second click, or another one that needs a name of its own. ``found`` is its id."""

    def __init__(self, message: LazyText, *, field: str, found: int) -> None:
        super().__init__(message, field=field)
        self.found = found


class PossibleTypo(InvalidInput):
    """Input that is probably mistyped. The caller asks the person and calls again with the input confirmed."""

    def __init__(self, message: LazyText) -> None:
        super().__init__(message, field="is_code_right")


class PossibleDuplicate(InvalidInput):
    """The new row looks like rows on record, and nobody has confirmed that it is another one.

    ``found`` holds the ids of the look-alikes. The caller asks the person and calls again with these ids as
    ``confirmed_different``; a look-alike that was added meanwhile is then asked about as well.
    """

    def __init__(self, message: LazyText, *, found: Collection[int]) -> None:
        super().__init__(message, field="is_another")
        self.found = frozenset(found)
