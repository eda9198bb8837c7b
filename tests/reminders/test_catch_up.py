"""After an outage or a clock jump nobody is flooded, nothing is doubled, and a reminder that did not go out says why."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
import time_machine

from partnerships.factories import (
    AgreementFactory,
    MilestoneFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.expand import expand_due
from partnerships.models import Delivery, Milestone, MilestoneKind, ReminderItem, ReminderPlan, ReminderRule, User
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders import reconcile
from partnerships.reminders.reconcile import reconcile_marked
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

DUE = dt.date(2026, 3, 12)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def eight(day: int) -> dt.datetime:
    """Return eight in the morning of a day in March, in Shanghai."""
    return dt.datetime(2026, 3, day, tzinfo=dt.UTC)


def run(clock: MovableClock, at: dt.datetime) -> None:
    clock.at = at
    run_once(clock)


def mails_per_day(sink: SmtpSink) -> Counter[tuple[str, str]]:
    """Count the mails by recipient and date in the ``Date`` header."""
    return Counter((mail.recipients[0], str(mail.message["Date"])[:16]) for mail in sink.received)


@pytest.fixture
def ladder(rule: ReminderRule) -> None:
    """Rules that notify the owner 7 and 3 days before and on the day (with `rule`), and the leads 2 days before."""
    for days in (3, 0):
        ReminderRuleFactory(offset=days)
    ReminderRuleFactory(offset=2, audience="lead")


def test_only_the_newest_of_a_milestone_reaches_each_person(
    ladder: None, milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    """No run came from the 5th to the 14th."""
    lead = UserFactory(lead_in=milestone.unit)
    reconcile_marked(real_now=clock.at)
    run(clock, eight(14))

    sent_to = {mail.recipients[0] for mail in smtp_sink.received}
    assert (len(smtp_sink.received), sent_to) == (2, {milestone.owner.email, lead.email})
    plans = ReminderPlan.objects.order_by("rule__audience", "-rule__offset")
    assert [(plan.rule.offset, plan.status, plan.reason) for plan in plans] == [
        (2, "expanded", ""),
        (7, "missed", Reason.EXPIRED),
        (3, "superseded", Reason.NEWER_REMINDER),
        (0, "expanded", ""),
    ]
    assert audit(real_now=clock.at) == []


def test_a_date_entered_while_nothing_ran_is_announced_when_the_runs_return(
    rule: ReminderRule, clock: MovableClock, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run that returns breaks off before it has made the plan, and leaves its heartbeat."""
    run(clock, eight(3))
    with time_machine.travel(eight(4), tick=False):
        MilestoneFactory(due_on=DUE)

    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("The database is away")

    with monkeypatch.context() as patches:
        patches.setattr(reconcile, "update_plans", broken)
        with pytest.raises(RuntimeError):
            run(clock, eight(5) + HOUR)
    run(clock, eight(5) + 2 * HOUR)

    assert [plan.status for plan in ReminderPlan.objects.all()] == ["expanded"]
    assert len(smtp_sink.received) == 1
    assert audit(real_now=clock.at) == []


def test_readers_without_the_newer_reminder_get_the_older(milestone: Milestone, clock: MovableClock) -> None:
    clock.at = eight(11)
    to_owner = ReminderPlanFactory(milestone=milestone, send_at=eight(5), rule__audience="owner")
    ReminderPlanFactory(milestone=milestone, send_at=eight(9), rule__audience="lead")
    UserFactory(lead_in=milestone.unit)
    expand_due(clock)

    assert ReminderItem.objects.get(plan=to_owner).person == milestone.owner
    assert ReminderPlan.objects.filter(status="superseded").count() == 0


def test_late_reminders_reach_only_readers_without_a_newer_one(milestone: Milestone, clock: MovableClock) -> None:
    leads = UserFactory.create_batch(2, lead_in=milestone.unit)
    clock.at = eight(11)
    older = ReminderPlanFactory(milestone=milestone, send_at=eight(5), rule__audience="lead")
    ReminderPlanFactory(milestone=milestone, send_at=eight(9), rule__audience="named", rule__named_person=leads[0])
    expand_due(clock)

    assert [item.person for item in older.items.all()] == [leads[1]]


@pytest.mark.parametrize("batch", [1, 200])
def test_the_newer_one_may_be_in_another_batch_or_gone_already(
    milestone: Milestone, clock: MovableClock, batch: int
) -> None:
    clock.at = eight(11)
    older, newer = (ReminderPlanFactory(milestone=milestone, send_at=eight(day)) for day in (5, 9))
    for _turn in range(3):
        expand_due(clock, batch=batch)
    late = ReminderPlanFactory(milestone=milestone, send_at=eight(6))
    expand_due(clock)

    for plan, status in ((older, "superseded"), (newer, "expanded"), (late, "superseded")):
        plan.refresh_from_db()
        assert plan.status == status
    assert ReminderItem.objects.get().plan == newer


def test_up_to_a_day_late_all_reminders_are_sent(milestone: Milestone, clock: MovableClock) -> None:
    clock.at = eight(6)
    for offset in range(3):
        ReminderPlanFactory(milestone=milestone, send_at=eight(5) + offset * HOUR)
    expand_due(clock)

    assert ReminderItem.objects.count() == 3
    assert [delivery.kind for delivery in Delivery.objects.all()] == ["single"]


def test_a_replaced_reminder_does_not_come_back(milestone: Milestone, clock: MovableClock) -> None:
    rule = ReminderRuleFactory(offset=3)
    reconcile_marked(real_now=clock.at)
    run(clock, eight(11))
    assert ReminderPlan.objects.filter(status="superseded").count() == 1

    milestone.save()
    run(clock, eight(12))

    older = ReminderPlan.objects.exclude(rule=rule).get()
    assert (older.status, older.reason) == ("superseded", Reason.NEWER_REMINDER)
    assert audit(real_now=clock.at) == []


@pytest.fixture
def many(ladder: None) -> list[User]:
    """Ten people with thirty milestones each, due from the 2nd to the 31st; every other person wants single mails."""
    unit = UnitFactory()
    people = [UserFactory(coordinator_in=unit, digest=bool(number % 2)) for number in range(10)]
    for person in people:
        agreement = AgreementFactory(unit=unit)
        for day in range(30):
            MilestoneFactory(owner=person, agreement=agreement, due_on=dt.date(2026, 3, 2) + day * DAY)
    return people


@pytest.mark.parametrize("down", [HOUR, DAY, 10 * DAY])
def test_after_an_outage_nobody_is_flooded(
    many: list[User], clock: MovableClock, smtp_sink: SmtpSink, down: dt.timedelta
) -> None:
    """A person who wants single mails gets those of the last 24 hours, and everything older in one digest."""
    while reconcile_marked(real_now=clock.at):
        pass
    run(clock, eight(4))
    run(clock, eight(5) + down)
    run(clock, eight(6) + down)
    run(clock, eight(6) + down + MINUTE)  # nothing expires in the first run after a gap

    per_day = mails_per_day(smtp_sink)
    of_digests = {person.email for person in many if person.reminder_mode == "digest"}
    assert {to for to, _day in per_day} == {person.email for person in many}
    assert {count for (to, _day), count in per_day.items() if to in of_digests} == {1}
    if down > DAY:
        caught_up_on = f"{clock.at - DAY - MINUTE:%a, %d %b %Y}"
        assert {count for (_to, day), count in per_day.items() if day == caught_up_on} == {1}
    unsent = ReminderPlan.objects.filter(send_at__lte=clock.at, status__in=("missed", "superseded"))
    assert unsent.filter(reason="").count() == 0
    assert audit(real_now=clock.at) == []


def test_a_clock_jump_neither_floods_nor_doubles(many: list[User], clock: MovableClock, smtp_sink: SmtpSink) -> None:
    """The clock jumps a day and 400 days ahead, 2 hours back, and back to where it was."""
    User.objects.update(reminder_mode="digest")
    while reconcile_marked(real_now=clock.at):
        pass
    at = eight(5) + HOUR
    for jump in (dt.timedelta(0), DAY, 400 * DAY, 400 * DAY - 2 * HOUR, dt.timedelta(0), DAY, 2 * DAY, 3 * DAY):
        run(clock, at + jump)

    assert set(mails_per_day(smtp_sink).values()) == {1}
    items = Counter(ReminderItem.objects.filter(cancelled_at=None).values_list("plan", "person"))
    assert set(items.values()) == {1}


def test_a_mail_server_that_was_down_for_days_gets_one_digest(
    many: list[User], clock: MovableClock, smtp_sink: SmtpSink, settings: Any
) -> None:
    User.objects.update(reminder_mode="digest")
    while reconcile_marked(real_now=clock.at):
        pass
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    for day in range(5, 15):
        run(clock, eight(day) + HOUR)
    assert smtp_sink.received == []

    settings.EMAIL_PORT = port
    run(clock, eight(15) + HOUR)

    assert Counter(mail.recipients[0] for mail in smtp_sink.received) == {person.email: 1 for person in many}


def test_firm_dates_are_milestone_kinds(clock: MovableClock) -> None:
    """Reminders of a milestone are ordered by time, whatever kind of rule they come from."""
    milestone = MilestoneFactory(kind=MilestoneKind.OBLIGATION, due_on=DUE)
    clock.at = eight(11)
    older, newer = (ReminderPlanFactory(milestone=milestone, send_at=eight(day)) for day in (8, 9))
    expand_due(clock)

    assert ReminderItem.objects.get().plan == newer
    older.refresh_from_db()
    assert older.reason == Reason.NEWER_REMINDER
