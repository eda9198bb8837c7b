"""Recipes: the choices made for a file, as JSON that can be kept, shared and used for the next file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput

# For a value that differs from what is on record: ask, take that of the file, or keep the record.
Existing = Literal["ask", "file", "record"]
EXISTING = ("ask", "file", "record")
# For a name that resembles others on record: ask, or take it for another organization.
LOOK_ALIKES = ("ask", "new")
# For an organization that is not on record: make it, or reject the row; empty is what is usual for the kind.
MISSING = ("", "make", "reject")
# For a date that has two readings, or a year of two digits.
DATES = ("", "day_first", "month_first", "year_first")
VERSION = 1


@dataclass
class Recipe:
    """Sheet, columns, values, defaults and decisions of a kind.

    ``columns`` are field names by heading; a heading that comes again is followed by ``#2``. Without any, they are
    guessed. ``values`` are stored values by field and text. ``names`` are decisions about names, by folded name: the id
    of an organization, or ``new``. ``header`` is the row of the headings: 0 is guessed, -1 for a table without.
    """

    sheet: str = ""
    title: str = ""
    header: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    unit: str = ""
    existing: Existing = "ask"
    look_alikes: Literal["ask", "new"] = "ask"
    missing: Literal["", "make", "reject"] = ""
    names: dict[str, str] = field(default_factory=dict)
    dates: str = ""
    are_codes_right: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}


def read_recipe(content: Mapping[str, Any]) -> Recipe:
    """Return a recipe from JSON that may have come from outside. Raises ``InvalidInput``."""
    usual = Recipe()
    known: dict[str, Any] = {}
    if not isinstance(content, Mapping) or content.get("version", VERSION) != VERSION:
        raise InvalidInput(_("This is not a recipe of an import, or one of a later version."))
    if "\\u0000" in json.dumps(content):  # the database takes none
        raise InvalidInput(_("This contains invisible characters; please type it again."))
    for name, value in content.items():
        if name == "version":
            continue
        if not hasattr(usual, name) or not isinstance(value, type(getattr(usual, name))):
            raise InvalidInput(_("The recipe has something that is not known: %(name)s.") % {"name": name})
        known[name] = value
    recipe = Recipe(**known)
    allowed = {"existing": EXISTING, "look_alikes": LOOK_ALIKES, "missing": MISSING, "dates": DATES}
    for name, choices in allowed.items():
        if getattr(recipe, name) not in choices:
            raise InvalidInput(_("The recipe has something that is not known: %(name)s.") % {"name": name})
    texts = [*recipe.columns.values(), *recipe.defaults.values(), *recipe.names.values()]
    mapped = [value for values in recipe.values.values() for value in _items(values)]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(text, str) for text in mapped):
        raise InvalidInput(_("The recipe has something that is not known: %(name)s.") % {"name": "columns"})
    return recipe


def _items(values: Any) -> list[Any]:
    return list(values.values()) if isinstance(values, Mapping) else [object()]
