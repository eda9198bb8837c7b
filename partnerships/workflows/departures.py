"""Record that a contact left: what they are involved in, and who takes their place."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import TransitionRefused
from partnerships.models import Agreement, Contact, EventPerson, Organization, User
from partnerships.permissions import may, require
from partnerships.statuses import EventStatus
from partnerships.workflows.agreements import edit_agreement
from partnerships.workflows.edits import check_not_in_future
from partnerships.workflows.organizations import edit_contact, edit_organization, move_contact
from partnerships.workflows.transitions import lock_as_read


@dataclass(frozen=True)
class Involvement:
    """The agreements, associations and events that a contact is involved in, as far as ``user`` may change them.

    ``other_agreements`` counts those of other units.
    """

    agreements: list[Agreement]
    associations: list[Organization]
    events: list[EventPerson]
    other_agreements: int


def involvement_of(contact: Contact, user: User, *, today: dt.date) -> Involvement:
    """Return the open agreements whose liaison the contact is, the associations likewise, and events to come."""
    agreements, others = _agreements_of(contact, user)
    associations = [one for one in contact.liaison_of_members.order_by("pk") if may(user, "organization.edit", one)]
    events = EventPerson.objects.visible_to(user).filter(contact=contact, event__status=EventStatus.RECORDED)
    coming = events.filter(event__starts_on__gte=today).select_related("event").order_by("event__starts_on")
    return Involvement(agreements, associations, list(coming), others)


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

    Effects in order: ``successor`` becomes the liaison where the actor may edit the agreement or association, the contact
    is gone and the successor works; the position becomes a former one; the contact goes on at ``organization``, or is no
    longer there. Where they are still named as liaison, a milestone asks for a new one.
    """
    with transaction.atomic():
        locked = lock_as_read(contact)
        require(actor, "contact.edit", locked)
        if until is not None:
            check_not_in_future(until, today=today, field="until")
        if not locked.is_active:
            raise TransitionRefused(_("This person has left already."))
        current = set(locked.positions.current().values_list("organization", flat=True))
        stays_at = current | {organization.pk} if organization else set()
        if successor is not None:
            _replace_in_agreements(locked, successor, stays_at, actor=actor, today=today)
        if organization is None:
            left = edit_contact(locked, actor=actor, today=today, changes={"is_active": False, "until": until})
        else:
            left = move_contact(locked, organization, actor=actor, today=today, position=position, until=until)
        if successor is not None:  # organizations are locked after agreements
            _replace_in_associations(locked, successor, stays_at, actor=actor, today=today)
    return left


def _replace_in_agreements(
    contact: Contact, successor: Contact, stays_at: set[int], *, actor: User | None, today: dt.date
) -> None:
    agreements, _others = _agreements_of(contact, actor)
    for agreement in agreements:
        parties = agreement.parties.filter(liaison=contact).select_related("organization")
        parts = [party for party in parties if _takes_over(successor, party.organization, stays_at)]
        for party in parts:
            party.liaison = successor
        if parts:
            edit_agreement(agreement, actor=actor, today=today, parts=parts)


def _replace_in_associations(
    contact: Contact, successor: Contact, stays_at: set[int], *, actor: User | None, today: dt.date
) -> None:
    for association in contact.liaison_of_members.order_by("pk"):
        may_edit = actor is None or may(actor, "organization.edit", association)
        if may_edit and _takes_over(successor, association, stays_at):
            edit_organization(association, actor=actor, today=today, changes={"members_liaison": successor})


def _takes_over(successor: Contact, organization: Organization, stays_at: set[int]) -> bool:
    """Whether the successor works at the organization and the person who leaves, with ``stays_at``, does not."""
    return successor.works_at(organization) and stays_at.isdisjoint(organization.ids_above_and_below())
