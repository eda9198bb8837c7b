import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from partnerships.factories import MilestoneFactory, UserFactory
from partnerships.mailing import message
from partnerships.mailing.claim import claim_next, rescue
from partnerships.mailing.deliver import Deliveries, Handing, deliver_due, retry_after
from partnerships.mailing.expand import expand_due
from partnerships.mailing.message import write
from partnerships.mailing.smtp import Relay, Result
from partnerships.models import Delivery, DeliveryEvent, Milestone, ReminderItem, ReminderPlan, User
from partnerships.models.reasons import Reason
from partnerships.reminders.reconcile import reconcile_marked
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import DISCONNECT, SmtpSink

# Claims and marks commit for good, so these tests must not run inside a transaction of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def send(clock: MovableClock) -> Callable[..., Deliveries]:
    def run(limit: int = 100) -> Deliveries:
        return deliver_due(clock, limit=limit, is_stopping=lambda: False)

    return run


def path_of(delivery: Delivery) -> list[str]:
    return list(DeliveryEvent.objects.filter(delivery=delivery).values_list("to_status", flat=True))


def test_a_queued_mail_reaches_its_reader_and_is_recorded(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
    settings: Any,
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Office <office@example.org>"
    queue()

    assert send().counts == {"sent": 1}

    [received] = smtp_sink.received
    assert (received.sender, received.recipients) == ("office@example.org", [milestone.owner.email])
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.sent_at, delivery.attempts, delivery.smtp_code) == ("sent", clock.at, 1, 250)
    assert received.content.encode() == bytes(delivery.message)
    assert received.subject == delivery.subject
    assert path_of(delivery) == ["queued", "claimed", "handing", "sent"]


def test_a_sent_mail_is_not_sent_again(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    queue()
    send()
    clock.forward(days=2)

    assert send().counts == {}
    assert len(smtp_sink.received) == 1


def test_while_the_mail_server_is_down_nothing_is_lost_claimed_or_counted(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    settings: Any,
    smtp_server: SmtpSink,
    clock: MovableClock,
) -> None:
    queue()
    before = Delivery.objects.values().get()
    for _tick in range(3):
        assert "ConnectionRefusedError" in send().trouble
        clock.forward(days=1)
    assert Delivery.objects.values().get() == before

    smtp_server.clear()
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_server.host, smtp_server.port
    assert send().counts == {"sent": 1}
    assert len(smtp_server.received) == 1


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ({"at": "MAIL", "reply": "451 Busy"}, "Busy"),
        ({"at": "MAIL", "reply": "550 Who are you"}, "Who are you"),
        ({"at": "MAIL", "reply": DISCONNECT}, "SMTPServerDisconnected: Connection unexpectedly closed"),
    ],
)
def test_trouble_before_a_reader_is_named_counts_no_attempt_and_ends_the_run(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
    answer: dict,
    trouble: str,
) -> None:
    MilestoneFactory(due_on=milestone.due_on)
    queue()
    smtp_sink.script(answer)

    done = send()

    assert done.trouble.startswith(trouble)
    first, second = Delivery.objects.order_by("pk")
    assert (first.status, first.attempts, first.reason) == ("queued", 0, Reason.RELAY_TROUBLE)
    assert path_of(second) == ["queued"]
    smtp_sink.script()
    clock.forward(seconds=30)
    assert send().counts == {"sent": 2}


BREAKS = [
    ({"at": "RCPT", "reply": "421 Shutting down"}, "Shutting down"),
    ({"at": "DATA", "reply": "421 Shutting down"}, "Shutting down"),
    ({"at": "RCPT", "reply": DISCONNECT}, "SMTPServerDisconnected: Connection unexpectedly closed"),
]


@pytest.mark.parametrize(("answer", "trouble"), BREAKS)
def test_two_broken_sessions_in_a_row_end_the_run_and_count_no_attempt(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
    answer: dict,
    trouble: str,
) -> None:
    MilestoneFactory.create_batch(2, due_on=milestone.due_on)
    queue()
    smtp_sink.script(answer)

    assert send().trouble.startswith(trouble)

    *tried, third = Delivery.objects.order_by("pk")
    assert {(one.status, one.attempts, one.reason) for one in tried} == {("queued", 0, Reason.INTERRUPTED)}
    assert path_of(third) == ["queued"]
    smtp_sink.script()
    clock.forward(minutes=1)
    assert send().counts == {"sent": 3}


@pytest.mark.parametrize(("answer", "trouble"), BREAKS)
def test_a_mail_that_breaks_every_session_delays_no_other(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
    answer: dict,
    trouble: str,
) -> None:
    other = MilestoneFactory(due_on=milestone.due_on)
    queue()
    smtp_sink.script({**answer, "to": milestone.owner.email})

    assert send() == Deliveries(Counter(queued=1, sent=1))

    assert [received.recipients for received in smtp_sink.received] == [[other.owner.email]]
    bad = Delivery.objects.get(person=milestone.owner)
    assert (bad.attempts, bad.next_attempt_at - clock.at) == (0, dt.timedelta(minutes=1))
    assert path_of(bad)[-1] == "queued"
    assert trouble in DeliveryEvent.objects.filter(delivery=bad).latest("pk").note
    clock.forward(minutes=1)
    assert send().trouble.startswith(trouble)
    assert Delivery.objects.get(pk=bad.pk).next_attempt_at - clock.at == dt.timedelta(minutes=5)


def test_a_mail_that_breaks_every_session_while_others_get_through_fails(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
) -> None:
    MilestoneFactory.create_batch(8, due_on=milestone.due_on)
    queue()
    Delivery.objects.filter(person=milestone.owner).update(due_on=clock.at.date())  # always the first
    smtp_sink.script({"at": "RCPT", "reply": DISCONNECT, "to": milestone.owner.email})
    for _other in range(8):
        assert send(limit=2).counts["sent"] == 1
        clock.forward(hours=4)

    bad = Delivery.objects.get(person=milestone.owner)
    assert (bad.status, bad.reason, bad.attempts) == ("failed", Reason.BROKE_OFF_OFTEN, 0)


def test_a_single_mail_that_breaks_every_session_fails_after_five_days(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    queue()
    smtp_sink.script({"at": "DATA", "reply": "421 Shutting down"})
    statuses = []
    for _day in range(6):
        send()
        statuses.append(Delivery.objects.get().status)
        clock.forward(days=1)

    assert statuses == ["queued"] * 5 + ["failed"]


def test_three_days_of_broken_sessions_count_against_no_mail(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
) -> None:
    MilestoneFactory(due_on=milestone.due_on)
    queue()
    smtp_sink.script({"at": "RCPT", "reply": "421 Come back on Monday"})
    for _quarter in range(12):
        send()
        clock.forward(hours=6)
    smtp_sink.script()
    clock.forward(hours=4)

    assert send().counts == {"sent": 2}
    assert set(Delivery.objects.values_list("attempts", "breaks")) == {(1, 0)}


def test_a_relay_that_is_silent_after_the_dot_leaves_two_mails_uncertain_and_no_more(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, milestone: Milestone
) -> None:
    MilestoneFactory.create_batch(3, due_on=milestone.due_on)
    queue()
    smtp_sink.script({"at": "DATA", "reply": DISCONNECT})

    assert send().counts == {"uncertain": 2}
    assert send().counts == {}
    assert Delivery.objects.filter(status="queued").count() == 2


def test_two_mails_in_a_row_that_break_sessions_do_not_stop_the_next_run(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
) -> None:
    others = [milestone, *MilestoneFactory.create_batch(2, due_on=milestone.due_on)]
    queue()
    smtp_sink.script(*({"at": "RCPT", "reply": DISCONNECT, "to": one.owner.email} for one in others[:2]))
    send()
    clock.forward(minutes=1)

    send()

    assert [received.recipients for received in smtp_sink.received] == [[others[2].owner.email]]


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_refused_recipient_fails_with_the_answer_and_stops_no_other(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, milestone: Milestone, at: str
) -> None:
    other = MilestoneFactory(due_on=milestone.due_on)
    queue()
    smtp_sink.script({"at": at, "reply": "550 No such user", "to": milestone.owner.email})

    assert send().counts == {"failed": 1, "sent": 1}

    failed = Delivery.objects.get(status="failed")
    assert (failed.person, failed.smtp_code, failed.smtp_reply) == (milestone.owner, 550, "No such user")
    assert failed.reason == Reason.REFUSED
    assert [received.recipients for received in smtp_sink.received] == [[other.owner.email]]


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_mail_that_was_put_off_is_retried_with_the_same_bytes(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, clock: MovableClock, at: str
) -> None:
    queue()
    smtp_sink.script({"at": at, "reply": "450 Mailbox busy", "times": 1})

    assert send().counts == {"retry": 1}
    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.next_attempt_at - clock.at) == (1, dt.timedelta(minutes=1))
    assert send().counts == {}

    clock.forward(minutes=1)
    assert send().counts == {"sent": 1}
    again = Delivery.objects.get()
    assert again.attempts == 2
    if at == "DATA":
        assert bytes(again.message) == bytes(delivery.message)


def test_tries_end_after_five_days(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    queue()
    smtp_sink.script({"at": "RCPT", "reply": "450 Full"})
    tries = 0
    while Delivery.objects.get().status != "failed":
        clock.at = max(clock.at, Delivery.objects.get().next_attempt_at)
        send()
        tries += 1

    # Eight within the first 7 h 51 min, then one every four hours until five days have passed.
    assert tries == 37
    assert Delivery.objects.get().reason == Reason.GAVE_UP


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 30), (5, 60), (6, 120), (7, 240), (8, 240), (30, 240)]
)
def test_the_waits_grow_to_four_hours(attempts: int, minutes: int) -> None:
    assert retry_after(attempts) == dt.timedelta(minutes=minutes)


@pytest.mark.parametrize("is_stored", [True, False])
def test_no_answer_after_the_dot_is_listed_and_not_sent_again(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    clock: MovableClock,
    is_stored: bool,
) -> None:
    queue()
    smtp_sink.script({"at": "DATA", "reply": DISCONNECT, "stored": is_stored, "times": 1})

    assert send().counts == {"uncertain": 1}
    clock.forward(days=1)

    assert send().counts == {}
    assert len(smtp_sink.received) == is_stored
    delivery = Delivery.objects.get()
    assert (delivery.reason, delivery in Delivery.objects.needing_attention()) == (Reason.OUTCOME_UNKNOWN, True)


def test_a_site_set_to_resend_sends_the_same_bytes_once_more(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, clock: MovableClock, settings: Any
) -> None:
    settings.REMINDERS_UNCERTAIN = "resend"
    queue()
    smtp_sink.script({"at": "DATA", "reply": DISCONNECT, "stored": True, "times": 2})

    assert send().counts == {"retry": 1}
    assert (Delivery.objects.get().reason, send().counts) == (Reason.SENT_ONCE_MORE, {})
    clock.forward(minutes=1)
    assert send().counts == {"uncertain": 1}

    first, second = smtp_sink.received
    assert first.content == second.content


def test_a_mail_that_cannot_be_repeated_as_it_was_stays_uncertain(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
    settings: Any,
) -> None:
    settings.REMINDERS_UNCERTAIN = "resend"
    queue()
    smtp_sink.script({"at": "DATA", "reply": DISCONNECT, "stored": True, "times": 1})
    send()
    User.objects.filter(pk=milestone.owner_id).update(email="new@example.org")
    clock.forward(minutes=1)

    assert send().counts == {"uncertain": 1}

    assert len(smtp_sink.received) == 1
    assert Delivery.objects.needing_attention().count() == 1


def test_a_mail_that_cannot_be_written_fails_alone(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, milestone: Milestone
) -> None:
    other = MilestoneFactory(due_on=milestone.due_on)
    User.objects.filter(pk=milestone.owner_id).update(email="no address\n@c")
    queue()

    assert send().counts == {"failed": 1, "sent": 1}

    failed = Delivery.objects.get(status="failed")
    assert (failed.person, failed.reason) == (milestone.owner, Reason.CANNOT_BE_WRITTEN)
    assert "is not an address" in failed.smtp_reply
    assert [received.recipients for received in smtp_sink.received] == [[other.owner.email]]


def test_a_new_address_gets_the_mail_that_was_put_off_at_the_old_one(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
) -> None:
    queue()
    smtp_sink.script({"at": "DATA", "reply": "450 Full", "to": milestone.owner.email})
    send()
    User.objects.filter(pk=milestone.owner_id).update(email="new@example.org")
    clock.forward(minutes=1)

    assert send().counts == {"sent": 1}

    assert [received.recipients for received in smtp_sink.received] == [["new@example.org"]]
    assert smtp_sink.received[0].message["To"].addresses[0].addr_spec == "new@example.org"
    assert Delivery.objects.get().address == "new@example.org"


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"status": "met", "met_on": dt.date(2026, 3, 5)}, "cancelled", Reason.NOT_PENDING),
        ({"due_on": dt.date(2026, 5, 1)}, "superseded", Reason.DUE_DATE_MOVED),
    ],
)
def test_a_reminder_that_changed_after_it_was_queued_is_not_sent(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    change: dict,
    status: str,
    reason: str,
) -> None:
    queue()
    Milestone.objects.update(**change)

    assert send().counts == {"cancelled": 1}

    assert smtp_sink.received == []
    assert Delivery.objects.get().status == "cancelled"
    assert ReminderItem.objects.get().cancel_reason == reason
    plan = ReminderPlan.objects.get()
    assert (plan.status, plan.reason) == (status, reason)


def test_a_date_moved_and_moved_back_before_the_mail_left_does_not_lose_it(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
) -> None:
    queue()
    for due_on in (dt.date(2026, 5, 1), milestone.due_on):
        milestone.due_on = due_on
        milestone.save()
        send()
        reconcile_marked(real_now=clock.at)
    expand_due(clock)

    assert send().counts == {"sent": 1}
    assert len(smtp_sink.received) == 1


def test_a_new_owner_gets_the_mail_in_place_of_the_old_one(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
) -> None:
    queue()
    old, milestone.owner = milestone.owner, UserFactory(coordinator_in=milestone.unit)
    milestone.save()

    assert send().counts == {"cancelled": 1}
    expand_due(clock)
    assert send().counts == {"sent": 1}

    assert [received.recipients for received in smtp_sink.received] == [[milestone.owner.email]]
    assert ReminderItem.objects.get(person=old).cancel_reason == Reason.WRONG_PERSON


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email": ""}])
def test_nobody_deactivated_since_gets_the_mail(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    milestone: Milestone,
    clock: MovableClock,
    fields: dict,
) -> None:
    queue()
    User.objects.filter(pk=milestone.owner_id).update(**fields)

    assert send().counts == {"cancelled": 1}
    expand_due(clock)

    assert smtp_sink.received == []
    assert ReminderPlan.objects.get().reason == Reason.NOBODY_TO_TELL


def test_the_limit_leaves_the_rest_for_the_next_run(
    queue: Callable[[], None], send: Callable[..., Deliveries], smtp_sink: SmtpSink, milestone: Milestone
) -> None:
    MilestoneFactory.create_batch(2, due_on=milestone.due_on)
    queue()

    assert [send(limit=2).counts, send(limit=2).counts] == [{"sent": 2}, {"sent": 1}]


def test_a_process_that_slept_through_its_lease_hands_nothing_over(
    queue: Callable[[], None], smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    queue()
    slow = claim_next(clock)
    assert slow is not None
    written = write(slow.delivery, slow.items, clock)
    clock.forward(minutes=6)
    rescue(real_now=clock.at)
    quick = claim_next(clock)

    marks = Handing(slow.delivery, written, clock)
    with Relay() as relay:
        outcome = relay.hand_over("office@example.org", written.address, written.data, marks=marks)

    assert quick is not None
    assert (outcome.result, quick.delivery.lease_epoch) == (Result.WITHDRAWN, 2)
    assert smtp_sink.received == []


def test_a_mail_that_cannot_be_written_fails_and_the_others_are_sent(
    queue: Callable[[], None], milestone: Milestone, send: Callable[..., Deliveries], smtp_sink: SmtpSink
) -> None:
    second = MilestoneFactory(due_on=milestone.due_on)
    queue()
    User.objects.filter(pk=second.owner_id).update(email="\u5f20@example.org")

    assert send().counts == {"sent": 1, "failed": 1}

    assert Delivery.objects.get(person=second.owner).reason == Reason.CANNOT_BE_WRITTEN
    assert len(smtp_sink.received) == 1


def test_a_database_that_goes_away_while_a_mail_is_written_fails_no_mail(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*_arguments: Any, **_more: Any) -> message.Written:
        raise OperationalError("the connection was closed")

    queue()
    with monkeypatch.context() as away:
        away.setattr(message, "write", gone)
        with pytest.raises(OperationalError):
            send()
    clock.forward(minutes=6)
    rescue(real_now=clock.at)

    assert send().counts == {"sent": 1}
    assert len(smtp_sink.received) == 1


def test_a_mail_takes_twenty_four_statements(
    queue: Callable[[], None],
    send: Callable[..., Deliveries],
    smtp_sink: SmtpSink,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    queue()

    with django_assert_num_queries(24):
        send(limit=1)
    assert len(smtp_sink.received) == 1
