"""A page in sections: each has an address of its own, and only the one that is shown is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model

from partnerships.requests import UserRequest
from partnerships.texts import LazyText
from partnerships.views.record_acts import kind_of_record

Context = dict[str, Any]
PageT = TypeVar("PageT")


@dataclass(frozen=True)
class Section(Generic[PageT]):
    """A section of a page: its name in the address, and what reads its rows."""

    name: str
    label: LazyText
    read: Callable[[PageT], Context]


def by_name(*sections: Section[PageT]) -> dict[str, Section[PageT]]:
    """Return the sections by their names; the first one is shown where the address names none."""
    return {section.name: section for section in sections}


def section_asked(request: UserRequest, sections: Mapping[str, Section[PageT]]) -> Section[PageT]:
    """Return the section that the address names; a kind or a page of the history is in the history."""
    is_history = "happened" in request.GET or "moments" in request.GET
    asked = "history" if is_history else request.GET.get("section", "")
    return sections.get(asked) or next(iter(sections.values()))


def tabs_of(
    row: Any, sections: Mapping[str, Section[PageT]], current: Section[PageT], counts: Mapping[str, int]
) -> list[dict[str, object]]:
    """Return the tabs of the page of ``row``, whose model says in ``page_sections`` which section has which part."""
    address, first = row.get_absolute_url(), next(iter(sections))
    parts: Mapping[str, str] = type(row).page_sections
    return [
        {
            "label": section.label,
            "address": address if section.name == first else f"{address}?section={section.name}",
            "count": counts.get(section.name),
            "is_current": section.name == current.name,
            "parts": " ".join(part for part, name in parts.items() if name == section.name),
        }
        for section in sections.values()
    ]


def head_of(row: Model) -> Context:
    """Return what the head of every record's page reads: the record, and the list it stands in."""
    return {"row": row, "list_key": f"{kind_of_record(row)}_list"}
