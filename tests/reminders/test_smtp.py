"""The SMTP client against a real server process: encryption, log-in, dot stuffing, slow and failing servers."""

import email
import email.policy
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings

from partnerships.factories import MilestoneFactory, UserFactory
from partnerships.mailing import smtp
from partnerships.mailing.deliver import COMMIT_AGAIN, Deliveries, deliver_due
from partnerships.mailing.lease import LEASE
from partnerships.mailing.smtp import HandOverOutcome, Relay, RelayTroubleError, Result
from partnerships.models import Delivery, Milestone
from partnerships.operations.run import STOP_AFTER
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import DISCONNECT, SmtpSink, running_sink

MESSAGE = b"From: a@example.org\r\nSubject: One\r\n\r\nFirst\r\n"


class Steps:
    """Marks that record their calls and return what the test sets."""

    def __init__(self, *, begins: bool = True, dot: bool = True) -> None:
        self.asked: list[str] = []
        self._begins, self._dot = begins, dot

    def begin(self) -> bool:
        self.asked.append("begin")
        return self._begins

    def before_dot(self) -> bool:
        self.asked.append("before")
        return self._dot

    def after_dot(self) -> None:
        self.asked.append("after")


def hand_over(
    relay: Relay, message: bytes = MESSAGE, to: str = "b@example.org", marks: Steps | None = None
) -> HandOverOutcome:
    return relay.hand_over("a@example.org", to, message, marks=marks or Steps())


def point_at(sink: SmtpSink, settings: Any, *, tls: str, trusted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = tls == "starttls", tls == "implicit"
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(sink.authority))


@pytest.fixture(params=["starttls", "implicit"])
def tls(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def tls_sink(tls: str) -> Iterator[SmtpSink]:
    with running_sink(tls=tls, login=("office", "secret")) as sink:
        yield sink


def test_encrypted_and_logged_in(tls: str, tls_sink: SmtpSink, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(tls_sink, settings, tls=tls, trusted=True, monkeypatch=monkeypatch)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "office", "secret"

    with Relay() as relay:
        assert [hand_over(relay).result for _mail in range(3)] == [Result.ACCEPTED] * 3

    assert (len(tls_sink.received), tls_sink.connections) == (3, 1)


def test_an_untrusted_server_gets_neither_mail_nor_password(
    tls: str, tls_sink: SmtpSink, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(tls_sink, settings, tls=tls, trusted=False, monkeypatch=monkeypatch)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "office", "secret"

    with pytest.raises(RelayTroubleError, match="SSLCertVerificationError"), Relay():
        pass


def test_a_certificate_for_another_name_is_not_enough(
    tls: str, tls_sink: SmtpSink, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(tls_sink, settings, tls=tls, trusted=True, monkeypatch=monkeypatch)
    settings.EMAIL_HOST = "localhost"

    with pytest.raises(RelayTroubleError, match="SSLCertVerificationError"), Relay():
        pass


@pytest.mark.parametrize(("password", "said"), [("wrong", "535"), ("密码", "UnicodeEncodeError"), ("a\r\nb", "535")])
def test_a_refused_log_in_counts_as_relay_trouble(
    tls: str, tls_sink: SmtpSink, settings: Any, monkeypatch: pytest.MonkeyPatch, password: str, said: str
) -> None:
    point_at(tls_sink, settings, tls=tls, trusted=True, monkeypatch=monkeypatch)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "office", password

    with pytest.raises(RelayTroubleError, match=said), Relay():
        pass


def test_a_server_that_demands_a_log_in_we_do_not_have_is_in_trouble(
    tls: str, tls_sink: SmtpSink, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(tls_sink, settings, tls=tls, trusted=True, monkeypatch=monkeypatch)

    with Relay() as relay:
        assert hand_over(relay).result is Result.TROUBLE


def test_a_server_that_offers_no_encryption_gets_nothing_where_it_is_demanded(
    smtp_sink: SmtpSink, settings: Any
) -> None:
    settings.EMAIL_USE_TLS = True

    with pytest.raises(RelayTroubleError, match="STARTTLS"), Relay():
        pass

    assert smtp_sink.received == []


@pytest.mark.parametrize(
    "body",
    [b".\r\n", b"..\r\n.x\r\n", b"a\r\n.\r\nb\r\n", b"a\r\n.", b"no end", b"\r\n\r\n", b"." * 998 + b"\r\n"],
)
def test_dots_and_ends_of_lines_arrive_as_they_were(smtp_sink: SmtpSink, body: bytes) -> None:
    with Relay() as relay:
        assert [hand_over(relay, MESSAGE + body).result, hand_over(relay).result] == [Result.ACCEPTED] * 2

    first, second = (mail.content.encode() for mail in smtp_sink.received)
    assert first == (MESSAGE + body).removesuffix(b"\r\n") + b"\r\n"
    assert second == MESSAGE


def test_the_marks_stand_around_the_dot(smtp_sink: SmtpSink) -> None:
    marks = Steps()
    with Relay() as relay:
        hand_over(relay, marks=marks)

    assert marks.asked[:3] == ["begin", "before", "after"]


@pytest.mark.parametrize(
    ("marks", "asked"), [(Steps(begins=False), ["begin"]), (Steps(dot=False), ["begin", "before"])]
)
def test_a_refusal_before_the_dot_leaves_nothing_at_the_server(
    smtp_sink: SmtpSink, marks: Steps, asked: list[str]
) -> None:
    with Relay() as relay:
        outcome = hand_over(relay, marks=marks)
        assert (outcome.result, relay.is_open) == (Result.WITHDRAWN, False)
        assert hand_over(relay, to="c@example.org").result is Result.ACCEPTED

    assert marks.asked == asked
    assert [mail.recipients for mail in smtp_sink.received] == [["c@example.org"]]


@pytest.mark.parametrize("reply", ["999 Whatever", "5", DISCONNECT])
def test_a_failing_quit_changes_nothing(smtp_sink: SmtpSink, reply: str) -> None:
    smtp_sink.script({"at": "QUIT", "reply": reply})

    with Relay() as relay:
        assert hand_over(relay).result is Result.ACCEPTED

    assert len(smtp_sink.received) == 1


def test_the_answer_to_the_dot_may_take_longer_than_others(smtp_sink: SmtpSink, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 2
    smtp_sink.script({"at": "DATA", "reply": "250 OK", "stored": True, "delay": 2.5})

    with Relay() as relay:
        assert hand_over(relay).result is Result.ACCEPTED


def test_an_answer_to_the_dot_that_never_comes_is_given_up(
    smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp_sink.script({"at": "DATA", "to": "b@example.org", "reply": "250 OK", "stored": True, "held": True})

    with Relay() as relay, monkeypatch.context() as patches:
        patches.setattr(smtp, "ANSWER_TIMEOUT", 0.1)
        assert hand_over(relay).result is Result.UNKNOWN
        patches.undo()
        assert hand_over(relay, to="c@example.org").result is Result.ACCEPTED


def test_the_lease_is_longer_than_the_slowest_hand_over_and_the_limit_than_the_longest_run() -> None:
    step, answer = django_settings.EMAIL_TIMEOUT, smtp.ANSWER_TIMEOUT
    to_handing = 3 * step  # MAIL, RCPT, DATA
    to_outcome = 2 * step + answer + sum(COMMIT_AGAIN)  # body, dot, its answer
    assert max(to_handing, to_outcome) < LEASE.total_seconds() - 60
    assert STOP_AFTER.total_seconds() + to_handing + to_outcome < django_settings.CELERY_TASK_TIME_LIMIT


@pytest.fixture
def send(clock: MovableClock) -> Callable[[], Deliveries]:
    return lambda: deliver_due(clock, limit=100, is_stopping=lambda: False)


@pytest.mark.django_db(transaction=True)
def test_a_slow_batch_uses_one_connection(
    queue: Callable[[], None], send: Callable[[], Deliveries], smtp_sink: SmtpSink, milestone: Milestone
) -> None:
    MilestoneFactory.create_batch(4, due_on=milestone.due_on)
    queue()
    smtp_sink.script({"at": "DATA", "reply": "250 OK", "stored": True, "delay": 0.2})
    began = time.monotonic()

    assert send().counts == {"sent": 5}

    assert time.monotonic() - began >= 1
    assert (len(smtp_sink.received), smtp_sink.connections) == (5, 1)


@pytest.mark.django_db(transaction=True)
def test_names_and_titles_of_any_script_and_length_keep_to_the_line_length(
    queue: Callable[[], None], send: Callable[[], Deliveries], smtp_sink: SmtpSink, milestone: Milestone
) -> None:
    name = "王秀英\u202e 🎓 " * 9
    milestone.owner = UserFactory(coordinator_in=milestone.unit, name=name, language="zh-hans")
    milestone.title, milestone.description = "合作协议·" * 30, "很长的说明" * 2000
    milestone.save()
    queue()

    assert send().counts == {"sent": 1}

    data = bytes(Delivery.objects.get().message)
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    [mailbox] = email.message_from_bytes(data, policy=email.policy.default)["To"].addresses
    assert mailbox.display_name.startswith("王秀英 🎓")
    assert smtp_sink.received[0].text().count("很长的说明") == 2000
