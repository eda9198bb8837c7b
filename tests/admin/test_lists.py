"""Opening of the admin's lists: the rows that ask for somebody, one line for each."""

import re

import pytest
from django.urls import reverse

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    DemandFactory,
    EnterpriseFactory,
    InstitutionFactory,
    MilestoneFactory,
    ReminderPlanFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def listed(client, model, **query):
    response = client.get(reverse(f"admin:partnerships_{model}_changelist"), query)
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def test_a_list_opens_on_open_rows_and_shows_the_others_when_asked(enter):
    client = enter(UserFactory(staff=True))
    ours, partner = InstitutionFactory(name="Our College"), EnterpriseFactory(name="Zhongyi")
    unit = UnitFactory(organization=ours)
    agreement = AgreementFactory(unit=unit, signed=True, parties=[ours, partner])
    closed = AgreementFactory(unit=unit, completed=True)
    archived = EnterpriseFactory(name="Gone", archived_on=DAY)
    due, done = MilestoneFactory(agreement=agreement), MilestoneFactory(agreement=agreement, met=True)
    coming = ReminderPlanFactory(milestone=due)
    gone = ReminderPlanFactory(milestone=done, status="cancelled", reason="not-pending")
    cases = {"agreement": (agreement, closed), "milestone": (due, done), "reminderplan": (coming, gone)}
    cases["organization"] = (partner, archived)
    cases["activity"] = (ActivityFactory(unit=unit), ActivityFactory(unit=unit, cancelled=True))
    cases["demand"] = (DemandFactory(unit=unit), DemandFactory(unit=unit, no_match=True))

    for model, (shown, other) in cases.items():
        assert {shown.pk} <= listed(client, model), model
        assert other.pk not in listed(client, model), model
        assert {shown.pk, other.pk} <= listed(client, model, show="all"), model
    assert listed(client, "milestone", status__exact="met") == {done.pk}
    assert archived.pk not in listed(client, "organization", held="own")
    assert ours.pk not in listed(client, "organization")
    assert archived.pk in listed(client, "organization", q=archived.name)


def test_a_row_names_the_partners_alone(enter):
    ours, partner = InstitutionFactory(name="Our College"), EnterpriseFactory(name="Zhongyi")
    agreement = AgreementFactory(unit=UnitFactory(organization=ours), signed=True, parties=[ours, partner])
    MilestoneFactory(agreement=agreement)
    client = enter(UserFactory(staff=True))

    for model in ("agreement", "milestone"):
        page = client.get(reverse(f"admin:partnerships_{model}_changelist")).text
        assert set(re.findall(r'class="pt-cut" title="([^"]*)"', page)) == {"Zhongyi"}
