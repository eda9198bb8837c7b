"""What people paste and mistype: a message on the field concerned, and nothing half-saved."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from partnerships.factories import (
    DAY,
    AgreementFactory,
    AgreementTermFactory,
    AgreementTypeFactory,
    ContactFactory,
    MilestoneFactory,
    OrganizationFactory,
    RegionFactory,
    ReminderRuleFactory,
    TypeMilestoneFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def complaints(row: Any) -> set[str]:
    """The fields on which a form would show a message."""
    with pytest.raises(ValidationError) as refusal:
        row.full_clean()
    return set(refusal.value.message_dict)


@pytest.mark.parametrize(
    ("make", "values", "fields"),
    [
        (AgreementFactory, {"title": "a\nb"}, {"title"}),
        (AgreementFactory, {"amount": -5}, {"amount"}),
        (MilestoneFactory, {"title": "x" * 10_000, "due_on": "2026-02-30"}, {"title", "due_on"}),
        (MilestoneFactory, {"due_on": dt.date(26, 3, 2)}, {"due_on"}),
        (MilestoneFactory, {"recurs_every_months": 10**9}, {"recurs_every_months"}),
        (AgreementTermFactory, {"notice": 10**9}, {"notice"}),
        (AgreementTermFactory, {"lead_days": -1}, {"lead_days"}),
        (AgreementTermFactory, {"ends_on": DAY - dt.timedelta(days=1)}, {"ends_on"}),
        (AgreementTermFactory, {"ends_on": dt.date(9999, 12, 31)}, {"ends_on"}),
        (AgreementTermFactory, {"starts_on": dt.date(24, 3, 2)}, {"starts_on"}),
        (AgreementTypeFactory, {"review_months": 10**9}, {"review_months"}),
        (TypeMilestoneFactory, {"months_after_signing": 10**9}, {"months_after_signing"}),
        (ReminderRuleFactory, {"offset": 10**9}, {"offset"}),
        (ReminderRuleFactory, {"audience": "named"}, {"named_person"}),
        (OrganizationFactory, {"uscc": "9133000014291873IA"}, {"uscc"}),
        (OrganizationFactory, {"website": "javascript:alert(1)"}, {"website"}),
        (ContactFactory, {"email": "a@b\n@c"}, {"email"}),
        (UserFactory, {"time_zone": "Mars/Olympus", "password": "!"}, {"time_zone"}),
        (UserFactory, {"language": "xx", "password": "!"}, {"language"}),
    ],
)
def test_the_message_stands_beside_the_field(make: Any, values: dict[str, Any], fields: set[str]) -> None:
    row = make()
    for name, value in values.items():
        setattr(row, name, value)
    assert complaints(row) == fields


@pytest.mark.parametrize("field", ["parent", "predecessor"])
def test_an_agreement_does_not_come_back_to_itself(field: str) -> None:
    top = AgreementFactory()
    bottom = AgreementFactory(**{field: AgreementFactory(**{field: top})})
    setattr(top, field, bottom)
    assert complaints(top) == {field}
    setattr(top, field, top)
    assert field in complaints(top)


@pytest.mark.parametrize("make", [UnitFactory, RegionFactory])
def test_a_tree_has_no_cycle(make: Any) -> None:
    top = make()
    top.parent = make(parent=make(parent=top))
    assert complaints(top) == {"parent"}


def test_addresses_that_differ_in_case_are_one_person() -> None:
    UserFactory(email="li.wei@example.org")
    twin = UserFactory(email="")
    twin.email, twin.password = "Li.Wei@Example.ORG", "!"
    assert complaints(twin) == {"email"}
