import datetime as dt
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from partnerships.factories import MilestoneFactory, ReminderRuleFactory, UserFactory
from partnerships.lists import exports
from partnerships.models import Delivery, Milestone, ReminderPlan, User
from partnerships.models.reasons import Reason
from partnerships.statuses import ExportStatus
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

DUE = dt.date(2026, 3, 12)
BEFORE = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
SEND_AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def today(time_machine: Any) -> Any:
    time_machine.move_to(BEFORE, tick=False)
    return time_machine


@pytest.fixture
def milestone(db: None) -> Milestone:
    ReminderRuleFactory(offset=7)
    return MilestoneFactory(due_on=DUE, title="Open the joint laboratory")


def reminders(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("reminders", *arguments, stdout=out, stderr=out)
    return out.getvalue().splitlines()


def test_run_once_does_what_the_worker_does(milestone: Milestone, smtp_sink: SmtpSink, today: Any) -> None:
    reminders("run", "--once")
    today.move_to(SEND_AT, tick=False)

    # The other milestones are those that the first run derived from the agreement.
    assert reminders("run", "--once") == ["5 milestones checked, 1 reminders due, 1 mails made.", "Sent: 1"]
    assert [mail.recipients for mail in smtp_sink.received] == [[milestone.owner.email]]


def test_run_once_makes_waiting_exports_and_removes_old_files(smtp_sink: SmtpSink, today: Any) -> None:
    asked = {"actor": UserFactory(staff=True), "query": "", "file_format": "csv"}
    export = exports.request_export(key="agreement_list", now=BEFORE, **asked)

    reminders("run", "--once")
    export.refresh_from_db()
    assert export.status == ExportStatus.DONE

    today.move_to(BEFORE + exports.KEPT_FOR + dt.timedelta(minutes=1), tick=False)
    reminders("run", "--once")
    export.refresh_from_db()
    assert (export.status, export.file.name) == (ExportStatus.REMOVED, "")


def test_plan_sends_nothing_and_deliver_sends_it(milestone: Milestone, smtp_sink: SmtpSink, today: Any) -> None:
    reminders("plan")
    today.move_to(SEND_AT, tick=False)

    reminders("plan")
    assert smtp_sink.received == []

    assert reminders("deliver")[1:] == ["Sent: 1"]
    assert len(smtp_sink.received) == 1


def test_a_mail_server_that_is_down_is_named(milestone: Milestone, today: Any) -> None:
    reminders("plan")
    today.move_to(SEND_AT, tick=False)

    assert reminders("run", "--once")[1].startswith("The mail server cannot be used: ConnectionRefusedError")


def test_now_makes_due_with_debug_alone(milestone: Milestone, smtp_sink: SmtpSink, settings: Any) -> None:
    with pytest.raises(CommandError, match="needs DEBUG or --dry-run"):
        reminders("run", "--once", "--now", "2026-03-05T08:00+08:00")
    assert smtp_sink.received == []

    settings.DEBUG = True
    reminders("run", "--once", "--now", "2026-03-05T08:00+08:00")

    assert len(smtp_sink.received) == 1
    assert Delivery.objects.get().sent_at == BEFORE


def test_a_date_alone_means_the_end_of_that_day(milestone: Milestone, smtp_sink: SmtpSink, settings: Any) -> None:
    settings.DEBUG = True

    assert reminders("run", "--once", "--now", "2026-03-04")[1:] == []
    assert reminders("run", "--once", "--now", "2026-03-05")[1:] == ["Sent: 1"]


def test_a_loop_does_not_live_in_another_time(settings: Any) -> None:
    settings.DEBUG = True

    with pytest.raises(CommandError, match="--now requires --once"):
        reminders("run", "--now", "2026-03-05")


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(CommandError, match="tomorrow is not a time such as"):
        reminders("run", "--once", "--now", "tomorrow")


def test_a_dry_run_shows_the_mails_and_changes_nothing(milestone: Milestone, smtp_sink: SmtpSink) -> None:
    assert reminders("run", "--dry-run") == ["No mail would go out."]
    assert reminders("run", "--dry-run", "--now", "2026-03-05") == [
        "2026-03-05: 1 mail",
        f"  {milestone.owner.name} <{milestone.owner.email}>: Open the joint laboratory (2026-03-12)",
    ]

    assert (ReminderPlan.objects.count(), Delivery.objects.count(), smtp_sink.received) == (0, 0, [])


def test_explain_tells_the_story(milestone: Milestone) -> None:
    reminders("plan")

    assert reminders("explain", str(milestone.pk)) == [
        "Open the joint laboratory, due on 2026-03-12, Open",
        "- Agreement milestone: 7 days before the due date, 2026-03-12: will be sent on 2026-03-05 08:00 CST.",
        f"  - To {milestone.owner}, owner of the milestone",
    ]


@pytest.mark.django_db
def test_explain_says_when_there_is_no_such_milestone() -> None:
    with pytest.raises(CommandError, match=r"There is no milestone 0\."):
        reminders("explain", "0")


def test_audit_finds_inconsistencies(milestone: Milestone, smtp_sink: SmtpSink, today: Any) -> None:
    with pytest.raises(CommandError, match="The reminders have never run"):
        reminders("audit")
    reminders("run", "--once")
    assert reminders("audit") == ["No inconsistency found."]

    ReminderPlan.objects.update(status="cancelled", reason=Reason.RULE_DISABLED)
    with pytest.raises(CommandError, match=rf"Milestone {milestone.pk} has no plan by rule \d+\."):
        reminders("audit")

    ReminderPlan.objects.update(status="expanded", reason="")
    with pytest.raises(CommandError, match=r"Plan \d+ counts as mailed, but nobody has its reminder\."):
        reminders("audit")


def test_audit_finds_what_is_stuck(milestone: Milestone, smtp_sink: SmtpSink, today: Any) -> None:
    reminders("run", "--once")
    today.move_to(SEND_AT + dt.timedelta(minutes=3), tick=False)
    with pytest.raises(CommandError) as refused:
        reminders("audit")
    # While nothing runs, that plans are overdue says nothing more.
    assert str(refused.value) == "The reminders have not run since 2026-03-02T12:00:00+00:00."

    reminders("run", "--once")
    Delivery.objects.update(status="handing", lease_until=BEFORE)
    with pytest.raises(CommandError, match=r"^Delivery \d+ is held past its lease\."):
        reminders("audit")


def test_a_dry_run_names_all_that_a_digest_says(milestone: Milestone) -> None:
    User.objects.update(reminder_mode="digest")
    MilestoneFactory(due_on=DUE, owner=milestone.owner, agreement=milestone.agreement, title="Visit the plant")

    head = f"{milestone.owner.name} <{milestone.owner.email}>"
    assert reminders("run", "--dry-run", "--now", "2026-03-05T09:00+08:00") == [
        "2026-03-05: 1 mail",
        f"  {head}: Open the joint laboratory (2026-03-12), Visit the plant (2026-03-12)",
    ]


def test_a_dry_run_months_ahead_shows_each_day_until_then(milestone: Milestone) -> None:
    """One run in June would find all of them missed."""
    ReminderRuleFactory(offset=0)
    ReminderRuleFactory(offset=2, direction="unanswered", audience="lead")
    row = {"owner": milestone.owner, "agreement": milestone.agreement}
    MilestoneFactory(due_on=dt.date(2026, 5, 20), title="Visit the plant", **row)
    lead = UserFactory(lead_in=milestone.unit)

    shown = reminders("run", "--dry-run", "--now", "2026-05-31")

    owner, lead = (f"  {one.name} <{one.email}>" for one in (milestone.owner, lead))
    laboratory, visit = "Open the joint laboratory (2026-03-12)", "Visit the plant (2026-05-20)"
    assert [line for line in shown if not line.endswith(": 1 mail")] == [
        *(f"{owner}: {laboratory}", f"{lead}: {laboratory}", f"{owner}: {laboratory}"),
        *(f"{owner}: {visit}", f"{lead}: {visit}", f"{owner}: {visit}"),
    ]
    assert [line for line in shown if line.endswith(": 1 mail")] == [
        f"2026-{day}: 1 mail" for day in ("03-05", "03-09", "03-12", "05-13", "05-15", "05-20")
    ]
    assert (ReminderPlan.objects.count(), Delivery.objects.count()) == (0, 0)
