"""The acts that the page of a record offers: a main button, a menu of groups, and links beside the contents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from partnerships.texts import LazyText

# Drawn in a square of 16 units.
ICONS = {
    "step": "M2.5 8.5 6 12l7.5-8",
    "plus": "M8 3v10M3 8h10",
    "phone": "M5.5 2.5 3 3.5c0 5 4.5 9.5 9.5 9.5l1-2.5-3-2-1.5 1.5c-1.5-.7-2.5-1.7-3-3L7.5 5.5z",
    "paper": "M4 1.5h5.5L12.5 4.5V14.5H4zM6.5 7.5h4M6.5 10.5h4",
    "renew": "M13 5A5.5 5.5 0 0 0 3 5.5M3 2.5v3h3M3 11a5.5 5.5 0 0 0 10-.5M13 13.5v-3h-3",
    "person": "M8 2.5a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M2.8 14c.5-3 2.5-4.2 5.2-4.2s4.7 1.2 5.2 4.2",
    "bell": "M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4M6.5 13.5h3",
    "end": "M4 4l8 8M12 4l-8 8",
}


@dataclass(frozen=True)
class RecordAct:
    """A link to something that can be done with a record."""

    label: LazyText
    address: str
    icon: str = ICONS["step"]
    is_forward: bool = False


@dataclass(frozen=True)
class ActGroup:
    """Acts under one heading of the menu. The page shows the ``main`` ones beside its contents as well."""

    name: str
    label: str
    acts: tuple[RecordAct, ...]
    is_main: bool = False


def groups_of(groups: Iterable[tuple[str, str, Sequence[RecordAct], bool]]) -> list[ActGroup]:
    """Return the groups that have an act."""
    return [ActGroup(name, label, tuple(acts), is_main) for name, label, acts, is_main in groups if acts]
