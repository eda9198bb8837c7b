"""Mails are held when one act makes too many of them and during a pause, and are released by a person."""

import datetime as dt
from copy import copy
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from partnerships.acts import one_act
from partnerships.exceptions import NotAllowed, TransitionRefused
from partnerships.factories import (
    NOON,
    DeliveryFactory,
    MailHoldFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.claim import claim_next, put_back
from partnerships.mailing.expand import expand_due
from partnerships.mailing.holding import count_held, hold_all, hold_queued, lift_hold, release, release_many
from partnerships.middleware import ActMiddleware
from partnerships.models import (
    ComponentHeartbeat,
    Delivery,
    DeliveryEvent,
    MailHold,
    Milestone,
    ReminderMark,
    ReminderPlan,
    ReminderRule,
    Sweep,
    User,
)
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.clock import Clock
from partnerships.reminders.reconcile import reconcile_marked, sweep
from tests.reminders.conftest import MovableClock
from tests.reminders.test_races import at_once
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SEND_AT = dt.datetime(2026, 3, 5, 0, 1, tzinfo=dt.UTC)
DUE = dt.date(2026, 3, 12)


@pytest.fixture(autouse=True)
def few_at_once(settings: Any) -> None:
    """Let one act make four mails."""
    settings.REMINDERS_HOLD_ABOVE = 4


@pytest.fixture
def staff() -> User:
    return UserFactory(staff=True)


def statuses() -> dict[str, int]:
    found = list(Delivery.objects.order_by("pk").values_list("status", flat=True))
    return {status: found.count(status) for status in sorted(set(found))}


def make_due(count: int, clock: MovableClock, **fields: Any) -> list[Milestone]:
    """Make that many milestones in one act, with reminders due at `SEND_AT`, and move the clock there."""
    with one_act():
        made = MilestoneFactory.create_batch(count, due_on=DUE, **fields)
    reconcile_marked(real_now=clock.at)
    clock.at = SEND_AT
    return made


def expand_all(clock: MovableClock, batch: int = 200) -> None:
    while expand_due(clock, batch=batch).plans:
        pass


@pytest.mark.parametrize(("mails", "expected"), [(200, {"queued": 200}), (201, {"held": 201})])
def test_one_act_makes_200_mails_and_no_more(
    rule: ReminderRule, clock: MovableClock, settings: Any, mails: int, expected: dict[str, int]
) -> None:
    settings.REMINDERS_HOLD_ABOVE = 200
    one = MilestoneFactory(due_on=DUE)
    ReminderMark.objects.all().delete()
    copies = [copy(one) for _number in range(mails - 1)]
    for milestone in copies:
        milestone.pk = None
    Milestone.objects.bulk_create(copies)
    with one_act():
        ReminderMark.leave_on(Milestone.objects.all())
    while reconcile_marked(real_now=clock.at):
        pass
    clock.at = SEND_AT

    expand_all(clock)

    assert statuses() == expected


def test_an_ordinary_day_is_never_held(rule: ReminderRule, clock: MovableClock) -> None:
    MilestoneFactory.create_batch(12, due_on=DUE)
    reconcile_marked(real_now=clock.at)
    clock.at = SEND_AT

    expand_all(clock, batch=3)

    assert statuses() == {"queued": 12}


def test_the_edits_of_several_people_are_counted_apart(rule: ReminderRule, clock: MovableClock) -> None:
    for _person in range(3):
        make_due(4, clock)
        clock.at = NOON
    clock.at = SEND_AT

    expand_all(clock)

    assert statuses() == {"queued": 12}


def test_mails_planned_by_the_daily_sweep_are_never_held(rule: ReminderRule, clock: MovableClock) -> None:
    with one_act():
        MilestoneFactory.create_batch(5, due_on=DUE)
    ReminderMark.objects.all().delete()
    sweep(real_now=clock.at)
    clock.at = SEND_AT

    expand_all(clock)

    assert statuses() == {"queued": 5}


@pytest.mark.parametrize("days", [2, 40])
def test_a_catch_up_after_an_outage_is_never_held(rule: ReminderRule, clock: MovableClock, days: int) -> None:
    """A clock jump looks the same."""
    make_due(6, clock)
    ReminderPlan.objects.update(expires_at=SEND_AT + dt.timedelta(days=50))
    clock.forward(days=days)

    expand_all(clock)

    assert statuses() == {"queued": 6}


def test_one_request_that_changes_many_milestones_is_one_act(rule: ReminderRule, clock: MovableClock, rf: Any) -> None:
    def change(_request: HttpRequest) -> HttpResponse:
        MilestoneFactory.create_batch(3, due_on=DUE)
        return HttpResponse()

    request = ActMiddleware(change)
    request(rf.post("/"))
    request(rf.post("/"))

    acts = list(ReminderMark.objects.order_by("pk").values_list("act", flat=True))
    assert (acts[0] == acts[2], acts[3] == acts[5], len(set(acts)), "" in acts) == (True, True, 2, False)


def test_an_act_makes_no_mail_before_it_is_planned_whole(rule: ReminderRule, clock: MovableClock) -> None:
    with one_act():
        MilestoneFactory.create_batch(5, due_on=DUE)
    reconcile_marked(real_now=clock.at, batch=3)

    assert expand_due(Clock(SEND_AT, clock.read)).plans == 0

    reconcile_marked(real_now=clock.at)
    clock.at = SEND_AT
    expand_all(clock)
    assert statuses() == {"held": 5}


def test_a_changed_rule_makes_no_mail_before_its_sweep_is_done(rule: ReminderRule, clock: MovableClock) -> None:
    MilestoneFactory.create_batch(5, due_on=DUE)
    ReminderMark.objects.all().delete()
    Sweep.objects.create(name="reminders", began_at=clock.at, fingerprint="before", is_finished=True)
    sweep(real_now=clock.at, batch=3)
    clock.at = SEND_AT
    assert expand_due(clock).plans == 0

    rule.shift = "next"
    rule.save()
    while sweep(real_now=NOON, batch=3):
        pass
    expand_all(clock)

    assert statuses() == {"held": 5}  # two changes before the first was planned are one act


def test_mails_are_counted_by_the_day_they_leave_on(rule: ReminderRule, clock: MovableClock) -> None:
    with one_act():
        MilestoneFactory.create_batch(4, due_on=DUE)
        MilestoneFactory.create_batch(4, due_on=DUE + dt.timedelta(days=1))
    reconcile_marked(real_now=clock.at)

    for days in (0, 1):
        clock.at = SEND_AT + dt.timedelta(days=days)
        expand_all(clock)

    assert statuses() == {"queued": 8}


def test_all_mails_of_a_day_are_counted_before_the_first_leaves(rule: ReminderRule, clock: MovableClock) -> None:
    with one_act():
        MilestoneFactory.create_batch(5, due_on=DUE)
    reconcile_marked(real_now=clock.at)
    ReminderPlan.objects.filter(milestone__in=Milestone.objects.order_by("pk")[:3]).update(
        send_at=SEND_AT + dt.timedelta(hours=2), next_attempt_at=SEND_AT + dt.timedelta(hours=2)
    )

    clock.at = SEND_AT
    expand_all(clock)
    assert statuses() == {"held": 2}

    clock.forward(hours=3)
    expand_all(clock)
    assert statuses() == {"held": 5}


def test_when_all_is_released_later_mails_of_the_act_go_out(
    rule: ReminderRule, clock: MovableClock, staff: User
) -> None:
    with one_act():
        MilestoneFactory.create_batch(5, due_on=DUE)
        MilestoneFactory.create_batch(6, due_on=DUE + dt.timedelta(days=1))
        MilestoneFactory.create_batch(7, due_on=DUE + dt.timedelta(days=2))
    reconcile_marked(real_now=clock.at)
    clock.at = SEND_AT
    expand_all(clock)
    release(Delivery.objects.first(), actor=staff, now=clock.at)

    clock.forward(days=1)
    expand_all(clock)
    assert statuses() == {"held": 10, "queued": 1}

    release_many(Delivery.objects.all(), actor=staff, now=clock.at)
    clock.forward(days=1)
    expand_all(clock)
    assert statuses() == {"queued": 18}


def test_a_digest_of_many_reminders_is_one_mail(rule: ReminderRule, clock: MovableClock) -> None:
    unit = UnitFactory()
    make_due(12, clock, owner=UserFactory(coordinator_in=unit, reminder_mode="digest"), unit=unit)

    expand_all(clock, batch=5)

    assert statuses() == {"queued": 1}


def test_ordinary_mail_beside_a_flood_goes_out(rule: ReminderRule, clock: MovableClock) -> None:
    """A mail with reminders of both kinds goes out too."""
    ordinary = MilestoneFactory(due_on=DUE)
    unit = UnitFactory()
    reader = UserFactory(coordinator_in=unit, reminder_mode="digest")
    MilestoneFactory(due_on=DUE, owner=reader, unit=unit)
    reconcile_marked(real_now=clock.at)
    make_due(5, clock)
    with one_act():
        mixed = MilestoneFactory(due_on=DUE, owner=reader, unit=unit)
        ReminderMark.objects.update(act=ReminderPlan.objects.exclude(act="").values("act")[:1])
    reconcile_marked(real_now=NOON)

    expand_all(clock)

    assert statuses() == {"held": 5, "queued": 2}
    queued = Delivery.objects.filter(status="queued")
    assert set(queued.values_list("items__plan__milestone__owner", flat=True)) == {ordinary.owner_id, reader.pk}
    assert queued.filter(items__plan__milestone=mixed).exists()


@pytest.mark.parametrize("batch", [1, 2, 3, 200])
def test_none_of_a_flood_leaves_however_it_is_cut_into_batches(
    rule: ReminderRule, clock: MovableClock, batch: int
) -> None:
    make_due(5, clock)

    expand_all(clock, batch=batch)

    assert statuses() == {"held": 5}
    assert set(Delivery.objects.values_list("reason", "held_at")) == {(Reason.TOO_MANY_AT_ONCE, SEND_AT)}
    assert audit(real_now=clock.at)[:1] == ["The reminders have never run."]


def test_a_changed_rule_that_makes_a_thousand_mails_sends_none_until_released(
    rule: ReminderRule, clock: MovableClock, smtp_sink: SmtpSink, staff: User
) -> None:
    rule.offset = 3
    rule.save()
    MilestoneFactory.create_batch(12, due_on=DUE)
    run_once(clock)
    rule.offset = 7
    rule.save()
    run_once(clock)
    clock.at = SEND_AT

    assert run_once(clock).deliveries == {}
    assert (statuses(), smtp_sink.received) == ({"held": 12}, [])

    assert release_many(Delivery.objects.all(), actor=staff, now=clock.at).count == 12
    assert run_once(clock).deliveries == {"sent": 12}
    clock.forward(minutes=5)
    run_once(clock)
    assert len(smtp_sink.received) == 12
    assert audit(real_now=clock.at) == []


def test_a_limit_of_zero_holds_nothing(rule: ReminderRule, clock: MovableClock, settings: Any) -> None:
    settings.REMINDERS_HOLD_ABOVE = 0
    make_due(5, clock)

    expand_due(clock)

    assert statuses() == {"queued": 5}


def test_a_released_mail_about_a_milestone_done_meanwhile_is_not_sent(
    rule: ReminderRule, clock: MovableClock, smtp_sink: SmtpSink, staff: User
) -> None:
    done, *_others = make_due(5, clock)
    run_once(clock)
    Milestone.objects.filter(pk=done.pk).update(status="met", met_on=SEND_AT.date())

    release_many(Delivery.objects.all(), actor=staff, now=clock.at)

    assert run_once(clock).deliveries == {"sent": 4, "cancelled": 1}
    assert done.owner.email not in [mail.recipients[0] for mail in smtp_sink.received]


def test_two_releases_at_once_send_each_mail_once(
    rule: ReminderRule, clock: MovableClock, smtp_sink: SmtpSink, staff: User
) -> None:
    make_due(8, clock)
    run_once(clock)

    at_once(4, lambda: release_many(Delivery.objects.all(), actor=User.objects.get(pk=staff.pk), now=clock.at))
    run_once(clock)

    assert len(smtp_sink.received) == 8
    assert DeliveryEvent.objects.filter(from_status="held", to_status="queued", actor=staff).count() == 8


def test_one_mail_is_released_with_the_name_of_the_actor(rule: ReminderRule, clock: MovableClock, staff: User) -> None:
    make_due(5, clock)
    run_once(clock)
    held = Delivery.objects.first()
    clock.forward(hours=2)

    release(held, actor=staff, now=clock.at)

    held.refresh_from_db()
    assert (held.status, held.reason, held.queued_at, held.held_at) == ("queued", "", clock.at, SEND_AT)
    assert held.events.last().actor == staff
    with pytest.raises(TransitionRefused, match="not held any more"):
        release(held, actor=staff, now=clock.at)


def test_a_mail_that_was_put_off_goes_back_to_its_retries(clock: MovableClock, staff: User) -> None:
    tried = DeliveryFactory(status="held", held_at=SEND_AT, attempts=2)

    release(tried, actor=staff, now=clock.at)

    tried.refresh_from_db()
    assert tried.status == "retry"


def test_a_lead_releases_only_mail_of_their_own_unit(clock: MovableClock) -> None:
    own, other = ReminderItemFactory(delivery__status="held"), ReminderItemFactory(delivery__status="held")
    lead = UserFactory(lead_in=own.plan.milestone.unit)
    Delivery.objects.update(held_at=SEND_AT)

    done = release_many(Delivery.objects.all(), actor=lead, now=clock.at)

    assert (done.count, done.kept) == (1, 1)
    assert Delivery.objects.get(status="held") == other.delivery
    with pytest.raises(NotAllowed):
        release(other.delivery, actor=lead, now=clock.at)


def test_mail_made_during_a_pause_is_held(
    rule: ReminderRule, clock: MovableClock, smtp_sink: SmtpSink, staff: User
) -> None:
    waiting = make_due(1, clock)
    expand_due(clock)
    hold_all(actor=staff, note="The relay is being moved", now=clock.at)
    new = MilestoneFactory(due_on=DUE)
    ReminderPlanFactory(milestone=new, rule=rule, send_at=SEND_AT)

    assert run_once(clock).deliveries == {}

    assert smtp_sink.received == []
    assert set(Delivery.objects.values_list("status", "reason")) == {("held", Reason.HELD_BY_HAND)}
    assert set(Delivery.objects.values_list("person", flat=True)) == {waiting[0].owner_id, new.owner_id}


def test_nothing_is_claimed_during_a_pause(clock: MovableClock) -> None:
    ReminderItemFactory()
    MailHoldFactory(active=True)

    assert claim_next(clock) is None


def test_a_mail_that_comes_back_during_a_pause_is_held_too(
    rule: ReminderRule, clock: MovableClock, staff: User
) -> None:
    make_due(1, clock)
    expand_due(clock)
    claim = claim_next(clock)
    hold_all(actor=staff, note="", now=clock.at)
    put_back(claim.delivery, at=clock.at, reason=Reason.RELAY_TROUBLE)

    assert hold_queued(real_now=clock.at) == 1

    assert statuses() == {"held": 1}


def test_resuming_releases_no_held_mail(
    rule: ReminderRule, clock: MovableClock, smtp_sink: SmtpSink, staff: User
) -> None:
    make_due(1, clock)
    expand_due(clock)
    hold = hold_all(actor=staff, note="", now=clock.at)
    queued_meanwhile = ReminderItemFactory().delivery

    lift_hold(hold, actor=staff, now=clock.at)

    assert run_once(clock).deliveries == {}
    queued_meanwhile.refresh_from_db()
    assert (statuses(), queued_meanwhile.status) == ({"held": 2}, "held")
    with pytest.raises(TransitionRefused):
        lift_hold(hold, actor=staff, now=clock.at)


def test_nothing_is_released_during_a_pause(clock: MovableClock, staff: User) -> None:
    held = ReminderItemFactory(delivery__status="held").delivery
    MailHoldFactory(active=True)

    for refused in (
        lambda: release(held, actor=staff, now=clock.at),
        lambda: release_many(Delivery.objects.all(), actor=staff, now=clock.at),
    ):
        with pytest.raises(TransitionRefused, match="resume it first"):
            refused()
    assert statuses() == {"held": 1}


def test_sending_is_paused_once(clock: MovableClock, staff: User) -> None:
    hold_all(actor=staff, note="", now=clock.at)

    with pytest.raises(TransitionRefused, match="paused already"):
        hold_all(actor=staff, note="", now=clock.at)

    assert MailHold.objects.count() == 1


def test_a_lead_may_not_pause_or_resume_sending(milestone: Milestone, clock: MovableClock) -> None:
    lead = UserFactory(lead_in=milestone.unit)

    with pytest.raises(NotAllowed):
        hold_all(actor=lead, note="", now=clock.at)
    with pytest.raises(NotAllowed):
        lift_hold(MailHoldFactory(active=True), actor=lead, now=clock.at)


@pytest.fixture
def restored(clock: MovableClock) -> MailHold:
    return MailHoldFactory(
        active=True, cause="restore", since=clock.at, backup_taken_at=clock.at - dt.timedelta(days=1)
    )


def test_after_a_restore_mail_goes_again_only_when_all_that_was_due_is_held(
    rule: ReminderRule, clock: MovableClock, staff: User, smtp_sink: SmtpSink
) -> None:
    """Otherwise reminders that the lost site sent after the backup would be made after the pause, and sent twice."""
    make_due(1, clock)
    hold = MailHoldFactory(active=True, cause="restore", since=clock.at, backup_taken_at=clock.at)
    with pytest.raises(TransitionRefused, match="still being made"):
        lift_hold(hold, actor=staff, now=clock.at)

    clock.forward(minutes=1)
    run_once(clock)
    lift_hold(hold, actor=staff, now=clock.at)
    run_once(clock)

    assert (statuses(), smtp_sink.received) == ({"held": 1}, [])


def test_after_a_restore_mail_does_not_go_again_before_a_run(
    restored: MailHold, clock: MovableClock, staff: User
) -> None:
    with pytest.raises(TransitionRefused, match="still being made"):
        lift_hold(restored, actor=staff, now=clock.at)

    ComponentHeartbeat.objects.create(name="reminders", at=clock.forward(seconds=1))
    lift_hold(restored, actor=staff, now=clock.at)

    assert not MailHold.objects.active().exists()


def test_marks_of_the_backup_are_reconciled_first_and_later_ones_do_not_matter(
    restored: MailHold, clock: MovableClock, staff: User
) -> None:
    ComponentHeartbeat.objects.create(name="reminders", at=clock.at + dt.timedelta(seconds=1))
    clock.forward(seconds=2)
    mark = ReminderMark.objects.create(milestone=MilestoneFactory())
    MailHold.objects.update(last_mark=mark.pk)
    with pytest.raises(TransitionRefused, match="still being made"):
        lift_hold(restored, actor=staff, now=clock.at)

    ReminderMark.objects.all().delete()
    MilestoneFactory()
    lift_hold(restored, actor=staff, now=clock.at)

    assert (MailHold.objects.active().exists(), ReminderMark.objects.exists()) == (False, True)


def test_held_mails_are_counted_by_whether_they_may_have_been_sent(restored: MailHold, clock: MovableClock) -> None:
    for minutes in (-60, -1, 1):
        DeliveryFactory(status="held", next_attempt_at=clock.at + dt.timedelta(minutes=minutes))
    DeliveryFactory(next_attempt_at=clock.at)

    counts = count_held(Delivery.objects.all())

    assert (counts.total, counts.maybe_sent, counts.restored_at) == (3, 2, clock.at)


def test_plans_nobody_can_get_do_not_count_as_mail(rule: ReminderRule, clock: MovableClock) -> None:
    make_due(6, clock)
    without_owner = list(Milestone.objects.values_list("pk", flat=True)[:2])
    Milestone.objects.filter(pk__in=without_owner).update(owner=None)

    expand_due(clock, batch=3)

    assert not Delivery.objects.held().exists()
    assert ReminderPlan.objects.filter(status="planned").count() > 0
