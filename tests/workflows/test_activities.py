"""Activities with what comes next, credits, and calls logged in seconds."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    AssociationFactory,
    ContactFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    MilestoneFactory,
    OrganizationFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    Activity,
    ActivityCredit,
    ActivityOrganization,
    Agreement,
    ContactNote,
    Milestone,
    MilestoneKind,
    StatusChange,
)
from partnerships.workflows.activities import (
    cancel_activity,
    complete_activity,
    edit_activity,
    edit_contact_note,
    follow_activity,
    postpone_activity,
    register_activity,
    reopen_activity,
    replan_activity,
    start_activity,
)
from partnerships.workflows.agreements import (
    complete_agreement,
    reinstate_agreement,
    sign_agreement,
    terminate_agreement,
)
from partnerships.workflows.milestones import meet_milestone, move_milestone, waive_milestone
from tests.workflows.follow_ups import log_contact, plan_activity, record_activity

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


def test_completing_moves_the_next_contact_and_makes_no_holder(agreement: Agreement) -> None:
    guest = OrganizationFactory()
    on = DAY + dt.timedelta(days=10)
    complete(ActivityFactory(agreement=agreement, organizations=[guest]), on=on, next_step_on=LATER)
    assert agreement.milestones.get(derived_key="next_contact").due_on == on + dt.timedelta(days=180)
    assert guest.holders.count() == 0


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


def test_an_area_counts_only_for_an_organization_that_takes_part() -> None:
    area, partner, stranger = CooperationAreaFactory(), EnterpriseFactory(), EnterpriseFactory()
    activity = ActivityFactory(organizations=[partner])
    more: dict[str, Any] = {"actor": activity.owner, "today": DAY}
    credit = ActivityCredit(area=area, organization=stranger)

    with pytest.raises(InvalidInput, match="only for organizations that take part") as refused:
        edit_activity(fresh(activity), parts=[credit], **more)
    assert (refused.value.field, refused.value.part) == ("organization", credit)

    edit_activity(fresh(activity), parts=[ActivityCredit(area=area, organization=partner)], **more)
    with pytest.raises(InvalidInput, match="only for organizations that take part"):
        edit_activity(fresh(activity), removed=[activity.partners.get()], **more)
    assert [row.organization for row in activity.credits.all()] == [partner]


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
        ({"on": dt.date(26, 3, 2)}, "happened_on"),
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


def test_a_call_answers_only_milestones_of_what_it_is_about(agreement: Agreement) -> None:
    milestone = MilestoneFactory(agreement=AgreementFactory(signed=True))

    with pytest.raises(InvalidInput) as refusal:
        log(agreement, milestone=milestone)
    assert refusal.value.field == "milestone"
    note = log(agreement)
    with pytest.raises(InvalidInput) as refusal:
        edit_contact_note(note, actor=None, today=DAY, changes={"milestone": milestone})
    assert (refusal.value.field, milestone.contact_notes.count()) == ("milestone", 0)


def test_nobody_answers_a_milestone_of_another_unit_with_a_call_of_their_own() -> None:
    own, partner = UnitFactory(), OrganizationFactory()
    milestone = MilestoneFactory(organization=partner, unit=UnitFactory())

    with pytest.raises(NotAllowed) as refusal:
        log(None, unit=own, actor=UserFactory(lead_in=own), organization=partner, milestone=milestone)
    assert refusal.value.field == "milestone"


def test_nobody_plans_a_follow_up_for_a_unit_that_takes_no_part(agreement: Agreement) -> None:
    columns = {"unit": UnitFactory(), "kind": "other", "title": "Course", "agreement": agreement}
    with pytest.raises(NotAllowed, match="does not take part") as refusal:
        plan_activity(actor=agreement.coordinator, on=DAY, **columns)
    assert (refusal.value.field, Activity.objects.count()) == ("unit", 0)


def test_who_takes_part_does_not_arrange_it(agreement: Agreement) -> None:
    association = AssociationFactory()
    activity = ActivityFactory(agreement=agreement, through=association)
    more: dict[str, Any] = {"actor": None, "today": DAY}

    with pytest.raises(InvalidInput) as edited:
        edit_activity(fresh(activity), parts=[ActivityOrganization(organization=association)], **more)
    new = ActivityFactory.build(agreement=agreement, unit=agreement.unit, owner=None, through=association)
    with pytest.raises(InvalidInput) as planned:
        register_activity(new, parts=[ActivityOrganization(organization=association)], **more)

    assert (edited.value.field, planned.value.field) == ("through", "through")
    assert not activity.partners.exists()


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


def visit_of(agreement: Agreement, **values: Any) -> dict[str, Any]:
    asked = {"unit": agreement.unit, "kind": "visit", "title": "Visit to the plant", "starts_on": DAY}
    return {**asked, "agreement": agreement, "owner": agreement.coordinator, **values}


def test_recording_is_completing_without_having_asked(agreement: Agreement) -> None:
    partner, actor = EnterpriseFactory(), agreement.coordinator

    done = record_activity(
        actor=actor,
        on=DAY,
        next_step="Send the plan",
        next_step_on=LATER,
        organizations=[partner],
        details={"findings": "A new press"},
        **visit_of(agreement, summary="Seen"),
    )

    assert (done.status, done.completed_on, done.summary, done.visit.findings) == (
        "completed",
        DAY,
        "Seen",
        "A new press",
    )
    assert [(row.kind, row.due_on) for row in done.milestones.all()] == [(MilestoneKind.ACTION_POINT, LATER)]
    assert [row.transition for row in StatusChange.objects.of(done)] == ["complete"]


def test_a_second_click_records_nothing(agreement: Agreement) -> None:
    nothing_next = {"actor": agreement.coordinator, "on": DAY, "no_next_step_reason": "They write"}
    record_activity(**nothing_next, **visit_of(agreement))

    with pytest.raises(InvalidInput, match="recorded already"):
        record_activity(**nothing_next, **visit_of(agreement))

    record_activity(**nothing_next, **visit_of(agreement, title="Visit to the forge"))
    assert Activity.objects.count() == 2


def test_what_comes_next_is_asked_for_and_nothing_is_left_without(agreement: Agreement) -> None:
    with pytest.raises(InvalidInput, match="what comes next"):
        record_activity(actor=agreement.coordinator, on=DAY, **visit_of(agreement))

    assert Activity.objects.exists() is False


@pytest.mark.parametrize("verb", [plan_activity, record_activity])
def test_nobody_enters_one_under_an_agreement_of_strangers(verb: Any, agreement: Agreement) -> None:
    unit = UnitFactory()
    more = {"no_next_step_reason": "None"} if verb is record_activity else {}

    with pytest.raises(NotAllowed):
        verb(actor=UserFactory(coordinator_in=unit), on=DAY, **visit_of(agreement, unit=unit), **more)

    assert Activity.objects.exists() is False


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"starts_on": dt.date(1, 1, 1)}, "starts_on"),
        ({"ends_on": dt.date(9999, 1, 1)}, "ends_on"),
        ({"ends_on": DAY - dt.timedelta(days=1)}, "ends_on"),
        ({"starts_on": None, "ends_on": DAY}, "ends_on"),
    ],
)
def test_days_that_cannot_be_are_refused(agreement: Agreement, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan_activity(actor=agreement.coordinator, on=DAY, **visit_of(agreement, **values))

    assert refused.value.field == field


def edit(activity: Activity, *, actor: Any, **values: Any) -> Activity:
    return edit_activity(activity, actor=actor, today=DAY, **values)


def test_an_edit_of_what_somebody_else_changed_is_refused(agreement: Agreement) -> None:
    activity = ActivityFactory(agreement=agreement, owner=agreement.coordinator)
    opened = fresh(activity)
    edit(fresh(activity), actor=agreement.coordinator, changes={"place": "Hall 1"})

    with pytest.raises(StaleVersion):
        edit(opened, actor=agreement.coordinator, changes={"place": "Hall 2"})

    assert fresh(activity).place == "Hall 1"


@pytest.mark.parametrize("column", ["starts_on", "ends_on"])
def test_what_is_completed_did_not_take_place_afterwards(agreement: Agreement, column: str) -> None:
    late, day_before = DAY + dt.timedelta(days=5), DAY - dt.timedelta(days=1)
    activity = ActivityFactory(agreement=agreement, owner=agreement.coordinator, starts_on=day_before, ends_on=late)
    complete_activity(activity, actor=None, on=DAY, summary="Held", no_next_step_reason="None")
    later = {column: late + dt.timedelta(days=1)}

    with pytest.raises(InvalidInput, match="completed on 2026-03-02: reopen it") as refused:
        edit(fresh(activity), actor=agreement.coordinator, changes={"ends_on": None, **later})

    assert refused.value.field == column
    # It ended earlier than planned: the rest can still be corrected, and the day, too.
    edit(fresh(activity), actor=agreement.coordinator, changes={"place": "Hall 1", "ends_on": late})
    assert edit(fresh(activity), actor=agreement.coordinator, changes={"ends_on": DAY}).ends_on == DAY


def test_an_edit_of_nothing_is_no_version(agreement: Agreement) -> None:
    activity = ActivityFactory(agreement=agreement, training=True, owner=agreement.coordinator)
    partner = OrganizationFactory()
    same = {"changes": {"title": activity.title, "starts_on": activity.starts_on}, "actor": agreement.coordinator}

    first = activity.version
    assert edit(fresh(activity), **same).version == first
    assert edit(fresh(activity), **same, parts=[ActivityOrganization(organization=partner)]).version == first + 1
    assert edit(fresh(activity), **same, parts=[activity.partners.get(), activity.training]).version == first + 1
    assert edit(fresh(activity), **same, removed=[activity.partners.get()]).version == first + 2
    assert activity.history.count() == 1


def test_a_stranger_edits_nothing(agreement: Agreement) -> None:
    activity = ActivityFactory(agreement=agreement)

    with pytest.raises(NotAllowed):
        edit(fresh(activity), actor=UserFactory(coordinator_in=UnitFactory()), changes={"place": "Hall 2"})

    assert fresh(activity).place == ""


# What an activity asks for: to be started on its first day, completed on its last


START, END = DAY + dt.timedelta(days=10), DAY + dt.timedelta(days=12)


def planned(**values: Any) -> Activity:
    activity = ActivityFactory(**{"starts_on": START, "ends_on": END, "title": "CNC course", **values})
    follow_activity(activity, actor=None, on=DAY)
    return fresh(activity)


def dates(activity: Activity) -> dict[str, tuple[dt.date, str]]:
    """Key -> due date and status of the derived milestones."""
    rows = Milestone.objects.derived_of(activity).order_by("due_on", "derived_key")
    return {row.derived_key: (row.due_on, row.status) for row in rows}


def test_a_planned_activity_asks_to_be_started_and_completed(agreement: Agreement) -> None:
    values = {"kind": "training", "title": "CNC course", "starts_on": START, "ends_on": END}
    owner = UserFactory(coordinator_in=agreement.unit)
    activity = plan_activity(actor=owner, on=DAY, unit=agreement.unit, agreement=agreement, owner=owner, **values)
    assert dates(activity) == {"start": (START, "open"), "end": (END, "open")}
    rows = Milestone.objects.derived_of(activity).order_by("due_on")
    assert [(row.kind, row.title) for row in rows] == [
        (MilestoneKind.STARTING_ACTIVITY, "Start “CNC course”"),
        (MilestoneKind.UNFINISHED_ACTIVITY, "Complete “CNC course”"),
    ]
    assert {(row.owner, row.unit, row.agreement) for row in rows} == {(owner, agreement.unit, agreement)}
    assert [row.history.get().history_user for row in rows] == [owner, owner]


@pytest.mark.parametrize(
    ("kind", "keys"),
    [("visit", {"start", "end"}), ("training", {"start", "end"}), ("research_project", {"start"})],
)
def test_without_a_last_day_only_what_lasts_is_open_ended(kind: str, keys: set[str]) -> None:
    assert dates(planned(kind=kind, ends_on=None)) == dict.fromkeys(keys, (START, "open"))


def test_without_a_day_it_asks_for_nothing() -> None:
    assert dates(planned(starts_on=None, ends_on=None)) == {}


def test_one_entered_late_is_not_asked_to_start_but_to_be_completed() -> None:
    begun = DAY - dt.timedelta(days=9)
    assert dates(planned(starts_on=begun, ends_on=DAY - dt.timedelta(days=1))) == {
        "end": (DAY - dt.timedelta(days=1), "open")
    }


def test_started_it_waits_to_be_completed() -> None:
    activity = start_activity(planned(), actor=None, on=START)
    assert dates(activity) == {"start": (START, "met"), "end": (END, "open")}
    met = Milestone.objects.get(derived_key="start")
    assert (met.evidence, met.met_on) == ("Started on 2026-03-12.", START)
    assert dates(complete(activity, on=END)) == {"start": (START, "met"), "end": (END, "met")}
    assert Milestone.objects.get(derived_key="end").evidence == "Completed on 2026-03-14."


def test_completed_at_once_both_are_met() -> None:
    assert dates(complete(planned())) == {"start": (START, "met"), "end": (END, "met")}


def test_a_date_that_moves_takes_its_milestone_along() -> None:
    activity = planned()
    activity.starts_on, activity.ends_on, activity.title = START + dt.timedelta(days=1), None, "CNC course, part 2"
    activity.save()
    follow_activity(activity, actor=None, on=DAY)
    assert dates(activity) == {key: (START + dt.timedelta(days=1), "open") for key in ("start", "end")}
    assert Milestone.objects.get(derived_key="end").title == "Complete “CNC course, part 2”"


def test_saved_once_more_nothing_changes() -> None:
    activity = planned()
    before = list(Milestone.objects.values()), Milestone.history.count()
    follow_activity(activity, actor=None, on=END + dt.timedelta(days=30))
    assert (list(Milestone.objects.values()), Milestone.history.count()) == before


def test_one_moved_by_hand_stays_until_a_later_day_asks_anew() -> None:
    activity = planned()
    earlier = END - dt.timedelta(days=1)
    move_milestone(
        Milestone.objects.get(derived_key="end"), actor=None, at=NOON, due_on=earlier, reason="The room is taken"
    )
    follow_activity(activity, actor=None, on=DAY)
    assert dates(activity)["end"] == (earlier, "open")
    activity.ends_on = END + dt.timedelta(days=7)
    activity.save()
    follow_activity(activity, actor=None, on=DAY)
    assert dates(activity)["end"] == (END + dt.timedelta(days=7), "open")


def test_postponed_it_asks_for_nothing_until_it_is_planned_again() -> None:
    postponed = postpone_activity(start_activity(planned(), actor=None, on=START), actor=None, on=START, reason="Snow")
    assert dates(postponed) == {"start": (START, "met"), "end": (END, "cancelled")}
    assert StatusChange.objects.of(Milestone.objects.get(derived_key="end")).last().reason == "Snow"
    again = replan_activity(postponed, actor=None, on=START, starts_on=START)
    assert dates(again) == {"start": (START, "open"), "end": (START, "open")}


def test_cancelled_everything_that_was_open_is_cancelled_with_the_reason() -> None:
    activity = planned()
    point = MilestoneFactory(activity=activity, kind=MilestoneKind.ACTION_POINT)
    cancel_activity(activity, actor=None, on=DAY, reason="The plant closed")
    assert dates(activity) == {"start": (START, "cancelled"), "end": (END, "cancelled")}
    assert fresh(point).status == "cancelled"
    reasons = StatusChange.objects.filter(transition="cancel").values_list("reason", flat=True)
    assert set(reasons) == {"The plant closed"}


@pytest.mark.parametrize("ending", ["complete", "cancel"])
def test_reopened_it_has_to_be_completed_again(ending: str) -> None:
    activity = start_activity(planned(), actor=None, on=DAY)
    if ending == "complete":
        closed = complete(activity)
    else:
        closed = cancel_activity(activity, actor=None, on=DAY, reason="The plant closed")
    reopened = reopen_activity(closed, actor=None, on=DAY, reason="Wrong row")
    assert dates(reopened) == {"start": (START, "met"), "end": (END, "open")}


def test_waived_it_stays_waived() -> None:
    activity = planned()
    waive_milestone(Milestone.objects.get(derived_key="start"), actor=None, on=DAY, reason="It has begun long ago")
    follow_activity(activity, actor=None, on=DAY)
    assert dates(activity)["start"] == (START, "waived")


@pytest.mark.parametrize(("key", "words"), [("start", "Start the activity"), ("end", "Complete the activity")])
def test_nobody_meets_it_by_a_word(key: str, words: str) -> None:
    planned()
    with pytest.raises(TransitionRefused, match=words):
        meet_milestone(Milestone.objects.get(derived_key=key), actor=None, on=DAY, evidence="Believe me")


def test_a_completed_agreement_asks_for_no_activity_until_it_is_reinstated(agreement: Agreement) -> None:
    activity = planned(agreement=agreement)
    completed = complete_agreement(fresh(agreement), actor=None, on=DAY)
    assert {status for _day, status in dates(activity).values()} == {"cancelled"}
    reinstate_agreement(completed, actor=None, on=DAY, reason="Closed in error")
    assert dates(activity) == {"start": (START, "open"), "end": (END, "open")}


def test_a_terminated_agreement_asks_for_no_activity(agreement: Agreement) -> None:
    activity = planned(agreement=agreement)
    terminate_agreement(fresh(agreement), actor=None, on=DAY, reason="The partner left")
    assert {status for _day, status in dates(activity).values()} == {"cancelled"}


def test_a_new_owner_takes_over_what_the_former_had() -> None:
    activity = planned()
    former, kept = activity.owner, UserFactory(coordinator_in=activity.unit)
    point = MilestoneFactory(activity=activity, owner=kept)
    activity.owner = UserFactory(coordinator_in=activity.unit)
    activity.save()
    follow_activity(activity, actor=None, on=DAY, previous_owner=former)
    assert {row.owner for row in Milestone.objects.derived_of(activity)} == {activity.owner}
    assert fresh(point).owner == kept


def test_in_another_unit_its_milestones_are_that_units() -> None:
    activity = planned()
    activity.unit = UnitFactory()
    activity.save()
    follow_activity(activity, actor=None, on=DAY)
    assert {row.unit for row in Milestone.objects.derived_of(activity)} == {activity.unit}


def test_under_another_agreement_it_is_not_cancelled_with_the_former(agreement: Agreement) -> None:
    activity = planned(agreement=agreement, unit=agreement.unit)
    point = MilestoneFactory(activity=activity, agreement=agreement, unit=agreement.unit)
    other = AgreementFactory(signed=True, unit=agreement.unit)
    moved = edit(fresh(activity), actor=None, changes={"agreement": other})
    terminate_agreement(fresh(agreement), actor=None, on=DAY, reason="The partner left")
    assert {(row.agreement, row.status) for row in moved.milestones.all()} == {(other, "open")}
    assert fresh(point).history.count() == 2


def test_moved_to_another_unit_it_takes_its_action_points_along() -> None:
    activity, unit = planned(), UnitFactory()
    point = MilestoneFactory(activity=activity, unit=activity.unit)
    of_others = MilestoneFactory(activity=activity, unit=UnitFactory())
    edit(fresh(activity), actor=None, changes={"unit": unit, "owner": UserFactory(coordinator_in=unit)})
    assert (fresh(point).unit, fresh(of_others).unit) == (unit, of_others.unit)


def test_it_does_not_move_to_where_its_owner_cannot_see_it() -> None:
    unit = UnitFactory()
    activity = planned(agreement=None, unit=unit, owner=UserFactory(coordinator_in=unit))
    with pytest.raises(InvalidInput, match="may not see") as refusal:
        edit(fresh(activity), actor=None, changes={"unit": UnitFactory()})
    assert (refusal.value.field, fresh(activity).unit) == ("owner", activity.unit)


def test_a_title_as_long_as_can_be_fits() -> None:
    planned(title="字" * 200)
    assert [len(row.title) for row in Milestone.objects.filter(derived_key="start")] == [200]
