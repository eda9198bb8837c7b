"""The contacts shown beside other records, with the entry in the security log."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Model
from django.utils import timezone

from partnerships.models import Agreement, HiddenRecord, Milestone, MilestoneKind, Organization, User
from partnerships.operations.security_log import note_contacts_viewed
from partnerships.reports.people_to_contact import (
    SHOWN,
    PersonToContact,
    first_person_at,
    people_named,
    people_to_contact,
)

SHOWN_IN_A_LINE = 2  # the milestone's page has the others
DAYS_AHEAD = 7


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


def people_to_call(rows: Iterable[Model], user: User, today: dt.date) -> dict[int, list[PersonToContact]]:
    """Return whom to call, by the id of the milestone that waits for it: from a week before it is due, unless snoozed.

    Those that are due later name nobody, so that opening a page shows, and the security log notes, few numbers.
    """
    waiting = [row for row in rows if isinstance(row, Milestone) and _asks_to_call(row, today)]
    people = shown_people([row.agreement for row in waiting], user, at_most=SHOWN_IN_A_LINE)
    return {row.pk: people.get(row.agreement_id or 0, []) for row in waiting}


def _asks_to_call(row: Milestone, today: dt.date) -> bool:
    if row.kind != MilestoneKind.NEXT_CONTACT or not row.is_pending:
        return False
    return row.due_on <= today + dt.timedelta(days=DAYS_AHEAD) and not row.is_snoozed(today)


def shown_contacts(contact_ids: Iterable[int | None], user: User) -> dict[int, PersonToContact]:
    """Return the named contacts that ``user`` may see, and note in the security log whose numbers the page shows."""
    people = people_named(contact_ids, user)
    _note(user, people.values())
    return people


def shown_person_at(organization: Organization, user: User) -> PersonToContact | None:
    """Return whom to call at an organization, and note in the security log whose numbers the page shows."""
    person = first_person_at(organization, user)
    _note(user, [person] if person else [])
    return person


def _note(user: User, people: Iterable[PersonToContact]) -> None:
    reached = [person.contact for person in people if person.sees_channels]
    note_contacts_viewed(user, reached, now=timezone.now())
