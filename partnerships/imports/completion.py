"""Completes the values of a row from each other: the kind of paper from a title, a term from where an end is asked for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from partnerships.durations import Duration
from partnerships.imports.kinds import Field
from partnerships.imports.papers import read_paper
from partnerships.imports.parties import PlacedName, split_place
from partnerships.texts import name_all

ENDS = ("ends_on", "valid_until")


def complete(fields: Mapping[str, Field], values: dict[str, Any]) -> list[tuple[str, str]]:
    """Complete the values of a row from each other; what a column says itself stays. Return notes with their fields."""
    for name in ENDS:
        if isinstance(values.get(name), Duration):
            # "Till consent" under "Expiry": the term has no end, or one that is counted.
            term = values.pop(name)
            values.setdefault("duration", term)
    currency = values.get("currency")
    if currency and values.get("amount") and not values["amount"].currency:
        values["amount"] = replace(values["amount"], currency=currency)
    if "type" not in fields or "partner" not in fields:
        return []
    return [*_paper_among_partners(fields, values), *_paper_in_title(fields, values)]


def _paper_among_partners(fields: Mapping[str, Field], values: dict[str, Any]) -> list[tuple[str, str]]:
    """Take the kind of paper off the names of partners: "MoU with X" is X, and the type is known."""
    named: list[PlacedName] = []
    found = ""
    for partner in values.get("partner") or ():
        paper = read_paper(partner.name, is_party=True)
        if paper.type and paper.parties:
            found = paper.type
            bare = [split_place(name) for name in paper.parties]
            named += [
                replace(one, place=one.place or partner.place, country=one.country or partner.country) for one in bare
            ]
            values.setdefault("title", partner.name)
        else:
            named.append(partner)
    if not found:
        return []
    values["partner"] = tuple(dict.fromkeys(named))
    _set_type(fields, values, found)
    return [("partner", _("Taken from the name: %(names)s.") % {"names": name_all(one.name for one in named)})]


def _paper_in_title(fields: Mapping[str, Field], values: dict[str, Any]) -> list[tuple[str, str]]:
    paper = read_paper(values.get("title") or "")
    notes = []
    if paper.parties and not values.get("partner"):
        values["partner"] = tuple(split_place(name) for name in paper.parties)
        notes.append(("partner", _("Taken from the title: %(names)s.") % {"names": name_all(paper.parties)}))
    if _set_type(fields, values, paper.type):
        notes.append(("type", _("Taken from the title: %(names)s.") % {"names": fields["type"].label_of(paper.type)}))
    return notes


def _set_type(fields: Mapping[str, Field], values: dict[str, Any], code: str) -> bool:
    if not code or values.get("type") or code not in fields["type"].choices:
        return False
    values["type"] = code
    return True
