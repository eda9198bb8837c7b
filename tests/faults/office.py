"""An office with a known set of due reminders, and the verdict on what became of them."""

import datetime as dt
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from partnerships.factories import NOON, ReminderRuleFactory
from partnerships.management.load import Load, make_load
from partnerships.models import Delivery, Milestone, MilestoneKind, ReminderItem, ReminderPlan, ReminderRule
from partnerships.operations.run import run_once
from partnerships.reminders.clock import Clock
from partnerships.statuses import DeliveryStatus, PlanStatus
from tests.services.smtp_sink import Received

# A reminder as its reader sees it: address and milestone. Each milestone of the office has one rule and one due date.
Reminder = tuple[str, int]

# All of the office's milestones are due a week after NOON, and its rule speaks five days before.
DUE_AT = NOON + dt.timedelta(days=2)
LISTED = {DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED, DeliveryStatus.FAILED}
KNOWN = {DeliveryStatus.SENT, DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED}


def open_office(mails: int, *, people: int = 20, made_at: dt.datetime = NOON) -> None:
    """Add that many milestones, each with one reminder that is due two days after ``made_at``."""
    if not ReminderRule.objects.filter(offset=5).exists():
        ReminderRuleFactory(offset=5)
    load = Load(agreements=mails, milestones_each=1, people=people, units=2, days=1)
    make_load(load, now=made_at, today=made_at.date())


def database_url() -> str:
    """Return the URL of this test's database, for other processes."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    head, separator, options = os.environ["DATABASE_URL"].partition("?")
    return f"{head.rpartition('/')[0]}/{name}{separator}{options}"


def due_reminders() -> set[Reminder]:
    """Return the due reminders. No rule applies to the milestones that the product derives meanwhile."""
    ours = Milestone.objects.pending().filter(kind=MilestoneKind.AGREEMENT)
    return set(ours.values_list("owner__email", "pk"))


def reached(mails: Iterable[Received]) -> Counter[Reminder]:
    """Count how often each reminder reached the server, alone or inside a digest."""
    return Counter(
        (mail.recipients[0], int(number))
        for mail in mails
        for number in set(re.findall(r"/milestones/(\d+)/", mail.text()))
    )


@dataclass(frozen=True)
class Verdict:
    """The sets that must be empty, and how many mails are left to a person."""

    lost: set[Reminder]
    doubled: set[Reminder]
    uncalled_for: set[Reminder]
    claimed_falsely: set[Reminder]  # sent, says the database, but the server has nothing
    denied_falsely: set[Reminder]  # the server has it, and the database neither says nor wonders
    undecided: Counter[str]

    @property
    def is_clean(self) -> bool:
        breaches = (self.lost, self.doubled, self.uncalled_for, self.claimed_falsely, self.denied_falsely)
        return not any(breaches)


def judge(mails: Iterable[Received]) -> Verdict:
    expected, received, states = due_reminders(), reached(mails), _states()
    return Verdict(
        lost={one for one in expected - set(received) if states.get(one) not in LISTED},
        doubled={one for one, count in received.items() if count > 1},
        uncalled_for=set(received) - expected,
        claimed_falsely={one for one, state in states.items() if state == DeliveryStatus.SENT and one not in received},
        denied_falsely={one for one in received if states.get(one) not in KNOWN},
        undecided=Counter(str(states[one]) for one in expected if states.get(one) in LISTED),
    )


def _states() -> dict[Reminder, str]:
    living = ReminderItem.objects.filter(cancelled_at=None).order_by("generation")
    rows = living.values_list("person__email", "plan__milestone", "delivery__status")
    return {(address, milestone): status for address, milestone, status in rows}


def is_waiting() -> bool:
    plans = ReminderPlan.objects.filter(status=PlanStatus.PLANNED)
    on_their_way = Delivery.objects.filter(status__in=("queued", "claimed", "handing", "retry"))
    return plans.exists() or on_their_way.exists()


def has_all_arrived(mails: Iterable[Received]) -> bool:
    return due_reminders() == set(reached(mails))


def finish(now: dt.datetime, *, ahead: dt.timedelta = dt.timedelta()) -> dt.datetime:
    """Do undisturbed runs six minutes apart, longer than a lease, until nothing is queued; return the time of the last.

    There is one at least, so that the audit finds a heartbeat however long the senders took to stop.

    What is due ``ahead`` of ``now`` goes out as well.
    """
    for _turn in range(20):
        now += dt.timedelta(minutes=6)
        at = now
        run_once(Clock(now + ahead, lambda at=at: at), limit=100_000)
        if not is_waiting():
            return now
    raise AssertionError("Something still waits after two hours of undisturbed runs")
