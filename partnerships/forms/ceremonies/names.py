"""Matches typed names with the organizations on record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from partnerships.forms.numbers import number_or_none
from partnerships.models import Organization, User
from partnerships.models.organizations import telling_key

MOST_CANDIDATES = 6


@dataclass
class NameMatch:
    """A typed name with the organizations it may mean."""

    name: str = ""
    found: list[Organization] = field(default_factory=list)
    alike: frozenset[int] = frozenset()  # ids of all look-alikes, also of those that are not shown

    @property
    def same(self) -> Organization | None:
        """Return the only organization of exactly this name, if there is one."""
        key = telling_key(self.name)
        same = [row for row in self.found if key and key in {telling_key(row.name), telling_key(row.name_zh)}]
        return same[0] if len(same) == 1 else None

    @property
    def ids(self) -> str:
        return ",".join(str(row.pk) for row in self.found)


def match_names(data: QueryDict, typed: Mapping[str, str], user: User) -> dict[str, NameMatch]:
    """Match the name of each participant line, by line number, in three queries for all lines.

    An organization that was already chosen stays among the matches, however the name is spelled.
    """
    rows = Organization.objects.visible_to(user).not_archived()
    asked = {number: data.get(f"present-{number}-choice", "") for number in typed}
    ids = {pk for choice in asked.values() if (pk := number_or_none(choice)) is not None}
    chosen = rows.select_related("region").in_bulk(ids) if ids else {}
    alike = rows.look_alikes_of({name for name in typed.values() if name})
    found = {}
    for number, name in typed.items():
        own = [row for pk, row in chosen.items() if str(pk) == asked[number]]
        others = [row for row in alike.get(name, []) if row not in own]
        ids_alike = frozenset(row.pk for row in alike.get(name, []))
        found[number] = NameMatch(name, [*own, *others][:MOST_CANDIDATES], ids_alike)
    return found


def suggest_organizations(name: str, user: User) -> NameMatch:
    """Match a name that is being typed: look-alikes first, then organizations that contain its words."""
    rows = Organization.objects.visible_to(user).not_archived().select_related("region")
    alike = rows.look_alikes_of([name])[name]
    found = {row.pk: row for row in (*alike, *rows.search(name)[:MOST_CANDIDATES])} if name else {}
    return NameMatch(name, list(found.values())[:MOST_CANDIDATES])
