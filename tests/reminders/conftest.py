import datetime as dt
from collections.abc import Callable

import pytest

from partnerships.factories import NOON, MilestoneFactory, ReminderRuleFactory
from partnerships.mailing.expand import expand_due
from partnerships.models import Milestone, ReminderRule
from partnerships.reminders.clock import Clock
from partnerships.reminders.reconcile import reconcile_marked


class MovableClock(Clock):
    """A clock that stands still until it is moved; what is due goes by it too."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    @property
    def due_at(self) -> dt.datetime:
        return self.at

    def read(self) -> dt.datetime:
        return self.at

    def forward(self, **duration: float) -> dt.datetime:
        self.at += dt.timedelta(**duration)
        return self.at


@pytest.fixture
def clock() -> MovableClock:
    """Noon in London, eight in the evening in Shanghai, on Monday 2 March 2026."""
    return MovableClock(NOON)


@pytest.fixture
def rule(db: None) -> ReminderRule:
    """A week before, at eight in the morning, to the owner."""
    return ReminderRuleFactory(offset=7)


@pytest.fixture
def milestone(rule: ReminderRule) -> Milestone:
    """Due on 12 March 2026, so that `rule` sends on the 5th at midnight UTC."""
    return MilestoneFactory(due_on=dt.date(2026, 3, 12), title="Open the joint laboratory")


@pytest.fixture
def queue(milestone: Milestone, clock: MovableClock) -> Callable[[], None]:
    """Reconcile the marks, move the clock to a minute after the rule's time, and expand the due plans."""

    def run() -> None:
        reconcile_marked(real_now=clock.at)
        clock.at = max(clock.at, dt.datetime(2026, 3, 5, 0, 1, tzinfo=dt.UTC))
        expand_due(clock)

    return run
