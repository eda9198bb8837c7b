"""In which envelope a reminder travels: a mail of its own, the person's digest of the day, or none at all."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from partnerships.models import Delivery, MailHold, ReminderItem, ReminderPlan, User
from partnerships.models.milestones import FIRM_KINDS
from partnerships.models.reasons import Reason
from partnerships.models.reminders import reader_code
from partnerships.reminders.recipients import Recipient
from partnerships.reminders.rule_set import zone_named
from partnerships.reminders.schedule import utc
from partnerships.statuses import DeliveryStatus

Mode = User.ReminderMode
Why = ReminderItem.Why

# Later than this it is not worth a mail of its own any more: it waits for the digest, whatever the person's mode.
CATCH_UP_AFTER = dt.timedelta(hours=24)
# What reaches a person who wants no mail, beside firm dates: calls for help.
REQUIRED_WHYS = frozenset({Why.LEAD, Why.FALLBACK})


@dataclass(frozen=True)
class Item:
    """A reminder still to be written down."""

    plan: ReminderPlan
    recipient: Recipient
    generation: int

    @property
    def person(self) -> User:
        if self.recipient.person is None:
            raise TypeError("for a contact")
        return self.recipient.person


@dataclass
class Envelope:
    """``delivery`` is new, or a digest that waits and that we have locked."""

    delivery: Delivery
    items: list[Item] = field(default_factory=list)


class Way(Enum):
    SINGLE = "single"
    DIGEST = "digest"
    NONE = "none"


def is_required(item: Item) -> bool:
    return item.plan.milestone.kind in FIRM_KINDS or item.recipient.why in REQUIRED_WHYS


def is_late(plan: ReminderPlan, now: dt.datetime) -> bool:
    return now - plan.send_at > CATCH_UP_AFTER


def way_of(item: Item, now: dt.datetime) -> Way:
    """What the person asked for; what is late comes in the digest, what is required at least there."""
    if item.person.reminder_mode == Mode.FEED:
        return Way.DIGEST if is_required(item) else Way.NONE
    if item.person.reminder_mode == Mode.DIGEST or is_late(item.plan, now):
        return Way.DIGEST
    return Way.SINGLE


def pack(items: Sequence[Item], *, now: dt.datetime, at: dt.datetime) -> list[Envelope]:
    """Puts each item into one envelope; ``now`` is what counts as due, ``at`` the real time.

    Within the transaction that writes them: locks the people who get a digest, then the digests that wait. While a
    digest of the day waits for a person, what else falls due for them joins it.
    """
    to_contacts = [_to_contact(item, now=now, at=at) for item in items if item.recipient.contact]
    ways = {item: way_of(item, now) for item in items if item.recipient.person}
    return [*to_contacts, *_pack(ways, now=now, at=at)]


def pack_in_digests(items: Sequence[Item], *, now: dt.datetime, at: dt.datetime) -> list[Envelope]:
    """Likewise of items that come in the day's digest whatever their person asked for."""
    return _pack(dict.fromkeys(items, Way.DIGEST), now=now, at=at)


def _to_contact(item: Item, *, now: dt.datetime, at: dt.datetime) -> Envelope:
    """Always a mail of its own: contacts have no digests and no wishes we know of."""
    return Envelope(_new(item, at=at, next_attempt_at=min(now, at)), [item])


def _pack(ways: Mapping[Item, Way], *, now: dt.datetime, at: dt.datetime) -> list[Envelope]:
    readers = {item.person.pk: item.person for item, way in ways.items() if way is Way.DIGEST}
    digests = _Digests.lock(readers, {item.person.pk for item in ways}, now=now, at=at)
    packed: dict[tuple[int, int, Way], Envelope] = {}
    for item, wish in ways.items():
        way = Way.DIGEST if wish is Way.SINGLE and digests.leaves_today(item.person) else wish
        milestone = 0 if way is Way.DIGEST else item.plan.milestone_id
        envelope = packed.get((item.person.pk, milestone, way))
        if envelope is None:
            delivery = digests.of(item) if way is Way.DIGEST else _alone(item, way, now=now, at=at)
            envelope = packed[item.person.pk, milestone, way] = Envelope(delivery)
        envelope.items.append(item)
    return list(packed.values())


def _alone(item: Item, way: Way, *, now: dt.datetime, at: dt.datetime) -> Delivery:
    delivery = _new(item, at=at, next_attempt_at=min(now, at))
    if way is Way.NONE:
        delivery.status, delivery.reason = DeliveryStatus.SKIPPED, Reason.FEED_ONLY
    return delivery


def _new(item: Item, *, at: dt.datetime, next_attempt_at: dt.datetime) -> Delivery:
    return Delivery(
        person=item.recipient.person,
        contact=item.recipient.contact,
        queued_at=at,
        next_attempt_at=next_attempt_at,
        message_id=message_id(item.plan, item.recipient.code, item.generation),
    )


def message_id(plan: ReminderPlan, reader_code: str, generation: int) -> str:
    """Made of what the (first) reminder in it is, so that it stays the same whoever sends it, and when.

    A reminder is in one envelope alone, so no two have the same.
    """
    occasion = f"-s{plan.wakes_on:%Y%m%d}" if plan.wakes_on else ""
    identity = f"m{plan.milestone_id}-r{plan.rule_id}-{plan.due_on:%Y%m%d}{occasion}-{reader_code}-g{generation}"
    return f"<reminder-{identity}@{settings.EMAIL_ID_DOMAIN}>"


def _joinable() -> tuple[DeliveryStatus, ...]:
    """While all mail is held a held digest is joined, else each run would begin one for a further day.

    One that is held alone is not: nobody knows when, or whether, it is let go.
    """
    if MailHold.objects.active().exists():
        return DeliveryStatus.QUEUED, DeliveryStatus.HELD
    return (DeliveryStatus.QUEUED,)


@dataclass
class MailCount:
    """How many mails some items would make, without making them; what joins a digest that waits makes none."""

    joining: set[str]  # readers who have one
    digests: set[str] = field(default_factory=set)
    singles: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    def begin(cls) -> Self:
        waiting = Delivery.objects.filter(status=DeliveryStatus.QUEUED, kind=Delivery.Kind.DIGEST, message=None)
        return cls({reader_code(person, None) for person in waiting.values_list("person_id", flat=True)})

    def add(self, items: Iterable[Item], now: dt.datetime) -> None:
        for item in items:
            way = Way.SINGLE if item.recipient.person is None else way_of(item, now)
            if way is Way.DIGEST:
                self.digests.add(item.recipient.code)
            elif way is Way.SINGLE:
                self.singles.add((item.recipient.code, item.plan.milestone_id))

    @property
    def total(self) -> int:
        gathered = self.digests | self.joining
        alone = sum(reader not in gathered for reader, _milestone in self.singles)
        return alone + len(self.digests - self.joining)


class _Digests:
    """The digests of some people: those that wait and can be joined, and the days that have one already."""

    def __init__(self, now: dt.datetime, at: dt.datetime) -> None:
        self.now, self.at = now, at
        self.readers: Collection[int] = ()
        self.waiting: dict[int, dict[dt.date, Delivery]] = defaultdict(dict)
        self.taken: dict[int, set[dt.date]] = defaultdict(set)

    @classmethod
    def lock(cls, readers: dict[int, User], people: Iterable[int], *, now: dt.datetime, at: dt.datetime) -> Self:
        """``readers`` may get a new digest, ``people`` may join one that waits.

        The people are locked by ascending key: of two expansions that have something for the same person the second
        sees the digest of the first. A digest that is locked is being claimed: it is passed over, never waited for,
        since the claim may wait for one of our plans. One that was written before keeps its bytes and is not joined.
        """
        digests = cls(now, at)
        digests.readers = readers.keys()
        if readers:
            locked = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=readers).order_by("pk")
            list(locked.values_list("pk"))
        of_people = Delivery.objects.filter(person__in=set(people), kind=Delivery.Kind.DIGEST)
        waiting = of_people.filter(status__in=_joinable(), message=None).order_by("digest_on", "pk")
        for delivery in waiting.select_for_update(skip_locked=True, of=("self",)):
            # For the type checker: a digest always has its day and its person.
            if delivery.digest_on is not None and delivery.person_id is not None:
                digests.waiting[delivery.person_id][delivery.digest_on] = delivery
        if readers:
            digests._read_taken(readers)
        return digests

    def _read_taken(self, readers: dict[int, User]) -> None:
        first = min(self.today(person) for person in readers.values())
        taken = Delivery.objects.filter(person__in=readers, kind=Delivery.Kind.DIGEST, digest_on__gte=first)
        for person, day in taken.filter(~Q(status=DeliveryStatus.CANCELLED)).values_list("person_id", "digest_on"):
            if day is not None and person is not None:  # as above
                self.taken[person].add(day)

    def today(self, person: User) -> dt.date:
        return timezone.localdate(self.now, zone_named(person.time_zone))

    def leaves_today(self, person: User) -> bool:
        """The person has a digest of today, or of an earlier day, that can still be joined, or is to get one now."""
        if any(day <= self.today(person) for day in self.waiting[person.pk]):
            return True
        return person.pk in self.readers and self.today(person) not in self.taken[person.pk]

    def of(self, item: Item) -> Delivery:
        """The digest of today; when that one has gone, tomorrow's. One that could not leave in time becomes today's."""
        person, today = item.person, self.today(item.person)
        waiting, taken = self.waiting[person.pk], self.taken[person.pk]
        until_now = [day for day in waiting if day <= today]
        if until_now:
            return self._of_today(waiting[max(until_now)], today)
        day = today
        while day in taken and day not in waiting:
            day += dt.timedelta(days=1)
        return waiting.get(day) or self._begin(item, day)

    def _of_today(self, delivery: Delivery, today: dt.date) -> Delivery:
        if delivery.digest_on != today and today not in self.taken[delivery.person_id or 0]:
            delivery.digest_on = today
            delivery.save(update_fields=["digest_on"])
        return delivery

    def _begin(self, item: Item, day: dt.date) -> Delivery:
        delivery = _new(item, at=self.at, next_attempt_at=self._leaves_at(item.person, day))
        delivery.kind, delivery.digest_on = Delivery.Kind.DIGEST, day
        return delivery

    def _leaves_at(self, person: User, day: dt.date) -> dt.datetime:
        """The person's hour, or at once when that has passed."""
        hour = utc(day, dt.time(person.reminder_hour), zone_named(person.time_zone))
        return hour if hour > self.now else min(self.now, self.at)
