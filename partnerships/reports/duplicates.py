"""Records that may have been entered twice: pairs with the reasons, the likeliest first."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from django.utils.translation import gettext_lazy as _

from partnerships.models import (
    Contact,
    ContactPosition,
    DifferentContacts,
    DifferentOrganizations,
    NameKey,
    Organization,
    OrganizationCode,
    OrganizationUnit,
    Role,
    User,
)
from partnerships.models.organizations import SHORTEST_TELLING_KEY
from partnerships.names import fold, person_key, phone_keys, shortest_end
from partnerships.texts import LazyText

# A value that more records share, such as the switchboard of a university or the name "Bureau", says nothing about two of them.
MOST_OF_A_KIND = 12

Couple = tuple[int, int]


@dataclass(frozen=True)
class Likeness:
    """Why two records may be the same; ``weight`` is how much that says."""

    words: LazyText
    weight: int


SAME_CODE = Likeness(_("the same code"), 100)
SAME_NAME = Likeness(_("the same name"), 90)
SAME_EMAIL = Likeness(_("the same e-mail address"), 80)
SAME_WECHAT = Likeness(_("the same WeChat"), 80)
SAME_PHONE = Likeness(_("the same phone number"), 70)
SAME_WEBSITE = Likeness(_("the same website"), 60)
SAME_CONTACT = Likeness(_("a contact with the same number or address"), 50)
NAME_WITHIN = Likeness(_("one name begins or ends with the other"), 40)
SAME_ADDRESS = Likeness(_("the same address"), 30)


@dataclass
class Pair:
    """Two records that may be the same, by id, with the reasons for it."""

    first: int
    second: int
    reasons: list[Likeness] = field(default_factory=list)
    rows: tuple[Any, Any] | None = None

    @property
    def weight(self) -> int:
        return sum(reason.weight for reason in self.reasons)


def organization_pairs(user: User) -> list[Pair]:
    """Return the organizations in use that may be the same, as far as ``user`` may edit one of them.

    Codes, websites and addresses count only where the user may see the details of both; numbers and addresses of contacts
    where the user may read them. Those that are part of each other, or that somebody said to be different, are left out.
    A few queries, however many organizations there are.
    """
    found = _Found(DifferentOrganizations)
    rows = Organization.objects.not_archived()
    detailed = rows.held_by_scope_of(user).order_by()
    ids = set(rows.values_list("pk", flat=True))
    keys = [row for row in NameKey.objects.values_list("organization", "key") if row[0] in ids]
    found.note_groups(SAME_NAME, _grouped((key, pk) for pk, key in keys if len(key) >= SHORTEST_TELLING_KEY))
    found.note(NAME_WITHIN, _names_within(keys))
    codes = OrganizationCode.objects.filter(organization__in=detailed.values("pk"))
    found.note_groups(
        SAME_CODE,
        _grouped(
            ((scheme.casefold(), fold(code)), pk)
            for pk, scheme, code in _values(codes, "organization", "scheme", "code")
        ),
    )
    told = list(detailed.exclude(website="", address="").values_list("pk", "website", "address"))
    found.note_groups(SAME_WEBSITE, _grouped((_host(website), pk) for pk, website, _address in told if website))
    channels = _channels(user)
    where = dict(Contact.objects.order_by().values_list("pk", "organization"))
    for groups in channels.values():
        found.note_groups(SAME_CONTACT, [{where[pk] for pk in group} for group in groups])
    # A house has many companies: the address counts only beside another reason.
    addresses = _grouped((fold(address), pk) for pk, _website, address in told if address)
    found.note_groups(SAME_ADDRESS, addresses, only_with_others=True)
    parents = dict(rows.exclude(part_of=None).order_by().values_list("pk", "part_of"))
    own = None
    if not user.sees_all_units:
        holders = OrganizationUnit.objects.filter(unit__in=user.scope.unit_ids_as(Role.COORDINATOR))
        own = set(holders.values_list("organization", flat=True))
    return found.pairs(lambda one, other: not _is_part(one, other, parents) and {one, other} <= ids, own)


def contact_pairs(user: User) -> list[Pair]:
    """Return the contacts that may be the same person, as far as ``user`` may see both.

    Another unit's contact counts by name and organization alone, unless the user may read how to reach the person.
    """
    found = _Found(DifferentContacts)
    rows = Contact.objects.visible_to(user).filter(erasure=None)
    seen = list(rows.order_by().values_list("pk", "name", "organization"))
    ids = {pk for pk, _name, _organization in seen}
    places = [*((pk, organization) for pk, _name, organization in seen)]
    places += ContactPosition.objects.filter(contact__in=rows.order_by().values("pk")).values_list(
        "contact", "organization"
    )
    names = {pk: person_key(name) for pk, name, _organization in seen}
    found.note_groups(
        SAME_NAME, _grouped(((organization, names[pk]), pk) for pk, organization in places if names.get(pk))
    )
    channels = _channels(user)
    for reason, groups in channels.items():
        found.note_groups(reason, groups)
    # A namesake elsewhere says little, but with a second reason the name counts.
    namesakes = _grouped((key, pk) for pk, key in names.items())
    found.note_groups(SAME_NAME, namesakes, only_with_others=True)
    own = (
        None if user.sees_all_units else set(rows.with_personal_data_for(user).order_by().values_list("pk", flat=True))
    )
    return found.pairs(lambda one, other: {one, other} <= ids, own)


class _Found:
    """The pairs found so far, with their reasons."""

    def __init__(self, different: type[DifferentOrganizations] | type[DifferentContacts]) -> None:
        self._different = set(different.objects.values_list("first", "second"))
        self._reasons: dict[Couple, dict[Likeness, None]] = defaultdict(dict)

    def note(self, reason: Likeness, couples: Iterable[Couple], *, only_with_others: bool = False) -> None:
        for one, other in couples:
            couple = (one, other) if one < other else (other, one)
            if one != other and couple not in self._different and (not only_with_others or couple in self._reasons):
                self._reasons[couple][reason] = None

    def note_groups(
        self, reason: Likeness, groups: Iterable[Collection[int]], *, only_with_others: bool = False
    ) -> None:
        for group in groups:
            if len(group) <= MOST_OF_A_KIND:
                self.note(reason, combinations(sorted(group), 2), only_with_others=only_with_others)

    def pairs(self, is_meant: Callable[[int, int], bool], own: Collection[int] | None) -> list[Pair]:
        """Return the pairs, the likeliest first; with ``own``, those of which at least one is among these."""
        found = [
            Pair(one, other, list(reasons))
            for (one, other), reasons in self._reasons.items()
            if is_meant(one, other) and (own is None or one in own or other in own)
        ]
        return sorted(found, key=lambda pair: (-pair.weight, pair.first, pair.second))


def _values(rows: Any, *columns: str) -> Iterator[tuple[Any, ...]]:
    return rows.order_by().values_list(*columns)


def _grouped(values: Iterable[tuple[Any, int]]) -> list[set[int]]:
    """Return the ids that share a value, where there are two or more."""
    groups: dict[Any, set[int]] = defaultdict(set)
    for value, pk in values:
        if value:
            groups[value].add(pk)
    return [group for group in groups.values() if len(group) > 1]


def _names_within(keys: Collection[tuple[int, str]]) -> Iterator[Couple]:
    """Yield organizations of which one's name begins or ends the other's, and is at least half as long.

    Sorted, a name stands right before those that it begins; turned around, before those that it ends.
    """
    yield from _beginnings(sorted((key, pk) for pk, key in keys), shortest=lambda key: SHORTEST_TELLING_KEY)
    yield from _beginnings(sorted((key[::-1], pk) for pk, key in keys), shortest=shortest_end)


def _beginnings(keys: list[tuple[str, int]], *, shortest: Callable[[str], int]) -> Iterator[Couple]:
    open_keys: list[tuple[str, int]] = []
    for key, pk in keys:
        while open_keys and not key.startswith(open_keys[-1][0]):
            open_keys.pop()
        for other, other_pk in open_keys:
            if len(other) >= shortest(other) and 2 * len(other) >= len(key) > len(other):
                yield other_pk, pk
        open_keys.append((key, pk))


def _channels(user: User) -> dict[Likeness, list[set[int]]]:
    """Return the contacts that share an e-mail address, a WeChat or a phone number which the user may read."""
    rows = Contact.objects.with_personal_data_for(user).filter(erasure=None).order_by()
    told = list(rows.exclude(email="", wechat="", phone="").values_list("pk", "email", "wechat", "phone"))
    return {
        SAME_EMAIL: _grouped((email.strip().casefold(), pk) for pk, email, _wechat, _phone in told),
        SAME_WECHAT: _grouped((wechat.strip().casefold(), pk) for pk, _email, wechat, _phone in told),
        SAME_PHONE: _grouped((key, pk) for pk, _email, _wechat, phone in told if phone for key in phone_keys(phone)),
    }


def _host(website: str) -> str:
    return website.casefold().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


def _is_part(one: int, other: int, parents: Mapping[int, int]) -> bool:
    """Whether one of two organizations is part of the other, at any level."""
    for low, high in ((one, other), (other, one)):
        passed: set[int] = set()
        above = parents.get(low)
        while above is not None and above not in passed:
            if above == high:
                return True
            passed.add(above)
            above = parents.get(above)
    return False


def with_organizations(pairs: Collection[Pair]) -> list[Pair]:
    """Give the pairs their organizations, with holders and the number of their agreements; those with more come first."""
    ids = {pk for pair in pairs for pk in (pair.first, pair.second)}
    rows = (
        Organization.objects.filter(pk__in=ids)
        .select_related("region", "part_of")
        .prefetch_related("holders__unit", "party_rows")
    )
    return _with_rows(pairs, rows.in_bulk())


def with_contacts(pairs: Collection[Pair]) -> list[Pair]:
    """Give the pairs their contacts."""
    ids = {pk for pair in pairs for pk in (pair.first, pair.second)}
    rows = Contact.objects.filter(pk__in=ids).select_related("organization", "unit")
    return _with_rows(pairs, rows.in_bulk())


def _with_rows(pairs: Collection[Pair], rows: Mapping[int, Any]) -> list[Pair]:
    for pair in pairs:
        if pair.first in rows and pair.second in rows:
            pair.rows = (rows[pair.first], rows[pair.second])
    return [pair for pair in pairs if pair.rows]
