"""After something was saved the page says what changed, what is open now, and when the next reminder really goes out."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from partnerships.factories import DAY, AgreementTypeFactory, DemandFactory, TypeMilestoneFactory
from partnerships.forms.consequences import consequences_of
from partnerships.models import Activity, Agreement, Milestone, ReminderPlan
from partnerships.reminders.default_rules import create_default_rules
from partnerships.reminders.reconcile import reconcile_marked
from tests.views.sent import filled
from tests.views.world import World, make_world


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    create_default_rules()
    return client_of(world.coordinator)


def said(response: Any) -> str:
    """The message that the next page shows."""
    return str(next(iter(get_messages(response.wsgi_request))))


def first_planned(**about: Any) -> str:
    """The day of the first reminder that the pipeline plans, as the pages write it."""
    while reconcile_marked(real_now=timezone.now()):
        pass
    plans = ReminderPlan.objects.filter(status="planned", appearance=None, send_at__gt=timezone.now())
    first = plans.filter(**{f"milestone__{name}": value for name, value in about.items()}).order_by("send_at").first()
    assert first is not None
    return date_format(first.send_at.astimezone(timezone.get_default_timezone()), "M j")


def test_a_signed_agreement_names_its_milestones_and_the_first_reminder(world: World, client: Client) -> None:
    kind = AgreementTypeFactory()
    for month in (3, 6):
        TypeMilestoneFactory(type=kind, title=f"Report {month}", months_after_signing=month)
    ours = world.unit.organization
    page = client.get(reverse("agreement_add"))
    typed = {"type": str(kind.pk), "title": "Joint centre", "on": DAY.isoformat()}
    parties = [ours, world.enterprise] if ours else [world.agreement.parties.first().organization, world.enterprise]
    typed |= {f"parties__{number}__organization": str(one.pk) for number, one in enumerate(parties)}

    answer = client.post(reverse("agreement_add"), filled(page, **typed))

    made = Agreement.objects.get(title="Joint centre")
    open_ones = Milestone.objects.pending().filter(agreement=made)
    first_due = date_format(open_ones.order_by("due_on").first().due_on, "M j")
    count = open_ones.count()
    assert count >= 2
    assert said(answer).startswith(f"Saved. {count} open milestones, the first due on {first_due}")
    assert f"; next reminder on {first_planned(agreement=made)}." in said(answer)


def test_a_next_step_is_named_with_its_reminder(world: World, client: Client) -> None:
    typed = {
        "kind": "visit",
        "is_done": "on",
        "starts_on": DAY.isoformat(),
        "agreement": world.agreement.pk,
        "summary": "They want two more courses",
        "owner": world.coordinator.pk,
        "next_step": "Send the plan",
        "next_step_on": (DAY + dt.timedelta(days=40)).isoformat(),
    }

    answer = client.post(reverse("activity_log"), typed)

    done = Activity.objects.get(summary="They want two more courses")
    due = date_format(DAY + dt.timedelta(days=40), "M j")
    reminder = first_planned(activity=done)
    assert said(answer) == f"Recorded. “Send the plan” is due on {due}; next reminder on {reminder}."


@pytest.mark.parametrize("act", ["move", "snooze"])
def test_a_milestone_says_when_it_comes_back(act: str, world: World, client: Client) -> None:
    milestone = world.milestone
    Milestone.objects.filter(pk=milestone.pk).update(due_on=DAY + dt.timedelta(days=60))
    page = client.get(reverse("milestone_step", args=[milestone.pk, act]))
    typed = {
        "move": {"due_on": (DAY + dt.timedelta(days=90)).isoformat(), "reason": "They asked"},
        "snooze": {"until": (DAY + dt.timedelta(days=30)).isoformat(), "reason": "They asked"},
    }

    answer = client.post(reverse("milestone_step", args=[milestone.pk, act]), filled(page, **typed[act]))

    assert said(answer).endswith(f"; next reminder on {first_planned(pk=milestone.pk)}.")


def test_of_what_is_done_the_others_of_the_agreement_are_named(world: World, client: Client) -> None:
    page = client.get(reverse("milestone_step", args=[world.milestone.pk, "meet"]))

    answer = client.post(
        reverse("milestone_step", args=[world.milestone.pk, "meet"]),
        filled(page, on=DAY.isoformat(), evidence="Minutes"),
    )

    others = Milestone.objects.pending().filter(agreement=world.agreement)
    assert said(answer).startswith("Marked as done. ")
    assert others.exclude(pk=world.milestone.pk).order_by("due_on").first().title in said(answer) or others.count() > 1


def test_an_edit_names_what_was_changed_and_what_changed_with_it(world: World, client: Client) -> None:
    demand = world.demand
    address = reverse("demand_edit", args=[demand.pk])
    deadline = DAY + dt.timedelta(days=80)

    moved = client.post(address, filled(client.get(address), deadline_on=deadline.isoformat(), field="Bearings"))
    named = client.post(address, filled(client.get(address), field="Gears"))
    same = client.post(address, filled(client.get(address)))

    milestone = Milestone.objects.pending().get(demand=demand, due_on=deadline)
    due = date_format(deadline, "M j")
    words = f"Saved: field, deadline. 1 milestone changed with it. “{milestone.display_title}” is due on {due}"
    assert said(moved) == f"{words}; next reminder on {first_planned(demand=demand)}."
    assert [said(answer) for answer in (named, same)] == ["Saved: field.", "Saved."]


def test_an_edit_names_lines_and_at_most_five_fields(world: World, client: Client) -> None:
    address = reverse("facility_edit", args=[world.facility.pk])
    typed = {"name": "Base", "name_zh": "基地", "site": "Hall 2", "capacity": "40", "summary": "In short"}

    lines = client.post(address, filled(client.get(address), **{"facilitypartner-0-head": "Ms Lin"}))
    many = client.post(address, filled(client.get(address), kind="training_base", **typed))

    assert said(lines).startswith("Saved: ")
    assert said(many).endswith(" and more.")


def test_without_milestones_or_rules_nothing_is_promised(world: World, client: Client) -> None:
    demand = DemandFactory(unit=world.unit)
    Milestone.objects.filter(demand=demand).delete()

    assert consequences_of(demand, world.coordinator, now=timezone.now()) == ""
    assert consequences_of(world.unit, world.coordinator, now=timezone.now()) == ""


def test_what_one_may_not_see_is_not_named(world: World, client: Client) -> None:
    assert consequences_of(make_world("South").agreement, world.coordinator, now=timezone.now()) == ""


def test_it_is_said_in_the_readers_language(world: World, client: Client) -> None:
    with translation.override("zh-hans"):
        assert "下次提醒" in consequences_of(world.agreement, world.coordinator, now=timezone.now())


def test_it_costs_the_same_for_one_and_for_many(
    world: World, client: Client, django_assert_max_num_queries: Any
) -> None:
    consequences_of(world.agreement, world.coordinator, now=timezone.now())
    with django_assert_max_num_queries(12):
        consequences_of(world.agreement, world.coordinator, now=timezone.now())
