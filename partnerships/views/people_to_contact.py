"""The contacts shown beside other records, with the entry in the security log."""

from collections.abc import Iterable

from django.utils import timezone

from partnerships.models import Agreement, HiddenRecord, Organization, User
from partnerships.operations.security_log import note_contacts_viewed
from partnerships.reports.people_to_contact import SHOWN, PersonToContact, liaisons_of_members, people_to_contact


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


def shown_liaisons(associations: Iterable[Organization], user: User) -> dict[int, PersonToContact]:
    """Return the members' liaisons by the association's id, and note in the security log whose numbers the page shows."""
    liaisons = liaisons_of_members(associations, user)
    _note(user, liaisons.values())
    return liaisons


def _note(user: User, people: Iterable[PersonToContact]) -> None:
    reached = [person.contact for person in people if person.sees_channels]
    note_contacts_viewed(user, reached, now=timezone.now())
