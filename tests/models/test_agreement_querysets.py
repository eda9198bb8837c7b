"""In force, expired, expiring, quiet, orphaned: each around the day on which the answer changes."""

import datetime as dt
from typing import Any

import pytest

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    AgreementTermFactory,
    ContactNoteFactory,
    MilestoneFactory,
    UserFactory,
)
from partnerships.models import Agreement, AgreementTerm, Milestone, quiet_agreements

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def day(offset: int) -> dt.date:
    return DAY + dt.timedelta(days=offset)


def days(queryset: Any, offsets: range) -> list[int]:
    """The offsets from ``DAY`` at which the only agreement is in ``queryset(day)``."""
    return [offset for offset in offsets if queryset(day(offset)).exists()]


def signed(**more: Any) -> Agreement:
    """Signed on ``DAY``, for ten days."""
    return AgreementFactory(**{"signed": True, "with_term__ends_on": day(9), **more})


AROUND = range(-2, 14)
IN_FORCE = Agreement.objects.in_force
EXPIRED = Agreement.objects.expired


def test_in_force_from_the_signing_to_the_last_day_of_the_term() -> None:
    signed()
    assert days(IN_FORCE, AROUND) == list(range(10))


def test_in_force_from_the_start_of_the_term_when_that_is_later() -> None:
    signed(with_term__starts_on=day(3))
    assert days(IN_FORCE, AROUND) == list(range(3, 10))


def test_an_open_end_counts_and_no_term_does_not() -> None:
    signed(with_term__ends_on=None, with_term__review_on=day(5))
    assert days(IN_FORCE, AROUND) == list(range(14))
    AgreementTerm.objects.all().delete()
    assert days(IN_FORCE, AROUND) == []


@pytest.mark.parametrize("stage", ["ready", "in_review", "returned", "approved", "cancelled"])
def test_what_is_not_signed_is_neither_in_force_nor_expired(stage: str) -> None:
    AgreementFactory(**{stage: True}, with_term__ends_on=day(9))
    assert (days(IN_FORCE, AROUND), days(EXPIRED, AROUND)) == ([], [])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"status": "suspended", "suspended_on": day(4)}, [0, 1, 2, 3]),
        ({"suspended_on": day(4), "resumed_on": day(6)}, [6, 7, 8, 9]),  # the last rest is what is remembered
        ({"status": "terminated", "terminated_on": day(4)}, [0, 1, 2, 3]),
        ({"status": "completed", "completed_on": day(4)}, [0, 1, 2, 3]),
    ],
)
def test_in_force_until_it_rests_or_ends(values: dict[str, Any], expected: list[int]) -> None:
    signed(**values)
    in_force = days(IN_FORCE, AROUND)
    if "resumed_on" in values:
        assert in_force == [0, 1, 2, 3, *expected]
    else:
        assert in_force == expected


def test_a_gap_between_terms_is_not_in_force() -> None:
    agreement = signed(with_term__ends_on=day(2))
    AgreementTermFactory(agreement=agreement, number=2, starts_on=day(5), ends_on=day(7))
    assert days(IN_FORCE, AROUND) == [0, 1, 2, 5, 6, 7]
    assert days(EXPIRED, AROUND) == [8, 9, 10, 11, 12, 13]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [10, 11, 12, 13]),
        ({"status": "suspended", "suspended_on": day(4)}, [10, 11, 12, 13]),
        ({"status": "completed", "completed_on": day(4)}, []),
        ({"status": "terminated", "terminated_on": day(4)}, []),
    ],
)
def test_expired_after_the_last_day_until_somebody_closes_it(values: dict[str, Any], expected: list[int]) -> None:
    signed(**values)
    assert days(EXPIRED, AROUND) == expected


def test_expiring_within_the_days_asked_for() -> None:
    signed()
    assert days(lambda today: Agreement.objects.expiring(today, until=today + dt.timedelta(days=3)), AROUND) == [
        6,
        7,
        8,
        9,
    ]


def test_renewed_is_not_expiring_and_the_current_end_is_the_new_one() -> None:
    agreement = signed()
    AgreementTermFactory(agreement=agreement, number=2, starts_on=day(10), ends_on=day(400))
    assert not Agreement.objects.expiring(day(5), until=day(30)).exists()
    assert Agreement.objects.get().current_ends_on == day(400)


# Quiet


def quiet_days() -> list[int]:
    return days(lambda today: quiet_agreements(Agreement.objects.all(), today), range(178, 260))


def test_quiet_from_the_day_after_half_a_year_without_a_word() -> None:
    signed(with_term__ends_on=day(240))
    assert quiet_days() == list(range(181, 241))


@pytest.mark.parametrize("kind", ["note", "activity"])
def test_a_call_or_a_completed_activity_breaks_the_silence(kind: str) -> None:
    agreement = signed(with_term__ends_on=day(240))
    if kind == "note":
        ContactNoteFactory(agreement=agreement, happened_on=day(40))
    else:
        ActivityFactory(agreement=agreement, completed=True, completed_on=day(40))
    assert quiet_days() == list(range(221, 241))


def test_a_plan_does_not_break_the_silence() -> None:
    ActivityFactory(agreement=signed(with_term__ends_on=day(240)), starts_on=day(200), in_progress=True)
    assert quiet_days() == list(range(181, 241))


def test_quiet_since_another_day() -> None:
    signed()
    assert [quiet_agreements(Agreement.objects.all(), day(5), since=day(since)).exists() for since in (0, 1)] == [
        False,
        True,
    ]


# Nobody looks after it


@pytest.mark.parametrize(
    ("person", "expected"),
    [({}, 0), ({"is_active": False}, 1), ({"email": ""}, 1), (None, 1)],
    ids=["reachable", "left", "without address", "nobody"],
)
def test_orphaned_without_somebody_who_can_be_reached(person: dict[str, Any] | None, expected: int) -> None:
    somebody = None if person is None else UserFactory(**person)
    agreement = signed(coordinator=somebody)
    AgreementFactory(completed=True, coordinator=somebody)
    MilestoneFactory(agreement=agreement, owner=somebody)
    MilestoneFactory(agreement=agreement, owner=somebody, met=True)
    assert (Agreement.objects.orphaned().count(), Milestone.objects.orphaned().count()) == (expected, expected)


# Milestones


@pytest.mark.parametrize(
    ("trait", "expected"),
    [
        ({}, [1, 2]),
        ({"submitted": True}, [1, 2]),
        ({"met": True}, []),
        ({"waived": True}, []),
        ({"cancelled": True}, []),
    ],
)
def test_overdue_from_the_day_after(trait: dict[str, bool], expected: list[int]) -> None:
    milestone = MilestoneFactory(due_on=DAY, **trait)
    assert days(Milestone.objects.overdue, range(-1, 3)) == expected
    assert [offset for offset in range(-1, 3) if milestone.is_overdue(day(offset))] == expected


def test_due_between_counts_both_days_and_pending_ones_only() -> None:
    made = [MilestoneFactory(due_on=day(offset)) for offset in range(5)]
    MilestoneFactory(due_on=day(2), met=True)
    assert list(Milestone.objects.due_between(day(1), day(3))) == made[1:4]
