import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import MilestoneFactory, ReminderPlanFactory, ReminderRuleFactory, UserFactory
from partnerships.mailing.expand import Expansion, expand_due
from partnerships.models import Delivery, DeliveryEvent, Milestone, ReminderItem, ReminderPlan, ReminderRule, User
from partnerships.models.reasons import Reason
from partnerships.reminders.clock import Clock
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.statuses import PlanStatus
from tests.reminders.conftest import MovableClock

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SEND_AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)


@pytest.fixture
def plan(milestone: Milestone, rule: ReminderRule, clock: MovableClock) -> ReminderPlan:
    """A plan that is due now, for the owner of `milestone`."""
    reconcile_marked(real_now=clock.at)
    clock.at = SEND_AT
    return ReminderPlan.objects.get()


def expand(clock: MovableClock) -> Expansion:
    return expand_due(clock)


def test_a_due_plan_becomes_an_item_in_a_delivery(
    plan: ReminderPlan, milestone: Milestone, clock: MovableClock
) -> None:
    assert expand(clock) == Expansion(plans=1, deliveries=1)

    item = ReminderItem.objects.get()
    assert (item.plan, item.person, item.generation, item.why) == (plan, milestone.owner, 1, "owner")
    assert (item.delivery.person, item.delivery.status, item.delivery.next_attempt_at) == (
        milestone.owner,
        "queued",
        SEND_AT,
    )
    assert list(DeliveryEvent.objects.values_list("delivery", "to_status")) == [(item.delivery.pk, "queued")]
    assert ReminderPlan.objects.get().status == "expanded"


def test_before_its_time_nothing_happens_and_after_it_still_does(plan: ReminderPlan, clock: MovableClock) -> None:
    clock.forward(seconds=-1)
    assert expand(clock) == Expansion(0, 0)

    clock.forward(days=5)
    assert expand(clock) == Expansion(1, 1)


def test_a_plan_is_expanded_once(plan: ReminderPlan, clock: MovableClock) -> None:
    expand(clock)
    assert expand(clock) == Expansion(0, 0)

    ReminderPlan.objects.update(status=PlanStatus.PLANNED)
    assert expand(clock) == Expansion(plans=1, deliveries=0)
    assert ReminderItem.objects.count() == 1


def test_a_cancelled_item_may_have_a_successor(plan: ReminderPlan, clock: MovableClock) -> None:
    expand(clock)
    ReminderPlan.objects.update(status=PlanStatus.PLANNED)
    ReminderItem.objects.update(cancelled_at=clock.at, cancel_reason=Reason.WRONG_PERSON)

    assert expand(clock) == Expansion(1, 1)

    assert list(ReminderItem.objects.values_list("generation", flat=True)) == [1, 2]


def test_the_message_id_says_what_the_reminder_is(
    plan: ReminderPlan, milestone: Milestone, rule: ReminderRule, clock: MovableClock, settings: Any
) -> None:
    settings.EMAIL_ID_DOMAIN = "mail.example.org"
    expand(clock)

    expected = f"<reminder-m{milestone.pk}-r{rule.pk}-20260312-p{milestone.owner_id}-g1@mail.example.org>"
    assert Delivery.objects.get().message_id == expected


def test_two_rules_at_once_travel_in_one_envelope_to_one_person(
    plan: ReminderPlan, milestone: Milestone, clock: MovableClock
) -> None:
    lead = UserFactory(lead_in=milestone.unit)
    User.objects.filter(pk=lead.pk).update(username="lead")
    ReminderPlanFactory(milestone=milestone, rule__audience="lead", send_at=SEND_AT)
    ReminderPlanFactory(milestone=milestone, rule__audience="named", rule__named_person=lead, send_at=SEND_AT)

    assert expand(clock) == Expansion(plans=3, deliveries=2)

    envelopes = {delivery.person_id: delivery.items.count() for delivery in Delivery.objects.all()}
    assert envelopes == {milestone.owner_id: 1, lead.pk: 2}


def test_a_plan_nobody_can_get_waits_visibly_and_stops_no_other(plan: ReminderPlan, clock: MovableClock) -> None:
    Milestone.objects.update(owner=None)
    fine = ReminderPlanFactory(milestone=MilestoneFactory(), send_at=SEND_AT)

    assert expand(clock) == Expansion(plans=2, deliveries=1)

    plan.refresh_from_db()
    assert (plan.status, plan.reason) == ("planned", Reason.NOBODY_TO_TELL)
    assert plan.next_attempt_at == SEND_AT + dt.timedelta(hours=1)
    assert ReminderItem.objects.get().plan == fine


def test_it_goes_out_when_somebody_is_found(plan: ReminderPlan, milestone: Milestone, clock: MovableClock) -> None:
    Milestone.objects.update(owner=None)
    expand(clock)
    Milestone.objects.update(owner=milestone.owner)

    clock.forward(minutes=59)
    assert expand(clock) == Expansion(0, 0)
    clock.forward(minutes=1)
    assert expand(clock) == Expansion(1, 1)
    assert ReminderPlan.objects.get().reason == ""


def test_an_edit_ends_the_wait_at_once(plan: ReminderPlan, milestone: Milestone, clock: MovableClock) -> None:
    Milestone.objects.update(owner=None)
    expand(clock)

    milestone.save()
    reconcile_marked(real_now=clock.at)

    assert expand(clock) == Expansion(1, 1)


def test_a_plan_past_its_expiry_is_missed(plan: ReminderPlan, clock: MovableClock) -> None:
    clock.at = plan.expires_at

    assert expand(clock) == Expansion(plans=1, deliveries=0)

    plan.refresh_from_db()
    assert (plan.status, plan.reason) == ("missed", Reason.EXPIRED)


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"status": "met", "met_on": SEND_AT.date()}, "cancelled", Reason.NOT_PENDING),
        ({"due_on": dt.date(2026, 5, 1)}, "superseded", Reason.DUE_DATE_MOVED),
        ({"kind": "review"}, "cancelled", Reason.RULE_DOES_NOT_APPLY),
    ],
)
def test_a_milestone_changed_since_it_was_planned_is_not_announced(
    plan: ReminderPlan, clock: MovableClock, change: dict, status: str, reason: str
) -> None:
    Milestone.objects.update(**change)

    assert expand(clock) == Expansion(plans=1, deliveries=0)

    plan.refresh_from_db()
    assert (plan.status, plan.reason) == (status, reason)


def test_looking_ahead_makes_mail_due_but_dates_nothing_ahead(plan: ReminderPlan, clock: MovableClock) -> None:
    clock.at = SEND_AT - dt.timedelta(days=3)

    assert expand_due(Clock(SEND_AT, clock.read)) == Expansion(1, 1)

    delivery = Delivery.objects.get()
    assert (delivery.queued_at, delivery.next_attempt_at) == (clock.at, clock.at)


@pytest.mark.parametrize("count", [1, 30])
def test_many_due_plans_take_as_many_queries_as_one(
    count: int, clock: MovableClock, django_assert_num_queries: Callable[..., Any]
) -> None:
    rule = ReminderRuleFactory(offset=7)
    for _milestone in range(count):
        ReminderPlanFactory(milestone=MilestoneFactory(), rule=rule, send_at=SEND_AT)
    clock.at = SEND_AT

    with django_assert_num_queries(15):
        assert expand(clock) == Expansion(plans=count, deliveries=count)
