"""Contacts who leave: what hangs on them, and who takes their place."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput
from partnerships.models import Agreement, AgreementParty, Contact, ContactPosition, EventPerson, Organization, User
from partnerships.permissions import may, require
from partnerships.statuses import EventStatus
from partnerships.workflows.agreements import edit_agreement
from partnerships.workflows.edits import check_not_in_future
from partnerships.workflows.organizations import edit_contact, edit_organization, follow_liaison
from partnerships.workflows.transitions import lock_as_read, refuse_erased, save_as


@dataclass(frozen=True)
class Ties:
    """The agreements, associations and events that hang on a contact; ``others`` counts agreements of other units."""

    agreements: list[Agreement]
    associations: list[Organization]
    events: list[EventPerson]
    others: int


def ties_of(contact: Contact, user: User, *, today: dt.date) -> Ties:
    """Return the open agreements whose liaison the contact is, the associations likewise, and events to come."""
    agreements, others = _agreements_of(contact, user)
    associations = [one for one in contact.liaison_of_members.order_by("pk") if may(user, "organization.edit", one)]
    events = EventPerson.objects.visible_to(user).filter(contact=contact, event__status=EventStatus.RECORDED)
    coming = events.filter(event__starts_on__gte=today).select_related("event").order_by("event__starts_on")
    return Ties(agreements, associations, list(coming), others)


def _agreements_of(contact: Contact, user: User | None) -> tuple[list[Agreement], int]:
    """Return the agreements in which the user may replace the contact, and how many others there are."""
    named = Agreement.objects.not_closed().filter(parties__liaison=contact).distinct().order_by("pk")
    rows = list(named.select_related("unit", "type"))
    own = [agreement for agreement in rows if user is None or may(user, "agreement.edit", agreement)]
    return own, len(rows) - len(own)


def record_departure(
    contact: Contact,
    *,
    actor: User | None,
    today: dt.date,
    until: dt.date | None = None,
    successor: Contact | None = None,
    organization: Organization | None = None,
    position: str = "",
) -> Contact:
    """Record that a contact left their organization, in one step with who takes their place.

    Effects in order: ``successor`` becomes the liaison in the open agreements and associations that the actor may edit; the
    position becomes a former one; the contact goes on at ``organization``, or is no longer there. Where they are still named
    as liaison, a milestone asks for a new one.
    """
    with transaction.atomic():
        locked = lock_as_read(contact)
        require(actor, "contact.edit", locked)
        refuse_erased(locked)
        if until is not None:
            check_not_in_future(until, today=today, field="until")
        if organization is not None and organization.pk == locked.organization_id:
            raise InvalidInput(_("This is the organization that they leave."), field="organization")
        if successor is not None:
            _replace(locked, successor, actor=actor, today=today)
        if organization is None:
            return edit_contact(locked, actor=actor, today=today, changes={"is_active": False, "until": until})
        return _move(locked, organization, position, actor=actor, today=today, until=until)


def _replace(contact: Contact, successor: Contact, *, actor: User | None, today: dt.date) -> None:
    agreements, _others = _agreements_of(contact, actor)
    for agreement in agreements:
        parts = _with_liaison(agreement.parties.filter(liaison=contact), successor)
        edit_agreement(agreement, actor=actor, today=today, parts=parts)
    for association in contact.liaison_of_members.order_by("pk"):
        if actor is None or may(actor, "organization.edit", association):
            edit_organization(association, actor=actor, today=today, changes={"members_liaison": successor})


def _with_liaison(parties: Iterable[AgreementParty], liaison: Contact) -> list[AgreementParty]:
    changed = list(parties)
    for party in changed:
        party.liaison = liaison
    return changed


def _move(
    contact: Contact,
    organization: Organization,
    position: str,
    *,
    actor: User | None,
    today: dt.date,
    until: dt.date | None,
) -> Contact:
    former = ContactPosition(organization=contact.organization, position=contact.position, since=contact.since)
    former.until = until or today
    held = contact.positions.filter(organization=organization, position=position, until=None).first()
    moved = edit_contact(contact, actor=actor, today=today, parts=[former], removed=[held] if held else [])
    moved.organization, moved.position = organization, position
    moved.since, moved.departure_noted_on = held.since if held else until, today
    save_as(moved, actor)
    follow_liaison(moved, actor=actor, on=today)
    return moved
