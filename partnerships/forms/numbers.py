"""Numbers and rows named by a text that comes from outside: an address, a hidden field."""

import re
from typing import TypeVar

from django import forms
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)

# No more digits than the column of an id takes.
NUMBER = re.compile(r"[0-9]{1,18}")


def number_or_none(text: str) -> int | None:
    """Return the whole number that a text consists of, or None for any other text."""
    return int(text) if NUMBER.fullmatch(text) else None


def row_or_none(rows: "QuerySet[Row]", pk: str | None) -> Row | None:
    """Return the row with this id, or None where it is not among ``rows``."""
    try:
        return forms.ModelChoiceField(rows, required=False).clean(pk)
    except forms.ValidationError:
        return None
