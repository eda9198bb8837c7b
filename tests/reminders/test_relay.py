"""All processes share the pauses of a relay in trouble and the rate of a minute."""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import DeliveryFactory, MilestoneFactory
from partnerships.mailing.claim import claim_next
from partnerships.mailing.deliver import Deliveries, deliver_due
from partnerships.mailing.relay import Breaker, is_rate_reached, pause_after, relay_state
from partnerships.models import Delivery, MailRelay, Milestone
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink
from tests.together import run_together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def send(clock: MovableClock) -> Callable[[], Deliveries]:
    return lambda: deliver_due(clock, limit=100, is_stopping=lambda: False)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """Return level and first words of the log lines about relays."""
    caplog.set_level(logging.INFO, logger="partnerships.mailing.relay")
    return lambda: [(one.levelname, " ".join(one.getMessage().split()[3:5])) for one in caplog.records]


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 900), (7, 900), (10**6, 900)]
)
def test_pauses_double_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert pause_after(failures).total_seconds() == seconds


def test_a_working_relay_has_no_row(
    queue: Callable[[], None], send: Callable[[], Deliveries], smtp_sink: SmtpSink
) -> None:
    queue()
    send()

    assert (MailRelay.objects.count(), relay_state().failures) == (0, 0)


def test_an_outage_is_retried_less_and_less_often_and_logged_once(
    queue: Callable[[], None], send: Callable[[], Deliveries], clock: MovableClock, log: Callable[[], list]
) -> None:
    queue()
    began, tries = clock.at, []
    for _tick in range(60):
        before = relay_state().failures
        assert "ConnectionRefusedError" in send().trouble
        if relay_state().failures > before:
            tries.append(int((clock.at - began).total_seconds() // 60))
        clock.forward(minutes=1)

    assert tries == [0, 1, 2, 4, 8, 16, 31, 46]
    state = relay_state()
    assert (state.since, state.alerted_at, state.failures) == (began, began, 8)
    assert log() == [("ERROR", "127.0.0.1:1 cannot")]


def test_the_end_of_an_outage_is_logged_once_and_all_mail_is_sent(
    queue: Callable[[], None],
    send: Callable[[], Deliveries],
    smtp_sink: SmtpSink,
    clock: MovableClock,
    log: Callable[[], list],
) -> None:
    queue()
    smtp_sink.script({"at": "MAIL", "reply": "421 Maintenance"})
    for _quarter in range(12):
        assert send().trouble == "Maintenance"
        clock.forward(hours=6)
    smtp_sink.script()

    assert send().counts == {"sent": 1}

    assert (Delivery.objects.get().attempts, relay_state().failures, relay_state().trouble) == (1, 0, "")
    name = f"{smtp_sink.host}:{smtp_sink.port}"
    assert log() == [("ERROR", f"{name} cannot"), ("INFO", f"{name} works")]


def test_during_a_relay_pause_nothing_connects_and_nothing_is_claimed(
    queue: Callable[[], None], send: Callable[[], Deliveries], smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    queue()
    Breaker(clock).note_trouble("No route")

    assert send() == Deliveries(trouble="No route")
    clock.forward(seconds=29)
    assert send() == Deliveries(trouble="No route")

    assert (smtp_sink.received, Delivery.objects.get().lease_epoch) == ([], 0)


def test_when_the_pause_is_over_one_process_tries(clock: MovableClock) -> None:
    Breaker(clock).note_trouble("No route")
    clock.forward(seconds=30)

    assert sorted(run_together(*[lambda: Breaker(clock).lets_through()] * 4)) == [False, False, False, True]


def test_one_of_several_processes_that_fail_at_once_counts(clock: MovableClock, log: Callable[[], list]) -> None:
    breakers = [Breaker(clock) for _process in range(4)]

    run_together(*[lambda one=one: one.note_trouble("No route") for one in breakers])

    assert relay_state().failures == 1
    assert len(log()) == 1


def test_trouble_of_one_relay_does_not_affect_another(clock: MovableClock, settings: Any) -> None:
    Breaker(clock).note_trouble("No route")
    settings.EMAIL_PORT = 2525

    assert Breaker(clock).lets_through()


def test_a_long_answer_of_the_relay_is_cut(clock: MovableClock) -> None:
    Breaker(clock).note_trouble("维护 " * 1000)

    assert len(relay_state().trouble) == 1000


def test_a_rate_holds_for_the_whole_site_and_all_is_sent_in_the_end(
    queue: Callable[[], None],
    send: Callable[[], Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
    settings: Any,
) -> None:
    settings.EMAIL_MAX_PER_MINUTE = 2
    MilestoneFactory.create_batch(4, due_on=milestone.due_on)
    queue()

    sent = []
    for _half_minute in range(6):
        sent.append(send().counts["sent"])
        clock.forward(seconds=30)

    assert sent == [2, 0, 2, 0, 1, 0]


def test_claims_at_the_same_moment_keep_to_the_rate(
    queue: Callable[[], None], milestone: Milestone, clock: MovableClock, settings: Any
) -> None:
    settings.EMAIL_MAX_PER_MINUTE = 2
    MilestoneFactory.create_batch(3, due_on=milestone.due_on)
    queue()

    claims = run_together(*[lambda: claim_next(clock)] * 4)

    assert sum(claim is not None for claim in claims) == 2


def test_without_a_rate_nothing_is_asked(clock: MovableClock, django_assert_num_queries: Callable) -> None:
    with django_assert_num_queries(0):
        assert not is_rate_reached(clock.at)


def test_the_most_pressing_goes_first(
    queue: Callable[[], None],
    send: Callable[[], Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
) -> None:
    near = MilestoneFactory(due_on=milestone.due_on - dt.timedelta(days=1))
    queue()
    far = DeliveryFactory(person=milestone.owner, queued_at=clock.at - dt.timedelta(days=2), due_on=dt.date(2027, 1, 1))

    claims = [claim_next(clock) for _turn in range(3)]

    people = [claim.delivery.person for claim in claims if claim]
    assert people == [near.owner, milestone.owner, milestone.owner]
    assert Delivery.objects.get(pk=far.pk).status == "cancelled"
