"""The month by mail comes once a month to people who want it, through the pipeline of all mails."""

import datetime as dt

import pytest

from partnerships.factories import AgreementFactory, CooperationAreaFactory, MilestoneFactory, UserFactory
from partnerships.mailing.month import queue_months
from partnerships.mailing.resend import send_again
from partnerships.models import Agreement, Delivery, User
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from tests.reminders.conftest import MovableClock
from tests.reminders.test_races import at_once
from tests.services.smtp_sink import Received, SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

FEBRUARY = dt.date(2026, 2, 1)


@pytest.fixture
def leader() -> User:
    return UserFactory(staff=True, gets_month_mail=True, time_zone="Asia/Shanghai", reminder_hour=8)


def queued() -> list[tuple[str, dt.date | None, str]]:
    rows = Delivery.objects.filter(kind="month").order_by("pk")
    return [(row.person.name, row.month_on, row.status) for row in rows if row.person]


def test_only_people_who_want_it_get_it(leader: User, clock: MovableClock) -> None:
    UserFactory(staff=True)
    UserFactory(gets_month_mail=True, unreachable=True)
    UserFactory(gets_month_mail=True, deactivated=True)

    assert queue_months(real_now=clock.at) == 1
    assert queued() == [(leader.name, FEBRUARY, "queued")]


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-02-28T23:59Z", "Asia/Shanghai", []),  # 07:59 on the first
        ("2026-03-01T00:00Z", "Asia/Shanghai", [FEBRUARY]),
        ("2026-03-01T00:00Z", "America/New_York", [dt.date(2026, 1, 1)]),  # it is still February there
        ("2026-03-01T13:00Z", "America/New_York", [FEBRUARY]),
        ("2026-02-28T18:00Z", "Pacific/Kiritimati", [FEBRUARY]),
        ("2026-03-31T12:00Z", "Asia/Shanghai", [FEBRUARY]),
        ("2026-01-01T00:00Z", "Asia/Shanghai", [dt.date(2025, 12, 1)]),
    ],
)
def test_it_is_due_on_the_first_at_ones_own_hour(
    leader: User, clock: MovableClock, at: str, zone: str, expected: list[dt.date]
) -> None:
    User.objects.update(time_zone=zone)

    queue_months(real_now=dt.datetime.fromisoformat(at))

    assert [month for _name, month, _status in queued()] == expected


def test_nobody_gets_a_month_twice(leader: User, clock: MovableClock, smtp_sink: SmtpSink) -> None:
    at_once(4, lambda: queue_months(real_now=clock.at))
    for _run in range(2):
        run_once(clock)
        clock.forward(days=10)

    assert len(smtp_sink.received) == 1
    assert queued() == [(leader.name, FEBRUARY, "sent")]


def test_the_next_month_has_a_mail_of_its_own(leader: User, clock: MovableClock) -> None:
    queue_months(real_now=clock.at)
    queue_months(real_now=clock.forward(days=31))

    assert [month for _name, month, _status in queued()] == [FEBRUARY, dt.date(2026, 3, 1)]


def test_it_is_not_sent_to_somebody_who_stopped_it_meanwhile(
    leader: User, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    queue_months(real_now=clock.at)
    User.objects.update(gets_month_mail=False)

    run_once(clock)

    assert smtp_sink.received == []
    assert queued() == [(leader.name, FEBRUARY, "cancelled")]
    User.objects.update(gets_month_mail=True)
    assert queue_months(real_now=clock.at) == 0


def test_without_readers_a_run_asks_one_question(clock: MovableClock, django_assert_num_queries: object) -> None:
    UserFactory(staff=True)

    with django_assert_num_queries(1):  # type: ignore[operator]
        assert queue_months(real_now=clock.at) == 0


@pytest.fixture
def agreement(leader: User) -> Agreement:
    return AgreementFactory(signed=True, title="Joint laboratory", areas=[CooperationAreaFactory()])


def sent(clock: MovableClock, sink: SmtpSink) -> Received:
    run_once(clock)
    [mail] = sink.received
    return mail


def test_it_says_how_things_stand_with_charts_inside_it(
    leader: User, agreement: Agreement, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    mail = sent(clock, smtp_sink)

    assert mail.subject == "How cooperation goes: February 2026"
    for text in (mail.text(), mail.text("html")):
        assert "agreement" in text
        assert "http://testserver/agreements/?" in text
    images = [part for part in mail.message.walk() if part.get_content_type() == "image/png"]
    shown = [part["Content-ID"].strip("<>") for part in images]
    assert shown == ["months", "contact", "coming"]
    html = mail.text("html")
    assert [f'src="cid:{name}"' in html for name in shown] == [True] * 3
    assert 'alt=""' not in html
    assert all(part.get_payload(decode=True).startswith(b"\x89PNG") for part in images)
    assert not [word for word in ("http://", "https://") if f'src="{word}' in html]


def test_the_figures_are_those_of_the_readers_units(clock: MovableClock, smtp_sink: SmtpSink) -> None:
    ours, theirs = AgreementFactory(signed=True, title="Ours"), AgreementFactory(signed=True, title="Theirs")
    lead = UserFactory(lead_in=ours.unit, gets_month_mail=True)
    for one in (ours, theirs):
        MilestoneFactory(agreement=one, title=f"Report of {one.title}", owner=lead, due_on=dt.date(2026, 3, 4))

    text = sent(clock, smtp_sink).text()

    assert "1 agreement is in force" in text
    assert ("Report of Ours" in text, "Theirs" in text) == (True, False)


def test_an_empty_office_has_a_mail_too(leader: User, clock: MovableClock, smtp_sink: SmtpSink) -> None:
    assert "No agreement is in force yet." in sent(clock, smtp_sink).text()


def test_it_is_in_the_readers_language(
    leader: User, agreement: Agreement, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    User.objects.update(language="zh-hans")

    mail = sent(clock, smtp_sink)

    assert mail.subject == "合作情况月报：2026年2月"
    assert "生效" in mail.text()


def test_one_that_failed_can_be_sent_again(leader: User, clock: MovableClock, smtp_sink: SmtpSink) -> None:
    smtp_sink.script({"at": "RCPT", "reply": "550 No such user"})
    run_once(clock)
    failed = Delivery.objects.get()
    smtp_sink.clear()

    again = send_again(failed, actor=UserFactory(system_admin=True), now=clock.at)
    run_once(clock)

    assert [again.month_on, len(smtp_sink.received)] == [FEBRUARY, 1]
    assert again.message_id != failed.message_id
    assert [breach for breach in audit(real_now=clock.at) if "Delivery" in breach] == []
