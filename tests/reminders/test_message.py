import datetime as dt
import email
import email.policy
import re
from collections.abc import Callable
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import parseaddr
from typing import Any

import pytest
from django.utils import translation
from icalendar import Calendar

from partnerships.factories import (
    AgreementPartyFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.calendar_events import single_event
from partnerships.mailing.claim import claim_next
from partnerships.mailing.message import Written, ascii_address, one_line, when_words, write
from partnerships.models import Agreement, Delivery, Milestone, ReminderItem, ReminderPlan, User
from partnerships.reminders.clock import Clock
from tests.reminders.conftest import MovableClock

pytestmark = pytest.mark.django_db(transaction=True)

INJECTION = "Sign\r\nBcc: everyone@example.org\r\n\r\nhello \u202egnp.exe\x00"


@pytest.fixture
def written(queue: Callable[[], None], clock: MovableClock) -> Callable[..., Written]:
    """Write the one queued mail; keyword arguments change the milestone's row before that, without validation."""

    def run(**milestone: object) -> Written:
        queue()
        Milestone.objects.update(**milestone)
        claim = claim_next(clock)
        assert claim is not None
        return write(claim.delivery, claim.items, clock)

    return run


def parsed(mail: Written) -> EmailMessage:
    return email.message_from_bytes(mail.data, policy=email.policy.default)  # type: ignore[return-value]


def raw(mail: Written) -> Message:
    """Parse as an old mail program does; the new parser puts spaces between the encoded words of a name."""
    return email.message_from_bytes(mail.data)


def part(mail: Written, subtype: str) -> str:
    body = parsed(mail).get_body((subtype,))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")


def partners(milestone: Milestone) -> str:
    assert milestone.agreement is not None
    return " · ".join(str(party.organization) for party in milestone.agreement.parties.all())


def test_the_headers_say_what_it_is_and_for_whom(
    written: Callable[..., Written], milestone: Milestone, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Cooperation office <office@example.org>"
    settings.EMAIL_ID_DOMAIN = "mail.example.org"

    mail = written()

    assert parsed(mail).items()[:2] == [
        ("Content-Type", parsed(mail)["Content-Type"]),
        ("MIME-Version", "1.0"),
    ]
    assert dict(parsed(mail).items()[2:]) == {
        "From": "Cooperation office <office@example.org>",
        "Date": "Thu, 05 Mar 2026 00:01:00 +0000",
        "Message-ID": Delivery.objects.get().message_id,
        "References": f"<milestone-{milestone.pk}@mail.example.org>",
        "List-Id": "Partnership reminders <reminders.mail.example.org>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Subject": f"[{milestone.unit}] Open the joint laboratory — in 7 days (2026-03-12)",
        "To": f"{milestone.owner.name} <{milestone.owner.email}>",
    }


def test_two_readers_get_its_title_in_their_languages(
    queue: Callable[[], None], clock: MovableClock, milestone: Milestone
) -> None:
    Milestone.objects.update(title_zh="启用联合实验室")
    Agreement.objects.update(title="Framework", title_zh="框架协议")
    queue()
    items = [
        ReminderItem(why="owner", plan=ReminderPlan.objects.select_related("milestone").get(), person=reader)
        for reader in (UserFactory(language="en", staff=True), UserFactory(language="zh-hans", staff=True))
    ]
    mails = [write(Delivery(person=one.person, message_id=f"<{one.person.pk}@x>"), [one], clock) for one in items]

    titles = [("Open the joint laboratory", "Framework"), ("启用联合实验室", "框架协议")]
    for mail, (own, agreement), (other, others) in zip(mails, titles, titles[::-1], strict=True):
        for text in (part(mail, "plain"), part(mail, "html")):
            assert [words in text for words in (own, agreement, other, others)] == [True, True, False, False]
        assert (own in mail.subject, other in mail.subject) == (True, False)


def test_a_reply_goes_to_the_coordinator_but_never_back_to_the_reader(
    written: Callable[..., Written], milestone: Milestone
) -> None:
    coordinator = milestone.owner
    milestone.owner = UserFactory(coordinator_in=milestone.unit)
    milestone.save()

    mail = written()

    assert parsed(mail)["To"].addresses[0].addr_spec == milestone.owner.email
    assert parsed(mail)["Reply-To"].addresses[0].addr_spec == coordinator.email


def test_the_text_says_what_by_when_why_me_and_where(
    written: Callable[..., Written], milestone: Milestone, settings: Any
) -> None:
    settings.SITE_URL = "https://office.example.org"

    assert part(written(description="Bring the key."), "plain") == (
        "Open the joint laboratory\n"
        "\n"
        "Due in 7 days: Thursday, March 12, 2026\n"
        f"Partners: {partners(milestone)}\n"
        "\n"
        "Bring the key.\n"
        "\n"
        "When it is done, mark it as done. If it cannot be done in time, move the date and say why.\n"
        "\n"
        "Open the milestone:\n"
        f"https://office.example.org/milestones/{milestone.pk}/\n"
        "\n"
        f"Agreement: {milestone.agreement}\n"
        f"Owner: {milestone.owner}\n"
        f"Unit: {milestone.unit}\n"
        f"Kind: {milestone.get_kind_display()}\n"
        "\n"
        "You own this milestone.\n"
        "\n"
        "When and how reminders reach you: https://office.example.org/me/\n"
    )


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        ("stand-in", "When it is done, mark it as done. If it cannot be done in time, move the date and say why."),
        ("lead", "Ask Li Wei how it is going, or reassign it."),
        ("named", "Ask Li Wei how it is going, or reassign it."),
        ("fallback", "The people it is meant for cannot be notified: assign an owner who can act."),
    ],
)
def test_every_mail_says_what_the_reader_can_do(clock: MovableClock, why: str, expected: str) -> None:
    milestone = MilestoneFactory(owner=UserFactory(name="Li Wei"))
    item = ReminderItem(why=why, plan=ReminderPlanFactory(milestone=milestone))
    delivery = Delivery(person=UserFactory(), message_id="<x@example.org>")

    assert expected in part(write(delivery, [item], clock), "plain")


def test_the_office_reads_that_a_lead_is_missing_and_what_to_do(clock: MovableClock) -> None:
    """Nobody gives an approval to a person, and the office may not approve."""
    row = MilestoneFactory(kind="approval", owner=None)
    item = ReminderItem(why="fallback", plan=ReminderPlanFactory(milestone=row))

    text = part(write(Delivery(person=UserFactory(staff=True), message_id="<x@example.org>"), [item], clock), "plain")

    words = f"No lead of {row.unit} or of a unit above it may approve it: ask a system administrator to give somebody"
    assert words in text
    assert f"No lead of the unit {row.unit} or of a unit above it may decide it, so the office is told." in text
    assert "give it an owner" not in text


def test_the_partners_are_named_above_the_agreement_and_not_in_the_subject(
    written: Callable[..., Written], milestone: Milestone
) -> None:
    agreement = milestone.agreement
    assert agreement is not None
    agreement.parties.all().delete()
    AgreementPartyFactory(agreement=agreement, organization__name="Acme")

    mail = written()

    for text in (part(mail, "plain"), part(mail, "html")):
        assert 0 < text.index("Acme") < text.index(str(agreement))
    assert "Acme" not in mail.subject


@pytest.mark.parametrize(
    ("language", "configured", "shown"),
    [
        ("zh-hans", "Cooperation office", "合作办公室"),
        ("en", "Cooperation office", "Cooperation office"),
        ("zh-hans", "Office of the college", "Office of the college"),
        ("zh-hans", "", ""),
    ],
)
def test_the_default_sender_is_named_in_the_readers_language(
    language: str, configured: str, shown: str, written: Callable[..., Written], milestone: Milestone, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = f"{configured} <office@example.org>"
    User.objects.filter(pk=milestone.owner_id).update(language=language)

    name, address = parseaddr(str(make_header(decode_header(str(raw(written())["From"])))))

    assert (name, address) == (shown, "office@example.org")


def test_the_html_has_one_button_and_nothing_from_elsewhere(
    written: Callable[..., Written], milestone: Milestone, settings: Any
) -> None:
    settings.SITE_URL = "https://office.example.org"
    html = part(written(), "html")
    link = f"https://office.example.org/milestones/{milestone.pk}/"

    assert re.findall(r'(?:href|src|action)="([^"]*)"', html) == [link, link, "https://office.example.org/me/"]
    assert re.findall(r"<(?:img|link|script|form|iframe)\b|url\(", html) == []


def test_a_title_cannot_add_headers_or_turn_text_around(written: Callable[..., Written]) -> None:
    mail = written(title=INJECTION.replace("\x00", ""))

    assert parsed(mail).get_all("Bcc") is None
    assert "Sign Bcc: everyone@example.org hello gnp.exe — in 7 days" in mail.subject
    assert "\u202e" not in part(mail, "plain") + part(mail, "html")


def test_a_title_stays_text_in_html(written: Callable[..., Written]) -> None:
    mail = written(title='<script>alert(1)</script> & "Co"', description="<img src=x onerror=alert(1)>")

    assert re.findall(r"<(?:img|script)\b", part(mail, "html")) == []
    assert '<script>alert(1)</script> & "Co"' in part(mail, "plain")


def test_chinese_arrives_as_written_in_short_ascii_lines(written: Callable[..., Written], milestone: Milestone) -> None:
    User.objects.filter(pk=milestone.owner_id).update(name="王芳" * 40, language="zh-hans")
    type(milestone.unit).objects.update(name_zh="产教融合合作办公室")

    mail = written(title_zh="共建智能制造联合实验室" * 8, description="带上钥匙。" * 200)

    assert max(len(line) for line in mail.data.split(b"\r\n")) <= 78
    assert mail.data.isascii()
    assert parsed(mail)["Subject"] == mail.subject
    assert "【产教融合合作办公室】共建智能制造联合实验室" in mail.subject
    assert str(make_header(decode_header(str(raw(mail)["To"])))).startswith("王芳" * 40)
    assert "带上钥匙。" * 200 in part(mail, "plain")


def test_long_words_fit_the_lines_of_the_mail_standard(written: Callable[..., Written]) -> None:
    mail = written(title="x" * 200, description="y" * 10_000)

    assert max(len(line) for line in mail.data.split(b"\r\n")) <= 998
    assert b"\n" not in mail.data.replace(b"\r\n", b"")
    assert "y" * 10_000 in part(mail, "plain")


def test_a_late_mail_says_so(written: Callable[..., Written], clock: MovableClock, queue: Callable[[], None]) -> None:
    queue()
    clock.at = dt.datetime(2026, 3, 6, 1, tzinfo=dt.UTC)

    mail = written()

    assert "This reminder is late: it was planned for March 5, 2026 08:00." in part(mail, "plain")
    assert "in 6 days (2026-03-12)" in mail.subject


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (30, "in 30 days"),
        (2, "in 2 days"),
        (1, "tomorrow"),
        (0, "today"),
        (-1, "1 day late"),
        (-3, "3 days late"),
    ],
)
def test_days_left_in_words(days: int, words: str) -> None:
    with translation.override("en"):
        assert when_words(days) == words


def test_the_days_are_counted_in_the_zone_of_the_unit(clock: MovableClock) -> None:
    """At 23:30 in London on 11 March it is the 12th in Shanghai already."""
    milestone = MilestoneFactory(due_on=dt.date(2026, 3, 12), agreement__unit=UnitFactory(time_zone="Asia/Shanghai"))
    plan = ReminderPlanFactory(milestone=milestone, send_at=dt.datetime(2026, 3, 12, tzinfo=dt.UTC))
    item = ReminderItem(why="owner", plan=plan)
    delivery = Delivery(person=milestone.owner, message_id="<x@example.org>")

    mail = write(delivery, [item], Clock(dt.datetime(2026, 3, 11, 23, 30, tzinfo=dt.UTC)))

    assert mail.subject == f"[{milestone.unit}] {milestone.title} — today (2026-03-12)"


@pytest.mark.parametrize(
    ("address", "expected"),
    [("li@example.org", "li@example.org"), ("li@合作.example", "li@xn--2qqs7i.example")],
)
def test_an_address_is_sent_in_ascii(address: str, expected: str) -> None:
    assert ascii_address(address) == expected


@pytest.mark.parametrize("address", ["", "li", "@example.org", "李@example.org", "a@b\n@c", "a b@c.org", "<a@b.org>"])
def test_an_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        ascii_address(address)


def test_one_line_has_no_controls_left() -> None:
    assert one_line(INJECTION) == "Sign Bcc: everyone@example.org hello gnp.exe"


def events(mail: Written) -> list[EmailMessage]:
    return [part for part in parsed(mail).walk() if part.get_content_type() == "text/calendar"]


def test_the_mail_has_the_date_for_the_readers_calendar(
    written: Callable[..., Written], milestone: Milestone, clock: MovableClock
) -> None:
    mail = written(title="Open the laboratory 联合实验室")
    (part,) = events(mail)
    assert (part.get_param("method"), part.get_filename(), part.is_attachment()) == ("PUBLISH", "date.ics", True)
    milestone.refresh_from_db()
    assert milestone.owner is not None
    expected = single_event(milestone, milestone.owner, changed_at=clock.at)
    assert part.get_payload(decode=True) == expected
    event = Calendar.from_ical(expected).events[0]
    assert (event["UID"], event["SEQUENCE"], event.decoded("DTSTART")) == (
        f"milestone-{milestone.pk}@testserver",
        milestone.version,
        milestone.due_on,
    )
    assert str(event["SUMMARY"]).startswith("Open the laboratory 联合实验室")


@pytest.mark.parametrize(("why", "count"), [("owner", 1), ("stand-in", 1), ("lead", 0), ("named", 0), ("fallback", 0)])
def test_dates_that_others_owe_come_into_nobodys_calendar(why: str, count: int, clock: MovableClock) -> None:
    item = ReminderItemFactory(why=why)
    assert len(events(write(item.delivery, [item], clock))) == count


def test_a_digest_has_no_calendar_file(clock: MovableClock) -> None:
    first = ReminderItemFactory(why="owner")
    second = ReminderItemFactory(why="owner", person=first.person, delivery=first.delivery)
    assert events(write(first.delivery, [first, second], clock)) == []
