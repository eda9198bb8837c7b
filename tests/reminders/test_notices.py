"""People who can fix a failed delivery are notified once, with few mails for many failures."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import (
    DeliveryFactory,
    MilestoneFactory,
    ReminderItemFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing import notices
from partnerships.mailing.notices import report_failures, write_notice
from partnerships.models import Delivery, DeliveryNotice, Milestone, ReminderItem, Unit, User
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.clock import Clock
from tests.reminders.conftest import MovableClock
from tests.reminders.test_races import at_once
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def unit() -> Unit:
    """A unit with a fallback person."""
    unit = UnitFactory()
    unit.fallback_person = UserFactory(name="Fallback", coordinator_in=unit)
    unit.save()
    return unit


def fail(unit: Unit, **fields: Any) -> ReminderItem:
    values = {"status": "failed", "smtp_code": 550, "smtp_reply": "No such user", "reason": Reason.REFUSED} | fields
    milestone = MilestoneFactory(agreement__unit=unit, title="Open the joint laboratory")
    return ReminderItemFactory(
        plan__milestone=milestone,
        plan__status="expanded",
        delivery__attempts=1,
        **{f"delivery__{name}": value for name, value in values.items()},
    )


def notes(delivery: Delivery) -> list[str]:
    return list(delivery.events.order_by("pk").values_list("reason", flat=True))


@pytest.mark.parametrize("status", ["failed", "uncertain", "unconfirmed"])
def test_the_fallback_person_learns_who_did_not_get_what_and_why(
    unit: Unit, clock: MovableClock, smtp_sink: SmtpSink, status: str
) -> None:
    item = fail(unit, status=status)

    run_once(clock)

    [mail] = smtp_sink.received
    assert mail.recipients == [unit.fallback_person.email]
    assert mail.subject == f"Not delivered to {item.person.name}: Open the joint laboratory"
    for text in (mail.text(), mail.text("html")):
        assert item.person.email in text
        assert "550 No such user" in text
        assert f"http://testserver/milestones/{item.plan.milestone_id}/" in text
    item.delivery.refresh_from_db()
    assert (notes(item.delivery), item.delivery.reported_at) == ([Reason.REPORTED], clock.at)
    assert [breach for breach in audit(real_now=clock.at) if "Delivery" in breach] == []


def test_nobody_is_notified_twice(unit: Unit, clock: MovableClock, smtp_sink: SmtpSink) -> None:
    fail(unit)

    for _run in range(3):
        run_once(clock)
        clock.forward(hours=2)

    assert len(smtp_sink.received) == 1


def test_two_hundred_failures_are_one_mail_and_an_hour_later_another(
    unit: Unit, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    for _number in range(40):
        fail(unit)
    run_once(clock)
    for _minute in range(5):
        fail(unit)
        run_once(Clock(clock.forward(minutes=1), clock.read))

    assert [mail.subject for mail in smtp_sink.received] == ["40 e-mails were not delivered"]
    assert "And 10 more." in smtp_sink.received[0].text()
    run_once(Clock(clock.forward(hours=1), clock.read))
    assert [mail.subject for mail in smtp_sink.received[1:]] == ["5 e-mails were not delivered"]
    assert DeliveryNotice.objects.count() == 45


@pytest.mark.both_databases
def test_several_runs_at_once_report_each_failure_once(unit: Unit, clock: MovableClock) -> None:
    for _number in range(12):
        fail(unit)

    at_once(4, lambda: [report_failures(real_now=clock.at, batch=2) for _turn in range(6)])

    assert DeliveryNotice.objects.count() == 12
    assert Delivery.objects.filter(kind="notice").count() == 1


def test_a_crash_in_the_middle_loses_no_reminder(
    unit: Unit, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = fail(unit)

    def crash(*_arguments: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(notices, "_record", crash)
        with pytest.raises(ConnectionError):
            report_failures(real_now=clock.at)
    assert DeliveryNotice.objects.count() == 0

    assert report_failures(real_now=clock.at) == 1
    assert DeliveryNotice.objects.get().delivery == item.delivery


def test_the_reader_of_the_failed_mail_is_not_notified_but_the_next_person_above(
    unit: Unit, clock: MovableClock
) -> None:
    above = UserFactory(lead_in=UnitFactory(name="Above"))
    parent = above.memberships.get().unit
    parent.fallback_person = above
    parent.save()
    unit.parent = parent
    unit.save()
    item = fail(unit)
    ReminderItem.objects.update(person=unit.fallback_person)
    Delivery.objects.update(person=unit.fallback_person)

    report_failures(real_now=clock.at)

    assert DeliveryNotice.objects.get().person == above
    assert item.plan.milestone.unit == unit


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_without_a_reachable_fallback_person_the_leads_are_notified(
    unit: Unit, clock: MovableClock, change: dict[str, Any]
) -> None:
    leads = UserFactory.create_batch(2, lead_in=unit)
    User.objects.filter(pk=unit.fallback_person_id).update(**change)
    fail(unit)

    report_failures(real_now=clock.at)

    assert set(DeliveryNotice.objects.values_list("person", flat=True)) == {lead.pk for lead in leads}


def test_when_there_is_nobody_else_the_log_says_so(clock: MovableClock) -> None:
    item = fail(UnitFactory())

    report_failures(real_now=clock.at)

    assert notes(item.delivery) == [Reason.NOBODY_TO_REPORT_TO]
    assert not Delivery.objects.filter(kind="notice").exists()
    assert report_failures(real_now=clock.at) == 0


def test_a_notice_that_fails_makes_no_further_notice(unit: Unit, clock: MovableClock, smtp_sink: SmtpSink) -> None:
    fail(unit)
    smtp_sink.script({"at": "RCPT", "reply": "550 No such user"})

    for _run in range(3):
        run_once(clock)
        clock.forward(hours=2)

    notice = Delivery.objects.get(kind="notice")
    assert (notice.status, notice.notices.count()) == ("failed", 0)


def test_a_notice_is_not_sent_when_the_mail_got_through_after_all(
    unit: Unit, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    item = fail(unit)
    report_failures(real_now=clock.at)
    Delivery.objects.filter(pk=item.delivery_id).update(status="sent", sent_at=clock.at)

    assert run_once(clock).deliveries == {"cancelled": 1}

    assert smtp_sink.received == []


def test_when_the_helper_leaves_before_the_notice_goes_the_next_is_notified(
    unit: Unit, clock: MovableClock, smtp_sink: SmtpSink
) -> None:
    lead = UserFactory(lead_in=unit)
    fail(unit)
    report_failures(real_now=clock.at)
    User.objects.filter(pk=unit.fallback_person_id).update(is_active=False)

    run_once(clock)
    run_once(Clock(clock.forward(minutes=1), clock.read))

    assert [mail.recipients for mail in smtp_sink.received] == [[lead.email]]


def test_milestones_done_meanwhile_need_no_help(unit: Unit, clock: MovableClock) -> None:
    fail(unit)
    Milestone.objects.update(status="met", met_on=clock.at.date())

    report_failures(real_now=clock.at)

    assert not DeliveryNotice.objects.exists()


def test_helpers_learn_only_of_milestones_they_may_see(unit: Unit, clock: MovableClock) -> None:
    other = UnitFactory()
    other.fallback_person = UserFactory(coordinator_in=other)
    other.save()
    item = fail(unit)
    second = ReminderItemFactory(
        plan__milestone=MilestoneFactory(agreement__unit=other, title="Secret of the others"),
        delivery=item.delivery,
        person=item.person,
    )

    report_failures(real_now=clock.at)

    by_person = {notice.person: notice.notice for notice in DeliveryNotice.objects.select_related("person", "notice")}
    assert set(by_person) == {unit.fallback_person, other.fallback_person}
    assert "Secret" not in write_notice(by_person[unit.fallback_person], real_now=clock.at).data.decode()
    assert (
        second.plan.milestone.title in write_notice(by_person[other.fallback_person], real_now=clock.at).data.decode()
    )


def test_notices_are_held_during_a_pause(unit: Unit, clock: MovableClock, smtp_sink: SmtpSink, hold: None) -> None:
    fail(unit)

    run_once(clock)

    assert (Delivery.objects.get(kind="notice").status, smtp_sink.received) == ("held", [])


@pytest.fixture
def hold(clock: MovableClock) -> None:
    from partnerships.factories import MailHoldFactory

    MailHoldFactory(active=True)


def test_a_title_or_an_answer_of_the_server_cannot_add_a_header(unit: Unit, clock: MovableClock) -> None:
    item = fail(unit, smtp_reply="No\r\nBcc: everybody@example.org")
    Milestone.objects.update(title="Laboratory\r\nBcc: everybody@example.org")
    report_failures(real_now=clock.at)

    written = write_notice(Delivery.objects.get(kind="notice"), real_now=clock.at)

    assert b"\r\nBcc:" not in written.data
    assert written.subject == f"Not delivered to {item.person.name}: Laboratory Bcc: everybody@example.org"


def test_it_is_written_in_the_readers_language(unit: Unit, clock: MovableClock) -> None:
    User.objects.filter(pk=unit.fallback_person_id).update(language="zh-hans")
    fail(unit)
    report_failures(real_now=clock.at)

    written = write_notice(Delivery.objects.get(kind="notice"), real_now=clock.at)

    assert b'lang="zh-hans"' in written.data.replace(b"=3D", b"=")


def test_a_notice_links_the_mail_that_failed(unit: Unit, clock: MovableClock) -> None:
    item = fail(unit)
    report_failures(real_now=clock.at)

    text = write_notice(Delivery.objects.get(kind="notice"), real_now=clock.at).data.replace(b"=\r\n", b"").decode()

    assert f"/mails/{item.delivery_id}/" in text
    assert "/mails/?status=3Dwaiting" in text


def test_the_reader_still_sees_the_milestone_under_my_work(unit: Unit, clock: MovableClock, client: Any) -> None:
    item = fail(unit)
    report_failures(real_now=clock.at)
    client.force_login(item.person)

    page = client.get("/").content.decode()

    assert "Open the joint laboratory" in page


def test_a_run_without_failures_asks_once(
    clock: MovableClock, django_assert_num_queries: Callable[[int], Any], unit: Unit
) -> None:
    DeliveryFactory(sent=True, sent_at=clock.at - dt.timedelta(days=1))

    with django_assert_num_queries(3):  # with begin and commit, or savepoint and release
        assert report_failures(real_now=clock.at) == 0
