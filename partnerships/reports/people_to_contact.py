"""The contacts of agreements' partners, with how to reach them and who was reached last."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from partnerships.models import Agreement, Contact, ContactNote, Organization, User
from partnerships.models.organizations import entered_for, held_by
from partnerships.models.sort_keys import ByName
from partnerships.models.users import Tree

SHOWN = 8


@dataclass(frozen=True)
class PersonToContact:
    """A contact; ``sees_channels`` says whether phone, e-mail and WeChat are shown to the reader.

    ``reached_on`` is set for the one person of the agreement who was reached last, as far as the reader may know.
    """

    contact: Contact
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
    there are; ``user`` must be allowed to see these. With ``units``, people, numbers and calls that the coordinators of
    the agreement's unit may not see are left out as well.
    """
    unit_of = {agreement.pk: agreement.unit_id for agreement in agreements}
    if not unit_of:
        return {}
    sees_channels = _sees_channels(user)
    rows = _with_agreement(unit_of, user, only_notes_of_unit=units is not None)
    if units is not None:
        is_known, are_numbers_known = _known_in_units(unit_of, units)
        rows, sees_channels = rows.filter(is_known), sees_channels & are_numbers_known
    rows = rows.select_related("organization", "unit").annotate(sees_channels=sees_channels)
    order = (F("reached_on").desc(nulls_last=True), F("sees_channels").desc(), ByName(), F("pk"))
    rows = rows.annotate(place=Window(RowNumber(), partition_by="agreement", order_by=order))
    found: dict[int, list[PersonToContact]] = defaultdict(list)
    for row in rows.filter(place__lte=at_most).order_by("agreement", "place"):
        reached_on = row.reached_on if row.place == 1 else None
        found[row.agreement].append(PersonToContact(row, row.sees_channels, reached_on))
    return found


def liaisons_of_members(associations: Iterable[Organization], user: User) -> dict[int, PersonToContact]:
    """Return whom to contact about the members of each association, by its id, as far as ``user`` may see contacts there.

    One query, and none where no association has a liaison.
    """
    ids = {one.members_liaison_id for one in associations if one.members_liaison_id is not None}
    if not ids:
        return {}
    rows = Contact.objects.visible_to(user).filter(pk__in=ids).select_related("organization", "unit")
    rows = rows.annotate(sees_channels=_sees_channels(user))
    return {row.organization_id: PersonToContact(row, row.sees_channels, None) for row in rows}


def _sees_channels(user: User) -> Q:
    return Q(Exists(Contact.objects.with_personal_data_for(user).filter(pk=OuterRef("pk"))))


def _with_agreement(agreements: Collection[int], user: User, *, only_notes_of_unit: bool) -> QuerySet:
    """Return the partners' people, one row for each contact and agreement, without those of our own organization."""
    notes = ContactNote.objects.visible_to(user).filter(contact=OuterRef("pk")).order_by("-happened_on", "-pk")
    # Conditions in one filter and the annotations after it use the same join.
    rows = Contact.objects.visible_to(user).filter(
        is_active=True, organization__party_rows__agreement__in=agreements, organization__party_rows__withdrew_on=None
    )
    rows = rows.annotate(
        agreement=F("organization__party_rows__agreement"),
        agreement_unit=F("organization__party_rows__agreement__unit"),
        ours=F("organization__party_rows__agreement__unit__organization"),
    )
    if only_notes_of_unit:
        notes = notes.filter(Q(agreement=OuterRef("agreement")) | Q(unit=OuterRef("agreement_unit")))
    rows = rows.annotate(
        reached_on=Subquery(notes.values("happened_on")[:1]),
    )
    return rows.filter(Q(ours=None) | ~Q(ours=F("organization")))


def _known_in_units(unit_of: dict[int, int], units: Tree) -> tuple[Q, Q]:
    """Return the conditions that whoever coordinates the agreement's unit sees the person, and their numbers."""
    is_known, are_numbers_known = Q(pk__in=[]), Q(pk__in=[])
    for unit in sorted(set(unit_of.values())):
        below = units.with_descendants([unit])
        of_unit = Q(agreement__in=[pk for pk, its_unit in unit_of.items() if its_unit == unit])
        is_known |= of_unit & held_by(below)
        are_numbers_known |= of_unit & entered_for(below)
    return is_known, are_numbers_known
