import pytest

from partnerships.factories import ReminderRuleFactory
from partnerships.models import MilestoneKind, ReminderRule
from partnerships.reminders.default_rules import create_default_rules

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def rules(kind: str) -> list[str]:
    found = ReminderRule.objects.filter(milestone_kind=kind).order_by("-direction", "-offset", "audience")
    found = found.exclude(direction="appears")
    return [f"{rule.offset} {rule.direction} {rule.audience}" for rule in found]


def test_a_new_site_starts_with_rules_for_every_kind() -> None:
    assert create_default_rules() == 75

    assert rules("agreement") == [
        "30 before owner",
        "7 before owner",
        "0 before owner",
        "3 after lead",
        "3 after owner",
    ]
    assert rules("decision_date") == [
        "5 unanswered lead",
        "30 before owner",
        "7 before owner",
        "0 before lead",
        "0 before owner",
    ]
    assert rules("obligation") == [
        "5 unanswered lead",
        "14 before owner",
        "3 before owner",
        "0 before owner",
        "3 after lead",
    ]
    assert rules("payment") == ["14 before owner", "0 before owner", "7 after lead", "7 after owner"]
    assert rules("review") == ["14 before owner", "0 before owner"]
    assert rules("next_contact") == ["7 before owner", "0 before owner"]
    assert rules("action_point") == ["3 before owner", "0 before owner"]
    assert rules("facility_review") == ["14 before owner", "0 before owner"]
    assert rules("honour_lapse") == ["90 before owner", "30 before owner", "7 before lead", "7 before owner"]
    assert rules("starting_activity") == ["7 before owner", "1 before owner"]
    assert rules("unfinished_activity") == ["0 before owner", "3 after owner"]
    assert rules("demand_deadline") == ["7 before owner", "2 before owner", "0 before owner"]
    assert rules("approval") == ["5 unanswered lead", "0 before owner"]
    appearing = ReminderRule.objects.filter(direction="appears", audience="owner", offset=0)
    assert set(appearing.values_list("milestone_kind", flat=True)) == set(MilestoneKind.values)


def test_creating_the_rules_again_keeps_what_the_office_changed() -> None:
    create_default_rules()
    changed = ReminderRule.objects.get(code="rule-review-14-before-owner")
    changed.offset, changed.is_enabled = 10, False
    changed.save()

    assert create_default_rules() == 0

    assert rules("review") == ["10 before owner", "0 before owner"]


def test_a_rule_somebody_made_by_hand_is_not_made_again() -> None:
    ReminderRuleFactory(milestone_kind="review", offset=14)

    assert create_default_rules() == 74
