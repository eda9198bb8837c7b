"""Many processes at once, kept apart by row locks on PostgreSQL and serialized transactions on SQLite."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from partnerships.factories import NOON, MilestoneFactory
from partnerships.mailing.claim import claim_next
from partnerships.mailing.expand import expand_due
from partnerships.models import Delivery, Milestone, ReminderItem, ReminderMark, ReminderPlan, ReminderRule
from partnerships.operations.run import run_once
from partnerships.reminders.reconcile import reconcile_marked
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

DUE = dt.date(2026, 3, 12)
SEND_AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)


def at_once(count: int, work: Callable[[], object]) -> None:
    """Run `work` in `count` threads that start together; a failure in one fails the test."""
    barrier = threading.Barrier(count)
    failures: list[Exception] = []

    def run() -> None:
        try:
            barrier.wait()
            work()
        except Exception as error:  # noqa: BLE001 - a thread's failure is shown by the thread that waits for it
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_milestone_being_edited_is_skipped_and_keeps_its_mark(milestone: Milestone) -> None:
    other = MilestoneFactory(due_on=milestone.due_on)
    with transaction.atomic():
        Milestone.objects.select_for_update().get(pk=milestone.pk)
        at_once(1, lambda: reconcile_marked(real_now=NOON))

    assert list(ReminderPlan.objects.values_list("milestone", flat=True)) == [other.pk]
    assert list(ReminderMark.objects.values_list("milestone", flat=True)) == [milestone.pk]


@pytest.mark.both_databases
def test_five_reconcilers_make_each_plan_once(rule: ReminderRule) -> None:
    MilestoneFactory.create_batch(20, due_on=DUE)

    at_once(5, lambda: [reconcile_marked(real_now=NOON, batch=3) for _turn in range(10)])
    while reconcile_marked(real_now=NOON):
        pass

    assert ReminderPlan.objects.count() == 20
    assert ReminderMark.objects.count() == 0


@pytest.mark.both_databases
def test_five_expansions_make_each_item_once(rule: ReminderRule) -> None:
    MilestoneFactory.create_batch(20, due_on=DUE)
    reconcile_marked(real_now=NOON)
    clock = MovableClock(SEND_AT)

    at_once(5, lambda: [expand_due(clock, batch=3) for _turn in range(10)])

    assert (ReminderItem.objects.count(), Delivery.objects.count()) == (20, 20)


@pytest.mark.both_databases
def test_eight_claimers_get_each_delivery_once(rule: ReminderRule) -> None:
    MilestoneFactory.create_batch(20, due_on=DUE)
    reconcile_marked(real_now=NOON)
    clock = MovableClock(SEND_AT)
    expand_due(clock)
    claimed: list[int] = []

    def claim_all() -> None:
        while claim := claim_next(clock):
            claimed.append(claim.delivery.pk)

    at_once(8, claim_all)

    assert sorted(claimed) == sorted(Delivery.objects.values_list("pk", flat=True))


@pytest.mark.both_databases
def test_five_ticks_at_once_send_each_mail_once(rule: ReminderRule, smtp_sink: SmtpSink) -> None:
    milestones = MilestoneFactory.create_batch(10, due_on=DUE)
    clock = MovableClock(SEND_AT)
    reconcile_marked(real_now=NOON)

    at_once(5, lambda: run_once(clock))

    sent = Counter(mail.recipients[0] for mail in smtp_sink.received)
    assert sent == dict.fromkeys([milestone.owner.email for milestone in milestones], 1)
