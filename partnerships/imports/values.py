"""Typed values of cells."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PlacedName:
    """A name and the place that stood behind it: "X University, New Taipei, Taiwan", "东京大学（日本）"."""

    name: str
    place: str = ""
    country: str = ""  # a code of ISO 3166-1, or empty


@dataclass(frozen=True)
class PersonInCell:
    """A person as one cell names them, with what else stands there."""

    name: str
    position: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True)
class Read:
    """The value of a cell, with what is wrong or worth saying about it.

    ``value`` is, by the kind of field: text, phone, email, code: str; name: PlacedName; person: PersonInCell;
    date: PartialDate; duration: durations.Duration; amount: inputs.Money; choice: the stored value; number: int or Decimal;
    yes_no: bool. Of a field with several values (and "names"): a tuple of these. None where the cell is empty or has a problem.
    ``problem`` is translated text that refuses the cell; ``note`` is translated text about how it was read.
    """

    value: Any
    problem: str | None = None
    note: str = ""
