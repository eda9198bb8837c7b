"""The contacts of agreements' partners, with how to reach them and who was reached last."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from partnerships.models import Agreement, Contact, ContactNote, Organization, User
from partnerships.models.organizations import entered_for, held_by
from partnerships.models.sort_keys import ByName
from partnerships.models.users import Tree

SHOWN = 8


@dataclass(frozen=True)
class PersonToContact:
    """A contact with their position at the partner; ``sees_channels`` says whether the reader sees how to reach them.

    ``reached_on`` is set for the one person of the agreement who was reached last, as far as the reader may know.
    """

    contact: Contact
    organization: Organization
    position: str
    sees_channels: bool
    reached_on: dt.date | None

    @property
    def has_channels(self) -> bool:
        return bool(self.contact.phone or self.contact.email or self.contact.wechat)


def people_to_contact(
    agreements: Iterable[Agreement], user: User, *, at_most: int = SHOWN, units: Tree | None = None
) -> dict[int, list[PersonToContact]]:
    """Return the partners' people whom ``user`` may see, by the agreement's id.

    Those reached last come first, then those whose numbers ``user`` may see, by name. One query, however many agreements
    there are, and another where people have a further position at a partner; ``user`` must be allowed to see these. With
    ``units``, people, numbers and calls that the coordinators of the agreement's unit may not see are left out as well.
    """
    unit_of = {agreement.pk: agreement.unit_id for agreement in agreements}
    if not unit_of:
        return {}
    sees_channels = _sees_channels(user)
    is_known, are_numbers_known = _known_in_units(unit_of, units) if units is not None else (Q(), Q())
    order = (F("reached_on").desc(nulls_last=True), F("sees_channels").desc(), ByName(), F("pk"))
    both = [
        _with_agreement(path, unit_of, user, only_notes_of_unit=units is not None)
        .filter(is_known)
        .annotate(sees_channels=sees_channels & are_numbers_known)
        .annotate(place=Window(RowNumber(), partition_by="agreement", order_by=order))
        .filter(place__lte=at_most)
        .order_by()
        for path in ("", "positions__")
    ]
    rows = list(both[0].union(both[1], all=True))
    others = Organization.objects.in_bulk({row.here for row in rows if row.here != row.organization_id})
    found: dict[int, list[PersonToContact]] = defaultdict(list)
    for row in sorted(rows, key=_place):
        people = found[row.agreement]
        if len(people) < at_most and row.pk not in {person.contact.pk for person in people}:
            here = others.get(row.here, row.organization)
            reached_on = row.reached_on if not people else None
            people.append(PersonToContact(row, here, row.position_here, row.sees_channels, reached_on))
    return found


def liaisons_of_members(associations: Iterable[Organization], user: User) -> dict[int, PersonToContact]:
    """Return whom to contact about the members of each association, by its id, as far as ``user`` may see contacts there.

    Two queries, and none where no association has a liaison.
    """
    with_liaison = [one for one in associations if one.members_liaison_id is not None]
    if not with_liaison:
        return {}
    rows = Contact.objects.visible_to(user).filter(pk__in=[one.members_liaison_id for one in with_liaison])
    rows = rows.select_related("organization", "unit").prefetch_related("positions")
    found = rows.annotate(sees_channels=_sees_channels(user)).in_bulk()
    return {
        one.pk: PersonToContact(row, one, _position_at(row, one), row.sees_channels, None)
        for one in with_liaison
        if (row := found.get(one.members_liaison_id)) is not None
    }


def _position_at(contact: Contact, organization: Organization) -> str:
    """Return the position that the contact holds at the organization now."""
    here = [one for one in contact.all_positions if one.organization_id == organization.pk and one.until is None]
    return next((one.position for one in here if one.position), "")


def _sees_channels(user: User) -> Q:
    return Q(Exists(Contact.objects.with_personal_data_for(user).filter(pk=OuterRef("pk"))))


def _place(row: Any) -> tuple[int, bool, str, int]:
    """Return the order of ``people_to_contact`` for both halves of its rows together."""
    reached = row.reached_on.toordinal() if row.reached_on else 0
    return (-reached, not row.sees_channels, row.sort_key, row.pk)


def _with_agreement(path: str, agreements: Collection[int], user: User, *, only_notes_of_unit: bool) -> QuerySet:
    """Return the partners' people, one row for each contact and agreement, without those of our own organization."""
    at = f"{path}organization"
    notes = ContactNote.objects.visible_to(user).filter(contact=OuterRef("pk")).order_by("-happened_on", "-pk")
    # Conditions in one filter and the annotations after it use the same join.
    rows = Contact.objects.visible_to(user).filter(
        is_active=True,
        **{
            f"{at}__party_rows__agreement__in": agreements,
            f"{at}__party_rows__withdrew_on": None,
            f"{path}until": None,
        },
    )
    rows = rows.annotate(
        here=F(at),
        position_here=F(f"{path}position"),
        agreement=F(f"{at}__party_rows__agreement"),
        agreement_unit=F(f"{at}__party_rows__agreement__unit"),
        ours=F(f"{at}__party_rows__agreement__unit__organization"),
    )
    if only_notes_of_unit:
        notes = notes.filter(Q(agreement=OuterRef("agreement")) | Q(unit=OuterRef("agreement_unit")))
    rows = rows.annotate(
        reached_on=Subquery(notes.values("happened_on")[:1]),
    )
    return rows.filter(Q(ours=None) | ~Q(ours=F(at))).select_related("organization", "unit")


def _known_in_units(unit_of: dict[int, int], units: Tree) -> tuple[Q, Q]:
    """Return the conditions that whoever coordinates the agreement's unit sees the person, and their numbers."""
    is_known, are_numbers_known = Q(pk__in=[]), Q(pk__in=[])
    for unit in sorted(set(unit_of.values())):
        below = units.with_descendants([unit])
        of_unit = Q(agreement__in=[pk for pk, its_unit in unit_of.items() if its_unit == unit])
        is_known |= of_unit & held_by(below)
        are_numbers_known |= of_unit & entered_for(below)
    return is_known, are_numbers_known
