import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from partnerships.factories import (
    DeliveryFactory,
    MilestoneFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.claim import claim_next
from partnerships.mailing.expand import expand_due
from partnerships.mailing.resend import send_again
from partnerships.models import (
    Delivery,
    DeliveryEvent,
    Milestone,
    MilestoneKind,
    ReminderItem,
    ReminderPlan,
    Role,
    User,
)
from partnerships.models.reasons import Reason
from partnerships.reminders.clock import Clock
from partnerships.statuses import DeliveryStatus
from tests.reminders.conftest import MovableClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

THURSDAY = dt.date(2026, 3, 5)
FRIDAY = dt.date(2026, 3, 6)
CHOICES = ("decision_mode", "reminder_mode", "contact_mode", "news_mode")
EIGHT = dt.datetime(2026, 3, 5, 0, 0, tzinfo=dt.UTC)  # in Shanghai


@pytest.fixture
def reader() -> User:
    """A person who wants one digest a day, at nine in Shanghai."""
    return UserFactory(digest=True, reminder_hour=9, time_zone="Asia/Shanghai", coordinator_in=UnitFactory())


@pytest.fixture
def at_eight(clock: MovableClock) -> MovableClock:
    """The clock on Thursday at eight in Shanghai."""
    clock.at = EIGHT
    return clock


Due = Callable[..., ReminderPlan]


@pytest.fixture
def due(reader: User, at_eight: MovableClock) -> Due:
    """Make a plan for `reader` that is due now, or at the given time."""

    def make(**plan: Any) -> ReminderPlan:
        unit = reader.memberships.get().unit
        milestone = MilestoneFactory(owner=reader, agreement__unit=unit, kind=plan.pop("kind", MilestoneKind.AGREEMENT))
        return ReminderPlanFactory(**{"milestone": milestone, "send_at": at_eight.at, **plan})

    return make


def expand(clock: MovableClock) -> int:
    return expand_due(clock).deliveries


def set_mode(person: User, mode: str) -> None:
    """Set all kinds to ``mode``, as far as decisions may be."""
    modes = {**dict.fromkeys(CHOICES, mode), "decision_mode": "digest" if mode == "feed" else mode}
    User.objects.filter(pk=person.pk).update(**modes)


def digests() -> list[tuple[dt.date | None, str, int]]:
    found = Delivery.objects.filter(kind="digest").order_by("digest_on", "pk")
    return [(row.digest_on, row.status, row.items.filter(cancelled_at=None).count()) for row in found]


def test_reminders_of_a_day_share_one_digest_at_the_persons_hour(due: Due, at_eight: MovableClock) -> None:
    due()
    due()
    assert expand(at_eight) == 1
    at_eight.forward(minutes=30)
    due()
    assert expand(at_eight) == 0

    assert digests() == [(THURSDAY, "queued", 3)]
    digest = Delivery.objects.get()
    assert digest.next_attempt_at == EIGHT + dt.timedelta(hours=1)
    assert list(DeliveryEvent.objects.values_list("delivery", "to_status")) == [(digest.pk, "queued")]
    assert claim_next(at_eight) is None


def test_an_envelope_queues_by_the_soonest_due_date_in_it(due: Due, at_eight: MovableClock) -> None:
    days = [THURSDAY + dt.timedelta(days=days) for days in (9, 3, 5)]
    for day in days:
        plan = due()
        ReminderPlan.objects.filter(pk=plan.pk).update(due_on=day)
        Milestone.objects.filter(pk=plan.milestone_id).update(due_on=day)
        expand(at_eight)

    assert Delivery.objects.get().due_on == days[1]


def test_after_the_persons_hour_the_digest_leaves_at_once(due: Due, at_eight: MovableClock) -> None:
    at_eight.forward(hours=5)
    due()
    expand(at_eight)

    assert Delivery.objects.get().next_attempt_at == at_eight.at


@pytest.mark.parametrize(
    "status", ["claimed", "handing", "sent", "retry", "held", "failed", "uncertain", "unconfirmed"]
)
def test_reminders_due_after_the_digest_left_join_tomorrows(due: Due, at_eight: MovableClock, status: str) -> None:
    due()
    expand(at_eight)
    at_eight.forward(hours=2)
    Delivery.objects.update(status=status, sent_at=at_eight.at, lease_until=at_eight.at)
    due()
    due()
    expand(at_eight)

    assert digests() == [(THURSDAY, status, 1), (FRIDAY, "queued", 2)]
    assert Delivery.objects.get(digest_on=FRIDAY).next_attempt_at == EIGHT + dt.timedelta(hours=25)


def test_a_digest_that_was_written_keeps_its_bytes(due: Due, at_eight: MovableClock) -> None:
    due()
    expand(at_eight)
    Delivery.objects.update(message=b"as the mail server may know it")
    due()
    expand(at_eight)

    assert digests() == [(THURSDAY, "queued", 1), (FRIDAY, "queued", 1)]


def test_a_cancelled_digest_leaves_its_day_to_another(due: Due, at_eight: MovableClock) -> None:
    due()
    expand(at_eight)
    Milestone.objects.update(status="met", met_on=THURSDAY)
    at_eight.forward(hours=1)
    claim_next(at_eight)
    due()
    expand(at_eight)

    assert digests() == [(THURSDAY, "cancelled", 0), (THURSDAY, "queued", 1)]


def test_a_digest_that_could_not_leave_becomes_the_next_days(due: Due, at_eight: MovableClock) -> None:
    """The mail server was down on Thursday; on Friday one mail says everything."""
    due()
    expand(at_eight)
    at_eight.forward(hours=24)
    due()
    assert expand(at_eight) == 0

    assert digests() == [(FRIDAY, "queued", 2)]


def test_the_database_refuses_a_second_digest_of_the_day(reader: User, at_eight: MovableClock) -> None:
    DeliveryFactory(person=reader, kind="digest", digest_on=THURSDAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryFactory(person=reader, kind="digest", digest_on=THURSDAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryFactory(person=reader, kind="digest", digest_on=None)
    DeliveryFactory(person=reader, kind="digest", digest_on=FRIDAY)


def test_the_day_and_the_hour_are_the_persons_own(due: Due, reader: User, at_eight: MovableClock) -> None:
    """Eight on Thursday in Shanghai is Wednesday evening in Toronto: the hour of Wednesday has passed."""
    User.objects.filter(pk=reader.pk).update(time_zone="America/Toronto")
    due()
    expand(at_eight)

    digest = Delivery.objects.get()
    assert (digest.digest_on, digest.next_attempt_at) == (dt.date(2026, 3, 4), EIGHT)


@pytest.mark.parametrize(
    ("hour", "leaves_at"),
    [(2, dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)), (3, dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC))],
)
def test_an_hour_that_the_clock_skips_comes_an_hour_later(
    due: Due, reader: User, at_eight: MovableClock, hour: int, leaves_at: dt.datetime
) -> None:
    User.objects.filter(pk=reader.pk).update(time_zone="Europe/Berlin", reminder_hour=hour)
    at_eight.at = dt.datetime(2026, 3, 29, 0, 0, tzinfo=dt.UTC)
    due()
    expand(at_eight)

    assert Delivery.objects.get().next_attempt_at == leaves_at


def test_a_digest_waits_for_all_due_plans(due: Due, at_eight: MovableClock) -> None:
    at_eight.forward(hours=2)
    due()
    due()
    expand_due(at_eight, batch=1)
    assert claim_next(at_eight) is None

    expand_due(at_eight, batch=1)
    claim = claim_next(at_eight)
    assert claim is not None
    assert len(claim.items) == 2


def test_a_person_who_wants_no_mail_gets_none_and_sees_why(due: Due, reader: User, at_eight: MovableClock) -> None:
    set_mode(reader, "feed")
    due()
    expand(at_eight)

    delivery = ReminderItem.objects.get().delivery
    assert (delivery.status, delivery.reason) == ("skipped", Reason.FEED_ONLY)
    assert claim_next(Clock(at_eight.forward(days=1), at_eight.read)) is None


@pytest.mark.parametrize("kind", ["decision_date", "obligation"])
def test_some_kinds_reach_people_who_want_no_mail(due: Due, reader: User, at_eight: MovableClock, kind: str) -> None:
    set_mode(reader, "feed")
    due(kind=kind)
    expand(at_eight)

    assert digests() == [(THURSDAY, "queued", 1)]


@pytest.mark.parametrize("why", ["lead", "fallback"])
def test_calls_for_help_reach_people_who_want_no_mail(due: Due, reader: User, at_eight: MovableClock, why: str) -> None:
    set_mode(reader, "feed")
    plan = due(rule__audience="lead")
    unit = plan.milestone.unit
    if why == "lead":
        reader.memberships.update(role=Role.LEAD)
    else:
        type(unit).objects.update(fallback_person=reader)
    expand(at_eight)

    assert ReminderItem.objects.get().why == why
    assert digests() == [(THURSDAY, "queued", 1)]


def test_a_person_who_wants_single_mails_gets_them(due: Due, reader: User, at_eight: MovableClock) -> None:
    set_mode(reader, "immediate")
    due()
    due()

    assert expand(at_eight) == 2
    assert digests() == []


@pytest.mark.parametrize(("late", "kind"), [(dt.timedelta(hours=24), "single"), (dt.timedelta(hours=25), "digest")])
def test_a_reminder_a_day_late_comes_in_the_digest_whatever_the_mode(
    due: Due, reader: User, at_eight: MovableClock, late: dt.timedelta, kind: str
) -> None:
    set_mode(reader, "immediate")
    due(send_at=at_eight.at - late)
    expand(at_eight)

    assert Delivery.objects.get().kind == kind


def test_a_reminder_in_time_joins_the_late_ones(due: Due, reader: User, at_eight: MovableClock) -> None:
    set_mode(reader, "immediate")
    due()
    due(send_at=at_eight.at - dt.timedelta(days=3))
    assert expand(at_eight) == 1
    due()
    assert expand(at_eight) == 0

    assert digests() == [(THURSDAY, "queued", 3)]


def test_a_digest_sent_again_stays_that_of_its_day(due: Due, reader: User, at_eight: MovableClock) -> None:
    due()
    due()
    expand(at_eight)
    failed = Delivery.objects.get()
    Delivery.objects.update(status=DeliveryStatus.FAILED)

    new = send_again(failed, actor=reader, now=at_eight.forward(days=2))

    assert (new.kind, new.digest_on, new.items.count()) == ("digest", THURSDAY, 2)
    assert digests() == [(THURSDAY, "cancelled", 0), (THURSDAY, "queued", 2)]


@pytest.mark.parametrize("count", [1, 30])
def test_digests_of_many_take_as_many_queries_as_of_one(
    count: int, at_eight: MovableClock, django_assert_num_queries: Callable[..., Any]
) -> None:
    rule = ReminderRuleFactory(offset=7)
    for _milestone in range(count):
        milestone = MilestoneFactory()
        set_mode(milestone.owner, "digest")
        ReminderPlanFactory(milestone=milestone, rule=rule, send_at=at_eight.at)

    with django_assert_num_queries(17):
        assert expand(at_eight) == count


@pytest.mark.parametrize("has_deputy", [True, False])
def test_an_absence_that_begins_while_a_digest_waits(
    due: Due, reader: User, at_eight: MovableClock, has_deputy: bool
) -> None:
    """The deputy gets it in a digest of their own, the reader does not; without a deputy the reader still does."""
    due()
    expand(at_eight)
    deputy = UserFactory(digest=True, coordinator_in=reader.memberships.get().unit)
    absence = {"absent_from": THURSDAY, "absent_until": FRIDAY, "deputy": deputy if has_deputy else None}
    User.objects.filter(pk=reader.pk).update(**absence)
    at_eight.forward(hours=1)
    claim = claim_next(at_eight)
    expand(at_eight)

    assert claim is not None
    assert [item.person for item in claim.items] == ([] if has_deputy else [reader])
    valid = ReminderItem.objects.filter(cancelled_at=None).values_list("person", "why", "delivery__kind")
    expected = (deputy.pk, "stand-in", "digest") if has_deputy else (reader.pk, "owner", "digest")
    assert list(valid) == [expected]


def test_a_deputys_digest_has_the_absent_persons_items_among_their_own(
    due: Due, reader: User, at_eight: MovableClock
) -> None:
    away = UserFactory(
        coordinator_in=reader.memberships.get().unit, deputy=reader, absent_from=THURSDAY, absent_until=FRIDAY
    )
    due()
    Milestone.objects.filter(pk=due().milestone_id).update(owner=away)
    expand(at_eight)

    assert digests() == [(THURSDAY, "queued", 2)]
    assert sorted(ReminderItem.objects.values_list("why", flat=True)) == ["owner", "stand-in"]


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("decision_mode", {"kind": MilestoneKind.APPROVAL}),
        ("decision_mode", {"status": "submitted", "submitted_on": THURSDAY}),
        ("reminder_mode", {}),
        ("reminder_mode", {"kind": MilestoneKind.OBLIGATION}),
        ("contact_mode", {"kind": MilestoneKind.NEXT_CONTACT}),
        ("news_mode", {"appearance": 1}),
    ],
    ids=["approval", "submitted", "date", "promise", "contact", "news"],
)
@pytest.mark.parametrize("mode", ["immediate", "digest", "feed"])
def test_each_kind_arrives_as_the_person_asked_for_it(
    reader: User, due: Due, at_eight: MovableClock, asked: str, kind: dict[str, Any], mode: str
) -> None:
    """All other kinds are set to what this one is not."""
    if asked == "decision_mode" and mode == "feed":
        return  # nobody may ask for that
    for name in CHOICES:
        setattr(reader, name, mode if name == asked else "digest" if mode == "immediate" else "immediate")
    reader.save()
    reader.memberships.update(role=Role.LEAD)
    plan = due(kind=kind.get("kind", MilestoneKind.AGREEMENT))
    values = dict(kind)
    ReminderPlan.objects.filter(pk=plan.pk).update(appearance=values.pop("appearance", None))
    for name, value in values.items():
        setattr(plan.milestone, name, value)
    plan.milestone.save()

    expand(at_eight)

    is_firm = kind.get("kind") == MilestoneKind.OBLIGATION
    expected = {"immediate": "single", "digest": "digest", "feed": "digest" if is_firm else "skipped"}[mode]
    delivery = Delivery.objects.get()
    assert (delivery.status if delivery.status == "skipped" else delivery.kind) == expected


def test_a_decision_does_not_wait_for_the_digest_of_the_day(reader: User, due: Due, at_eight: MovableClock) -> None:
    """The digest leaves at nine; the decision is mailed at eight."""
    reader.decision_mode = "immediate"
    reader.save()
    reader.memberships.update(role=Role.LEAD)
    due()
    plan = due()
    plan.milestone.status, plan.milestone.submitted_on = "submitted", THURSDAY
    plan.milestone.save()

    expand(at_eight)

    assert [claim.delivery.kind for claim in [claim_next(at_eight)] if claim] == ["single"]
    assert digests() == [(THURSDAY, "queued", 1)]
