"""Honours in the admin: watched until they lapse; schemes with their ladder."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.dates import add_months
from partnerships.factories import (
    DAY,
    EnterpriseFactory,
    HonourFactory,
    HonourSchemeFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Honour, HonourScheme
from tests.admin.forms import change_url, filled, save, step_url
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True))


def test_a_recorded_honour_is_watched_until_it_lapses(office):
    scheme, holder, unit = HonourSchemeFactory(), EnterpriseFactory(), UnitFactory()
    url, lapse = reverse("admin:partnerships_honour_add"), timezone.localdate() + dt.timedelta(days=90)
    data = {"scheme": str(scheme.pk), "organization": str(holder.pk), "unit": str(unit.pk)}

    office.post(
        url, filled(undrawn(office, url)) | data | {"granted_on": "2026-01-05", "valid_until": lapse.isoformat()}
    )

    honour = Honour.objects.get()
    assert [(row.kind, row.due_on) for row in honour.milestones.all()] == [("honour_lapse", lapse)]
    assert honour.history.count() == 1


def test_the_milestone_follows_the_day_of_the_lapse(office):
    honour = HonourFactory(lasting=True)
    lapse = timezone.localdate() + dt.timedelta(days=200)

    save(office, honour, valid_until=lapse.isoformat())

    assert honour.milestones.get().due_on == lapse


def test_what_lapses_in_the_next_half_year_is_listed(office):
    today = timezone.localdate()
    end = add_months(today, 6)
    lapsing = [HonourFactory(valid_until=day, granted_on=DAY) for day in (today, end)]
    for day in (today - dt.timedelta(days=1), end + dt.timedelta(days=1), None):
        HonourFactory(valid_until=day, granted_on=DAY)

    response = office.get("/admin/partnerships/honour/?attention=lapsing&o=6")

    assert list(response.context["cl"].result_list) == lapsing


def test_who_could_apply_for_the_next_level_is_listed(office):
    scheme = HonourSchemeFactory(ladder=True)
    could = HonourFactory(scheme=scheme, lasting=True)
    did = HonourFactory(scheme=scheme, lasting=True)
    HonourFactory(scheme=scheme.next_scheme, organization=did.organization, lasting=True)

    response = office.get("/admin/partnerships/honour/?attention=could_rise")

    assert list(response.context["cl"].result_list) == [could]


def test_a_scheme_shows_its_ladder_from_below_to_the_top(office):
    top = HonourSchemeFactory(name="Champion")
    middle = HonourSchemeFactory(name="Little Giant", next_scheme=top)
    below = HonourSchemeFactory(name="Cultivated", next_scheme=middle)

    page = office.get(change_url(middle)).content.decode()

    links = [f'<a class="pt-link" href="{change_url(rung)}">{rung.name}</a>' for rung in (below, middle, top)]
    assert " → ".join(links) in page


def test_a_ladder_is_not_a_circle(office):
    top = HonourSchemeFactory()
    below = HonourSchemeFactory(next_scheme=top)

    response = save(office, top, next_scheme=str(below.pk))

    assert list(response.context["adminform"].form.errors) == ["next_scheme"]
    assert HonourScheme.objects.get(pk=top.pk).next_scheme is None


def test_another_units_honour_is_read_and_not_written(enter):
    honour = HonourFactory()
    client = enter(UserFactory(lead_in=UnitFactory()))

    assert client.get(change_url(honour)).status_code == 200
    assert client.post(change_url(honour), {"batch": "Mine", "version": "1"}).status_code == 403


def test_a_withdrawn_honour_is_listed_under_its_status_and_no_longer_edited(office):
    honour = HonourFactory()

    office.post(step_url(honour, "withdraw"), {"version": "1", "on": DAY.isoformat(), "reason": "Another enterprise"})
    refused = save(office, Honour.objects.get(pk=honour.pk), evidence="A letter")

    honour.refresh_from_db()
    assert (honour.status, honour.withdrawn_on, honour.evidence) == ("withdrawn", DAY, "")
    assert "Restore it first" in refused.content.decode()
    assert "Withdrawn" in office.get("/admin/partnerships/honour/?status__exact=withdrawn").content.decode()
