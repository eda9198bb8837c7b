"""My work: one list, grouped; done, snoozed and given away in the line itself, and taken back."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AgreementPartyFactory,
    HonourFactory,
    MilestoneFactory,
    OrganizationFactory,
    UserFactory,
)
from partnerships.lists.cells import partner_names
from partnerships.models import Agreement, Milestone, Role, UnitMembership
from partnerships.views import my_work
from partnerships.workflows.agreements import submit_agreement
from partnerships.workflows.milestones import meet_milestone
from tests.views.world import World
from tests.workflows.follow_ups import plan_activity


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def groups(page: Any) -> dict[str, list[str]]:
    found = {group["key"]: [str(entry.row) for entry in group["rows"]] for group in page.context["groups"]}
    return {key: rows for key, rows in found.items() if rows}


def due(world: World, title: str, days: int, **more: Any) -> Milestone:
    fields = {"agreement": world.agreement, "owner": world.coordinator, "due_on": DAY + dt.timedelta(days=days)}
    return MilestoneFactory(title=title, **(fields | more))


def test_everything_dated_stands_in_one_list(world: World, client: Client) -> None:
    Milestone.objects.all().delete()
    party = AgreementPartyFactory(agreement=world.agreement)
    for title, days in (("Late", -1), ("Now", 0), ("Soon", 7), ("Near", 8), ("Far", 31)):
        due(world, title, days)
    due(world, "Theirs", -3, party=party)
    due(world, "Handed in", -3, submitted=True)
    due(world, "Asleep", -3, snoozed_until=DAY + dt.timedelta(days=1), snooze_reason="Holiday")
    due(world, "Somebody else's", 0, owner=world.lead)
    starts_on = DAY + dt.timedelta(days=2)
    asked = {"unit": world.unit, "owner": world.coordinator, "kind": "visit", "title": "The visit"}
    plan_activity(actor=None, on=DAY, starts_on=starts_on, **asked)

    assert groups(client.get("/")) == {
        "overdue": ["Late"],
        "today": ["Now", "North training"],
        "week": ["Start “The visit”", "Complete “The visit”", "Soon"],
        "month": ["Near"],
        "later": ["Far"],
        "waiting": ["Theirs", "Handed in"],
        "snoozed": ["Asleep"],
    }


def test_a_long_list_says_how_long_and_opens_all(world: World, client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(my_work, "MOST_ROWS", 2)
    for number in range(3):
        due(world, f"Number {number}", 30)

    page = client.get("/")

    listed = client.get(reverse("milestone_list"), {"owner": world.coordinator.pk}).context["page"].paginator.count
    assert page.context["count"] == listed == 5
    assert "The first of 5 are shown." in page.text


def to_approve(world: World, number: int) -> Milestone:
    agreement = AgreementFactory(unit=world.unit, in_review=True, title=f"Draft {number}")
    return MilestoneFactory(agreement=agreement, kind="approval", owner=None, due_on=DAY, unit=world.unit)


def test_a_long_list_of_decisions_says_so_and_opens_all(
    world: World, client_of: Callable[[Any], Client], monkeypatch: Any
) -> None:
    monkeypatch.setattr(my_work, "MOST_ROWS", 2)
    for number in range(3):
        to_approve(world, number)
    lead = client_of(world.lead)

    page = " ".join(lead.get("/").text.split())

    count = Milestone.objects.to_decide_by(world.lead).count()
    assert count >= 3
    assert f"The most urgent of {count} decisions are shown." in page
    address = f"{reverse('milestone_list')}?waits_for={world.lead.pk}"
    assert address in page
    assert lead.get(address).context["page"].paginator.count >= count


def test_the_office_reads_what_to_do_about_an_approval_that_no_lead_may_give(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    UnitMembership.objects.filter(role=Role.LEAD).delete()
    row = to_approve(world, 1)

    page = " ".join(client_of(world.people["staff"]).get("/").text.split())

    assert f"No lead of {row.unit} or of a unit above it may approve it: ask a system administrator" in page


def test_what_follows_from_a_record_shows_the_act_that_settles_it(world: World, client: Client) -> None:
    common = {"owner": world.coordinator, "unit": world.unit, "agreement": None}
    honour = HonourFactory(unit=world.unit, organization=world.enterprise)
    rows = {
        "Answer": MilestoneFactory(kind="demand_deadline", demand=world.demand, **common),
        "Decide": MilestoneFactory(kind="decision_date", **{**common, "agreement": world.agreement}),
        "Renew": MilestoneFactory(kind="honour_lapse", honour=honour, **common),
    }

    entries = {entry.row.pk: entry for group in client.get("/").context["groups"] for entry in group["rows"]}

    found = {label: entries[row.pk] for label, row in rows.items()}
    assert {label: entry.action for label, entry in found.items()} == {label: label for label in rows}
    assert found["Answer"].page == world.demand.get_absolute_url()
    assert found["Decide"].page == f"{world.agreement.get_absolute_url()}#decision"
    assert found["Renew"].page == honour.get_absolute_url()
    assert all(entry.steps_in_menu[0][0] == "Mark as done" for entry in found.values())


HTMX = {"HX-Request": "true"}


def in_place(milestone: Milestone) -> dict[str, str]:
    return {**HTMX, "HX-Target": f"form-milestone-{milestone.pk}"}


def undo_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(version|what|owner)" value="([^"]*)"', page))


STEPS = {
    "meet": {"on": DAY.isoformat(), "evidence": "Sent"},
    "snooze": {"until": (DAY + dt.timedelta(days=2)).isoformat(), "reason": "They are away"},
    "assign": {"owner": "new_owner"},
}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_in_place_can_be_undone(step: str, world: World, client: Client) -> None:
    milestone, new_owner = world.milestone, UserFactory(coordinator_in=world.unit)
    address = reverse("milestone_step", args=[milestone.pk, step])
    typed = {name: new_owner.pk if value == "new_owner" else value for name, value in STEPS[step].items()}
    before = (milestone.status, milestone.owner, milestone.snoozed_until)

    form = client.get(address, headers=in_place(milestone))
    done = client.post(address, {"version": milestone.version, **typed}, headers=in_place(milestone))
    milestone.refresh_from_db()
    after = (milestone.status, milestone.owner, milestone.snoozed_until)
    back = client.post(reverse("milestone_undo", args=[milestone.pk]), undo_of(done.text), headers=HTMX)

    milestone.refresh_from_db()
    assert "<html" not in form.text + done.text + back.text
    assert done.headers["HX-Retarget"] == f"#work-milestone-{milestone.pk}"
    assert after != before == (milestone.status, milestone.owner, milestone.snoozed_until)
    assert f'id="work-milestone-{milestone.pk}"' in back.text


def test_a_mistake_in_place_shows_the_form_again(world: World, client: Client) -> None:
    address = reverse("milestone_step", args=[world.milestone.pk, "meet"])

    typed = {"version": world.milestone.version, "on": DAY.isoformat(), "evidence": ""}
    answer = client.post(address, typed, headers=in_place(world.milestone))

    assert (answer.status_code, "This field is required." in answer.text) == (200, True)


def test_a_stale_line_says_so_and_keeps_what_was_typed(world: World, client: Client) -> None:
    world.milestone.title = "Renamed"
    world.milestone.save()
    address = reverse("milestone_step", args=[world.milestone.pk, "meet"])

    typed = {"version": 1, "on": DAY.isoformat(), "evidence": "Sent by post"}
    page = client.post(address, typed, headers=in_place(world.milestone)).text

    assert ["Somebody changed this while you were writing." in page, "Sent by post" in page] == [True, True]


def take_back(world: World, person: Any, client_of: Callable[[Any], Client]) -> str:
    milestone = Milestone.objects.get(pk=world.milestone.pk)
    asked = {"version": milestone.version, "what": "step"}
    page = client_of(person).post(reverse("milestone_undo", args=[milestone.pk]), asked, headers=HTMX).text
    milestone.refresh_from_db()
    return f"{milestone.status}: {'too late' in page}"


def test_only_whoever_did_it_undoes_it_and_only_at_once(world: World, client_of: Callable[[Any], Client]) -> None:
    meet_milestone(world.milestone, actor=world.coordinator, on=DAY, evidence="Sent")
    colleague = UserFactory(coordinator_in=world.unit)

    by_another = take_back(world, colleague, client_of)
    with time_machine.travel(NOON + dt.timedelta(minutes=6), tick=False):
        later = take_back(world, world.coordinator, client_of)
    at_once = take_back(world, world.coordinator, client_of)

    assert (by_another, later, at_once) == ("met: True", "met: True", "open: False")


def test_what_comes_back_every_year_is_not_undone(world: World, client_of: Callable[[Any], Client]) -> None:
    milestone = world.milestone
    milestone.recurs_every_months = 12
    milestone.save()
    address = reverse("milestone_step", args=[milestone.pk, "meet"])
    typed = {"version": milestone.version, **STEPS["meet"]}

    done = client_of(world.coordinator).post(address, typed, headers=in_place(milestone)).text

    assert "Undo" not in done
    assert take_back(world, world.coordinator, client_of) == "met: False"


def test_without_scripts_the_same_address_is_a_page(world: World, client: Client) -> None:
    meet_milestone(world.milestone, actor=world.coordinator, on=DAY, evidence="Sent")
    milestone = Milestone.objects.get(pk=world.milestone.pk)
    address = reverse("milestone_undo", args=[milestone.pk])

    page = client.get(address).text
    answer = client.post(address, {"version": milestone.version, "what": "step"})

    milestone.refresh_from_db()
    assert "Take it back" in page
    assert (answer.status_code, answer.url, milestone.status) == (302, milestone.get_absolute_url(), "open")


def test_an_activity_without_an_end_is_listed_once(world: World, client: Client) -> None:
    ActivityFactory(unit=world.unit, owner=world.coordinator, title="Open end", kind="consulting", postponed=True)

    assert groups(client.get("/"))["later"].count("Open end") == 1


class TestInABrowser:
    @pytest.fixture
    def today(self, world: World) -> World:
        Milestone.objects.all().delete()
        in_two_days = timezone.localdate() + dt.timedelta(days=2)
        MilestoneFactory(agreement=world.agreement, owner=world.coordinator, title="Annual report", due_on=in_two_days)
        return world

    @pytest.mark.parametrize("width", [390, 1440])
    def test_done_in_the_line_and_undone(self, width: int, today: World, open_page: Callable[..., Any]) -> None:
        page = open_page("/", today.coordinator, width=width)

        page.get_by_role("link", name="Mark as done: Annual report").click()
        page.keyboard.press("Tab")
        page.get_by_label("Evidence").fill("Sent by post")
        page.get_by_role("button", name="Mark as done").click()
        page.get_by_text("Marked as done.").wait_for()
        assert Milestone.objects.get().status == "met"
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("taken back").wait_for()

        assert Milestone.objects.get().status == "open"
        page.locator(".row-title:focus").wait_for()
        page.keyboard.press("e")
        page.get_by_label("Evidence").fill("Sent by post")
        page.get_by_role("button", name="Mark as done").click()
        page.locator(".done-title:focus").wait_for()
        page.keyboard.press("z")
        page.get_by_text("taken back").wait_for()

        assert Milestone.objects.get().status == "open"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def approval_of(world: World) -> tuple[Any, Milestone]:
    agreement = AgreementFactory(
        unit=world.unit, ready=True, created_by=world.coordinator, coordinator=world.coordinator
    )
    submit_agreement(Agreement.objects.get(pk=agreement.pk), actor=world.coordinator, on=DAY)
    return agreement, Milestone.objects.get(agreement=agreement, kind="approval")


def test_a_lead_sees_decisions_first_and_takes_them_in_the_line(world: World, client_of: Any) -> None:
    Milestone.objects.all().delete()
    agreement, approval = approval_of(world)
    handed_in = due(world, "Handed in", 5, submitted=True)
    lead = client_of(world.lead)

    page = lead.get("/")
    found = {group["key"]: group["rows"] for group in page.context["groups"] if group["rows"]}
    assert list(found)[:2] == ["approve", "accept"]
    assert [entry.row.pk for entry in found["approve"] + found["accept"]] == [approval.pk, handed_in.pk]

    for entry in found["approve"] + found["accept"]:
        assert entry.decision.address in page.text
        sent = {"version": entry.decision.version, "on": DAY.isoformat()}
        target = {**HTMX, "HX-Target": f"form-{entry.key}"}
        assert "work-milestone" in lead.post(entry.decision.address, sent, headers=target).text

    agreement.refresh_from_db()
    assert agreement.status == "approved"
    assert {row.status for row in Milestone.objects.filter(pk__in=[approval.pk, handed_in.pk])} == {"met"}
    assert not groups(lead.get("/")).keys() & {"approve", "accept"}


def test_what_waits_for_the_leads_is_not_called_unassigned(world: World, client_of: Any) -> None:
    Milestone.objects.all().delete()
    _agreement, approval = approval_of(world)
    lead = client_of(world.lead)

    for address in (reverse("milestone_list"), approval.get_absolute_url()):
        page = lead.get(address).text
        assert "the leads of its unit" in page
        assert "nobody" not in page


def test_the_author_of_a_draft_has_no_button_to_approve_it(world: World, client_of: Any) -> None:
    agreement, _approval = approval_of(world)
    address = reverse("agreement_step", args=[agreement.pk, "approve"])

    assert address not in client_of(world.coordinator).get("/").text
    sent = {"version": Agreement.objects.get(pk=agreement.pk).version, "on": DAY.isoformat()}
    assert client_of(world.coordinator).post(address, sent).status_code == 403


@pytest.mark.parametrize("rows", [1, 4])
def test_decisions_cost_the_same_however_many_there_are(
    rows: int, world: World, client_of: Any, django_assert_max_num_queries: Any
) -> None:
    for _number in range(rows):
        approval_of(world)
    due(world, "Handed in", 5, submitted=True)
    lead = client_of(world.lead)
    lead.get("/")

    with django_assert_max_num_queries(32):
        lead.get("/")


def test_a_promise_about_to_be_missed_is_told_to_the_coordinator_alone(
    world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    world.agreement.terms.update(ends_on=DAY + dt.timedelta(days=30))
    Agreement.objects.filter(pk=world.agreement.pk).update(current_ends_on=DAY + dt.timedelta(days=30))

    page = client.get("/")

    [(shortfall, address)] = page.context["shortfalls"]
    assert (shortfall.agreement, shortfall.promise.area) == (world.agreement, world.area)
    assert address in unescape(page.text)
    assert "Promises at risk" not in client_of(world.lead).get("/").text


def test_the_most_urgent_promises_are_shown_with_the_number_of_all(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(my_work, "MOST_SHORTFALLS", 2)
    world.agreement.terms.update(ends_on=DAY + dt.timedelta(days=30))
    Agreement.objects.filter(pk=world.agreement.pk).update(current_ends_on=DAY + dt.timedelta(days=30))
    AgreementAreaFactory(agreement=world.agreement)

    two = client.get("/")
    AgreementAreaFactory(agreement=world.agreement)
    three = client.get("/")

    assert [len(page.context["shortfalls"]) for page in (two, three)] == [2, 2]
    assert [page.context["shortfall_count"] for page in (two, three)] == [2, 3]
    assert ["The 2 most urgent of" in page.text for page in (two, three)] == [False, True]
    assert "The 2 most urgent of 3." in three.text


def test_equal_tasks_of_one_day_fold_into_one_line_that_opens(world: World, client: Client) -> None:
    Milestone.objects.all().delete()
    for number in range(3):
        agreement = AgreementFactory(unit=world.unit, signed=True, title=f"Agreement {number}")
        due(world, "Half-year review", 20, agreement=agreement)
    due(world, "Half-year review", 21)

    page = client.get("/")

    [month] = [group for group in page.context["work_groups"] if group["key"] == "month"]
    folded, other = month["lines"]
    opened = client.get(folded.address.partition("#")[0])
    [open_month] = [group for group in opened.context["work_groups"] if group["key"] == "month"]
    assert "3 × Half-year review" in " ".join(page.text.split())
    assert client.get(folded.reassign_address).text.count("Half-year review") >= 3
    assert (len(folded.items), other.row.due_on) == (3, DAY + dt.timedelta(days=21))
    assert len(open_month["lines"]) == 5
    assert open_month["lines"][0].address.partition("#")[0].rstrip("?") == "/"


def test_by_partner_the_most_urgent_stands_first(world: World, client: Client) -> None:
    Milestone.objects.all().delete()
    due(world, "Far", 40)
    due(world, "Late", -1)
    due(world, "Without an agreement", 3, agreement=None, organization=OrganizationFactory(), unit=world.unit)

    page = client.get("/", {"by": "partner"})

    shown = [(group["label"], [str(row.row) for row in group["rows"]]) for group in page.context["work_groups"]]
    first, rows = shown[0]
    assert (first, rows[0], rows[-1]) == (partner_names(world.agreement), "Late", "Far")
    assert ["Without an agreement"] in [rows for _label, rows in shown]
