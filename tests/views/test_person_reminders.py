"""A month of a colleague's reminders: every outcome with its reason, and who may read them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    NOON,
    AgreementFactory,
    DeliveryFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.mailing.person_month import ReminderState
from partnerships.models import ReminderItem, ReminderPlan, User
from partnerships.permissions import may, people_with_reminders_seen_by
from tests.views.world import ROLES, World

MONTH = f"{NOON:%Y-%m}"
LATER = NOON + dt.timedelta(days=2)


def shown(client: Client, person: Any, **query: str) -> list[tuple[str, str]]:
    """State and words of each row."""
    response = client.get(reverse("person_reminders", args=[person.pk]), {"month": MONTH} | query)
    assert response.status_code == 200
    return [(row.state.value, row.words) for _day, rows in response.context["days"] for row in rows]


def plan_of(world: World, **values: Any) -> Any:
    milestone = values.pop("milestone", None) or MilestoneFactory(agreement=world.agreement, owner=world.coordinator)
    return ReminderPlanFactory(milestone=milestone, **values)


def item_of(world: World, **values: Any) -> Any:
    return ReminderItemFactory(plan=plan_of(world, status="expanded"), **values)


def _made_into_mail(world: World) -> list[str]:
    item_of(world, delivery__sent=True)
    item_of(world, delivery__failed=True, delivery__smtp_reply="no such user")
    item_of(world, delivery__status="held", delivery__reason="held-by-hand", delivery__held_at=NOON)
    item_of(world, delivery__status="skipped", delivery__reason="feed-only")
    item_of(world, delivery__status="cancelled", cancelled_at=NOON, cancel_reason="due-date-moved")
    item_of(world, person=UserFactory(lead_in=world.unit), why="stand-in", delivery__sent=True)
    return ["delivered", "failed", "held", "feed", "cancelled", "elsewhere"]


def _not_made_into_mail(world: World) -> list[str]:
    plan_of(world, send_at=LATER)
    plan_of(world, status="not_needed", reason="not-needed")
    plan_of(world, status="superseded", reason="snoozed")
    plan_of(world, status="superseded", reason="newer-reminder")
    plan_of(world, status="missed", reason="expired")
    plan_of(world, status="cancelled", reason="not-pending")
    return ["coming", "not_needed", "snoozed", "superseded", "missed", "cancelled"]


def test_each_outcome_stands_with_its_reason(world: World, client_of: Callable[[Any], Client]) -> None:
    User.objects.filter(pk=world.coordinator.pk).update(reminder_mode="digest")
    expected = sorted(_made_into_mail(world) + _not_made_into_mail(world))
    client = client_of(world.coordinator)

    rows = shown(client, world.coordinator)

    assert sorted(state for state, _words in rows) == expected
    reasons = {state: words for state, words in rows if state != "cancelled"}
    assert "no such user" in reasons["failed"]
    assert "Sending was paused manually" in reasons["held"]
    assert "asked for no mail" in reasons["feed"]
    assert "deputy of the owner, who is away" in reasons["elsewhere"]
    assert "digest" in reasons["coming"]
    assert "already passed" in reasons["not_needed"]
    assert "snoozed" in reasons["snoozed"]
    assert {words for state, words in rows if state == "cancelled"} == {
        "The due date was moved.",
        "The milestone is no longer open.",
    }
    page = client.get(reverse("person_reminders", args=[world.coordinator.pk]), {"month": MONTH})
    assert dict(page.context["states"]) == {ReminderState(state): expected.count(state) for state in expected}
    assert {state for state, _words in shown(client, world.coordinator, state="held")} == {"held"}
    assert len(shown(client, world.coordinator, state="nonsense")) == len(expected)


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({"email": ""}, "elsewhere", "has no e-mail address"),
        ({"is_active": False}, "elsewhere", "is closed"),
        ({"absent_from": NOON.date(), "absent_until": LATER.date()}, "elsewhere", "is away until"),
        ({"reminder_mode": "feed"}, "feed", "asked for no mail"),
    ],
)
def test_a_coming_reminder_says_why_it_passes_by(
    changes: dict[str, Any], state: str, words: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    owner = world.coordinator
    User.objects.filter(pk=owner.pk).update(deputy=UserFactory(coordinator_in=world.unit), **changes)
    plan_of(world, send_at=NOON - dt.timedelta(days=400))  # of another month
    plan_of(world, send_at=LATER)

    rows = shown(client_of(world.people["staff"]), owner)

    assert [(found, words in text) for found, text in rows] == [(state, True)]


def test_a_reminder_for_which_there_is_nobody(world: World, client_of: Callable[[Any], Client]) -> None:
    User.objects.filter(pk__in=[world.coordinator.pk, world.lead.pk]).update(email="")
    plan_of(world, send_at=LATER, reason="nobody-to-tell")

    rows = shown(client_of(world.people["staff"]), world.coordinator)

    assert [(state, words.startswith("Nobody can be notified")) for state, words in rows] == [("nobody", True)]


def test_leads_deputies_and_named_people_have_theirs(world: World, client_of: Callable[[Any], Client]) -> None:
    named, deputy = UserFactory(coordinator_in=world.unit), UserFactory(coordinator_in=world.unit)
    User.objects.filter(pk=world.coordinator.pk).update(
        deputy=deputy, absent_from=NOON.date(), absent_until=LATER.date()
    )
    for rule in ({"audience": "lead"}, {"audience": "named", "named_person": named}, {"audience": "owner"}):
        plan_of(world, milestone=world.milestone, rule=ReminderRuleFactory(**rule), send_at=LATER)
    client = client_of(world.people["staff"])

    states = {person: [state for state, _words in shown(client, person)] for person in (world.lead, named, deputy)}

    assert states == {world.lead: ["coming"], named: ["coming"], deputy: ["coming"]}


def test_a_month_ends_at_midnight_of_the_person(world: World, client_of: Callable[[Any], Client]) -> None:
    """In Shanghai December begins on November 30, 16:00 UTC. A reader in New York sees the same month."""
    User.objects.filter(pk=world.coordinator.pk).update(time_zone="Asia/Shanghai")
    User.objects.filter(pk=world.lead.pk).update(time_zone="America/New_York")
    edge = dt.datetime(2027, 11, 30, 16, tzinfo=dt.UTC)
    for at in (edge - dt.timedelta(seconds=1), edge):
        plan_of(world, status="not_needed", reason="not-needed", send_at=at)
        delivery = DeliveryFactory(person=world.coordinator, sent=True, sent_at=at)
        item_of(world, delivery=delivery)

    for reader in (world.coordinator, world.lead):
        client = client_of(reader)
        for month, day in (("2027-11", dt.date(2027, 11, 30)), ("2027-12", dt.date(2027, 12, 1))):
            page = client.get(reverse("person_reminders", args=[world.coordinator.pk]), {"month": month})
            assert [(date, len(rows)) for date, rows in page.context["days"]] == [(day, 2)]
    page = client.get(reverse("person_reminders", args=[world.coordinator.pk]), {"month": "2027-13"})
    assert page.context["is_unknown"]
    assert page.context["month"] == page.context["today"].replace(day=1)


def test_a_lead_sees_what_belongs_to_the_unit(world: World, client_of: Callable[[Any], Client]) -> None:
    elsewhere = UnitFactory()
    world.coordinator.memberships.create(unit=elsewhere, role=20)
    foreign = MilestoneFactory(agreement=AgreementFactory(unit=elsewhere), owner=world.coordinator)
    for milestone in (world.milestone, foreign):
        for values in ({"status": "expanded"}, {"send_at": LATER, "status": "cancelled", "reason": "not-pending"}):
            plan = plan_of(world, milestone=milestone, **values)
            if plan.status == "expanded":
                ReminderItemFactory(plan=plan, delivery__sent=True)

    lead = client_of(world.lead)
    assert len(shown(lead, world.coordinator)) == 2
    assert len(shown(client_of(world.coordinator), world.coordinator)) == 4
    address = reverse("person_reminders", args=[world.coordinator.pk])
    assert address in lead.get(reverse("team")).text
    assert address in client_of(world.coordinator).get(reverse("me")).text


@pytest.mark.parametrize("role", [*ROLES])
def test_many_accounts_are_answered_like_one(role: str, world: World) -> None:
    reader = world.people[role]
    UserFactory(viewer_in=UnitFactory())

    seen = set(User.objects.filter(people_with_reminders_seen_by(reader)))

    visible = User.objects.visible_to(reader)
    assert {person for person in visible if may(reader, "user.view_reminders", person)} == seen & set(visible)


@pytest.mark.parametrize("months", [1, 40])
def test_one_month_is_read_in_a_fixed_number_of_queries(
    months: int, world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    """Other months cost nothing, and rows of this one no query each."""
    _made_into_mail(world), _not_made_into_mail(world)
    rule = ReminderRuleFactory()
    ReminderPlan.objects.bulk_create(
        ReminderPlanFactory.build(
            milestone=world.milestone,
            rule=rule,
            due_on=NOON.date() + dt.timedelta(days=31 * number),
            send_at=NOON + dt.timedelta(days=31 * number),
            time_zone="UTC",
        )
        for number in range(2, months + 2)
    )
    client, address = client_of(world.lead), reverse("person_reminders", args=[world.coordinator.pk])
    client.get(address)

    with django_assert_num_queries(17):
        page = client.get(address, {"month": MONTH})

    assert len(page.context["days"]) == 2
    assert ReminderItem.objects.count() == 6


def test_an_agreement_of_another_unit_is_not_named_in_any_line(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    elsewhere = AgreementFactory(unit=UnitFactory(), title="Secret agreement", signed=True)
    milestone = MilestoneFactory(agreement=elsewhere, unit=world.unit, owner=world.coordinator, title="Ours")
    for days in (2, 3):
        plan_of(world, milestone=milestone, send_at=NOON + dt.timedelta(days=days))

    page = client_of(world.coordinator).get(reverse("person_reminders", args=[world.coordinator.pk]), {"month": MONTH})

    assert page.text.count("Ours") >= 2
    assert "Secret agreement" not in page.text
