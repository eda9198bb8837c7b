"""Follow-ups with what comes next, credits, and calls logged in seconds."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed
from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    ContactFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    MilestoneFactory,
    OrganizationFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Activity, Agreement, ContactNote, Milestone, MilestoneKind, OrganizationUnit
from partnerships.workflows.activities import (
    complete_activity,
    credit_areas,
    log_contact,
    plan_activity,
    postpone_activity,
    reopen_activity,
    replan_activity,
)
from partnerships.workflows.agreements import sign_agreement

pytestmark = pytest.mark.django_db
LATER = DAY + dt.timedelta(days=30)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def complete(activity: Activity, **more: Any) -> Activity:
    values = {"actor": None, "on": DAY, "summary": "Held", "next_step": "Send minutes", "next_step_on": LATER}
    return complete_activity(fresh(activity), **{**values, **more})


@pytest.fixture
def agreement() -> Agreement:
    return sign_agreement(fresh(AgreementFactory(approved=True)), actor=None, on=DAY, today=DAY)


def test_completing_keeps_the_summary_and_asks_for_the_next_step(agreement: Agreement) -> None:
    activity = ActivityFactory(agreement=agreement, organizations=[EnterpriseFactory()])
    done = complete(activity, actor=activity.owner, summary=" Twelve teachers came ")
    assert (done.status, done.completed_on, done.summary) == ("completed", DAY, "Twelve teachers came")
    action = done.milestones.get()
    assert (action.kind, action.title, action.due_on, action.owner, action.agreement) == (
        MilestoneKind.ACTION_POINT,
        "Send minutes",
        LATER,
        activity.owner,
        agreement,
    )


def test_completing_moves_the_next_contact_and_makes_holders(agreement: Agreement) -> None:
    guest = OrganizationFactory()
    on = DAY + dt.timedelta(days=10)
    complete(ActivityFactory(agreement=agreement, organizations=[guest]), on=on, next_step_on=LATER)
    assert agreement.milestones.get(derived_key="next_contact").due_on == on + dt.timedelta(days=180)
    holder = OrganizationUnit.objects.get(organization=guest)
    assert (holder.unit, holder.coordinator) == (agreement.unit, agreement.coordinator)


def test_nothing_next_is_an_answer_with_a_reason() -> None:
    done = complete(ActivityFactory(), next_step="", next_step_on=None, no_next_step_reason="A courtesy visit")
    assert (done.no_next_step_reason, done.milestones.count()) == ("A courtesy visit", 0)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"next_step": " ", "next_step_on": None}, "next_step"),
        ({"next_step_on": None}, "next_step_on"),
        ({"next_step": "", "no_next_step_reason": "None"}, "next_step"),
        ({"no_next_step_reason": "None"}, "no_next_step_reason"),
        ({"next_step_on": DAY - dt.timedelta(days=1)}, "next_step_on"),
        ({"next_step_on": dt.date(9999, 12, 31)}, "next_step_on"),
        ({"next_step": "x" * 10_000}, "next_step"),
        ({"next_step": "Minutes\r\nBcc: all@example.org"}, "next_step"),
        ({"next_step": "Minutes \u202efdp.exe"}, "next_step"),
        ({"summary": "a\x00b"}, "summary"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(values: dict[str, Any], field: str) -> None:
    activity = ActivityFactory(organizations=[EnterpriseFactory()])
    with pytest.raises(InvalidInput) as refusal:
        complete(activity, **values)
    assert refusal.value.field == field
    assert (fresh(activity).status, fresh(activity).version, Milestone.objects.count()) == ("planned", 1, 0)


def test_completed_again_after_a_correction_asks_once() -> None:
    done = complete(ActivityFactory())
    again = complete(reopen_activity(done, actor=None, on=DAY, reason="Wrong summary"))
    assert again.milestones.filter(kind=MilestoneKind.ACTION_POINT).count() == 1


def test_a_reopened_activity_is_no_contact_any_more(agreement: Agreement) -> None:
    done = complete(ActivityFactory(agreement=agreement), on=LATER, next_step_on=LATER)
    reopen_activity(done, actor=None, on=LATER, reason="It did not take place")
    next_contact = agreement.milestones.get(derived_key="next_contact")
    assert next_contact.due_on == DAY + dt.timedelta(days=180)


def test_planned_again_for_another_day() -> None:
    activity = ActivityFactory(ends_on=DAY)
    postponed = postpone_activity(fresh(activity), actor=None, on=DAY, reason="Snow")
    planned = replan_activity(postponed, actor=None, on=DAY, starts_on=LATER)
    assert (planned.status, planned.starts_on, planned.ends_on) == ("planned", LATER, None)


def test_credits_are_areas_times_organizations_once_each() -> None:
    areas = [CooperationAreaFactory(), CooperationAreaFactory()]
    partners = [EnterpriseFactory(), EnterpriseFactory()]
    activity = ActivityFactory(organizations=partners)
    for _ in range(2):
        credit_areas(activity, actor=activity.owner, areas=areas)
    assert set(activity.credits.values_list("area", "organization")) == {
        (area.pk, partner.pk) for area in areas for partner in partners
    }
    assert activity.credits.count() == 4


# Calls and messages


def log(agreement: Agreement | None, **more: Any) -> ContactNote:
    values = {"actor": None, "on": DAY, "channel": "call", "summary": "They will send the list", "agreement": agreement}
    return log_contact(**{**values, **({"unit": agreement.unit} if agreement else {}), **more})


def test_a_call_is_logged_by_its_author(agreement: Agreement) -> None:
    contact = ContactFactory()
    note = log(agreement, actor=agreement.coordinator, contact=contact, summary=" Agreed ")
    assert (note.author, note.summary, note.organization) == (agreement.coordinator, "Agreed", contact.organization)
    assert [row.history_user for row in note.history.all()] == [agreement.coordinator]


def test_a_participating_unit_logs_calls_a_stranger_does_not() -> None:
    partner = UnitFactory()
    agreement = AgreementFactory(signed=True, units=[partner])
    log(agreement, actor=UserFactory(coordinator_in=partner))
    for unit in (agreement.unit, UnitFactory()):
        with pytest.raises(NotAllowed):
            log(agreement, actor=UserFactory(coordinator_in=UnitFactory()), unit=unit)
    assert ContactNote.objects.count() == 1


def test_nobody_logs_a_call_about_an_agreement_of_strangers_under_their_own_unit() -> None:
    agreement = AgreementFactory(signed=True)
    own = UnitFactory()
    with pytest.raises(NotAllowed):
        log(agreement, actor=UserFactory(lead_in=own), unit=own)
    assert ContactNote.objects.count() == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"summary": "\n "}, "summary"),
        ({"summary": "a\x00b"}, "summary"),
        ({"channel": "pigeon"}, "channel"),
        ({"on": dt.date(26, 3, 2)}, "on"),
    ],
)
def test_a_call_that_cannot_be_is_refused(agreement: Agreement, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        log(agreement, **values)
    assert (refusal.value.field, ContactNote.objects.count()) == (field, 0)


def test_a_call_is_about_something_and_with_somebody_there() -> None:
    unit = UnitFactory()
    with pytest.raises(InvalidInput, match="which agreement or organization"):
        log(None, unit=unit)
    with pytest.raises(InvalidInput) as refusal:
        log(None, unit=unit, contact=ContactFactory(), organization=OrganizationFactory())
    assert refusal.value.field == "contact"


def test_a_call_about_an_organizations_milestone_needs_no_agreement() -> None:
    milestone = MilestoneFactory(organization=OrganizationFactory())
    note = log(None, unit=milestone.unit, organization=milestone.organization, milestone=milestone)
    assert [row.pk for row in milestone.contact_notes.all()] == [note.pk]


def test_planning_credits_each_area_to_each_partner(agreement: Agreement) -> None:
    areas = [CooperationAreaFactory(), CooperationAreaFactory()]
    partners = [EnterpriseFactory(), EnterpriseFactory()]

    planned = plan_activity(
        actor=agreement.coordinator,
        on=DAY,
        unit=agreement.unit,
        kind="training",
        title="CNC course",
        agreement=agreement,
        organizations=partners,
        areas=areas,
        details={"headcount": 20},
    )

    assert (planned.status, planned.training.headcount) == ("planned", 20)
    assert {(row.area, row.organization_id) for row in planned.credits.all()} == {
        (area, partner.pk) for area in areas for partner in partners
    }
    assert planned.history.get().history_user == agreement.coordinator


def test_planning_for_another_unit_is_refused_and_leaves_nothing(agreement: Agreement) -> None:
    stranger = UserFactory(coordinator_in=UnitFactory())

    with pytest.raises(NotAllowed):
        plan_activity(actor=stranger, on=DAY, unit=agreement.unit, kind="visit", title="Visit", agreement=agreement)

    assert Activity.objects.exists() is False


def test_a_second_click_logs_nothing() -> None:
    agreement = AgreementFactory(signed=True)
    call = {"on": DAY, "unit": agreement.unit, "channel": "call", "summary": "They will send the list."}
    log_contact(actor=agreement.coordinator, agreement=agreement, **call)

    with pytest.raises(InvalidInput, match="logged already"):
        log_contact(actor=agreement.coordinator, agreement=agreement, **call)

    log_contact(actor=agreement.coordinator, agreement=agreement, **{**call, "summary": "The list came."})
    assert ContactNote.objects.count() == 2


def test_a_second_click_plans_nothing() -> None:
    agreement = AgreementFactory(signed=True)
    visit = {"unit": agreement.unit, "kind": "visit", "title": "Visit to the plant", "agreement": agreement}
    plan_activity(actor=agreement.coordinator, on=DAY, starts_on=DAY, **visit)

    with pytest.raises(InvalidInput, match="planned already"):
        plan_activity(actor=agreement.coordinator, on=DAY, starts_on=DAY, **visit)

    plan_activity(actor=agreement.coordinator, on=DAY, starts_on=LATER, **visit)
    assert Activity.objects.count() == 2
