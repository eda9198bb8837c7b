"""The promise holds whatever people, clocks, crashes and mail servers do, in any order.

The model is small: which reminders were announced by a plan in time, or entered in time while nothing ran, and never
withdrawn. Each of them reaches exactly one person exactly once, or stands in the list of what a person has to look at;
nothing reaches anybody it must not.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from partnerships.factories import NOON, AgreementFactory, MilestoneFactory, ReminderRuleFactory, UserFactory
from partnerships.mailing import claim, deliver, expand
from partnerships.models import (
    ComponentHeartbeat,
    Delivery,
    DeliveryEvent,
    DeliveryNotice,
    MailRelay,
    Milestone,
    ReminderItem,
    ReminderMark,
    ReminderPlan,
    ReminderRule,
    User,
)
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders import reconcile
from partnerships.reminders.clock import Clock
from partnerships.reminders.rule_set import RuleSet
from partnerships.statuses import DeliveryStatus, MilestoneStatus, PlanStatus
from tests.services.smtp_sink import DISCONNECT, SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

# (milestone, rule, due date, end of the snooze it wakes from)
Announcement = tuple[int, int, dt.date, dt.date | None]

LOOKED_AT = {DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED, DeliveryStatus.FAILED}
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
WAITS = (1, 6, 60, 600, 1440, 3 * 1440, 12 * 1440, -120)  # minutes
POINTS = (
    (reconcile, "update_plans"),
    (expand, "write"),
    (claim, "_check_again"),
    (deliver, "_freeze"),
    (deliver.Handing, "begin"),
    (deliver.Handing, "before_dot"),
    (deliver.Handing, "after_dot"),
    (deliver, "_record"),
)
FAULTS = (
    {"at": "MAIL", "reply": "451 Later"},
    {"at": "RCPT", "reply": "451 Later"},
    {"at": "RCPT", "reply": "550 No such user"},
    {"at": "RCPT", "reply": "421 Closing"},
    {"at": "DATA", "reply": "451 Later"},
    {"at": "DATA", "reply": DISCONNECT},
    {"at": "DATA", "reply": DISCONNECT, "stored": True},
)


class Crash(BaseException):
    """The end of a process, as far as one process can imitate it."""


class Office(RuleBasedStateMachine):
    sink: ClassVar[SmtpSink]

    @initialize()
    def open(self) -> None:
        self.sink.clear()
        self.at = NOON
        self.announced: set[Announcement] = set()
        self.edited: dict[int, dt.datetime] = {}  # since the last complete run
        self.ran_at: dt.datetime | None = None  # that run; None when it is not known, because the clock was set back
        self.read = 0
        self.agreement = AgreementFactory(signed=True)
        self.unit = self.agreement.unit
        self.people = UserFactory.create_batch(3, coordinator_in=self.unit)
        self.unit.fallback_person = UserFactory(lead_in=self.unit)
        self.unit.save()
        self.milestones: list[Milestone] = []
        self.rules = [ReminderRuleFactory(offset=7), ReminderRuleFactory(offset=0)]

    # What people do

    @rule(days=st.integers(0, 12), owner=st.integers(0, 2))
    def create(self, days: int, owner: int) -> None:
        due_on = self.at.date() + dt.timedelta(days=days)
        with time_machine.travel(self.at, tick=False):
            row = MilestoneFactory(agreement=self.agreement, owner=self.people[owner], due_on=due_on)
        self.milestones.append(row)
        self.edited[row.pk] = self.at

    @precondition(lambda self: self.milestones)
    @rule(which=st.integers(0, 9), days=st.sampled_from([-8, -1, 1, 8]))
    def move(self, which: int, days: int) -> None:
        milestone = self._milestone(which)
        self._edit(milestone, due_on=milestone.due_on + dt.timedelta(days=days))

    @precondition(lambda self: self.milestones)
    @rule(which=st.integers(0, 9))
    def complete_or_reopen(self, which: int) -> None:
        milestone = self._milestone(which)
        if milestone.is_pending:
            self._edit(milestone, status=MilestoneStatus.MET, met_on=self.at.date())
        else:
            self._edit(milestone, status=MilestoneStatus.OPEN, met_on=None)

    @precondition(lambda self: self.milestones)
    @rule(which=st.integers(0, 9), days=st.sampled_from([0, 9, 30]))
    def snooze_or_wake(self, which: int, days: int) -> None:
        milestone = self._milestone(which)
        if milestone.is_pending:
            until = self.at.date() + dt.timedelta(days=days) if days else None
            self._edit(milestone, snoozed_until=until, snooze_reason="The dean is away" if days else "")

    @precondition(lambda self: self.milestones)
    @rule(which=st.integers(0, 9), owner=st.integers(0, 2))
    def reassign(self, which: int, owner: int) -> None:
        milestone = self._milestone(which)
        milestone.owner = self.people[owner]
        with time_machine.travel(self.at, tick=False):
            milestone.save()

    @rule(owner=st.integers(0, 2))
    def leave_or_return(self, owner: int) -> None:
        person = User.objects.get(pk=self.people[owner].pk)
        person.is_active = not person.is_active
        person.save()

    @rule(zone=st.sampled_from(ZONES))
    def change_zone(self, zone: str) -> None:
        self.unit.refresh_from_db()
        self.unit.time_zone = zone
        self.unit.save()
        # In the new zone a reminder's time may be past already, and no mail follows. The next runs are asked only for
        # reminders that were more than a day away.
        self.announced = {one for one in self.announced if self._moment(one) > self.at + dt.timedelta(days=1)}

    # What happens to the machines

    @rule(minutes=st.sampled_from(WAITS))
    def tick(self, minutes: int) -> None:
        self.at += dt.timedelta(minutes=minutes)
        if minutes < 0:
            self.ran_at = None
        self._run()
        self._announce()

    @precondition(lambda self: self.milestones)
    @rule(point=st.sampled_from(POINTS))
    def crash(self, point: tuple[Any, str]) -> None:
        """Move the clock to the next plan, if there is one."""
        self._go_to_the_next()
        with pytest.MonkeyPatch.context() as patches:
            patches.setattr(*point, _crashing(getattr(*point)))
            try:
                self._run()
            except Crash:
                connection.close()
            else:
                self._announce()

    @precondition(lambda self: self.milestones)
    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 3))
    def mail_server_acts_up(self, fault: dict[str, Any], times: int) -> None:
        self._go_to_the_next()
        self.sink.script({**fault, "times": times, "number": f"{self.read} {self.at}"})
        self.tick(0)

    @precondition(lambda self: self.milestones)
    @rule(days=st.integers(1, 4))
    def mail_server_is_away(self, days: int) -> None:
        self._go_to_the_next()
        self.sink.script({"at": "MAIL", "reply": "421 Closing", "number": f"{self.read} {self.at}"})
        for _half_a_day in range(2 * days):
            self.tick(720)
        self.sink.script()

    def _go_to_the_next(self) -> None:
        self.tick(1)
        ahead = ReminderPlan.objects.filter(status=PlanStatus.PLANNED).order_by("next_attempt_at").first()
        self.at = max(self.at, ahead.next_attempt_at) if ahead else self.at

    # What must hold

    def _run(self) -> None:
        """Do a run, and check that each of its mails goes to a person who may have it and is about a current reminder."""
        try:
            run_once(Clock(self.at, lambda: self.at))
        finally:
            mails = self.sink.received
            new, self.read = mails[self.read :], len(mails)
            for mail in new:
                delivery = Delivery.objects.get(message_id=mail.message["Message-ID"])
                assert [delivery.person.email] == mail.recipients
                assert delivery.person.is_active
                for item in delivery.items.filter(cancelled_at=None).select_related("plan__milestone"):
                    assert item.plan.milestone.is_pending
                    assert item.plan.due_on == item.plan.milestone.due_on
                    assert item.plan.send_at <= self.at
                    assert item.plan.wakes_on or not _sleeps(item.plan.milestone, self.at)

    def _announce(self) -> None:
        """Note after a complete run which current reminders have to come: those ahead, or ahead when they were entered."""
        current = self._current()
        self.announced = {one for one in self.announced if one in current}
        self.announced |= {one for one in current if self._moment(one) > self._entered_at(one)}
        self.edited.clear()
        self.ran_at = self.at

    def _entered_at(self, one: Announcement) -> dt.datetime:
        edited = self.edited.get(one[0], self.at)
        return self.at if self.ran_at is None or edited > self.at else max(edited, self.ran_at)

    def _current(self) -> set[Announcement]:
        pending, rule_set = Milestone.objects.pending().filter(agreement=self.agreement), RuleSet.load()
        ones = {(milestone.pk, rule.pk, milestone.due_on, None) for milestone in pending for rule in self.rules}
        wakes = [(milestone, rule_set.snooze_end(milestone)) for milestone in pending]
        return ones | {(one.pk, wake[0], one.due_on, one.snoozed_until) for one, wake in wakes if wake}

    def _moment(self, one: Announcement) -> dt.datetime:
        milestone = Milestone.objects.get(pk=one[0])
        milestone.due_on, milestone.snoozed_until = one[2:]
        if one[3]:
            milestone.status = MilestoneStatus.OPEN
            return RuleSet.load().snooze_end(milestone)[1].send_at
        return RuleSet.load().moment(ReminderRule.objects.get(pk=one[1]), milestone).send_at

    def _milestone(self, which: int) -> Milestone:
        return Milestone.objects.get(pk=self.milestones[which % len(self.milestones)].pk)

    def _edit(self, milestone: Milestone, **values: Any) -> None:
        """Note an edit, which ends a snooze unless it begins one."""
        for name, value in {"snoozed_until": None, "snooze_reason": "", **values}.items():
            setattr(milestone, name, value)
        with time_machine.travel(self.at, tick=False):
            milestone.save()
        self.edited[milestone.pk] = self.at
        self.announced = {one for one in self.announced if one[0] != milestone.pk}

    def teardown(self) -> None:
        if not hasattr(self, "announced"):
            return
        try:
            self._settle()
            self._judge()
        finally:
            _forget_all()

    def _settle(self) -> None:
        """Run an hour at a time without faults until nothing due is left."""
        self.sink.script()
        for _hour in range(30):
            self.at += dt.timedelta(hours=1)
            self._run()
            self._announce()
            if not self._waiting():
                return
        raise AssertionError(f"Still waiting: {self._waiting()}")

    def _waiting(self) -> list[Any]:
        plans = ReminderPlan.objects.filter(status=PlanStatus.PLANNED, send_at__lte=self.at, reason="")
        deliveries = Delivery.objects.filter(status__in=("queued", "retry", "claimed", "handing"))
        return [*plans, *deliveries]

    def _judge(self) -> None:
        received = Counter(mail.message["Message-ID"] for mail in self.sink.received)
        valid = ReminderItem.objects.filter(cancelled_at=None).select_related("plan", "delivery", "person")
        deliveries = Counter[tuple[Announcement, str]]()
        listed: set[Announcement] = set()
        for item in valid:
            one = (item.plan.milestone_id, item.plan.rule_id, item.plan.due_on, item.plan.wakes_on)
            deliveries[one, item.person.email] += received[item.delivery.message_id]
            if item.delivery.status in LOOKED_AT:
                listed.add(one)
            else:
                assert (item.delivery.status == "sent") == (received[item.delivery.message_id] == 1)
        assert [one for one, count in deliveries.items() if count > 1] == []
        reached = {one for (one, _person), count in deliveries.items() if count}
        explained = set(_with_reason())
        lost = {one for one in self.announced if self._moment(one) <= self.at} - reached - listed - explained
        assert lost == set()
        assert audit(real_now=self.at) == []


def _with_reason() -> list[Announcement]:
    """Return the plans that give a reason why they did not become mail. That it was not needed is none."""
    plans = ReminderPlan.objects.exclude(reason="").exclude(status=PlanStatus.NOT_NEEDED)
    return list(plans.values_list("milestone", "rule", "due_on", "wakes_on"))


def _sleeps(milestone: Milestone, at: dt.datetime) -> bool:
    wake = RuleSet.load().snooze_end(milestone)
    return wake is not None and at < wake[1].send_at


def _crashing(work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        work(*args, **kwargs)
        raise Crash

    return run


def _forget_all() -> None:
    """Empty the office for the next example; flushing all tables would take longer than the example."""
    rows = (DeliveryNotice, DeliveryEvent, ReminderItem, Delivery, ReminderPlan, ReminderMark, Milestone, ReminderRule)
    for model in rows:
        model.objects.all()._raw_delete("default")
    for model in (ComponentHeartbeat, MailRelay):
        model.objects.all().delete()


def test_the_promise_holds_whatever_happens(smtp_sink: SmtpSink) -> None:
    Office.sink = smtp_sink
    run_state_machine_as_test(
        Office,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
