"""Days without a mail server end in one mail to each person, not in one mail per queued reminder."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import (
    ContactFactory,
    DeliveryFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing import gather
from partnerships.mailing.claim import claim_next
from partnerships.mailing.expand import expand_due
from partnerships.mailing.gather import gather_late
from partnerships.mailing.holding import hold_all
from partnerships.models import Delivery, DeliveryEvent, Milestone, ReminderItem, ReminderRule, Unit, User
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.explain import explain
from partnerships.reminders.reconcile import reconcile_marked
from tests.reminders.conftest import MovableClock
from tests.reminders.test_races import at_once
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

DUE = dt.date(2026, 3, 20)


def eight(day: int, hour: int = 0) -> dt.datetime:
    """Return eight in the morning of a day in March, in Shanghai."""
    return dt.datetime(2026, 3, day, hour, tzinfo=dt.UTC)


@pytest.fixture
def unit() -> Unit:
    return UnitFactory()


@pytest.fixture
def person(unit: Unit) -> User:
    return UserFactory(coordinator_in=unit)


@pytest.fixture
def announce(rule: ReminderRule, person: User, unit: Unit) -> Callable[..., Milestone]:
    """Make a milestone that ``person`` is reminded of at eight on the given day."""

    def make(day: int) -> Milestone:
        due_on = dt.date(2026, 3, day + 7)
        milestone = MilestoneFactory(owner=person, agreement__unit=unit, due_on=due_on, title=f"Item {day}")
        reconcile_marked(real_now=eight(3))
        return milestone

    return make


def run(clock: MovableClock, at: dt.datetime) -> None:
    clock.at = at
    run_once(clock)


def away(clock: MovableClock, sink: SmtpSink, days: range) -> None:
    """Let these days pass without a mail server, with a run at eight and one at five past."""
    sink.stop()
    for day in days:
        run(clock, eight(day))
        run(clock, clock.at + dt.timedelta(minutes=5))
    sink.start()


def mails(sink: SmtpSink) -> Counter[str]:
    return Counter(mail.recipients[0] for mail in sink.received)


def test_mails_queued_for_days_come_in_one_digest_that_names_all(
    person: User, announce: Callable[..., Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    for day in range(4, 9):
        announce(day)
    away(clock, smtp_sink, range(4, 9))

    run(clock, eight(8, 3))

    assert mails(smtp_sink) == {person.email: 1}
    text = smtp_sink.received[0].text()
    assert [f"Item {day}" in text for day in range(4, 9)] == [True] * 5
    single, digest = Delivery.objects.filter(kind="single"), Delivery.objects.get(kind="digest")
    assert {(one.status, one.reason) for one in single} == {("cancelled", Reason.GATHERED)}
    assert [digest.status, digest.items.filter(cancelled_at=None).count()] == ["sent", 5]
    assert audit(real_now=clock.at) == []
    run(clock, eight(10))
    assert len(smtp_sink.received) == 1


def test_the_explanation_says_where_the_reminder_went(
    announce: Callable[..., Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    milestone, _other = announce(4), announce(5)
    away(clock, smtp_sink, range(4, 7))

    lines = "\n".join(explain(milestone, now=clock.at))

    assert f"not sent. {Reason.GATHERED.label}" in lines
    assert "In the digest of 2026-03-0" in lines


def test_up_to_a_day_late_each_reminder_is_a_mail_of_its_own(
    person: User, announce: Callable[..., Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    for _number in range(3):
        announce(4)
    away(clock, smtp_sink, range(4, 5))

    run(clock, eight(5) - dt.timedelta(minutes=1))

    assert mails(smtp_sink) == {person.email: 3}


def test_a_single_waiting_mail_is_not_gathered(
    announce: Callable[..., Milestone], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    announce(4)
    away(clock, smtp_sink, range(4, 8))

    run(clock, eight(8))

    assert [(one.kind, one.status) for one in Delivery.objects.all()] == [("single", "sent")]


def test_people_who_have_the_digest_of_the_day_get_the_rest_the_next_day(person: User, clock: MovableClock) -> None:
    """At most one digest a day, as after any outage."""
    DeliveryFactory(person=person, kind="digest", digest_on=dt.date(2026, 3, 8), sent=True)
    late(person, 2)
    clock.at = eight(8)

    gather_late(clock)

    digest = Delivery.objects.get(kind="digest", status="queued")
    assert (digest.digest_on, digest.next_attempt_at) == (dt.date(2026, 3, 9), eight(9))


def late(person: User, count: int, **fields: Any) -> list[Delivery]:
    """Single mails that have been queued since the 4th."""
    mail = {f"delivery__{name}": value for name, value in {"queued_at": eight(4), **fields}.items()}
    unit, made = person.memberships.get().unit, []
    for _number in range(count):
        milestone = MilestoneFactory(owner=person, agreement__unit=unit, due_on=DUE)
        plan = ReminderPlanFactory(milestone=milestone, send_at=eight(4), status="expanded")
        made.append(ReminderItemFactory(plan=plan, person=person, **mail).delivery)
    return made


@pytest.mark.parametrize(
    "fields",
    [
        {"message": b"Subject: Due\r\n\r\nwritten before", "address": "a@example.org"},
        {"status": "retry", "attempts": 1},
        {"status": "claimed", "lease_until": eight(9), "lease_epoch": 1},
        {"status": "uncertain"},
        {"status": "held"},
    ],
)
def test_mails_that_were_handed_over_are_not_gathered(person: User, clock: MovableClock, fields: Any) -> None:
    [other] = late(person, 1, **fields)
    before = Delivery.objects.filter(pk=other.pk).values().get()
    late(person, 2)
    clock.at = eight(8)

    assert gather_late(clock) == 2

    assert Delivery.objects.filter(pk=other.pk).values().get() == before
    assert other.items.get().cancelled_at is None
    assert Delivery.objects.get(kind="digest").items.count() == 2


def test_notices_and_mails_to_contacts_stay_as_they_are(person: User, clock: MovableClock) -> None:
    contact = ContactFactory()
    for _number in range(2):
        plan = ReminderPlanFactory(status="expanded")
        to_contact = {"delivery__person": None, "delivery__contact": contact, "delivery__queued_at": eight(4)}
        ReminderItemFactory(plan=plan, person=None, contact=contact, **to_contact)
        DeliveryFactory(person=person, kind="notice", queued_at=eight(4))
    clock.at = eight(8)

    assert gather_late(clock) == 0


def test_a_mail_claimed_meanwhile_is_not_in_the_digest(person: User, clock: MovableClock) -> None:
    late(person, 3)
    clock.at = eight(8)
    claim = claim_next(clock)
    assert claim is not None

    assert gather_late(clock) == 2

    claim.delivery.refresh_from_db()
    assert claim.delivery.status == "claimed"
    assert claim.delivery.items.get().cancelled_at is None


def test_nothing_is_gathered_during_a_pause(person: User, clock: MovableClock, smtp_sink: SmtpSink) -> None:
    late(person, 2)
    clock.at = eight(8)
    hold_all(actor=UserFactory(staff=True), note="Moving", now=clock.at)

    run(clock, eight(8))

    assert set(Delivery.objects.values_list("kind", "status")) == {("single", "held")}


def test_several_runs_at_once_gather_each_reminder_once(unit: Unit, clock: MovableClock) -> None:
    people = UserFactory.create_batch(6, coordinator_in=unit)
    for person in people:
        late(person, 3)
    clock.at = eight(8)

    at_once(4, lambda: [gather_late(clock, people=2) for _turn in range(6)])

    valid = ReminderItem.objects.filter(cancelled_at=None)
    assert Counter(valid.values_list("person", flat=True)) == {person.pk: 3 for person in people}
    assert Delivery.objects.filter(kind="digest").count() == 6
    assert DeliveryEvent.objects.filter(reason=Reason.GATHERED).count() == 18


def test_gathering_beside_expansion_and_claims_keeps_each_reminder_once(unit: Unit, clock: MovableClock) -> None:
    people = UserFactory.create_batch(4, coordinator_in=unit)
    for person in people:
        late(person, 3)
        milestone = MilestoneFactory(owner=person, agreement__unit=unit, due_on=DUE)
        ReminderPlanFactory(milestone=milestone, send_at=eight(8))
    clock.at = eight(8)
    work = iter([gather_once, expand_once, claim_once, gather_once])

    at_once(4, lambda: next(work)(clock))
    gather_once(clock)

    valid = ReminderItem.objects.filter(cancelled_at=None)
    assert Counter(valid.values_list("person", flat=True)) == {person.pk: 4 for person in people}


def gather_once(clock: MovableClock) -> None:
    gather_late(clock)


def expand_once(clock: MovableClock) -> None:
    expand_due(clock)


def claim_once(clock: MovableClock) -> None:
    claim_next(clock)


def test_a_crash_in_the_middle_changes_nothing(
    person: User, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    late(person, 2)
    clock.at = eight(8)

    def crash(*_arguments: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(gather, "_close", crash)
        with pytest.raises(ConnectionError):
            gather_late(clock)

    assert set(Delivery.objects.values_list("kind", "status")) == {("single", "queued")}
    assert gather_late(clock) == 2


@pytest.mark.parametrize("count", [2, 6])
def test_the_queries_do_not_grow_with_the_queue(
    unit: Unit, clock: MovableClock, count: int, django_assert_num_queries: Any
) -> None:
    for person in UserFactory.create_batch(count, coordinator_in=unit):
        late(person, 2)
    clock.at = eight(8)

    with django_assert_num_queries(16):
        gather_late(clock)
