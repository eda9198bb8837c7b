"""Unanswered reminders go to the leads, unless there is some activity first."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import (
    AgreementFactory,
    CalendarDayFactory,
    MilestoneFactory,
    ReminderRuleFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.mailing import smtp
from partnerships.mailing.claim import claim_next
from partnerships.mailing.deliver import deliver_due
from partnerships.mailing.delivery_writes import advance
from partnerships.mailing.expand import expand_due
from partnerships.mailing.message import write
from partnerships.models import (
    ContactNote,
    Delivery,
    Milestone,
    ReminderItem,
    ReminderMark,
    ReminderPlan,
    ReminderRule,
    User,
)
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.reminders.explain import explain
from partnerships.reminders.reconcile import reconcile_marked, sweep
from partnerships.reminders.unanswered import mark_notified
from partnerships.statuses import DeliveryStatus
from partnerships.workflows.activities import edit_contact_note
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink
from tests.workflows.follow_ups import log_contact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def waiting(rule: ReminderRule) -> ReminderRule:
    """A rule that notifies the leads five working days after an unanswered reminder."""
    return ReminderRuleFactory(offset=5, direction="unanswered", audience="lead")


@pytest.fixture
def lead(milestone: Milestone) -> User:
    return UserFactory(name="Chen Yulan", lead_in=milestone.unit)


@pytest.fixture
def reminded(
    waiting: ReminderRule, lead: User, queue: Callable[[], None], milestone: Milestone, clock: MovableClock
) -> Delivery:
    """The owner's reminder, sent on Thursday 5 March 2026 at one minute past eight in Shanghai."""
    queue()
    return sent(clock)


def sent(clock: MovableClock) -> Delivery:
    """Record the next delivery as sent, as a sender does, and reconcile its milestone."""
    claim = claim_next(clock)
    assert claim is not None
    assert advance(claim.delivery, DeliveryStatus.SENT, at=clock.at, sent_at=clock.at)
    mark_notified([claim.delivery.pk])
    reconcile_marked(real_now=clock.at)
    return claim.delivery


def escalation() -> ReminderPlan:
    return ReminderPlan.objects.select_related("milestone").get(rule__direction="unanswered")


def act(milestone: Milestone, clock: MovableClock, time_machine: Any, person: User | None) -> None:
    """Edit the milestone at the clock's time by ``person``, or by the system if None."""
    time_machine.move_to(clock.at, tick=False)
    row = Milestone.objects.get(pk=milestone.pk)
    row.evidence = "Called, the room is ready."
    row._history_user = person
    row.save()


def to_the_leads(clock: MovableClock) -> list[User]:
    """Expand the plans due a week later, and return who got the escalation."""
    clock.forward(days=7)
    expand_due(clock)
    return [item.person for item in ReminderItem.objects.filter(plan__rule__direction="unanswered", cancelled_at=None)]


def test_nothing_is_planned_before_the_reminder_went_out(
    waiting: ReminderRule, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()

    assert ReminderPlan.objects.filter(rule=waiting).exists() is False


def test_it_sends_working_days_after_the_reminder(reminded: Delivery, milestone: Milestone) -> None:
    plan = escalation()

    assert (plan.status, plan.send_at.isoformat()) == ("planned", "2026-03-12T00:00:00+00:00")
    assert (plan.unanswered_at, plan.unanswered_by) == (dt.datetime(2026, 3, 5, 0, 1, tzinfo=dt.UTC), milestone.owner)


def test_holidays_are_no_working_days(
    milestone: Milestone, waiting: ReminderRule, queue: Any, clock: MovableClock
) -> None:
    milestone.unit.work_calendar = WorkCalendarFactory()
    milestone.unit.save()
    CalendarDayFactory(calendar=milestone.unit.work_calendar, day=dt.date(2026, 3, 9))
    queue()
    sent(clock)

    assert escalation().send_at.date() == dt.date(2026, 3, 13)


def test_an_unanswered_reminder_goes_to_the_leads_and_says_why(
    reminded: Delivery, lead: User, milestone: Milestone, clock: MovableClock
) -> None:
    assert to_the_leads(clock) == [lead]

    claim = claim_next(clock)
    assert claim is not None
    text = write(claim.delivery, claim.items, clock).data.decode().replace("=\r\n", "")
    assert f"nobody has acted on the reminder of March 5, 2026 to {milestone.owner}." in text


def test_a_milestone_escalates_once_for_a_due_date(reminded: Delivery, lead: User, clock: MovableClock) -> None:
    to_the_leads(clock)
    sent(clock)
    ReminderMark.objects.create(milestone=escalation().milestone)

    reconcile_marked(real_now=clock.at)

    assert to_the_leads(clock) == [lead]
    assert audit(real_now=clock.at) == ["The reminders have never run."]


def test_an_edit_by_a_person_is_an_answer(
    reminded: Delivery, milestone: Milestone, lead: User, clock: MovableClock, time_machine: Any
) -> None:
    clock.forward(days=1)
    act(milestone, clock, time_machine, milestone.owner)
    reconcile_marked(real_now=clock.at)

    assert (escalation().status, escalation().reason) == ("cancelled", Reason.ANSWERED)
    assert to_the_leads(clock) == []
    assert audit(real_now=clock.at) == ["The reminders have never run."]


def test_changes_by_the_system_are_no_answer(
    reminded: Delivery, milestone: Milestone, lead: User, clock: MovableClock, time_machine: Any
) -> None:
    clock.forward(days=1)
    act(milestone, clock, time_machine, None)
    reconcile_marked(real_now=clock.at)

    assert to_the_leads(clock) == [lead]


@pytest.mark.parametrize(
    ("about", "is_answer"), [("milestone", True), ("agreement", True), ("sibling", False), ("other", False)]
)
def test_a_contact_logged_about_it_or_its_agreement_is_an_answer(
    about: str, is_answer: bool, reminded: Delivery, milestone: Milestone, clock: MovableClock, time_machine: Any
) -> None:
    clock.forward(days=1)
    time_machine.move_to(clock.at, tick=False)
    agreement = AgreementFactory(signed=True) if about == "other" else milestone.agreement
    related = {"milestone": milestone, "sibling": MilestoneFactory(agreement=agreement)}.get(about)
    assert agreement is not None
    log_contact(
        actor=None,
        on=clock.at.date(),
        agreement=agreement,
        unit=agreement.unit,
        milestone=related,
        summary="They called.",
    )
    reconcile_marked(real_now=clock.at)

    assert ContactNote.objects.count() == 1
    assert escalation().status == ("cancelled" if is_answer else "planned")


def test_a_note_that_turns_out_to_be_about_something_else_is_no_answer(
    reminded: Delivery, milestone: Milestone, clock: MovableClock, time_machine: Any
) -> None:
    clock.forward(days=1)
    time_machine.move_to(clock.at, tick=False)
    sibling, today = MilestoneFactory(agreement=milestone.agreement), clock.at.date()
    columns = {"agreement": milestone.agreement, "unit": milestone.unit, "summary": "They called."}
    note = log_contact(actor=None, on=today, milestone=milestone, **columns)
    reconcile_marked(real_now=clock.at)
    assert escalation().status == "cancelled"

    note = edit_contact_note(note, actor=None, today=today, changes={"milestone": sibling})
    reconcile_marked(real_now=clock.at)
    assert escalation().status == "planned"

    edit_contact_note(note, actor=None, today=today, changes={"milestone": milestone})
    reconcile_marked(real_now=clock.at)
    assert escalation().status == "cancelled"


def test_an_answer_between_expansion_and_claim_still_counts(
    reminded: Delivery, milestone: Milestone, lead: User, clock: MovableClock, time_machine: Any
) -> None:
    to_the_leads(clock)
    act(milestone, clock, time_machine, milestone.owner)
    clock.forward(minutes=1)

    claim = claim_next(clock)

    assert (claim and claim.items, escalation().status) == ([], "cancelled")
    assert ReminderItem.objects.get(person=lead).cancel_reason == Reason.ANSWERED


def test_an_answer_the_reconciler_has_not_read_yet_counts_at_expansion(
    reminded: Delivery, milestone: Milestone, lead: User, clock: MovableClock, time_machine: Any
) -> None:
    clock.forward(days=1)
    act(milestone, clock, time_machine, milestone.owner)

    assert to_the_leads(clock) == []
    assert escalation().reason == Reason.ANSWERED


def test_after_an_answer_the_next_reminder_can_stay_without_one(
    reminded: Delivery, milestone: Milestone, clock: MovableClock, time_machine: Any
) -> None:
    ReminderRuleFactory(offset=0)
    act(milestone, clock, time_machine, milestone.owner)
    reconcile_marked(real_now=clock.at)
    clock.at = dt.datetime(2026, 3, 12, 0, 5, tzinfo=dt.UTC)
    expand_due(clock)
    sent(clock)

    assert (escalation().status, escalation().unanswered_at) == ("planned", clock.at)
    assert escalation().send_at.date() == dt.date(2026, 3, 19)


def test_the_explanation_says_what_it_waits_for(reminded: Delivery, milestone: Milestone, clock: MovableClock) -> None:
    lines = "\n".join(explain(milestone, now=clock.at))

    assert f"Unless somebody sees to it: {milestone.owner} was reminded on 2026-03-05 08:01 CST." in lines


def test_a_sent_mail_marks_its_milestone_only_where_a_rule_waits(
    rule: ReminderRule, queue: Callable[[], None], clock: MovableClock
) -> None:
    queue()
    claim = claim_next(clock)
    assert claim is not None
    mark_notified([claim.delivery.pk])
    assert ReminderMark.objects.count() == 0

    ReminderRuleFactory(offset=5, direction="unanswered", milestone_kind="review")
    mark_notified([claim.delivery.pk])
    assert ReminderMark.objects.count() == 0


def test_a_rule_made_while_the_mail_is_on_its_way_waits_for_its_answer(
    rule: ReminderRule, milestone: Milestone, queue: Callable[[], None], smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    """Another process has swept meanwhile and found nothing sent."""
    UserFactory(lead_in=milestone.unit)
    queue()

    def meanwhile(*_arguments: Any) -> tuple[int, bytes]:
        ReminderRuleFactory(offset=1, direction="unanswered", audience="lead")
        sweep_all(clock)
        return answer(*_arguments)

    answer = smtp._answer
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(smtp, "_answer", meanwhile)
        deliver_due(clock, limit=1, is_stopping=lambda: False)
    reconcile_marked(real_now=clock.at)

    assert Delivery.objects.get().status == DeliveryStatus.SENT
    assert ReminderPlan.objects.filter(rule__direction="unanswered").count() == 1


def sweep_all(clock: MovableClock) -> None:
    while sweep(real_now=clock.at):
        pass
