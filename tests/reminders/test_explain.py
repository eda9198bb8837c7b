import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import NOON, MilestoneFactory, ReminderRuleFactory
from partnerships.mailing.deliver import deliver_due
from partnerships.models import Delivery, Milestone, ReminderRule, User
from partnerships.models.reasons import Reason
from partnerships.reminders.explain import explain
from partnerships.reminders.reconcile import reconcile_marked
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


def story(milestone: Milestone, clock: MovableClock) -> list[str]:
    return explain(Milestone.objects.get(pk=milestone.pk), now=clock.at)


def deliver(clock: MovableClock) -> None:
    deliver_due(clock, limit=10, is_stopping=lambda: False)


HEAD = "Open the joint laboratory, due on 2026-03-12, Open"


def test_it_says_what_will_come(milestone: Milestone, clock: MovableClock) -> None:
    ReminderRuleFactory(offset=30)
    assert story(milestone, clock) == [
        HEAD,
        "It was changed a moment ago; its reminders are updated within a minute.",
    ]

    reconcile_marked(real_now=clock.at)

    assert story(milestone, clock) == [
        HEAD,
        f"- Agreement milestone: 30 days before the due date, 2026-03-12: Not needed. {Reason.NOT_NEEDED.label}",
        "- Agreement milestone: 7 days before the due date, 2026-03-12: will be sent on 2026-03-05 08:00 CST.",
        f"  - To {milestone.owner}, owner of the milestone",
    ]


def test_it_says_that_no_rule_applies(rule: ReminderRule, clock: MovableClock) -> None:
    milestone = MilestoneFactory(kind="review", due_on=dt.date(2026, 3, 12), title="Open the joint laboratory")
    reconcile_marked(real_now=clock.at)

    assert story(milestone, clock) == [HEAD, "No reminder rule applies to it."]


def test_it_shows_each_step_of_a_sent_mail(
    queue: Callable[[], None], milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    queue()
    deliver(clock)

    assert story(milestone, clock)[2:] == [
        f"  - To {milestone.owner}, owner of the milestone: Sent.",
        "    2026-03-05 08:01 CST Queued",
        "    2026-03-05 08:01 CST Claimed",
        "    2026-03-05 08:01 CST Being handed over",
        "    2026-03-05 08:01 CST Sent",
    ]


def test_it_shows_the_answer_of_the_mail_server(
    queue: Callable[[], None], milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    smtp_sink.script({"at": "RCPT", "reply": "450 Mailbox busy"})
    queue()
    deliver(clock)

    assert story(milestone, clock)[2] == (
        f"  - To {milestone.owner}, owner of the milestone: To be tried again. "
        "The mail server asked to try again later. The mail server said: 450 Mailbox busy "
        "Next try: 2026-03-05 08:02 CST."
    )


def test_it_shows_what_was_cancelled_and_why(
    queue: Callable[[], None], milestone: Milestone, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    queue()
    milestone.due_on = dt.date(2026, 6, 1)
    milestone.save()
    deliver(clock)
    reconcile_marked(real_now=clock.at)

    lines = story(milestone, clock)

    assert lines[1:3] == [
        "- Agreement milestone: 7 days before the due date, 2026-03-12: Superseded. The due date was moved.",
        f"  - To {milestone.owner}, owner of the milestone: not sent. The due date was moved.",
    ]
    assert lines[-2:] == [
        "- Agreement milestone: 7 days before the due date, 2026-06-01: will be sent on 2026-05-25 08:00 CST.",
        f"  - To {milestone.owner}, owner of the milestone",
    ]


def test_it_says_that_nobody_can_be_notified(
    queue: Callable[[], None], milestone: Milestone, clock: MovableClock
) -> None:
    Milestone.objects.update(owner=None)
    queue()

    assert story(milestone, clock)[1].endswith("It is tried again every hour. Next try: 2026-03-05 09:01 CST.")


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("failed", "What to do: put right what the reason names, such as the address, then send it again."),
        ("uncertain", "What to do: ask whether it arrived, and send it again only if it did not."),
        ("unconfirmed", "What to do: ask whether it arrived, and send it again only if it did not."),
        ("held", "What to do: release it, or leave it; it does not go out by itself."),
    ],
)
def test_it_says_what_a_person_can_do(
    queue: Callable[[], None], milestone: Milestone, clock: MovableClock, status: str, advice: str
) -> None:
    queue()
    Delivery.objects.update(status=status)

    assert story(milestone, clock)[-1] == f"    {advice}"


@pytest.mark.parametrize("count", [1, 5])
def test_coming_reminders_take_the_same_queries_for_many_rules(
    milestone: Milestone, clock: MovableClock, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    ReminderRuleFactory.create_batch(count - 1)
    reconcile_marked(real_now=clock.at)
    loaded = Milestone.objects.select_related("unit").get(pk=milestone.pk)

    with django_assert_num_queries(6):
        explain(loaded, now=clock.at)


@pytest.mark.parametrize("count", [1, 5])
def test_a_long_explanation_takes_as_many_queries_as_a_short_one(
    queue: Callable[[], None],
    milestone: Milestone,
    clock: MovableClock,
    count: int,
    smtp_sink: SmtpSink,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    for number in range(1, count):
        ReminderRuleFactory(offset=7 + number)
    clock.at -= dt.timedelta(days=30)
    queue()
    deliver(clock)
    loaded = Milestone.objects.select_related("unit").get(pk=milestone.pk)

    with django_assert_num_queries(4):
        explain(loaded, now=clock.at)


def test_it_says_when_a_digest_leaves_and_why_none_does(
    queue: Callable[[], None], milestone: Milestone, clock: MovableClock
) -> None:
    User.objects.update(reminder_mode="digest", reminder_hour=9)
    queue()
    expected = "Queued. In the digest of 2026-03-05. It leaves at 2026-03-05 09:00 CST."
    assert story(milestone, clock)[2] == f"  - To {milestone.owner}, owner of the milestone: {expected}"

    other = MilestoneFactory(due_on=milestone.due_on)
    User.objects.update(reminder_mode="feed")
    clock.at = NOON
    queue()
    assert story(other, clock)[2] == f"  - To {other.owner}, owner of the milestone: Skipped. {Reason.FEED_ONLY.label}"
