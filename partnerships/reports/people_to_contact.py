"""The contacts of agreements' partners, with how to reach them and who was reached last."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import RowNumber

from partnerships.models import Agreement, Contact, ContactNote, Organization, User
from partnerships.models.organizations import entered_for, held_by
from partnerships.models.sort_keys import ByName
from partnerships.models.users import Tree

SHOWN = 8


@dataclass(frozen=True)
class PathToParty:
    """How a contact belongs to a party: the paths to the party and to the position there."""

    party: str
    organization: str = "organization"
    position: str = "position"
    until: str = "until"
    is_liaison: bool = False


PATHS = (
    PathToParty("organization__party_rows"),
    PathToParty(
        "positions__organization__party_rows", "positions__organization", "positions__position", "positions__until"
    ),
    PathToParty("liaison_for", is_liaison=True),
)


@dataclass(frozen=True)
class PersonToContact:
    """A contact with their position at the partner; ``sees_channels`` says whether the reader sees how to reach them.

    ``reached_on`` is set for the one person of the agreement who was reached last, as far as the reader may know;
    ``is_liaison`` for those whom the agreement names as liaison of a party.
    """

    contact: Contact
    organization: Organization
    position: str
    sees_channels: bool
    reached_on: dt.date | None
    is_liaison: bool = False
    has_left: bool = False  # the organization it is shown for

    def at(self, organization: Organization) -> "PersonToContact":
        """Return the person with their position at one organization, if they have one there."""
        there = [one for one in self.contact.all_positions if one.organization_id == organization.pk]
        if not there:
            return replace(self, has_left=not self.contact.is_active)
        has_left = not self.contact.is_active or all(one.until for one in there)
        position = self.contact.position_at(organization)
        return replace(self, organization=organization, position=position, has_left=has_left)

    @property
    def has_channels(self) -> bool:
        return bool(self.contact.phone or self.contact.email or self.contact.wechat)


def people_to_contact(
    agreements: Iterable[Agreement], user: User, *, at_most: int = SHOWN, units: Tree | None = None
) -> dict[int, list[PersonToContact]]:
    """Return the partners' people whom ``user`` may see, by the agreement's id.

    Liaisons come first, then those reached last, then those whose numbers ``user`` may see, by name. One query, however
    many agreements there are, and another where people have a further position at a partner; ``user`` must be allowed to
    see these. With ``units``, people, numbers and calls that the coordinators of the agreement's unit may not see are left
    out as well.
    """
    unit_of = {agreement.pk: agreement.unit_id for agreement in agreements}
    if not unit_of:
        return {}
    sees_channels = _sees_channels(user)
    is_known, are_numbers_known = _known_in_units(unit_of, units) if units is not None else (Q(), Q())
    order = (F("reached_on").desc(nulls_last=True), F("sees_channels").desc(), ByName(), F("pk"))
    first, *others = (
        _with_agreement(path, unit_of, user, only_notes_of_unit=units is not None)
        .filter(is_known)
        .annotate(sees_channels=sees_channels & are_numbers_known)
        .annotate(place=Window(RowNumber(), partition_by="agreement", order_by=order))
        .filter(place__lte=at_most)
        .order_by()
        for path in PATHS
    )
    return _ranked(list(first.union(*others, all=True)), at_most)


def _ranked(rows: list[Any], at_most: int) -> dict[int, list[PersonToContact]]:
    """Return the first people of each agreement, each once."""
    elsewhere = Organization.objects.in_bulk({row.here for row in rows if row.here != row.organization_id})
    last_reached: dict[int, int] = {}
    for row in sorted(rows, key=_rank):
        if row.reached_on:
            last_reached.setdefault(row.agreement, row.pk)
    found: dict[int, list[PersonToContact]] = defaultdict(list)
    liaisons = {(row.agreement, row.pk) for row in rows if row.is_liaison}
    # A person may have several rows. The one with the position at the party sorts before the one of the liaison.
    for row in sorted(rows, key=lambda row: ((row.agreement, row.pk) not in liaisons, _rank(row), row.is_liaison)):
        people = found[row.agreement]
        if len(people) < at_most and row.pk not in {person.contact.pk for person in people}:
            here = elsewhere.get(row.here, row.organization)
            reached_on = row.reached_on if last_reached.get(row.agreement) == row.pk else None
            is_liaison = (row.agreement, row.pk) in liaisons
            people.append(PersonToContact(row, here, row.position_here, row.sees_channels, reached_on, is_liaison))
    return found


def _rank(row: Any) -> tuple[int, bool, str, int]:
    reached = row.reached_on.toordinal() if row.reached_on else 0
    return (-reached, not row.sees_channels, row.sort_key, row.pk)


def people_named(contact_ids: Iterable[int | None], user: User) -> dict[int, PersonToContact]:
    """Return the contacts with these ids whom ``user`` may see, with how to reach them; two queries, none for no id."""
    ids = {pk for pk in contact_ids if pk is not None}
    if not ids:
        return {}
    rows = (
        Contact.objects.visible_to(user)
        .filter(pk__in=ids)
        .select_related("organization", "unit")
        .prefetch_related("positions")
    )
    found = rows.annotate(sees_channels=_sees_channels(user)).in_bulk()
    return {
        pk: PersonToContact(row, row.organization, row.position, row.sees_channels, None) for pk, row in found.items()
    }


def first_person_at(organization: Organization, user: User) -> PersonToContact | None:
    """Return whom to call at an organization: the first by name, of those whose numbers ``user`` may see if there are any."""
    people = Contact.objects.visible_to(user).filter(is_active=True, organization=organization)
    people = people.annotate(sees_channels=_sees_channels(user)).select_related("unit")
    row = people.order_by("-sees_channels", ByName(), "pk").first()
    return PersonToContact(row, organization, row.position, row.sees_channels, None) if row else None


def _sees_channels(user: User) -> Q:
    return Q(Exists(Contact.objects.with_personal_data_for(user).filter(pk=OuterRef("pk"))))


def _with_agreement(
    path: PathToParty, agreements: Collection[int], user: User, *, only_notes_of_unit: bool
) -> QuerySet:
    """Return the partners' people, one row for each contact and agreement, without those of our own organization."""
    notes = ContactNote.objects.visible_to(user).filter(contact=OuterRef("pk")).order_by("-happened_on", "-pk")
    # Conditions in one filter and the annotations after it use the same join.
    of_party = {f"{path.party}__agreement__in": agreements, f"{path.party}__withdrew_on": None, path.until: None}
    rows = Contact.objects.visible_to(user).filter(is_active=True, **of_party)
    rows = rows.annotate(
        here=F(path.organization),
        position_here=F(path.position),
        is_liaison=Value(path.is_liaison),
        agreement=F(f"{path.party}__agreement"),
        agreement_unit=F(f"{path.party}__agreement__unit"),
        ours=F(f"{path.party}__agreement__unit__organization"),
    )
    if only_notes_of_unit:
        notes = notes.filter(Q(agreement=OuterRef("agreement")) | Q(unit=OuterRef("agreement_unit")))
    rows = rows.annotate(
        reached_on=Subquery(notes.values("happened_on")[:1]),
    )
    return rows.filter(Q(ours=None) | ~Q(ours=F(path.organization))).select_related("organization", "unit")


def _known_in_units(unit_of: dict[int, int], units: Tree) -> tuple[Q, Q]:
    """Return the conditions that whoever coordinates the agreement's unit sees the person, and their numbers."""
    is_known, are_numbers_known = Q(pk__in=[]), Q(pk__in=[])
    for unit in sorted(set(unit_of.values())):
        below = units.with_descendants([unit])
        of_unit = Q(agreement__in=[pk for pk, its_unit in unit_of.items() if its_unit == unit])
        is_known |= of_unit & held_by(below)
        are_numbers_known |= of_unit & entered_for(below)
    return is_known, are_numbers_known
