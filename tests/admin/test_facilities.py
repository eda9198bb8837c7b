"""Joint facilities in the admin: opened by a step, their sides held, their reviews shown."""

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.dates import add_months
from partnerships.factories import DAY, EnterpriseFactory, FacilityFactory, MilestoneFactory, UnitFactory, UserFactory
from partnerships.models import Facility, MilestoneKind
from tests.admin.forms import change_url, save, step_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True))


def test_opening_is_a_step_and_brings_a_yearly_review(office):
    facility = FacilityFactory(ready=True)
    today = timezone.localdate()

    office.post(step_url(facility, "open"), {"version": "1", "on": today.isoformat()})

    facility.refresh_from_db()
    review = facility.milestones.get(kind=MilestoneKind.FACILITY_REVIEW)
    assert (facility.status, facility.opened_on, review.due_on) == ("opened", today, add_months(today, 12))
    assert "Review the joint facility" in office.get(change_url(facility)).content.decode()


def test_a_facility_nobody_runs_is_not_opened(office):
    facility = FacilityFactory()

    response = office.post(step_url(facility, "open"), {"version": "1", "on": DAY.isoformat()})

    assert response.context["form"].non_field_errors() == ["Say which organizations run it first."]


def test_posted_status_dates_and_unit_have_no_effect(office):
    facility = FacilityFactory(unit=UnitFactory())

    save(office, facility, site="Hall 2", status="closed", opened_on="2020-01-01", unit=str(UnitFactory().pk))

    saved = Facility.objects.get(pk=facility.pk)
    assert (saved.site, saved.status, saved.opened_on, saved.unit) == ("Hall 2", "planned", None, facility.unit)


def test_a_side_that_joins_later_is_held_by_the_unit(office):
    facility, newcomer = FacilityFactory(opened=True), EnterpriseFactory()
    new = {"partners-TOTAL_FORMS": "3", "partners-2-organization": str(newcomer.pk)}

    save(office, facility, **new)

    assert list(newcomer.holders.values_list("unit", flat=True)) == [facility.unit_id]


def test_a_new_owner_takes_over_the_review(office):
    facility = FacilityFactory(opened=True)
    review = MilestoneFactory(facility=facility)
    new_owner = UserFactory(coordinator_in=facility.unit)

    save(office, facility, owner=str(new_owner.pk))

    review.refresh_from_db()
    assert (review.owner, review.history.count()) == (new_owner, 2)


def test_closing_asks_for_a_reason_and_is_red(office):
    facility = FacilityFactory(opened=True)
    url = step_url(facility, "close")

    refused = office.post(url, {"version": "1", "on": DAY.isoformat(), "reason": ""})
    office.post(url, {"version": "1", "on": DAY.isoformat(), "reason": "The lease ended."})

    assert (refused.context["button"].kind, list(refused.context["form"].errors)) == ("danger", ["reason"])
    facility.refresh_from_db()
    assert (facility.status, facility.closed_on) == ("closed", DAY)


def test_what_runs_past_its_term_is_listed(office):
    today = timezone.localdate()
    ended = {"starts_on": dt.date(2020, 1, 1), "ends_on": today - dt.timedelta(days=1)}
    late = FacilityFactory(opened=True, **ended)
    FacilityFactory(opened=True, starts_on=DAY, ends_on=today)
    FacilityFactory(closed=True, **ended)

    response = office.get("/admin/partnerships/facility/?attention=past_term")

    assert list(response.context["cl"].result_list) == [late]
