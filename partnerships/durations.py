"""How long an agreement runs, in the words of offices."""

from dataclasses import dataclass

from partnerships.partial_dates import PartialDate


@dataclass(frozen=True)
class Duration:
    """A term as words name it: a length in months, an end, or neither when it is open-ended; and what comes after it.

    ``renewal`` has the values of ``AgreementTerm.Renewal``: none, automatic, agreed.
    """

    months: int | None = None
    ends: PartialDate | None = None
    is_open_ended: bool = False
    renewal: str = "none"
    renewal_months: int | None = None
    renewal_limit: int | None = None
