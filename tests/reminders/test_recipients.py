import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.factories import (
    NOON,
    AgreementUnitFactory,
    MilestoneFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Milestone, ReminderPlan, Unit, User
from partnerships.reminders.recipients import Directory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def reminded(plan: ReminderPlan) -> list[tuple[User, str]]:
    loaded = ReminderPlan.objects.select_related("milestone__agreement", "rule").get(pk=plan.pk)
    found = Directory.load([loaded], now=NOON).recipients(loaded)
    return [(recipient.person, recipient.why.value) for recipient in found]


@pytest.fixture
def college() -> Unit:
    return UnitFactory()


@pytest.fixture
def unit(college: Unit) -> Unit:
    return UnitFactory(parent=college)


@pytest.fixture
def owner(unit: Unit) -> User:
    return UserFactory(coordinator_in=unit)


@pytest.fixture
def plan(unit: Unit, owner: User) -> ReminderPlan:
    return ReminderPlanFactory(milestone=MilestoneFactory(agreement__unit=unit, owner=owner))


def give_fallback(unit: Unit, **person: object) -> User:
    unit.fallback_person = UserFactory(**{"coordinator_in": unit, **person})
    unit.save()
    return unit.fallback_person


def test_the_owner_is_notified(plan: ReminderPlan, owner: User) -> None:
    assert reminded(plan) == [(owner, "owner")]


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email": ""}])
def test_an_owner_who_cannot_be_reached_is_replaced_by_the_fallback_person(
    plan: ReminderPlan, owner: User, unit: Unit, fields: dict
) -> None:
    fallback = give_fallback(unit)
    User.objects.filter(pk=owner.pk).update(**fields)

    assert reminded(plan) == [(fallback, "fallback")]


def test_a_milestone_without_owner_goes_to_the_fallback_person_above(
    plan: ReminderPlan, unit: Unit, college: Unit
) -> None:
    give_fallback(unit, is_active=False)
    above = give_fallback(college)
    Milestone.objects.update(owner=None)

    assert reminded(plan) == [(above, "fallback")]


def test_an_owner_who_may_no_longer_see_the_milestone_is_not_notified(
    plan: ReminderPlan, owner: User, college: Unit
) -> None:
    fallback = give_fallback(college)
    owner.memberships.all().delete()

    assert reminded(plan) == [(fallback, "fallback")]


def test_nobody_is_notified_when_nobody_is_reachable(plan: ReminderPlan, college: Unit) -> None:
    give_fallback(college, is_active=False)
    Milestone.objects.update(owner=None)

    assert reminded(plan) == []


@pytest.mark.parametrize(
    ("absent_from", "absent_until", "expected"),
    [
        ("2026-03-01", "2026-03-02", "stand-in"),
        ("2026-02-01", "2026-03-01", "owner"),
        ("2026-03-03", "2026-03-04", "owner"),
    ],
)
def test_the_deputy_is_notified_while_the_owner_is_away(
    plan: ReminderPlan, owner: User, unit: Unit, absent_from: str, absent_until: str, expected: str
) -> None:
    deputy = UserFactory(coordinator_in=unit)
    owner.deputy = deputy
    owner.absent_from, owner.absent_until = (dt.date.fromisoformat(day) for day in (absent_from, absent_until))
    owner.save()

    assert reminded(plan) == [(deputy if expected == "stand-in" else owner, expected)]


def test_absence_is_judged_in_the_owners_own_time_zone(plan: ReminderPlan, owner: User, unit: Unit) -> None:
    """At noon UTC of 2 March it is 3 March on Kiritimati."""
    owner.deputy = UserFactory(coordinator_in=unit)
    owner.absent_from = owner.absent_until = dt.date(2026, 3, 3)
    owner.time_zone = "Pacific/Kiritimati"
    owner.save()

    assert reminded(plan) == [(owner.deputy, "stand-in")]


def test_an_absent_owner_without_a_reachable_deputy_is_notified(plan: ReminderPlan, owner: User) -> None:
    owner.deputy = UserFactory(is_active=False)
    owner.absent_from = owner.absent_until = NOON.date()
    owner.save()

    assert reminded(plan) == [(owner, "owner")]


def test_a_rule_for_the_deputy_always_notifies_the_deputy(plan: ReminderPlan, owner: User, unit: Unit) -> None:
    owner.deputy = UserFactory(coordinator_in=unit)
    owner.save()
    plan.rule = ReminderRuleFactory(audience="deputy")
    plan.save()

    assert reminded(plan) == [(owner.deputy, "deputy")]


def test_a_rule_for_the_leads_notifies_all_leads_of_the_nearest_unit_with_one(
    plan: ReminderPlan, unit: Unit, college: Unit
) -> None:
    plan.rule = ReminderRuleFactory(audience="lead")
    plan.save()
    dean = UserFactory(lead_in=college)
    UserFactory(lead_in=unit, is_active=False)
    assert reminded(plan) == [(dean, "lead")]

    leads = [UserFactory(lead_in=unit), UserFactory(lead_in=unit)]
    assert reminded(plan) == [(lead, "lead") for lead in leads]


def test_a_rule_for_a_named_person_notifies_them(plan: ReminderPlan) -> None:
    clerk = UserFactory(staff=True)
    plan.rule = ReminderRuleFactory(audience="named", named_person=clerk)
    plan.save()

    assert reminded(plan) == [(clerk, "named")]


def test_the_directory_sees_what_the_querysets_see(unit: Unit, college: Unit, plan: ReminderPlan) -> None:
    """`may_see` has to agree with `visible_to`."""
    other = UnitFactory()
    shared = MilestoneFactory(agreement__unit=other)
    AgreementUnitFactory(agreement=shared.agreement, unit=unit)
    AgreementUnitFactory(agreement=MilestoneFactory(agreement__unit=other).agreement, unit=UnitFactory())
    people = [UserFactory(viewer_in=unit), UserFactory(viewer_in=college), UserFactory(viewer_in=other)]
    people += [UserFactory(staff=True), UserFactory(system_admin=True), UserFactory(user_admin=True), UserFactory()]
    people += [UserFactory(staff=True, is_active=False)]
    for milestone in Milestone.objects.all():
        for person in people:
            ReminderPlanFactory(milestone=milestone, rule__audience="named", rule__named_person=person)
    plans = list(ReminderPlan.objects.select_related("milestone__agreement", "rule"))
    directory = Directory.load(plans, now=NOON)

    seen = {(one.pk, row.pk) for one in people for row in Milestone.objects.all() if directory.may_see(one, row)}

    expected = {(one.pk, row.pk) for one in people for row in Milestone.objects.visible_to(one)}
    assert seen == expected
    assert len(expected) == 12


@pytest.mark.parametrize("count", [1, 20])
def test_many_plans_take_as_many_queries_as_one(
    unit: Unit, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _plan in range(count):
        owner = UserFactory(coordinator_in=unit)
        ReminderPlanFactory(milestone=MilestoneFactory(agreement__unit=unit, owner=owner))
    plans = list(ReminderPlan.objects.select_related("milestone__agreement", "rule"))

    with django_assert_num_queries(3):
        directory = Directory.load(plans, now=NOON)
        assert all(directory.recipients(plan) for plan in plans)


def test_what_waits_for_leads_is_escalated_to_the_unit_above_and_then_to_the_office(
    college: Unit, unit: Unit, owner: User
) -> None:
    lead, office = UserFactory(lead_in=unit), UserFactory(is_staff=True)
    handed_in = MilestoneFactory(submitted=True, unit=unit, owner=owner)
    first = ReminderPlanFactory(milestone=handed_in, rule=ReminderRuleFactory(audience="owner", offset=1))
    second = ReminderPlanFactory(milestone=handed_in, rule=ReminderRuleFactory(audience="lead", offset=2))

    assert reminded(first) == [(lead, "lead")]
    assert reminded(second) == [(office, "fallback")]

    above = UserFactory(lead_in=college)
    assert reminded(second) == [(above, "lead")]
