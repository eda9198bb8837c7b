"""A milestone is put to sleep for a while, with a reason."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import DAY, NOON, MilestoneFactory, UnitFactory, UserFactory
from partnerships.models import Milestone, MilestoneKind, ReminderMark
from partnerships.workflows.milestones import (
    last_day_of_snooze,
    meet_milestone,
    move_milestone,
    snooze_milestone,
    submit_milestone,
    unsnooze_milestone,
    waive_milestone,
)

pytestmark = pytest.mark.django_db


def ahead(days: int) -> dt.date:
    return DAY + dt.timedelta(days=days)


def fresh(row: Milestone) -> Milestone:
    return Milestone.objects.get(pk=row.pk)


def snooze(milestone: Milestone, days: int = 10, **more: Any) -> Milestone:
    values = {"actor": None, "on": DAY, "until": ahead(days), "reason": "They move house", **more}
    return snooze_milestone(fresh(milestone), **values)


def asleep(row: Milestone) -> tuple[dt.date | None, str]:
    row = fresh(row)
    return row.snoozed_until, row.snooze_reason


@pytest.fixture
def milestone() -> Milestone:
    return MilestoneFactory(due_on=ahead(5))


def test_it_sleeps_until_the_day_with_its_reason_in_the_history(milestone: Milestone) -> None:
    ReminderMark.objects.all().delete()
    person = UserFactory(staff=True)
    before = milestone.history.count()
    done = snooze(milestone, actor=person)

    assert asleep(milestone) == (ahead(10), "They move house")
    assert [done.is_snoozed(ahead(days)) for days in (0, 9, 10)] == [True, True, False]
    newest = milestone.history.first()
    assert (milestone.history.count(), newest.history_user, newest.history_change_reason) == (
        before + 1,
        person,
        "They move house",
    )
    assert ReminderMark.objects.get().milestone_id == milestone.pk


def test_snoozing_again_changes_day_and_reason(milestone: Milestone) -> None:
    snooze(milestone)
    snooze(milestone, 20, reason="Still moving")

    assert asleep(milestone) == (ahead(20), "Still moving")


def test_it_is_woken_by_hand(milestone: Milestone) -> None:
    snooze(milestone)
    unsnooze_milestone(fresh(milestone), actor=None)

    assert asleep(milestone) == (None, "")
    with pytest.raises(TransitionRefused, match="not snoozed"):
        unsnooze_milestone(fresh(milestone), actor=None)


@pytest.mark.parametrize("days", [-1, 0, 91, 10_000])
def test_only_a_day_of_the_next_ninety(milestone: Milestone, days: int) -> None:
    with pytest.raises(InvalidInput, match="Choose a day from 2026-03-03 to 2026-05-31") as refused:
        snooze(milestone, days)
    assert refused.value.field == "until"


@pytest.mark.parametrize("kind", ["decision_date", "obligation"])
def test_a_firm_date_sleeps_no_longer_than_until_it_is_due(kind: str) -> None:
    milestone = MilestoneFactory(kind=kind, due_on=ahead(5))

    assert last_day_of_snooze(milestone, DAY) == ahead(5)
    with pytest.raises(InvalidInput, match="to 2026-03-07"):
        snooze(milestone, 6)
    snooze(milestone, 5)
    assert asleep(milestone)[0] == ahead(5)
    with pytest.raises(TransitionRefused, match="not one to put off"):
        snooze(milestone, 6, on=ahead(5))


@pytest.mark.parametrize(("reason", "words"), [(" ", "Please give a reason"), ("a\x00b", "invisible characters")])
def test_a_reason_is_asked_for(milestone: Milestone, reason: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        snooze(milestone, reason=reason)


def test_a_moved_due_date_wakes_it(milestone: Milestone) -> None:
    snooze(milestone)
    move_milestone(fresh(milestone), actor=None, at=NOON, due_on=ahead(40), reason="Later")

    assert asleep(milestone) == (None, "")


@pytest.mark.parametrize("verb", [meet_milestone, submit_milestone, waive_milestone])
def test_a_step_wakes_it(verb: Any) -> None:
    milestone = MilestoneFactory(due_on=ahead(5), requires_acceptance=verb is submit_milestone)
    snooze(milestone)
    given = {"reason": "Not needed"} if verb is waive_milestone else {"evidence": "Minutes"}
    verb(fresh(milestone), actor=None, on=DAY, **given)

    assert asleep(milestone) == (None, "")


def test_what_is_closed_cannot_sleep(milestone: Milestone) -> None:
    meet_milestone(fresh(milestone), actor=None, on=DAY, evidence="Minutes")

    with pytest.raises(TransitionRefused, match="Only an open milestone"):
        snooze(milestone)
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.update(snoozed_until=ahead(3), snooze_reason="Forged")


def test_the_next_occurrence_is_awake() -> None:
    milestone = MilestoneFactory(due_on=ahead(5), recurs_every_months=6)
    snooze(milestone)
    meet_milestone(fresh(milestone), actor=None, on=DAY, evidence="Minutes")

    following = Milestone.objects.exclude(pk=milestone.pk).get()
    assert asleep(following) == (None, "")


def test_a_stale_page_changes_nothing(milestone: Milestone) -> None:
    stale = fresh(milestone)
    snooze(milestone)

    with pytest.raises(StaleVersion):
        snooze_milestone(stale, actor=None, on=DAY, until=ahead(20), reason="Mine")
    with pytest.raises(StaleVersion):
        unsnooze_milestone(stale, actor=None)
    assert asleep(milestone)[0] == ahead(10)


def test_only_those_who_work_on_it(milestone: Milestone) -> None:
    viewer = UserFactory(viewer_in=milestone.unit)
    other = UserFactory(lead_in=UnitFactory())
    for person in (viewer, other):
        with pytest.raises(NotAllowed):
            snooze(milestone, actor=person)

    snooze(milestone, actor=UserFactory(coordinator_in=milestone.unit))
    assert asleep(milestone)[0] == ahead(10)


def test_the_owner_in_a_unit_that_takes_part() -> None:
    milestone = MilestoneFactory(kind=MilestoneKind.REVIEW, due_on=ahead(5))
    unit = UnitFactory()
    milestone.agreement.participating_units.create(unit=unit)
    owner, colleague = (UserFactory(coordinator_in=unit) for _person in range(2))
    milestone.owner = owner
    milestone.save()

    with pytest.raises(NotAllowed):
        snooze(milestone, actor=colleague)
    snooze(milestone, actor=owner)
    assert asleep(milestone)[0] == ahead(10)
