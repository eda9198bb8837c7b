"""Any number of agreements and milestones, as whole and in step as rows made one by one."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from partnerships.factories import DAY, NOON, AgreementFactory, ReminderRuleFactory
from partnerships.management.load import Load, make_load
from partnerships.models import Agreement, Milestone, ReminderMark, ReminderPlan, Unit, User
from partnerships.models.sort_keys import fill_sort_keys
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.reminders.reconcile import sweep
from tests.reminders.conftest import MovableClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_the_rows_are_whole_and_in_step() -> None:
    ReminderRuleFactory(offset=10)
    ReminderRuleFactory(offset=3)

    make_load(Load(agreements=7, milestones_each=3, people=4, units=2), now=NOON, today=DAY)

    for agreement in Agreement.objects.all():
        agreement.full_clean()
        assert (agreement.milestones.count(), agreement.parties.count(), agreement.terms.count()) == (3, 2, 1)
        assert agreement.unit_id in agreement.coordinator.scope.unit_ids
    for milestone in Milestone.objects.all():
        milestone.full_clean()
        assert milestone.owner == milestone.agreement.coordinator
    assert [fill_sort_keys(model) for model in (Agreement, Milestone, Unit, User)] == [0, 0, 0, 0]
    assert ReminderMark.objects.count() == 0
    before = list(ReminderPlan.objects.order_by("pk").values())
    assert len(before) == 42
    assert {plan["status"] for plan in before} == {"planned", "not_needed"}
    run_once(MovableClock(NOON))
    assert sweep(real_now=NOON + dt.timedelta(days=1)) == 21
    assert list(ReminderPlan.objects.order_by("pk").values()) == before
    assert audit(real_now=NOON) == []


def test_found_by_their_titles_and_followed_by_rows_made_by_hand() -> None:
    make_load(Load(agreements=12, milestones_each=1), now=NOON, today=DAY)

    assert [agreement.title for agreement in Agreement.objects.search("load agreement 11")] == ["Load agreement 11"]
    assert [milestone.title for milestone in Milestone.objects.search("milestone 11")] == ["Load milestone 11"]
    assert AgreementFactory().pk > Agreement.objects.get(title="Load agreement 11").pk


def test_the_busy_days_have_just_so_many() -> None:
    make_load(Load(agreements=10, milestones_each=5, busy_days=3, due_a_day=4), now=NOON, today=DAY)

    first = DAY + dt.timedelta(days=7)
    days = [Milestone.objects.filter(due_on=first + dt.timedelta(days=day)).count() for day in range(5)]
    assert days == [4, 4, 4, 0, 0]


def test_the_command_keeps_out_of_a_database_in_use(settings: object) -> None:
    out = io.StringIO()
    call_command("make_load", agreements=3, milestones=2, people=2, stdout=out)
    assert out.getvalue().startswith("3 agreements with 6 milestones added")
    with pytest.raises(CommandError, match="in use"):
        call_command("make_load")

    settings.DEBUG = True
    call_command("make_load", agreements=2, milestones=1, people=1, stdout=out)
    assert (Agreement.objects.count(), User.objects.count()) == (5, 3)
    assert Milestone.objects.earliest("due_on").due_on == timezone.localdate() + dt.timedelta(days=7)


@pytest.mark.parametrize("option", ["agreements", "milestones", "people"])
def test_nothing_is_no_load(option: str) -> None:
    with pytest.raises(CommandError, match="least"):
        call_command("make_load", **{option: 0})
