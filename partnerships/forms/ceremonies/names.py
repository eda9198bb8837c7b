"""Which organization a name may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from partnerships.forms.numbers import number_or_none
from partnerships.models import Organization, User
from partnerships.models.organizations import telling_key

MOST_CANDIDATES = 6


@dataclass
class Who:
    """Which organization a name may be: those on record that look alike, and whether they were shown before."""

    name: str = ""
    found: list[Organization] = field(default_factory=list)
    alike: frozenset[int] = frozenset()  # ids of all look-alikes, also of those that are not shown

    @property
    def same(self) -> Organization | None:
        """The one organization of this very name."""
        key = telling_key(self.name)
        same = [row for row in self.found if key and key in {telling_key(row.name), telling_key(row.name_zh)}]
        return same[0] if len(same) == 1 else None

    @property
    def ids(self) -> str:
        return ",".join(str(row.pk) for row in self.found)


def who_is_who(data: QueryDict, typed: Mapping[str, str], user: User) -> dict[str, Who]:
    """For each line of those present the organizations its name may mean: three queries for all lines.

    What was chosen stays among them, however it is spelled.
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
        found[number] = Who(name, [*own, *others][:MOST_CANDIDATES], ids_alike)
    return found


def who_may_be(name: str, user: User) -> Who:
    """While one types: what looks alike first, then what contains the words."""
    rows = Organization.objects.visible_to(user).not_archived().select_related("region")
    alike = rows.look_alikes_of([name])[name]
    found = {row.pk: row for row in (*alike, *rows.search(name)[:MOST_CANDIDATES])} if name else {}
    return Who(name, list(found.values())[:MOST_CANDIDATES])
