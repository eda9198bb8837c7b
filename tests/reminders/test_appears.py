"""Rules that speak when something appears to the person or the leads who must act."""

import datetime as dt
import email
import email.policy
from typing import Any

import pytest

from partnerships.acts import one_act
from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    MilestoneFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.expand import expand_due
from partnerships.mailing.message import write
from partnerships.models import (
    Agreement,
    ComponentHeartbeat,
    Delivery,
    Milestone,
    MilestoneKind,
    ReminderItem,
    ReminderPlan,
    User,
)
from partnerships.operations.audit import audit
from partnerships.operations.heartbeat import HEARTBEAT
from partnerships.reminders.reconcile import reconcile_marked, sweep
from partnerships.workflows.agreements import approve_agreement, assign_agreement, return_agreement, submit_agreement
from partnerships.workflows.milestones import (
    assign_milestone,
    move_milestone,
    send_back_milestone,
    submit_milestone,
    take_back_step,
)
from partnerships.workflows.transitions import save_as
from tests.reminders.conftest import MovableClock

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def rules(db: None) -> None:
    steps = (MilestoneKind.APPROVAL, MilestoneKind.REVISION, MilestoneKind.SIGNING)
    for kind in (*steps, MilestoneKind.AGREEMENT, MilestoneKind.OBLIGATION):
        ReminderRuleFactory(milestone_kind=kind, offset=0, direction="appears")


@pytest.fixture
def unit() -> Any:
    return UnitFactory()


@pytest.fixture
def lead(unit: Any) -> User:
    return UserFactory(name="Lead", lead_in=unit, reminder_mode="immediate")


@pytest.fixture
def coordinator(unit: Any) -> User:
    return UserFactory(name="Coordinator", coordinator_in=unit, reminder_mode="immediate")


@pytest.fixture
def obligation(unit: Any, lead: User, coordinator: User) -> Milestone:
    agreement = AgreementFactory(unit=unit, coordinator=coordinator)
    row = MilestoneFactory(
        agreement=agreement, unit=unit, owner=coordinator, kind="obligation", requires_acceptance=True
    )
    return Milestone.objects.get(pk=row.pk)


def run(clock: MovableClock) -> list[tuple[User, str]]:
    """Do the run of the next minute without sending; return reader and kind of milestone of each new reminder."""
    known = set(ReminderItem.objects.values_list("pk", flat=True))
    while reconcile_marked(real_now=clock.at):
        pass
    sweep(real_now=clock.at)
    clock.forward(minutes=1)
    expand_due(clock)
    ComponentHeartbeat.objects.update_or_create(name=HEARTBEAT, defaults={"at": clock.at})
    assert audit(real_now=clock.at) == []
    items = ReminderItem.objects.exclude(pk__in=known).select_related("person", "plan__milestone").order_by("pk")
    return [(item.person, item.plan.milestone.kind) for item in items]


def test_the_leads_are_notified_of_an_agreement_in_review_once(
    unit: Any, lead: User, coordinator: User, clock: MovableClock
) -> None:
    draft = AgreementFactory(unit=unit, ready=True, created_by=coordinator, coordinator=coordinator)
    agreement = submit_agreement(Agreement.objects.get(pk=draft.pk), actor=coordinator, on=DAY)

    assert run(clock) == [(lead, "approval")]
    plan = ReminderPlan.objects.get(items__isnull=False)
    assert (plan.appearance, plan.appeared_on) == (1, DAY)
    clock.forward(days=1)
    assert run(clock) == []

    returned = return_agreement(agreement, actor=lead, on=DAY, reason="Names")
    assert run(clock) == [(coordinator, "revision")]
    submit_agreement(returned, actor=coordinator, on=DAY)
    assert run(clock) == [(lead, "approval")]
    assert Delivery.objects.values("message_id").distinct().count() == Delivery.objects.count() == 3


def test_submitted_sent_back_and_reassigned_go_to_whoever_must_act_now(
    lead: User, coordinator: User, obligation: Milestone, clock: MovableClock
) -> None:
    other = UserFactory(coordinator_in=obligation.unit)
    assert run(clock) == []

    row = submit_milestone(obligation, actor=coordinator, on=DAY, evidence="Minutes")
    assert run(clock) == [(lead, "obligation")]
    row = send_back_milestone(row, actor=lead, on=DAY, reason="Which?")
    assert run(clock) == [(coordinator, "obligation")]
    row = assign_milestone(row, actor=lead, owner=other)
    assert run(clock) == [(other, "obligation")]
    move_milestone(row, actor=lead, at=NOON, due_on=dt.date(2027, 1, 12), reason="Later")
    assert run(clock) == []


def written(clock: MovableClock) -> str:
    """Return the text of the newest mail, without the line breaks of its encoding."""
    delivery = Delivery.objects.latest("pk")
    items = delivery.items.select_related("plan__milestone__agreement", "plan__milestone__unit").order_by("pk")
    mail = email.message_from_bytes(write(delivery, list(items), clock).data, policy=email.policy.default)
    return str(mail.get_body(("plain",)).get_content())


def test_the_mail_says_who_submitted_or_sent_back_and_why(
    unit: Any, lead: User, coordinator: User, obligation: Milestone, clock: MovableClock
) -> None:
    row = submit_milestone(obligation, actor=coordinator, on=DAY, evidence="Minutes of May")
    run(clock)
    assert "Coordinator submitted it: Minutes of May" in written(clock)
    send_back_milestone(row, actor=lead, on=DAY, reason="Which May?")
    run(clock)
    assert "Lead sent it back: Which May?" in written(clock)

    draft = AgreementFactory(unit=unit, ready=True, created_by=coordinator, coordinator=coordinator)
    submit_agreement(Agreement.objects.get(pk=draft.pk), actor=coordinator, on=DAY)
    run(clock)
    assert "Coordinator submitted it." in written(clock)
    return_agreement(Agreement.objects.get(pk=draft.pk), actor=lead, on=DAY, reason="No term")
    assert run(clock) == [(coordinator, "revision")]
    assert "Lead returned it: No term" in written(clock)
    submit_agreement(Agreement.objects.get(pk=draft.pk), actor=coordinator, on=DAY)
    approve_agreement(Agreement.objects.get(pk=draft.pk), actor=lead, on=DAY)
    assert run(clock) == [(coordinator, "signing")]
    assert "Lead approved it." in written(clock)


def test_a_digest_says_it_in_each_line(unit: Any, lead: User, coordinator: User, clock: MovableClock) -> None:
    rows = [
        MilestoneFactory(unit=unit, owner=coordinator, kind="obligation", requires_acceptance=True) for _one in range(2)
    ]
    with one_act():
        for row in rows:
            fresh = Milestone.objects.get(pk=row.pk)
            submit_milestone(fresh, actor=coordinator, on=DAY, evidence=f"Paper {row.pk}")
    run(clock)

    text = written(clock)
    assert [f"Coordinator submitted it: Paper {row.pk}" in text for row in rows] == [True, True]


def test_a_submitted_milestone_appears_again_to_the_leads_of_another_unit_alone(
    lead: User, coordinator: User, obligation: Milestone, clock: MovableClock
) -> None:
    row = submit_milestone(obligation, actor=coordinator, on=DAY, evidence="Minutes")
    run(clock)
    row = assign_milestone(row, actor=lead, owner=UserFactory(coordinator_in=obligation.unit))
    assert run(clock) == []

    there = UserFactory(lead_in=UnitFactory())
    row = Milestone.objects.get(pk=row.pk)
    row.unit = there.memberships.get().unit
    save_as(row, lead)
    assert run(clock) == [(there, "obligation")]


def test_an_own_assignment_and_a_step_taken_back_announce_nothing(
    lead: User, coordinator: User, obligation: Milestone, clock: MovableClock
) -> None:
    row = submit_milestone(obligation, actor=coordinator, on=DAY, evidence="Minutes")
    now = row.history.latest().history_date
    row = take_back_step(row, actor=coordinator, on=DAY, now=now)
    assign_milestone(row, actor=lead, owner=lead)

    assert run(clock) == []


def test_an_import_and_a_rule_made_later_announce_nothing(
    lead: User, coordinator: User, obligation: Milestone, clock: MovableClock
) -> None:
    submit_milestone(obligation, actor=None, on=DAY, evidence="Minutes")
    assert run(clock) == []

    MilestoneFactory(agreement=obligation.agreement, unit=obligation.unit, kind="review", owner=coordinator)
    review = Milestone.objects.get(kind="review")
    assign_milestone(review, actor=coordinator, owner=lead)
    run(clock)
    ReminderRuleFactory(milestone_kind="review", offset=0, direction="appears")
    assert run(clock) == []


def test_the_items_of_one_act_travel_in_one_mail(unit: Any, lead: User, coordinator: User, clock: MovableClock) -> None:
    agreement = AgreementFactory(unit=unit, coordinator=coordinator)
    for number in range(3):
        MilestoneFactory(agreement=agreement, unit=unit, owner=coordinator, title=f"Number {number}")
    other = UserFactory(coordinator_in=unit, reminder_mode="immediate")

    with one_act():
        assign_agreement(Agreement.objects.get(pk=agreement.pk), actor=lead, coordinator=other)

    assert run(clock) == [(other, "agreement")] * 3
    assert Delivery.objects.count() == 1


def test_the_audit_names_an_appearance_that_nobody_was_notified_of(
    coordinator: User, obligation: Milestone, clock: MovableClock
) -> None:
    submit_milestone(obligation, actor=coordinator, on=DAY, evidence="Minutes")
    run(clock)
    ReminderItem.objects.all().delete()
    ReminderPlan.objects.all().delete()

    assert [words for words in audit(real_now=clock.at) if "the people it waits for" in words]
