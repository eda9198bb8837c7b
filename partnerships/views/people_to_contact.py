"""The contacts shown under an agreement, with the entry in the security log."""

from collections.abc import Iterable

from django.utils import timezone

from partnerships.models import Agreement, HiddenRecord, User
from partnerships.operations.security_log import note_contacts_viewed
from partnerships.reports.people_to_contact import SHOWN, PersonToContact, people_to_contact


def shown_people(
    agreements: Iterable[Agreement | HiddenRecord | None], user: User, *, at_most: int = SHOWN
) -> dict[int, list[PersonToContact]]:
    """Return the partners' people by the agreement's id, and note in the security log whose numbers the page shows.

    Records that ``hide_unseen`` has hidden name nobody. Two queries, and one more at the first view of a day.
    """
    seen = [one for one in agreements if isinstance(one, Agreement)]
    people = people_to_contact(seen, user, at_most=at_most)
    reached = [person.contact for found in people.values() for person in found if person.sees_channels]
    note_contacts_viewed(user, reached, now=timezone.now())
    return people
