"""The one form of a whole ceremony: the event, and its lines by section."""

from partnerships.forms.ceremonies.lines import PresentLine
from partnerships.forms.ceremonies.names import who_may_be
from partnerships.forms.ceremonies.page import (
    BLANK_PRESENT,
    MOST_ADDED,
    SECTIONS,
    CeremonyForm,
    add_lines,
    blank_ceremony,
    remove_line,
)

__all__ = [
    "BLANK_PRESENT",
    "MOST_ADDED",
    "SECTIONS",
    "CeremonyForm",
    "PresentLine",
    "add_lines",
    "blank_ceremony",
    "remove_line",
    "who_may_be",
]
