"""The audit finds each inconsistency, made once on purpose."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from partnerships.factories import (
    NOON,
    AgreementFactory,
    ContactFactory,
    DeliveryEventFactory,
    DeliveryFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
)
from partnerships.models import Agreement, ComponentHeartbeat, Delivery, ReminderItem, ReminderMark
from partnerships.operations.audit import audit, audit_and_note
from partnerships.operations.heartbeat import write_heartbeat
from partnerships.statuses import DeliveryStatus

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _alive(db: None) -> None:
    write_heartbeat(at=NOON, trigger="beat")


def item(**fields: Any) -> ReminderItem:
    """A sent reminder whose milestone, plan and mail are consistent."""
    made = ReminderItemFactory(plan__status="expanded", **fields)
    ReminderMark.objects.all().delete()
    return made


def test_a_consistent_pipeline_passes_the_audit() -> None:
    sent = item(delivery__sent=True).delivery
    DeliveryEventFactory(delivery=sent, to_status=DeliveryStatus.SENT)

    assert audit(real_now=NOON) == []


def test_an_open_milestone_without_a_plan() -> None:
    rule, milestone = ReminderRuleFactory(), MilestoneFactory()
    ReminderMark.objects.all().delete()

    assert audit(real_now=NOON) == [f"Milestone {milestone.pk} has no plan by rule {rule.pk}."]


def test_a_marked_or_closed_milestone_needs_no_plan_yet() -> None:
    ReminderRuleFactory()
    MilestoneFactory()
    closed = MilestoneFactory(met=True)
    ReminderMark.objects.filter(milestone=closed).delete()

    assert audit(real_now=NOON) == []


@pytest.mark.parametrize(("late", "is_breach"), [(2, False), (3, True)])
def test_a_plan_overdue_by_more_than_two_ticks(late: int, is_breach: bool) -> None:
    plan = ReminderPlanFactory(send_at=NOON - late * MINUTE)
    ReminderMark.objects.all().delete()

    assert audit(real_now=NOON) == [f"Plan {plan.pk} is due and was not made into mail."] * is_breach


def test_while_nothing_runs_the_audit_names_the_silence() -> None:
    ReminderPlanFactory(send_at=NOON - 60 * MINUTE)
    ReminderMark.objects.all().delete()

    assert audit(real_now=NOON + 6 * MINUTE) == ["The reminders have not run since 2026-03-02T12:00:00+00:00."]


def test_an_expanded_plan_without_items() -> None:
    plan = ReminderPlanFactory(status="expanded")
    ReminderMark.objects.all().delete()

    assert audit(real_now=NOON) == [f"Plan {plan.pk} counts as mailed, but nobody has its reminder."]


def test_two_valid_generations() -> None:
    first = item()
    item(plan=first.plan, person=first.person, generation=2)

    assert audit(real_now=NOON) == [f"Person {first.person_id} has the reminder of plan {first.plan_id} 2 times."]


def test_two_contacts_with_one_plan_are_two_readers() -> None:
    first = item(person=None, contact=ContactFactory(), delivery__person=None, delivery__contact=ContactFactory())
    other = ContactFactory()
    item(plan=first.plan, person=None, contact=other, delivery__person=None, delivery__contact=other)
    assert audit(real_now=NOON) == []

    Delivery.objects.update(address="Office@example.org")
    assert audit(real_now=NOON) == [f"The reminder of plan {first.plan_id} was written to office@example.org 2 times."]

    Delivery.objects.update(address="")
    item(plan=first.plan, person=None, contact=other, delivery=first.delivery, generation=2)

    assert audit(real_now=NOON) == [f"Person c{other.pk} has the reminder of plan {first.plan_id} 2 times."]


@pytest.mark.parametrize(("ago", "is_breach"), [(1, False), (2, True)])
def test_a_mail_held_past_its_lease(ago: int, is_breach: bool) -> None:
    delivery = item(delivery__claimed=True, delivery__lease_until=NOON - ago * MINUTE).delivery

    assert audit(real_now=NOON) == [f"Delivery {delivery.pk} is held past its lease."] * is_breach


def test_a_mail_about_nothing() -> None:
    delivery = DeliveryFactory()

    assert audit(real_now=NOON) == [f"Delivery {delivery.pk} carries no reminder."]


def test_a_mail_sent_twice() -> None:
    delivery = item(delivery__sent=True).delivery
    DeliveryEventFactory.create_batch(2, delivery=delivery, to_status=DeliveryStatus.SENT)

    assert audit(real_now=NOON) == [f"Delivery {delivery.pk} was sent more than once."]


def test_a_status_that_differs_from_the_log() -> None:
    delivery = item().delivery
    for status in (DeliveryStatus.QUEUED, DeliveryStatus.FAILED):
        DeliveryEventFactory(delivery=delivery, to_status=status)

    assert audit(real_now=NOON) == [f"Delivery {delivery.pk} is not where its log left it."]


def test_the_command_exits_with_1_and_leaves_what_it_found(time_machine: Any) -> None:
    time_machine.move_to(NOON, tick=False)
    call_command("reminders", "audit")
    assert ComponentHeartbeat.objects.get(name="audit").note == ""
    DeliveryFactory()

    with pytest.raises(CommandError, match="carries no reminder"):
        call_command("reminders", "audit")

    assert ComponentHeartbeat.objects.get(name="audit").note == "1"


@pytest.mark.parametrize("rows", [1, 4])
def test_an_audit_takes_as_many_queries_for_few_rows_as_for_many(
    rows: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _row in range(rows):
        item(delivery__sent=True)

    with django_assert_num_queries(27):
        audit_and_note(real_now=NOON)


def test_an_agreement_stored_with_a_wrong_end() -> None:
    agreement = AgreementFactory(signed=True, with_term__ends_on=dt.date(2027, 1, 31))
    ReminderMark.objects.all().delete()
    assert audit(real_now=NOON) == []

    Agreement.objects.update(current_ends_on=dt.date(2026, 1, 31))

    words = f"Agreement {agreement.pk} is not stored with the end of its running period."
    assert audit(real_now=NOON) == [words]
