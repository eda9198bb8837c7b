"""The rules that apply to a milestone: those of its agreement, else of the agreement's type, else the general ones."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from partnerships.factories import (
    NOON,
    AgreementFactory,
    AgreementTypeFactory,
    CalendarDayFactory,
    MilestoneFactory,
    ReminderRuleFactory,
    UnitFactory,
    WorkCalendarFactory,
)
from partnerships.models import Agreement, Milestone, ReminderPlan, ReminderRule
from partnerships.models.reasons import Reason
from partnerships.reminders.reconcile import reconcile_marked, sweep
from partnerships.reminders.rule_set import RuleSet, fingerprint
from partnerships.workflows.agreements import edit_agreement

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def speaking(milestone: Milestone) -> list[ReminderRule]:
    return RuleSet.load().rules_for(Milestone.objects.get(pk=milestone.pk))


@pytest.fixture
def agreement(milestone: Milestone) -> Agreement:
    assert milestone.agreement is not None
    return milestone.agreement


def test_rules_of_a_type_replace_the_general_ones_for_their_kind(
    milestone: Milestone, rule: ReminderRule, agreement: Agreement
) -> None:
    of_type = ReminderRuleFactory(agreement_type=agreement.type)
    ReminderRuleFactory(agreement_type=AgreementTypeFactory())
    ReminderRuleFactory(agreement_type=agreement.type, milestone_kind="review")
    other = MilestoneFactory(agreement=AgreementFactory(type=AgreementTypeFactory()))

    assert (speaking(milestone), speaking(other)) == ([of_type], [rule])


def test_rules_of_an_agreement_replace_those_of_its_type(milestone: Milestone, agreement: Agreement) -> None:
    ReminderRuleFactory(agreement_type=agreement.type)
    own = [ReminderRuleFactory(agreement=agreement) for _each in range(2)]
    sibling = MilestoneFactory(agreement=AgreementFactory(type=agreement.type))

    assert sorted(rule.pk for rule in speaking(milestone)) == [rule.pk for rule in own]
    assert [rule.agreement_type for rule in speaking(sibling)] == [agreement.type]


def test_a_rule_of_a_type_in_another_unit_replaces_nothing(
    milestone: Milestone, rule: ReminderRule, agreement: Agreement
) -> None:
    ReminderRuleFactory(agreement_type=agreement.type, unit=UnitFactory())

    assert speaking(milestone) == [rule]


def test_rules_of_a_unit_add_to_the_general_ones(milestone: Milestone, rule: ReminderRule) -> None:
    own = ReminderRuleFactory(unit=milestone.unit)

    assert sorted(rule.pk for rule in speaking(milestone)) == [rule.pk, own.pk]


def test_a_rule_to_nobody_silences_and_switched_off_it_does_not(
    milestone: Milestone, rule: ReminderRule, agreement: Agreement
) -> None:
    silence = ReminderRuleFactory(agreement=agreement, audience="nobody")
    assert speaking(milestone) == []

    silence.is_enabled = False
    silence.save()

    assert speaking(milestone) == [rule]


def test_a_new_override_closes_the_plan_it_replaces_and_says_so(
    milestone: Milestone, rule: ReminderRule, agreement: Agreement
) -> None:
    reconcile_marked(real_now=NOON)
    own = ReminderRuleFactory(agreement=agreement, offset=1)

    sweep(real_now=NOON)

    plans = ReminderPlan.objects.order_by("pk").values_list("rule", "status", "reason")
    assert list(plans) == [(rule.pk, "cancelled", Reason.RULE_REPLACED), (own.pk, "planned", "")]

    own.is_enabled = False
    own.save()
    sweep(real_now=NOON)

    assert list(ReminderPlan.objects.order_by("pk").values_list("status", flat=True)) == ["planned", "cancelled"]


def test_a_draft_that_gets_another_type_gets_the_reminders_of_that_type_at_the_next_run(rule: ReminderRule) -> None:
    of_type = ReminderRuleFactory(agreement_type=AgreementTypeFactory(), offset=1)
    draft = AgreementFactory()
    MilestoneFactory(agreement=draft)
    reconcile_marked(real_now=NOON)

    draft = Agreement.objects.get(pk=draft.pk)
    edit_agreement(draft, actor=None, today=NOON.date(), changes={"type": of_type.agreement_type})
    reconcile_marked(real_now=NOON)

    plans = ReminderPlan.objects.order_by("pk").values_list("rule", "status")
    assert list(plans) == [(rule.pk, "cancelled"), (of_type.pk, "planned")]


@pytest.mark.parametrize("count", [1, 30])
def test_types_cost_one_query_however_many_milestones(
    count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    agreement_type = AgreementTypeFactory()
    ReminderRuleFactory(offset=7, agreement_type=agreement_type)
    MilestoneFactory.create_batch(count, due_on=dt.date(2026, 3, 12), agreement__type=agreement_type)

    with django_assert_num_queries(13):
        reconcile_marked(real_now=NOON)

    assert ReminderPlan.objects.count() == count


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"offset": 10**9}, ["offset"]),
        ({"offset": 3651}, ["offset"]),
        ({"audience": "nobody"}, ["audience"]),
        ({"audience": "named"}, ["named_person"]),
        ({"direction": "unanswered", "offset": 0}, ["offset"]),
        ({"direction": "unanswered", "offset": 61}, ["offset"]),
        ({"direction": "unanswered", "offset_unit": "months", "offset": 1}, ["offset"]),
        ({"milestone_kind": "birthday"}, ["milestone_kind"]),
    ],
)
def test_invalid_rules_are_refused_at_their_field(fields: dict[str, Any], names: list[str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        ReminderRule(**{"milestone_kind": "agreement", "offset": 7, **fields}).full_clean()

    assert sorted(refusal.value.message_dict) == names


def test_two_scopes_at_once_are_refused_on_the_agreement(agreement: Agreement) -> None:
    rule = ReminderRule(milestone_kind="agreement", agreement=agreement, agreement_type=agreement.type)

    with pytest.raises(ValidationError) as refusal:
        rule.full_clean()

    assert list(refusal.value.message_dict) == ["agreement"]


def test_the_same_rule_may_stand_on_each_level_but_once(rule: ReminderRule, agreement: Agreement) -> None:
    for scope in ({"agreement": agreement}, {"agreement_type": agreement.type}, {"unit": agreement.unit}):
        ReminderRule(milestone_kind="agreement", offset=7, **scope).save()
        twin = ReminderRule(milestone_kind="agreement", offset=7, **scope)
        with pytest.raises(ValidationError, match="remind twice"):
            twin.full_clean()

    assert ReminderRule.objects.count() == 4


def test_a_silencing_rule_needs_no_time(agreement: Agreement) -> None:
    ReminderRuleFactory(agreement=agreement, audience="nobody", offset=0)
    twin = ReminderRule(
        milestone_kind="agreement", agreement=agreement, audience="nobody", offset=3, offset_unit="weeks"
    )

    with pytest.raises(ValidationError, match="remind twice"):
        twin.full_clean()


def test_a_unit_without_working_days_of_its_own_has_those_of_the_unit_above() -> None:
    calendar = WorkCalendarFactory()
    CalendarDayFactory(calendar=calendar, day=dt.date(2026, 3, 2))
    office = UnitFactory(work_calendar=calendar)
    department = UnitFactory(parent=UnitFactory(parent=office))
    elsewhere = UnitFactory()

    working = RuleSet.load().working

    holiday = dt.date(2026, 3, 2)  # a Monday
    assert [working[unit.pk].is_workday(holiday) for unit in (office, department, elsewhere)] == [False, False, True]
    assert [unit.effective_calendar for unit in (office, department, elsewhere)] == [calendar, calendar, None]


def test_the_fingerprint_sees_edits_that_keep_every_sum(rule: ReminderRule) -> None:
    first, second = (CalendarDayFactory(is_workday=worked) for worked in (True, False))
    before = fingerprint()

    first.is_workday, second.is_workday = False, True
    first.save()
    second.save()

    swapped = fingerprint()
    second.delete()
    assert len({before, swapped, fingerprint()}) == 3
