"""The one form of a whole ceremony: the event, and its lines by section."""

from partnerships.forms.ceremonies.lines import PresentLine
from partnerships.forms.ceremonies.names import suggest_organizations
from partnerships.forms.ceremonies.page import (
    BLANK_PRESENT,
    MOST_ADDED,
    SECTIONS,
    CeremonyForm,
    OpenDraftForm,
    add_lines,
    blank_ceremony,
    remove_line,
)
from partnerships.forms.ceremonies.pasted import UnreadLine, take_pasted

__all__ = [
    "BLANK_PRESENT",
    "MOST_ADDED",
    "SECTIONS",
    "CeremonyForm",
    "OpenDraftForm",
    "PresentLine",
    "UnreadLine",
    "add_lines",
    "blank_ceremony",
    "remove_line",
    "suggest_organizations",
    "take_pasted",
]
