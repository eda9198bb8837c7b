"""Activities in the admin: their days and their owner are somebody's to keep."""

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.factories import ActivityFactory, UserFactory
from partnerships.models import Activity, Milestone
from partnerships.workflows.activities import follow_activity
from tests.admin.forms import save

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True))


@pytest.fixture
def activity():
    made = ActivityFactory(starts_on=timezone.localdate() + dt.timedelta(days=5))
    follow_activity(made, actor=None, on=timezone.localdate())
    return made


def derived(activity):
    return list(Milestone.objects.derived_of(activity).order_by("derived_key"))


def test_its_milestones_follow_its_days(office, activity):
    later = timezone.localdate() + dt.timedelta(days=9)

    save(office, activity, starts_on=later.isoformat())

    assert [(row.derived_key, row.due_on) for row in derived(activity)] == [("end", later), ("start", later)]
    assert {row.history.first().history_user.is_staff for row in derived(activity)} == {True}


def test_a_new_owner_takes_over_its_milestones(office, activity):
    new_owner = UserFactory(coordinator_in=activity.unit)

    save(office, activity, owner=str(new_owner.pk))

    assert {row.owner for row in derived(activity)} == {new_owner}
    assert Activity.objects.get(pk=activity.pk).owner == new_owner


def test_saved_as_it_was_nothing_moves(office, activity):
    before = [(row.version, row.due_on) for row in derived(activity)]

    save(office, activity)

    assert [(row.version, row.due_on) for row in derived(activity)] == before
