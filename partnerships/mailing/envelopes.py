"""Choose the envelope of a reminder: a mail of its own, the person's digest of the day, or none."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from partnerships.models import Delivery, MailHold, MilestoneKind, ReminderItem, ReminderPlan, User
from partnerships.models.milestones import DECISION_KINDS, FIRM_KINDS
from partnerships.models.office_day import zone_named
from partnerships.models.reasons import Reason
from partnerships.models.reminders import reader_code
from partnerships.models.waiting import WaitsFor
from partnerships.reminders.clock import Clock
from partnerships.reminders.recipients import Recipient
from partnerships.reminders.schedule import utc
from partnerships.statuses import DeliveryStatus

Mode = User.ReminderMode
Why = ReminderItem.Why

# A reminder this late gets no mail of its own; it goes into the digest, whatever the person asked for.
CATCH_UP_AFTER = dt.timedelta(hours=24)
# Calls for help are mailed even to a person who asked for no mail, and so are firm dates.
REQUIRED_WHYS = frozenset({Why.LEAD, Why.FALLBACK})


@dataclass(frozen=True)
class Item:
    """A reminder that is not saved yet."""

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
    """Reminders that travel together. ``delivery`` is new, or a queued digest that we have locked."""

    delivery: Delivery
    items: list[Item] = field(default_factory=list)


class Way(Enum):
    """How a reminder reaches a person."""

    SINGLE = "single"
    DIGEST = "digest"
    NONE = "none"


def is_required(item: Item) -> bool:
    return item.plan.milestone.kind in FIRM_KINDS or item.recipient.why in REQUIRED_WHYS


def is_late(plan: ReminderPlan, due_at: dt.datetime) -> bool:
    return due_at - plan.send_at > CATCH_UP_AFTER


def mode_of(item: Item) -> str:
    """Return what the person asked for: for decisions, news, contact with partners, or dates and promises."""
    milestone = item.plan.milestone
    if milestone.waits_for == WaitsFor.LEADS or milestone.kind in DECISION_KINDS:
        return item.person.decision_mode
    if item.plan.appearance is not None:
        return item.person.news_mode
    return item.person.contact_mode if milestone.kind == MilestoneKind.NEXT_CONTACT else item.person.reminder_mode


def asks_for_digests(person: User) -> bool:
    """Return whether the person gets digests of what is in time; else a digest holds only what is late."""
    modes = {person.decision_mode, person.reminder_mode, person.contact_mode, person.news_mode}
    return modes != {Mode.IMMEDIATE}


def way_of(item: Item, due_at: dt.datetime) -> Way:
    """Return the way the person asked for, or the digest for a late reminder and one they cannot decline."""
    mode = mode_of(item)
    if mode == Mode.FEED:
        return Way.DIGEST if is_required(item) else Way.NONE
    if mode == Mode.DIGEST or is_late(item.plan, due_at):
        return Way.DIGEST
    return Way.SINGLE


def _way_to_contact(item: Item) -> Way:
    return Way.NONE if item.recipient.declines_mail else Way.SINGLE


def pack(items: Sequence[Item], clock: Clock) -> list[Envelope]:
    """Put each item into one envelope, within the transaction that writes them.

    Locks the people who get a digest, then the queued digests. While a person's digest of the day is queued, everything
    that falls due for them joins it.
    """
    # Contacts have no digests and no settings, so each of their reminders is a mail of its own.
    to_contacts = [Envelope(_to_contact(item, clock), [item]) for item in items if item.recipient.contact]
    ways = {item: way_of(item, clock.due_at) for item in items if item.recipient.person}
    return [*to_contacts, *_pack(ways, clock)]


def pack_in_digests(items: Sequence[Item], clock: Clock) -> list[Envelope]:
    """Put each item into its person's digest of the day, whatever the person asked for."""
    return _pack(dict.fromkeys(items, Way.DIGEST), clock)


def _pack(ways: Mapping[Item, Way], clock: Clock) -> list[Envelope]:
    readers = {item.person.pk: item.person for item, way in ways.items() if way is Way.DIGEST}
    digests = _Digests.lock(readers, {item.person.pk for item in ways}, clock)
    packed: dict[tuple[int, str, Way], Envelope] = {}
    for item, wish in ways.items():
        way = Way.DIGEST if wish is Way.SINGLE and digests.takes_along(item.person) else wish
        together = "" if way is Way.DIGEST else _sent_together(item.plan)
        envelope = packed.get((item.person.pk, together, way))
        if envelope is None:
            delivery = digests.of(item) if way is Way.DIGEST else _alone(item, way, clock)
            envelope = packed[item.person.pk, together, way] = Envelope(delivery)
        envelope.items.append(item)
    return list(packed.values())


def _sent_together(plan: ReminderPlan) -> str:
    """Return what the reminders of one mail share: the act that brought them, or else the milestone."""
    return plan.act if plan.act and plan.appearance is not None else str(plan.milestone_id)


def _to_contact(item: Item, clock: Clock) -> Delivery:
    delivery = _new(item, clock)
    if _way_to_contact(item) is Way.NONE:
        delivery.status, delivery.reason = DeliveryStatus.SKIPPED, Reason.CONTACT_STOPPED_MAIL
    return delivery


def _alone(item: Item, way: Way, clock: Clock) -> Delivery:
    delivery = _new(item, clock)
    if way is Way.NONE:
        delivery.status, delivery.reason = DeliveryStatus.SKIPPED, Reason.FEED_ONLY
    return delivery


def _new(item: Item, clock: Clock) -> Delivery:
    """Return a delivery that may leave at once."""
    return Delivery(
        person=item.recipient.person,
        contact=item.recipient.contact,
        queued_at=clock.real_now,
        next_attempt_at=_at_once(clock),
        message_id=message_id(item.plan, item.recipient.code, item.generation),
    )


def _at_once(clock: Clock) -> dt.datetime:
    # The real time would not be due yet in a demonstration whose ``due_at`` lies in the past.
    return min(clock.due_at, clock.real_now)


def message_id(plan: ReminderPlan, reader_code: str, generation: int) -> str:
    """Return the ``Message-ID`` made from the identity of the first reminder, the same whoever sends it and when.

    A reminder is in one envelope only, so no two mails share it.
    """
    occasion = f"-s{plan.wakes_on:%Y%m%d}" if plan.wakes_on else ""
    if plan.appearance is not None:
        occasion = f"-a{plan.appearance}"
    identity = f"m{plan.milestone_id}-r{plan.rule_id}-{plan.due_on:%Y%m%d}{occasion}-{reader_code}-g{generation}"
    return f"<reminder-{identity}@{settings.EMAIL_ID_DOMAIN}>"


def _joinable() -> tuple[DeliveryStatus, ...]:
    """Return the statuses of a digest that further reminders may join."""
    # During a pause a held digest is joined, else each run would begin one for a further day. A digest that is held
    # for itself is not: nobody knows whether it will be released.
    if MailHold.objects.active().exists():
        return DeliveryStatus.QUEUED, DeliveryStatus.HELD
    return (DeliveryStatus.QUEUED,)


@dataclass
class MailCount:
    """Counts the mails that some items would make. A reminder that joins a queued digest makes none."""

    joining: set[str]  # readers who have a queued digest
    leaving: set[str]  # those of them whose digest leaves now: it takes mails of their own along
    digests: set[str] = field(default_factory=set)
    singles: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def begin(cls, clock: Clock) -> Self:
        waiting = Delivery.objects.filter(status=DeliveryStatus.QUEUED, kind=Delivery.Kind.DIGEST, message=None)
        found = list(waiting.values_list("person_id", "next_attempt_at"))
        codes = {reader_code(person, None) for person, _at in found}
        return cls(codes, {reader_code(person, None) for person, at in found if at <= clock.due_at})

    def add(self, items: Iterable[Item], clock: Clock) -> None:
        for item in items:
            way = way_of(item, clock.due_at) if item.recipient.person else _way_to_contact(item)
            if way is Way.DIGEST:
                self.digests.add(item.recipient.code)
            elif way is Way.SINGLE and not self._joins(item):
                self.singles.add((item.recipient.code, _sent_together(item.plan)))

    @property
    def total(self) -> int:
        return len(self.singles) + len(self.digests - self.joining)

    def _joins(self, item: Item) -> bool:
        """Return whether a mail of its own joins a queued digest, as ``_Digests.takes_along`` says."""
        person, code = item.recipient.person, item.recipient.code
        return code in self.leaving or (code in self.joining and person is not None and not asks_for_digests(person))


class _Digests:
    """The digests of some people: those that can be joined, and the days that have one already."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.readers: Collection[int] = ()
        self.waiting: dict[int, dict[dt.date, Delivery]] = defaultdict(dict)
        self.taken: dict[int, set[dt.date]] = defaultdict(set)

    @classmethod
    def lock(cls, readers: dict[int, User], people: Iterable[int], clock: Clock) -> Self:
        """Lock and return the digests for ``people``; ``readers`` may get a new one."""
        digests = cls(clock)
        digests.readers = readers.keys()
        if readers:
            # By ascending key. Of two expansions with something for the same person, the second sees the first's digest.
            locked = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=readers).order_by("pk")
            list(locked.values_list("pk"))
        of_people = Delivery.objects.filter(person__in=set(people), kind=Delivery.Kind.DIGEST)
        # A digest that was written keeps its bytes. One that is locked is being claimed; it is skipped, because that
        # claim may wait for one of our plans.
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
        return timezone.localdate(self.clock.due_at, zone_named(person.time_zone))

    def takes_along(self, person: User) -> bool:
        """Return whether a mail of its own for ``person`` joins the digest of today.

        What they want at once does not wait for the daily digest of other kinds, but it does for one that gathers what
        is late: they get no other digests.
        """
        today = self.today(person)
        waiting = [delivery.next_attempt_at for day, delivery in self.waiting[person.pk].items() if day <= today]
        if not waiting and person.pk in self.readers and today not in self.taken[person.pk]:
            waiting = [self._leaves_at(person, today)]
        return bool(waiting) and (not asks_for_digests(person) or min(waiting) <= self.clock.due_at)

    def of(self, item: Item) -> Delivery:
        """Return today's digest, or the next day's if it has left. A digest that could not leave in time becomes today's."""
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
        delivery = _new(item, self.clock)
        delivery.kind, delivery.digest_on = Delivery.Kind.DIGEST, day
        delivery.next_attempt_at = self._leaves_at(item.person, day)
        return delivery

    def _leaves_at(self, person: User, day: dt.date) -> dt.datetime:
        """Return the person's hour, or at once when that has passed."""
        hour = utc(day, dt.time(person.reminder_hour), zone_named(person.time_zone))
        return hour if hour > self.clock.due_at else _at_once(self.clock)
