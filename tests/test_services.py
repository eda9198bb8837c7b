"""The test services themselves: what they promise the other tests."""

import smtplib

import pytest
from django.db import connection
from playwright.sync_api import BrowserContext, Page

from tests import settings as test_settings
from tests.services.browser import watch
from tests.services.processes import PATIENCE
from tests.services.redis import RedisServer
from tests.services.smtp_sink import SmtpSink


@pytest.mark.both_databases
@pytest.mark.django_db
def test_the_database_is_the_one_asked_for() -> None:
    expected = "sqlite" if test_settings.ON_SQLITE else "postgresql"

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert connection.vendor == expected


def test_the_browser_runs(page: Page) -> None:
    page.set_content("<h1>Agreement · 协议</h1>")

    assert page.inner_text("h1") == "Agreement · 协议"


COMPLAINTS = """async () => {
    for (const said of ["htmx:afterRequest, main", "htmx:sendAbort, main"]) console.error(said);
    for (const said of ["htmx:afterRequest, main", "htmx:sendError, main"]) console.error(said);
    console.error("Response Status Error Code 500 from /");
    console.warn("Slow");
    await fetch("http://elsewhere.example/", {mode: "no-cors"});
    setTimeout(() => { throw new Error("Nobody catches this"); });
    await new Promise((done) => setTimeout(done));
}"""


def test_whatever_a_page_complains_of_is_noted_but_for_a_request_it_ended_itself(context: BrowserContext) -> None:
    problems: list[str] = []
    watch(context, "http://127.0.0.1:1", problems)
    context.route("http://elsewhere.example/", lambda route: route.fulfill(body=""))

    context.new_page().evaluate(COMPLAINTS)

    assert problems == [
        "about:blank: htmx:sendError, main",
        "about:blank: Response Status Error Code 500 from /",
        "asked for http://elsewhere.example/",
        "about:blank: Nobody catches this",
    ]


def test_what_redis_accepted_survives_a_kill_unless_told_otherwise(redis_server: RedisServer) -> None:
    redis_server.client.set("kept", "yes")
    redis_server.kill()
    redis_server.start()

    assert redis_server.client.get("kept") == b"yes"

    redis_server.kill(lose_data=True)
    redis_server.start()

    assert redis_server.client.get("kept") is None


def send(sink: SmtpSink, *, to: str) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=PATIENCE) as client:
        client.sendmail("office@example.org", [to], b"Subject: Due\r\n\r\nSoon")


def test_the_sink_records_what_it_accepts(smtp_sink: SmtpSink) -> None:
    send(smtp_sink, to="lin@example.org")

    assert [(mail.recipients, mail.subject) for mail in smtp_sink.received] == [(["lin@example.org"], "Due")]


def test_the_sink_refuses_as_told_and_only_as_often(smtp_sink: SmtpSink) -> None:
    smtp_sink.script({"at": "RCPT", "to": "gone@example.org", "reply": "550 No such user", "times": 1})

    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(smtp_sink, to="gone@example.org")
    send(smtp_sink, to="gone@example.org")

    assert len(smtp_sink.received) == 1


def test_the_sink_can_take_a_message_and_lose_the_reply(smtp_sink: SmtpSink) -> None:
    smtp_sink.script({"at": "DATA", "reply": "disconnect", "stored": True})

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(smtp_sink, to="lin@example.org")

    assert [mail.recipients for mail in smtp_sink.received] == [["lin@example.org"]]


def test_the_sink_comes_back_on_its_port_after_an_outage(smtp_sink: SmtpSink) -> None:
    port = smtp_sink.port
    smtp_sink.stop()
    smtp_sink.start()

    send(smtp_sink, to="lin@example.org")

    assert (smtp_sink.port, len(smtp_sink.received)) == (port, 1)
