"""Demands in the admin: released with their deadline, asked, answered, agreed; the chain is shown from both ends."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    AgreementFactory,
    AgreementTypeFactory,
    AnswerFactory,
    DemandFactory,
    DemandOutcomeFactory,
    EnterpriseFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Activity, Agreement, Answer, Demand, Milestone
from tests.admin.forms import change_url, filled, save, step_url
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True))


@pytest.fixture
def today():
    return timezone.localdate()


def test_a_new_demand_brings_its_deadline(office, today):
    unit, asker, url = UnitFactory(), EnterpriseFactory(), reverse("admin:partnerships_demand_add")
    data = {"title": "Bearings", "unit": str(unit.pk), "organization": str(asker.pk), "original_wording": "Too hot."}
    deadline = today + dt.timedelta(days=30)

    office.post(url, filled(undrawn(office, url)) | data | {"deadline_on": deadline.isoformat()})

    demand = Demand.objects.get(title="Bearings")
    assert (demand.released_on, demand.history.count()) == (today, 1)
    assert [milestone.due_on for milestone in demand.milestones.all()] == [deadline]


def test_the_milestone_follows_the_deadline_and_goes_with_it(office, today):
    demand = DemandFactory()
    later = today + dt.timedelta(days=60)

    save(office, demand, deadline_on=later.isoformat())
    followed = demand.milestones.get()
    save(office, demand, deadline_on="")

    assert (followed.due_on, followed.status) == (later, "open")
    assert demand.milestones.get().status == "cancelled"


def test_a_deadline_nobody_can_mean_is_refused_on_its_field(office):
    demand = DemandFactory()

    response = save(office, demand, deadline_on="0025-01-01")

    assert list(response.context["adminform"].form.errors) == ["deadline_on"]
    assert Demand.objects.get(pk=demand.pk).deadline_on is None


def test_a_demand_has_its_wording_or_is_said_to_have_none(office):
    demand = DemandFactory()

    refused = save(office, demand, original_wording="")
    save(office, demand, original_wording="", is_content_published="")

    words = [message for messages in refused.context["adminform"].form.errors.values() for message in messages]
    assert words == ["Give the wording, or say that the content is not known."]
    assert Demand.objects.get(pk=demand.pk).is_content_published is False


def test_units_are_asked_and_each_answer_has_its_page(office, today):
    demand, unit = DemandFactory(), UnitFactory(name="Material science")

    office.post(step_url(demand, "ask_units"), {"version": "1", "on": today.isoformat(), "units": [unit.pk]})

    demand.refresh_from_db()
    answer = Answer.objects.get(demand=demand, unit=unit)
    assert (demand.status, demand.asked_on) == ("asked", today)
    assert change_url(answer) in office.get(change_url(demand)).content.decode()


def test_the_unit_asked_answers_on_its_page(enter, today):
    answer = AnswerFactory()
    client = enter(UserFactory(lead_in=answer.unit))
    taken = {"version": "1", "on": today.isoformat(), "summary": "A ceramic cage."}

    client.post(step_url(answer, "propose"), taken)
    refused = client.post(step_url(answer, "choose"), {"version": "2", "on": today.isoformat()})

    answer.refresh_from_db()
    assert (answer.status, answer.summary, answer.demand.status) == ("proposed", "A ceramic cage.", "answered")
    assert refused.status_code == 403  # whoever asked chooses


def test_who_was_not_asked_sees_neither_demand_nor_answer(enter):
    answer = AnswerFactory()
    client = enter(UserFactory(lead_in=UnitFactory()))

    seen = [client.get(change_url(row)).status_code for row in (answer, answer.demand)]

    assert seen == [302, 302]
    assert enter(UserFactory(lead_in=answer.unit)).get(change_url(answer.demand)).status_code == 200


def test_rivals_do_not_read_each_others_answers(enter):
    mine = AnswerFactory(person="Chen Gang")
    rival = AnswerFactory(demand=mine.demand, person="Lin Mei")
    DemandOutcomeFactory(demand=mine.demand, answer=rival, agreement__unit=mine.unit)
    asked, own = (enter(UserFactory(lead_in=unit)) for unit in (mine.unit, mine.demand.unit))

    seen = [client.get(change_url(mine.demand)).content.decode() for client in (asked, own)]

    assert [("Chen Gang" in page, "Lin Mei" in page) for page in seen] == [(True, False), (True, True)]
    assert [client.get(change_url(rival)).status_code for client in (asked, own)] == [302, 200]


def test_a_demand_becomes_an_agreement_and_both_show_the_chain(office, today):
    demand, partner = DemandFactory(), InstitutionFactory()
    data = {"title": "Cage agreement", "partner": str(partner.pk), "agreement_type": str(AgreementTypeFactory().pk)}

    office.post(step_url(demand, "agree_with_agreement"), data | {"version": "1", "on": today.isoformat()})

    agreement = Agreement.objects.get(title="Cage agreement")
    assert Demand.objects.get(pk=demand.pk).status == "agreed"
    assert change_url(agreement) in office.get(change_url(demand)).content.decode()
    assert change_url(demand) in office.get(change_url(agreement)).content.decode()


def test_an_agreement_of_the_same_title_is_refused_as_everywhere(office, today):
    demand, partner = DemandFactory(), InstitutionFactory()
    AgreementFactory(unit=demand.unit, title="Cage agreement")
    data = {"title": "Cage agreement", "partner": str(partner.pk), "agreement_type": str(AgreementTypeFactory().pk)}

    refused = office.post(step_url(demand, "agree_with_agreement"), data | {"version": "1", "on": today.isoformat()})

    assert refused.context["form"].errors == {"title": ["This unit has an agreement of this title already."]}
    assert (Agreement.objects.count(), Demand.objects.get(pk=demand.pk).status) == (1, "released")


def test_a_demand_becomes_a_project_and_both_show_the_chain(office, today):
    demand = DemandFactory()
    data = {"version": "1", "on": today.isoformat(), "title": "Cage project", "partner": ""}

    office.post(step_url(demand, "agree_with_project"), data)

    project = Activity.objects.get(title="Cage project")
    assert change_url(project) in office.get(change_url(demand)).content.decode()
    assert change_url(demand) in office.get(change_url(project)).content.decode()


def test_of_the_outcomes_a_person_sees_those_they_may_see(enter):
    outcome = DemandOutcomeFactory()
    answer = AnswerFactory(demand=outcome.demand)
    link = change_url(outcome.agreement)

    own, asked = (enter(UserFactory(lead_in=unit)) for unit in (outcome.demand.unit, answer.unit))

    assert link in own.get(change_url(outcome.demand)).content.decode()
    assert link not in asked.get(change_url(outcome.demand)).content.decode()


def test_a_closed_demand_offers_only_its_correction(office):
    demand = DemandFactory(no_match=True)

    page = office.get(change_url(demand))

    assert [button.name for button in page.context["buttons"]] == ["reopen"]


def test_demands_past_their_deadline_are_listed(office, today):
    yesterday = today - dt.timedelta(days=1)
    late = DemandFactory(deadline_on=yesterday)
    DemandFactory(deadline_on=today)
    DemandFactory(agreed=True, deadline_on=yesterday)

    response = office.get("/admin/partnerships/demand/?attention=past_deadline")

    assert list(response.context["cl"].result_list) == [late]
    assert Milestone.objects.count() == 0  # looking at it makes nothing
