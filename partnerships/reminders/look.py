"""What a claim reads to look at its delivery again; read ahead for many, good for as long as nothing of it changes.

Reading ahead weakens nothing: in the transaction of the claim one query asks for all that could have changed meanwhile,
and the check itself is made there, of the rows read ahead when they are as they were, else of rows read anew.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Count, Max, QuerySet

from partnerships.models import (
    Agreement,
    AgreementUnit,
    Delivery,
    Milestone,
    ReminderItem,
    ReminderPlan,
    ReminderRule,
    UnitMembership,
    User,
)
from partnerships.reminders.answers import signs_for
from partnerships.reminders.message import Written
from partnerships.reminders.recipients import Audience, Directory
from partnerships.reminders.rulebook import BOOKS, Books, Rulebook, history_columns, history_print

AHEAD = 50
# What every answer depends on, beside the rows of the delivery itself.
COMMON = (*BOOKS, UnitMembership)
Print = tuple[Any, ...]
Write = Callable[[Delivery, Sequence[ReminderItem]], Written]
NO_UNITS = (0, None)


@dataclass(frozen=True)
class Sight:
    """The items of one delivery that were not taken back, and all that decides whether they hold.

    ``written``: the mail that says all of them, when it was written ahead.
    """

    items: list[ReminderItem]
    book: Rulebook
    directory: Directory
    signs: Mapping[int, dt.datetime]
    written: Written | None = None


@dataclass
class _Ahead:
    """A sight of ``delivery``, and how ``_print_of`` reads while it holds."""

    delivery: Delivery
    sight: Sight
    people: Sequence[int]
    expected: list[Print]


@dataclass
class Look:
    """Of a run that claims often; ``size``: how many deliveries it reads ahead, 0 for none."""

    size: int = 0
    books: Books = field(default_factory=Books)
    _ahead: dict[int, _Ahead | None] = field(default_factory=dict)

    def ahead(self, deliveries: Callable[[], QuerySet[Delivery]], at: dt.datetime) -> None:
        """Reads the first of ``deliveries()`` in fourteen queries at most, unless some of those read before are left.

        Outside the transaction of a claim: it keeps no lock meanwhile.
        """
        if self.size and not self._ahead:
            found = deliveries().exclude(kind=Delivery.Kind.NOTICE)[: self.size]
            self._ahead = _read_ahead(found, self.books, at)

    def write_next(self, write: Write) -> None:
        """Writes the mail that is probably claimed next, of what was read ahead.

        What cannot be written is left to the hand-over, which tries it in its turn and says what is wrong.
        """
        known = next(iter(self._ahead.values()), None)
        if known is not None and known.delivery.message is None and known.sight.written is None:
            with suppress(Exception):
                known.sight = replace(known.sight, written=write(known.delivery, known.sight.items))

    def sight(self, delivery: Delivery, at: dt.datetime) -> Sight:
        """Within the transaction of the claim: one query when the delivery was read ahead and all is as it was."""
        was_read = delivery.pk in self._ahead
        while was_read and (passed := next(iter(self._ahead))) != delivery.pk:
            del self._ahead[passed]  # others took it
        known = self._ahead.pop(delivery.pk, None)
        if known is not None and _print_of(delivery.pk, known.people) == known.expected:
            return replace(known.sight, directory=replace(known.sight.directory, now=at))
        if known is not None or not was_read:
            self._ahead.clear()  # something was edited, or the others went ahead of us
        items = list(_living([delivery.pk]))
        plans = [item.plan for item in items]
        return Sight(items, self.books.current(), Directory.load(plans, now=at), signs_for(plans))


def _living(deliveries: Sequence[int]) -> QuerySet[ReminderItem]:
    return (
        ReminderItem.objects.filter(delivery__in=deliveries, cancelled_at=None)
        .select_related("plan__rule", "plan__milestone__agreement", "plan__milestone__unit", "plan__milestone__owner")
        .select_related("plan__unanswered_by", "plan__milestone__agreement__coordinator")
        .select_related("plan__milestone__unit__fallback_person")
        .order_by("pk")
    )


def _read_ahead(deliveries: Iterable[Delivery], books: Books, at: dt.datetime) -> dict[int, _Ahead | None]:
    """The prints of histories before the rows they are of: an edit in between makes them differ later, never agree.

    Of rows with a version the print is that of the row as it was read.
    """
    known = {delivery.pk: delivery for delivery in deliveries}
    items: dict[int, list[ReminderItem]] = {pk: [] for pk in known}
    for item in _living(list(known)):
        items[item.delivery_id].append(item)
    plans = [item.plan for found in items.values() for item in found]
    common, units = history_print(COMMON), _prints_of_units({plan.milestone.agreement_id for plan in plans})
    book, directory = books.current(), Directory.load(plans, now=at)
    reader = _Reader(book, directory, common, units)
    return {pk: reader.ahead(known[pk], found) for pk, found in items.items()}


def _prints_of_units(agreements: Iterable[int | None]) -> dict[int, Print]:
    """Agreement -> number and newest of the edits of the units that take part in it."""
    edits = AgreementUnit.history.filter(agreement_id__in=[pk for pk in agreements if pk]).order_by()
    rows = edits.values_list("agreement_id").annotate(Count("history_id"), Max("history_id"))
    return {agreement: (count, newest) for agreement, count, newest in rows}


@dataclass(frozen=True)
class _Reader:
    book: Rulebook
    directory: Directory
    common: Print
    units: Mapping[int, Print]

    def ahead(self, delivery: Delivery, items: list[ReminderItem]) -> _Ahead | None:
        """None for what depends on more than is asked again."""
        if not items or not all(_is_plain(item.plan) for item in items):
            return None
        versions = _versions(person for item in items for person in self._people(item.plan))
        if not versions:
            return None
        shared = (*self.common, len(versions), sum(versions.values()))
        expected = [(*self._row(item), *shared) for item in items]
        if delivery.person_id in self.directory.people:
            delivery.person = self.directory.people[delivery.person_id]
        return _Ahead(delivery, Sight(items, self.book, self.directory, {}), sorted(versions), expected)

    def _row(self, item: ReminderItem) -> Print:
        milestone = item.plan.milestone
        agreement = milestone.agreement
        units = self.units.get(milestone.agreement_id or 0, NO_UNITS)
        return item.pk, item.plan.rule_id, milestone.version, agreement and agreement.version, *units

    def _people(self, plan: ReminderPlan) -> list[User]:
        """Whom the check may ask about, and who is named in the mail."""
        milestone = plan.milestone
        coordinator = milestone.agreement.coordinator if milestone.agreement else None
        named = (milestone.owner, milestone.unit.fallback_person, coordinator)
        return [*self.directory.concerned(plan), *(person for person in named if person is not None)]


def _is_plain(plan: ReminderPlan) -> bool:
    """Neither contacts nor answers nor a snooze have a say."""
    is_awake = plan.wakes_on is None and plan.milestone.snoozed_until is None
    waits = plan.unanswered_at is not None or plan.rule.direction == ReminderRule.Direction.UNANSWERED
    return is_awake and not waits and plan.rule.audience != Audience.PARTY


def _versions(people: Iterable[User]) -> dict[int, int]:
    """Empty when somebody was read twice, and edited in between."""
    found: dict[int, int] = {}
    for person in people:
        if found.setdefault(person.pk, person.version) != person.version:
            return {}
    return found


def _print_of(delivery: int, people: Sequence[int]) -> list[Print]:
    """For each living item: itself, the versions of its rows, the edits of what has no version of its own.

    A version grows with each edit, so that a sum over the same people stays only if none of them was edited.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(len(people)), [*people, delivery])
        return cursor.fetchall()


@cache
def _statement(people: int) -> str:
    item, plan, milestone, agreement, person, edit = (
        f'"{model._meta.db_table}"'
        for model in (ReminderItem, ReminderPlan, Milestone, Agreement, User, AgreementUnit.history.model)
    )
    edits = f"FROM {edit} WHERE agreement_id = milestone.agreement_id"
    columns = f"""
        item.id, plan.rule_id, milestone.version, agreement.version,
        (SELECT COUNT(*) {edits}), (SELECT MAX(history_id) {edits}),
        {history_columns(COMMON)}, person.count, person.versions"""
    return f"""
        SELECT {columns}
        FROM {item} item
        JOIN {plan} plan ON plan.id = item.plan_id
        JOIN {milestone} milestone ON milestone.id = plan.milestone_id
        LEFT JOIN {agreement} agreement ON agreement.id = milestone.agreement_id
        CROSS JOIN (SELECT COUNT(*) AS count, SUM(version) AS versions FROM {person}
            WHERE id IN ({", ".join(["%s"] * people)})) person
        WHERE item.delivery_id = %s AND item.cancelled_at IS NULL
        ORDER BY item.id"""  # noqa: S608 - our own names
