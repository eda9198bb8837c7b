"""Nobody is reminded of a snoozed milestone until the end of the snooze, when one reminder comes."""

import datetime as dt
from typing import Any

import pytest

from partnerships.factories import NOON, MilestoneFactory, ReminderRuleFactory, UserFactory
from partnerships.mailing.claim import claim_next
from partnerships.mailing.expand import expand_due
from partnerships.models import Delivery, Milestone, ReminderItem, ReminderPlan, ReminderRule
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.explain import explain
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.workflows.milestones import move_milestone, snooze_milestone, unsnooze_milestone
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def eight(day: int) -> dt.datetime:
    """Return eight in the morning of a day in March, in Shanghai."""
    return dt.datetime(2026, 3, day, tzinfo=dt.UTC)


def run(clock: MovableClock, day: int) -> None:
    """Do a run at a minute past eight of that day."""
    clock.at = eight(day) + dt.timedelta(minutes=1)
    run_once(clock)


def snooze(milestone: Milestone, until: int, *, on: int = 2) -> None:
    days = {"on": dt.date(2026, 3, on), "until": dt.date(2026, 3, until)}
    snooze_milestone(Milestone.objects.get(pk=milestone.pk), actor=None, reason="They move house", **days)


def subjects(sink: SmtpSink) -> list[str]:
    return [str(mail.message["Subject"]).split("— ")[-1] for mail in sink.received]


def plans() -> list[tuple[str, str]]:
    rows = ReminderPlan.objects.order_by("send_at", "pk")
    return [("wake" if row.wakes_on else str(row.rule.offset), row.status) for row in rows]


@pytest.fixture
def ladder(milestone: Milestone) -> list[ReminderRule]:
    """Rules that notify the owner 7 and 3 days before the 12th and on it (with `rule`), and the leads 1 day after."""
    UserFactory(lead_in=milestone.unit)
    return [
        ReminderRuleFactory(offset=3),
        ReminderRuleFactory(offset=0),
        ReminderRuleFactory(offset=1, direction="after", audience="lead"),
    ]


def test_nobody_is_reminded_during_a_snooze_and_one_reminder_comes_at_its_end(
    milestone: Milestone, ladder: list[ReminderRule], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    snooze(milestone, 20)
    for day in range(2, 24):
        run(clock, day)

    assert subjects(smtp_sink) == ["8 days late (2026-03-12)"]
    assert plans() == [(name, "superseded") for name in ("7", "3", "0", "1")] + [("wake", "expanded")]
    assert ReminderPlan.objects.filter(reason=Reason.SNOOZED).count() == 4
    assert audit(real_now=clock.at) == []


def test_it_comes_also_when_all_reminders_had_been_sent(
    milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    run(clock, 2)
    run(clock, 5)
    snooze(milestone, 9, on=5)
    for day in range(6, 12):
        run(clock, day)

    assert subjects(smtp_sink) == ["in 7 days (2026-03-12)", "in 3 days (2026-03-12)"]
    assert audit(real_now=clock.at) == []


def test_reminders_after_the_snooze_come_as_planned(
    milestone: Milestone, ladder: list[ReminderRule], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    snooze(milestone, 10)
    for day in range(2, 14):
        run(clock, day)

    assert subjects(smtp_sink) == ["in 2 days (2026-03-12)", "today (2026-03-12)", "1 day late (2026-03-12)"]


def test_the_end_of_the_snooze_and_a_rule_of_that_hour_are_one_mail(
    milestone: Milestone, ladder: list[ReminderRule], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    snooze(milestone, 12)
    for day in (2, 12):
        run(clock, day)

    assert subjects(smtp_sink) == ["today (2026-03-12)"]
    assert ReminderItem.objects.count() == 2


@pytest.mark.parametrize("later", [7, 20])
def test_another_day_takes_the_place_of_the_first(
    milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink, later: int
) -> None:
    snooze(milestone, 10)
    run(clock, 2)
    snooze(milestone, later)
    for day in range(3, 24):
        run(clock, day)

    assert len(smtp_sink.received) == 1
    ended = ReminderPlan.objects.get(wakes_on=dt.date(2026, 3, 10))
    assert (ended.status, ended.reason) == ("superseded", Reason.SNOOZE_CHANGED)
    assert audit(real_now=clock.at) == []


def test_a_changed_back_snooze_finds_the_same_plan(
    milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    for until in (10, 20, 10):
        snooze(milestone, until)
        run(clock, 2)
    for day in range(3, 24):
        run(clock, day)

    assert subjects(smtp_sink) == ["in 2 days (2026-03-12)"]
    assert ReminderPlan.objects.filter(wakes_on__isnull=False).count() == 2


def test_a_snooze_ended_by_hand_leaves_only_later_reminders(
    milestone: Milestone, ladder: list[ReminderRule], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    snooze(milestone, 20)
    for day in range(2, 7):
        run(clock, day)
    unsnooze_milestone(Milestone.objects.get(), actor=None)
    for day in range(7, 24):
        run(clock, day)

    assert subjects(smtp_sink) == ["in 3 days (2026-03-12)", "today (2026-03-12)", "1 day late (2026-03-12)"]
    assert audit(real_now=clock.at) == []


def test_a_moved_date_starts_the_wait_again(milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink) -> None:
    snooze(milestone, 10)
    run(clock, 2)
    due_on = dt.date(2026, 3, 16)
    move_milestone(Milestone.objects.get(), actor=None, at=NOON, due_on=due_on, reason="Later")
    for day in range(3, 24):
        run(clock, day)

    assert subjects(smtp_sink) == ["in 7 days (2026-03-16)"]


@pytest.mark.parametrize("wakes_on", [6, 20])
def test_a_queued_mail_is_withdrawn(milestone: Milestone, clock: MovableClock, wakes_on: int) -> None:
    reconcile_marked(real_now=clock.at)
    clock.at = eight(5)
    expand_due(clock)
    snooze(milestone, wakes_on, on=5)

    claim = claim_next(clock)

    assert claim is not None
    assert claim.items == []
    assert (Delivery.objects.get().status, ReminderItem.objects.get().cancel_reason) == ("cancelled", Reason.SNOOZED)
    reconcile_marked(real_now=clock.at)
    assert audit(real_now=clock.at)[1:] == []
    assert plans() == [("7", "superseded"), ("wake", "planned")]


def test_after_an_outage_over_the_end_it_still_comes(
    milestone: Milestone, ladder: list[ReminderRule], clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    snooze(milestone, 10)
    run(clock, 11)

    assert subjects(smtp_sink) == ["tomorrow (2026-03-12)"]
    assert audit(real_now=clock.at) == []


def test_explain_says_it_in_words(milestone: Milestone, clock: MovableClock) -> None:
    snooze(milestone, 10)
    reconcile_marked(real_now=clock.at)

    assert explain(Milestone.objects.get(), now=clock.at) == [
        "Open the joint laboratory, due on 2026-03-12, Open",
        "Snoozed until 2026-03-10: They move house",
        f"- Agreement milestone: 7 days before the due date, 2026-03-12: Superseded. {Reason.SNOOZED.label}",
        "- End of the snooze, 2026-03-12: will be sent on 2026-03-10 08:00 CST.",
        f"  - To {milestone.owner}, owner of the milestone",
    ]


def test_audit_names_a_missing_plan_for_the_end_of_a_snooze(milestone: Milestone, clock: MovableClock) -> None:
    snooze(milestone, 10)
    run_once(clock)
    ReminderPlan.objects.filter(wakes_on__isnull=False).delete()

    assert audit(real_now=clock.at) == [f"Milestone {milestone.pk} has no plan for the end of its snooze."]


def test_a_snooze_of_a_kind_without_rules_ends_without_mail(clock: MovableClock, smtp_sink: SmtpSink) -> None:
    milestone = MilestoneFactory(kind="review", due_on=dt.date(2026, 3, 12))
    snooze(milestone, 10)
    for day in (2, 10):
        run(clock, day)

    assert (smtp_sink.received, audit(real_now=clock.at)) == ([], [])


def test_the_hour_follows_the_rule(milestone: Milestone, rule: Any, clock: MovableClock) -> None:
    snooze(milestone, 10)
    reconcile_marked(real_now=clock.at)
    rule.send_time = dt.time(16)
    rule.save()
    milestone.refresh_from_db()
    milestone.save()
    reconcile_marked(real_now=clock.at)

    wake = ReminderPlan.objects.get(wakes_on__isnull=False)
    assert wake.send_at == eight(10) + dt.timedelta(hours=8)
