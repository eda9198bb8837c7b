"""Many processes join and send a digest at the same time; nothing is lost, and nobody gets two."""

import datetime as dt
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from partnerships.factories import (
    AgreementFactory,
    MilestoneFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.claim import claim_next
from partnerships.mailing.expand import expand_due
from partnerships.models import Delivery, Milestone, ReminderItem, ReminderPlan, User
from partnerships.statuses import PlanStatus
from tests.reminders.conftest import MovableClock
from tests.reminders.test_races import at_once
from tests.services.processes import start_process
from tests.services.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

NINE = dt.datetime(2026, 3, 5, 1, 0, tzinfo=dt.UTC)  # in Shanghai
PEOPLE, EACH = 12, 4


@pytest.fixture
def people() -> list[User]:
    """People who each have that many plans due from ten on, one after the other, and one at eight."""
    rules = [ReminderRuleFactory() for _number in range(EACH)]
    unit = UnitFactory()
    people = [UserFactory(digest=True, reminder_hour=9, coordinator_in=unit) for _number in range(PEOPLE)]
    for person in people:
        milestone = MilestoneFactory(owner=person, agreement=AgreementFactory(unit=unit))
        ReminderPlanFactory(milestone=milestone, send_at=NINE - dt.timedelta(hours=1))
    for number, rule in enumerate(rules):
        for milestone in Milestone.objects.order_by("-pk" if number % 2 else "pk"):
            ReminderPlanFactory(milestone=milestone, rule=rule, send_at=NINE + dt.timedelta(hours=1, seconds=number))
    return people


@pytest.mark.both_databases
def test_nothing_joins_a_digest_once_it_is_claimed(people: list[User]) -> None:
    """The clock of the claiming threads stands before ten, so that plans due at ten never delay their digest."""
    clock, later = MovableClock(NINE), MovableClock(NINE + dt.timedelta(hours=2))
    expand_due(clock)
    claimed: dict[int, set[int]] = {}
    turns = iter(range(10_000))

    def work() -> None:
        is_claimer = next(turns) % 2
        while ReminderPlan.objects.filter(status=PlanStatus.PLANNED).exists():
            if is_claimer:
                claim = claim_next(clock)
                if claim is not None:
                    claimed[claim.delivery.pk] = {item.pk for item in claim.items}
            else:
                expand_due(later, batch=1)

    at_once(6, work)

    assert len(claimed) > 0
    for pk, items in claimed.items():
        assert set(ReminderItem.objects.filter(delivery=pk).values_list("pk", flat=True)) == items
    assert ReminderItem.objects.count() == PEOPLE * (EACH + 1)
    assert set(Counter(Delivery.objects.values_list("person", "digest_on")).values()) == {1}


@pytest.mark.both_databases
def test_many_expansions_begin_one_digest(people: list[User]) -> None:
    clock = MovableClock(NINE + dt.timedelta(hours=2))

    at_once(5, lambda: [expand_due(clock, batch=2) for _turn in range(40)])

    assert Counter(Delivery.objects.values_list("person", flat=True)) == {person.pk: 1 for person in people}
    assert ReminderItem.objects.count() == PEOPLE * (EACH + 1)


def test_two_processes_send_each_person_one_digest_with_everything_in_it(
    people: list[User], smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    tickers = [_start_ticker(smtp_sink, tmp_path / f"ticker-{number}.log") for number in range(2)]

    assert [ticker.wait() for ticker in tickers] == [0, 0], [log.read_text() for log in tmp_path.iterdir()]

    received = Counter(mail.recipients[0] for mail in smtp_sink.received)
    assert received == {person.email: 1 for person in people}
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert ReminderItem.objects.count() == PEOPLE * (EACH + 1)


def _start_ticker(sink: SmtpSink, log: Path) -> subprocess.Popen[bytes]:
    name = connection.settings_dict["NAME"]
    head, separator, options = os.environ["DATABASE_URL"].partition("?")
    url = f"{head.rpartition('/')[0]}/{name}{separator}{options}"
    env = {**os.environ, "DATABASE_URL": url, "EMAIL_HOST": sink.host, "EMAIL_PORT": str(sink.port)}
    return start_process([sys.executable, "-m", "tests.reminders.ticker"], log=log, env=env)
