import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import (
    ActivityFactory,
    ActivityOrganizationFactory,
    AgreementFactory,
    AgreementPartyFactory,
    DemandFactory,
    MilestoneFactory,
    OrganizationFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UnitMembershipFactory,
    UserFactory,
)
from partnerships.mailing.message import Written, write
from partnerships.models import Delivery, Milestone, ReminderItem, ReminderPlan, User
from tests.reminders.conftest import MovableClock
from tests.reminders.test_message import INJECTION, parsed, part, partners

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 3, 5)
EIGHT = dt.datetime(2026, 3, 5, 0, 0, tzinfo=dt.UTC)  # in Shanghai


@pytest.fixture
def reader() -> User:
    return UserFactory(name="Li Wei", digest=True, time_zone="Asia/Shanghai")


@pytest.fixture
def digest(reader: User, settings: Any) -> Callable[..., Written]:
    """Make the digest of 5 March about milestones that many days ahead; keyword arguments apply to all of them."""
    settings.SITE_URL = "https://office.example.org"

    def run(*days: int, why: str = "owner", **milestone: object) -> Written:
        items = [_item(reader, number, why, **milestone) for number in days]
        delivery = Delivery(person=reader, kind="digest", digest_on=TODAY, message_id="<x@example.org>")
        return write(delivery, items, MovableClock(EIGHT))

    return run


def _item(reader: User, days: int, why: str, **milestone: object) -> ReminderItem:
    due_on = TODAY + dt.timedelta(days=days)
    row = MilestoneFactory(**{"owner": reader, "title": f"Task {days}", "due_on": due_on, **milestone})
    return ReminderItem(why=why, plan=ReminderPlanFactory(milestone=row, send_at=EIGHT))


def test_the_subject_counts_and_names_the_most_urgent(digest: Callable[..., Written]) -> None:
    assert digest(30, -2, 1).subject == "3 reminders: Task -2 — 2 days late (2026-03-03)"


def test_the_sections_go_from_overdue_to_later(digest: Callable[..., Written]) -> None:
    text = part(digest(8, 7, 1, 0, -1, -30), "plain")

    lines = re.findall(r"^== .* ==$|^Task .*$", text, re.MULTILINE)
    assert lines == [
        "== Overdue ==",
        "Task -30 — 30 days late",
        "Task -1 — 1 day late",
        "== Today ==",
        "Task 0 — today",
        "== In the next 7 days ==",
        "Task 1 — tomorrow",
        "Task 7 — in 7 days",
        "== Later ==",
        "Task 8 — in 8 days",
    ]


def test_the_text_says_of_each_what_by_when_why_and_where(digest: Callable[..., Written]) -> None:
    mail = digest(0, 9, why="stand-in", owner=UserFactory(name="Wang Fang"))
    first, second = Milestone.objects.order_by("due_on")

    assert part(mail, "plain") == (
        "2 reminders · Thursday, March 5, 2026\n"
        "\n"
        "== Today ==\n"
        "\n"
        "Task 0 — today\n"
        "Thursday, March 5, 2026\n"
        f"{partners(first)} · {first.agreement} · {first.unit}\n"
        "You stand in for Wang Fang, who is away.\n"
        f"https://office.example.org/milestones/{first.pk}/\n"
        "\n"
        "== Later ==\n"
        "\n"
        "Task 9 — in 9 days\n"
        "Saturday, March 14, 2026\n"
        f"{partners(second)} · {second.agreement} · {second.unit}\n"
        "You stand in for Wang Fang, who is away.\n"
        f"https://office.example.org/milestones/{second.pk}/\n"
        "\n"
        "All your open work:\n"
        "https://office.example.org/\n"
        "\n"
        "When and how reminders reach you:\n"
        "https://office.example.org/me/\n"
    )


def test_the_html_has_a_link_for_each_and_nothing_from_elsewhere(digest: Callable[..., Written]) -> None:
    html = part(digest(0, 9), "html")
    first, second = Milestone.objects.order_by("due_on").values_list("pk", flat=True)

    site = "https://office.example.org"
    expected = [f"{site}/milestones/{first}/", f"{site}/milestones/{second}/", f"{site}/", f"{site}/me/"]
    assert re.findall(r'(?:href|src|action)="([^"]*)"', html) == expected
    assert re.findall(r"<(?:img|link|script|form|iframe)\b|url\(", html) == []


def test_a_milestone_with_two_reminders_is_one_line(reader: User) -> None:
    milestone = MilestoneFactory(owner=reader, due_on=TODAY, title="Twice")
    other = MilestoneFactory(owner=reader, due_on=TODAY, title="Once")
    plans = [ReminderPlanFactory(milestone=row, send_at=EIGHT) for row in (milestone, milestone, other)]
    items = [ReminderItem(why=why, plan=plan) for plan, why in zip(plans, ("owner", "lead", "owner"), strict=True)]
    mail = write(Delivery(person=reader, message_id="<x@example.org>"), items, MovableClock(EIGHT))

    assert mail.subject.startswith("2 reminders: ")
    reason = f"You own this milestone. You lead the unit {milestone.unit} or a unit above it."
    assert reason in part(mail, "plain")
    assert [part(mail, kind).count("You own this milestone.") for kind in ("plain", "html")] == [1, 1]
    assert [part(mail, kind).count("You own the milestones") for kind in ("plain", "html")] == [1, 1]


def test_a_digest_of_one_milestone_reads_like_a_single_mail(digest: Callable[..., Written]) -> None:
    mail = digest(7)
    milestone = Milestone.objects.get()

    assert mail.subject == f"[{milestone.unit}] Task 7 — in 7 days (2026-03-12)"
    assert str(parsed(mail)["References"]).startswith(f"<milestone-{milestone.pk}@")
    assert "Open the milestone:" in part(mail, "plain")


def test_a_digest_belongs_to_no_thread(digest: Callable[..., Written]) -> None:
    headers = parsed(digest(0, 1))

    assert headers["References"] is None
    assert (headers["Auto-Submitted"], headers["Message-ID"]) == ("auto-generated", "<x@example.org>")


def test_a_reply_goes_to_the_person_responsible_for_all_milestones(digest: Callable[..., Written]) -> None:
    coordinator = UserFactory(name="Wang Fang")

    assert parsed(digest(0, 1))["Reply-To"] is None
    mail = digest(2, 3, agreement__coordinator=coordinator)
    assert parsed(mail)["Reply-To"].addresses[0].addr_spec == coordinator.email


def test_a_title_cannot_add_headers_or_turn_text_around(digest: Callable[..., Written]) -> None:
    digest(0)
    mail = digest(0, 1, title_zh="", title="x")
    Milestone.objects.update(title=INJECTION.replace("\x00", ""))
    items = [
        ReminderItem(why="owner", plan=ReminderPlanFactory(milestone=row, send_at=EIGHT))
        for row in Milestone.objects.all()
    ]
    mail = write(
        Delivery(person=items[0].plan.milestone.owner, message_id="<x@example.org>"), items, MovableClock(EIGHT)
    )

    assert parsed(mail).get_all("Bcc") is None
    assert mail.subject.startswith("3 reminders: Sign Bcc: everyone@example.org hello gnp.exe — ")
    assert "\u202e" not in part(mail, "plain") + part(mail, "html")


def test_a_title_stays_text_in_html(digest: Callable[..., Written]) -> None:
    mail = digest(0, 1, title='<script>alert(1)</script> & "Co"')

    assert re.findall(r"<script\b", part(mail, "html")) == []
    assert '<script>alert(1)</script> & "Co" — today' in part(mail, "plain")


@pytest.mark.parametrize("title", ["x" * 200, "共建智能制造联合实验室" * 18])
def test_long_titles_fit_the_lines_of_the_mail_standard(digest: Callable[..., Written], title: str) -> None:
    mail = digest(0, 1, title=title)

    assert max(len(line) for line in mail.data.split(b"\r\n")) <= 998
    assert mail.data.isascii()
    assert parsed(mail)["Subject"] == mail.subject
    assert title in part(mail, "plain")


def test_the_days_are_counted_in_the_zone_of_the_person(digest: Callable[..., Written], reader: User) -> None:
    """Eight on Thursday in Shanghai is Wednesday evening in Toronto."""
    reader.time_zone = "America/Toronto"

    text = part(digest(0, 1), "plain")

    assert "2 reminders · Wednesday, March 4, 2026" in text
    assert "Task 0 — tomorrow" in text


@pytest.mark.parametrize(
    ("language", "more"), [("en", "And 150 more that are due later."), ("zh-hans", "另有 150 项，到期更晚。")]
)
def test_a_long_digest_lists_the_hundred_most_urgent_and_counts_the_rest(
    reader: User, settings: Any, language: str, more: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    settings.SITE_URL = "https://office.example.org"
    reader.language = language
    agreement = AgreementFactory()
    UnitMembershipFactory(user=reader, unit=agreement.unit)
    rows = [
        MilestoneFactory.build(
            unit=agreement.unit,
            agreement=agreement,
            owner=reader,
            title=f"Task {number:03}",
            title_zh="",
            due_on=TODAY + dt.timedelta(days=number - 60),
        )
        for number in range(250)
    ]
    Milestone.objects.bulk_create(rows)
    rule = ReminderRuleFactory()
    plans = [ReminderPlan(milestone=row, rule=rule, due_on=row.due_on, send_at=EIGHT) for row in reversed(rows)]
    items = [ReminderItem(why="owner", plan=plan) for plan in plans]
    delivery = Delivery(person=reader, kind="digest", digest_on=TODAY, message_id="<x@example.org>")

    with django_assert_num_queries(1):  # the partners
        mail = write(delivery, items, MovableClock(EIGHT))

    text, html = part(mail, "plain"), part(mail, "html")
    assert mail.subject.startswith("250 ")
    assert re.findall(r"^Task (\d+)", text, re.MULTILINE) == [f"{number:03}" for number in range(100)]
    assert re.findall(r">Task (\d+)<", html) == [f"{number:03}" for number in range(100)]
    for body in (text, html):
        assert more in body
        assert "https://office.example.org/" in body.partition(more)[2]
    assert len(mail.data) < 200_000


def test_partners_stand_beside_each_milestone(
    digest: Callable[..., Written], reader: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    ours = OrganizationFactory(name="Our University")
    unit = UnitFactory(organization=ours)
    agreement = AgreementFactory(unit=unit)
    for name in ("Our University", "Acme", "Institute of Gears", "Harbor Works"):
        organization = ours if name == ours.name else OrganizationFactory(name=name)
        AgreementPartyFactory(agreement=agreement, organization=organization)
    AgreementPartyFactory(agreement=agreement, withdrew_on=TODAY, organization__name="Gone Ltd")
    activity = ActivityFactory(unit=unit, agreement=None)
    ActivityOrganizationFactory(activity=activity, organization__name="Mill & Sons")
    demand = DemandFactory(unit=unit, organization__name="Tea House")
    UnitMembershipFactory(user=reader, unit=unit)
    rows = [
        MilestoneFactory(agreement=agreement, owner=reader, due_on=TODAY),
        MilestoneFactory(agreement=None, activity=activity, unit=unit, owner=reader, due_on=TODAY),
        MilestoneFactory(agreement=None, demand=demand, unit=unit, owner=reader, due_on=TODAY),
    ]
    plans = [ReminderPlanFactory(milestone=row, send_at=EIGHT) for row in rows]
    items = [ReminderItem(why="owner", plan=plan) for plan in plans]

    mail = write(Delivery(person=reader, message_id="<x@example.org>"), items, MovableClock(EIGHT))

    text = part(mail, "plain")
    assert f"Acme · Institute of Gears and 1 more · {agreement} · {unit}" in text
    assert f"Mill & Sons · {activity} · {unit}" in text
    assert f"Tea House · {demand} · {unit}" in text
    assert "Gone Ltd" not in text
    assert "Acme" not in mail.subject


def test_partners_of_a_hidden_agreement_are_not_named(reader: User) -> None:
    """An activity of the reader's unit, under an agreement of a unit that it has left."""
    agreement = AgreementFactory()
    AgreementPartyFactory(agreement=agreement, organization__name="Secret Works")
    unit = UnitFactory()
    UnitMembershipFactory(user=reader, unit=unit)
    activity = ActivityFactory(unit=unit, agreement=agreement)
    ActivityOrganizationFactory(activity=activity, organization__name="Own Partner")
    rows = [
        MilestoneFactory(agreement=agreement, activity=activity, unit=unit, owner=reader, due_on=TODAY),
        MilestoneFactory(agreement=agreement, unit=unit, owner=reader, due_on=TODAY),
    ]
    plans = [ReminderPlanFactory(milestone=row, send_at=EIGHT) for row in rows]
    for chosen in (plans, plans[:1], plans[1:]):
        items = [ReminderItem(why="owner", plan=plan) for plan in chosen]
        for item in items:
            item.plan.milestone.refresh_from_db()
        mail = write(Delivery(person=reader, message_id="<x@example.org>"), items, MovableClock(EIGHT))
        assert "Secret Works" not in part(mail, "plain") + part(mail, "html")
        assert ("Own Partner" in part(mail, "plain")) == (plans[0] in chosen)
