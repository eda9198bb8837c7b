"""The contacts shown beside other records, with the entry in the security log."""

from collections.abc import Iterable

from django.utils import timezone

from partnerships.models import Agreement, HiddenRecord, User
from partnerships.operations.security_log import note_contacts_viewed
from partnerships.reports.people_to_contact import SHOWN, PersonToContact, people_named, people_to_contact


def shown_people(
    agreements: Iterable[Agreement | HiddenRecord | None], user: User, *, at_most: int = SHOWN
) -> dict[int, list[PersonToContact]]:
    """Return the partners' people by the agreement's id, and note in the security log whose numbers the page shows.

    Records that ``hide_unseen`` has hidden name nobody. Two queries, and one more at the first view of a day.
    """
    seen = [one for one in agreements if isinstance(one, Agreement)]
    people = people_to_contact(seen, user, at_most=at_most)
    _note(user, (person for found in people.values() for person in found))
    return people


def shown_contacts(contact_ids: Iterable[int | None], user: User) -> dict[int, PersonToContact]:
    """Return the named contacts that ``user`` may see, and note in the security log whose numbers the page shows."""
    people = people_named(contact_ids, user)
    _note(user, people.values())
    return people


def _note(user: User, people: Iterable[PersonToContact]) -> None:
    reached = [person.contact for person in people if person.sees_channels]
    note_contacts_viewed(user, reached, now=timezone.now())
