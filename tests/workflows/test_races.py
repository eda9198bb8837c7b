"""Two people at once: exactly one wins, the other is told, and nothing is done twice."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections, transaction

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    AgreementTypeFactory,
    AnswerFactory,
    DemandFactory,
    EnterpriseFactory,
    EventFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    Activity,
    Agreement,
    Answer,
    Contact,
    ContactNote,
    Demand,
    DemandOutcome,
    Event,
    Milestone,
    Organization,
    OrganizationName,
    OrganizationUnit,
    StatusChange,
    User,
)
from partnerships.statuses import AgreementStatus, MilestoneStatus
from partnerships.workflows.activities import (
    complete_activity,
    follow_activity,
)
from partnerships.workflows.agreements import (
    approve_agreement,
    complete_agreement,
    delete_draft,
    record_signed_agreement,
    register_agreement,
    sign_agreement,
    submit_agreement,
    terminate_agreement,
)
from partnerships.workflows.demands import agree_with_project, choose_answer, close_demand, propose_answer
from partnerships.workflows.derivation import derive_milestones
from partnerships.workflows.derived_sweep import sweep_derived
from partnerships.workflows.milestones import (
    accept_milestone,
    meet_milestone,
    new_action_point,
    register_milestone,
    send_back_milestone,
)
from partnerships.workflows.organizations import edit_organization, register_contact, register_organization
from partnerships.workflows.terms import renew_agreement
from partnerships.workflows.users import deactivate_user, open_work
from tests.services.processes import PATIENCE
from tests.services.stack import eventually
from tests.together import refused, run_together
from tests.workflows.follow_ups import log_contact, plan_activity, record_activity

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def read_twice(row: Any) -> list[Any]:
    return [type(row).objects.get(pk=row.pk) for _ in range(2)]


def test_two_leads_approve() -> None:
    agreement = AgreementFactory(in_review=True)
    leads = [UserFactory(lead_in=agreement.unit) for _ in range(2)]
    calls = [
        partial(approve_agreement, row, actor=lead, on=DAY)
        for row, lead in zip(read_twice(agreement), leads, strict=True)
    ]
    assert len(refused(run_together(*calls))) == 1
    assert [change.transition for change in StatusChange.objects.of(agreement)] == ["approve"]
    assert agreement.history.count() == 2


@pytest.mark.parametrize("ending", [terminate_agreement, complete_agreement])
def test_an_activity_is_completed_while_its_agreement_ends(ending: Any) -> None:
    """Neither waits for the other for ever, and nobody is asked for anything afterwards."""
    done = {"summary": "Held", "no_next_step_reason": "The end"}
    reason = {"reason": "Closed"} if ending is terminate_agreement else {}
    for _round in range(4):
        activity = ActivityFactory()
        agreement = Agreement.objects.get(pk=activity.agreement_id)
        derive_milestones(agreement, actor=None, on=DAY)
        follow_activity(activity, actor=None, on=DAY)
        results = run_together(
            partial(complete_activity, Activity.objects.get(pk=activity.pk), actor=None, on=DAY, **done),
            partial(ending, agreement, actor=None, on=DAY, **reason),
        )
        assert refused(results) == []
        assert agreement.milestones.pending().count() == 0


def test_activities_are_completed_while_their_owner_is_deactivated() -> None:
    """Neither waits for the other for ever, and nothing stays with the person who left."""
    done = {"summary": "Held", "no_next_step_reason": "The end"}
    for _round in range(4):
        agreement = AgreementFactory(signed=True, unit=UnitFactory(fallback_person=UserFactory(staff=True)))
        leaving = agreement.coordinator
        activities = [ActivityFactory(agreement=agreement, owner=leaving) for _ in range(3)]
        for activity in activities:
            follow_activity(activity, actor=None, on=DAY)
        calls = [
            partial(complete_activity, Activity.objects.get(pk=activity.pk), actor=None, on=DAY, **done)
            for activity in activities
        ]
        results = run_together(partial(deactivate_user, leaving, actor=None), *calls)
        assert {type(error) for error in refused(results)} <= {StaleVersion}
        assert set(open_work(leaving).values()) == {0}


def test_two_sweeps_at_once_derive_everything_once() -> None:
    agreements = [AgreementFactory(signed=True) for _ in range(5)]
    run_together(*[partial(sweep_derived, now=NOON, batch=2) for _ in range(3)])
    while sweep_derived(now=NOON, batch=2):
        pass
    assert [agreement.milestones.count() for agreement in agreements] == [2] * 5
    assert {milestone.version for milestone in Milestone.objects.all()} == {1}


def test_signing_and_terminating_at_once() -> None:
    agreement = AgreementFactory(approved=True)
    first, second = read_twice(agreement)
    results = run_together(
        partial(sign_agreement, first, actor=None, on=DAY, today=DAY),
        partial(terminate_agreement, second, actor=None, on=DAY, reason="Closed"),
    )
    assert len(refused(results)) == 1
    assert Agreement.objects.get().status == AgreementStatus.SIGNED
    assert [change.transition for change in StatusChange.objects.of(agreement)] == ["sign"]


def test_two_terminate_a_signed_agreement() -> None:
    agreement = AgreementFactory(signed=True)
    MilestoneFactory(agreement=agreement)
    calls = [partial(terminate_agreement, row, actor=None, on=DAY, reason="Insolvent") for row in read_twice(agreement)]
    assert len(refused(run_together(*calls))) == 1
    assert list(StatusChange.objects.order_by("pk").values_list("transition", flat=True)) == ["terminate", "cancel"]


def test_two_mark_a_recurring_milestone_as_met() -> None:
    milestone = MilestoneFactory(recurs_every_months=1)
    calls = [partial(meet_milestone, row, actor=None, on=DAY, evidence="Minutes") for row in read_twice(milestone)]
    assert len(refused(run_together(*calls))) == 1
    assert sorted(Milestone.objects.values_list("status", flat=True)) == [MilestoneStatus.MET, MilestoneStatus.OPEN]
    assert StatusChange.objects.of(milestone).count() == 1


def test_accepting_and_sending_back_at_once() -> None:
    milestone = MilestoneFactory(submitted=True)
    first, second = read_twice(milestone)
    results = run_together(
        partial(accept_milestone, first, actor=None, on=DAY),
        partial(send_back_milestone, second, actor=None, on=DAY, reason="No paper"),
    )
    assert len(refused(results)) == 1
    assert StatusChange.objects.of(milestone).count() == 1


def test_calls_logged_at_once_all_count_and_leave_one_next_contact() -> None:
    agreement = AgreementFactory(signed=True)
    calls = [
        partial(
            log_contact,
            actor=agreement.coordinator,
            on=DAY + dt.timedelta(days=day),
            unit=agreement.unit,
            channel="call",
            summary=f"Call {day}",
            agreement=agreement,
        )
        for day in range(5)
    ]
    assert refused(run_together(*calls)) == []
    assert ContactNote.objects.count() == 5
    next_contact = agreement.milestones.get(derived_key="next_contact")
    assert next_contact.due_on == DAY + dt.timedelta(days=4 + 180)


def test_two_renew_with_one_version() -> None:
    agreement = AgreementFactory(signed=True)
    calls = [
        partial(renew_agreement, row, actor=None, on=DAY, ends_on=dt.date(2032, 3, 1)) for row in read_twice(agreement)
    ]
    assert [type(error) for error in refused(run_together(*calls))] == [StaleVersion]
    assert agreement.terms.count() == 2


def test_two_edits_with_one_version() -> None:
    first, second = read_twice(AgreementFactory())
    first.title, second.title = "First", "Second"
    results = run_together(first.save, second.save)
    assert [type(error) for error in refused(results)] == [StaleVersion]
    winner = Agreement.objects.get()
    assert (winner.version, winner.title in {"First", "Second"}) == (2, True)


def test_a_draft_is_submitted_while_it_is_deleted() -> None:
    draft = AgreementFactory(ready=True)
    first, second = read_twice(draft)
    results = run_together(
        partial(submit_agreement, first, actor=None, on=DAY),
        partial(delete_draft, second, actor=None, reason="Entered twice"),
    )
    assert [type(error) for error in refused(results)] == [StaleVersion]


def test_two_first_agreements_with_the_same_partners_make_each_holder_once() -> None:
    unit = UnitFactory()
    partners = [InstitutionFactory(), EnterpriseFactory()]
    drafts = [
        AgreementFactory(unit=unit, ready=True, parties=partners),
        AgreementFactory(unit=unit, ready=True, parties=partners[::-1]),
    ]
    calls = [partial(record_signed_agreement, draft, actor=None, on=DAY, today=DAY) for draft in drafts]
    assert refused(run_together(*calls)) == []
    assert OrganizationUnit.objects.filter(unit=unit).count() == 2


def test_a_next_step_of_an_activity_does_not_outlive_the_agreement() -> None:
    """Whoever completes an activity after the agreement has ended is told that there is no next step under it."""
    agreement = AgreementFactory(signed=True)
    partners = [row.organization for row in agreement.parties.all()]
    visits = [ActivityFactory(agreement=agreement, organizations=partners) for _ in range(3)]
    calls = [
        partial(
            complete_activity, visit, actor=None, on=DAY, summary="Done", next_step="Send minutes", next_step_on=DAY
        )
        for visit in visits
    ]
    results = run_together(*calls, partial(terminate_agreement, agreement, actor=None, on=DAY, reason="Insolvent"))
    assert {(type(error), error.field) for error in refused(results)} <= {(TransitionRefused, "next_step")}
    assert Agreement.objects.get().status == AgreementStatus.TERMINATED
    assert agreement.milestones.pending().count() == 0


def test_two_answers_chosen_at_once() -> None:
    first = AnswerFactory(proposed=True)
    answers = [first, AnswerFactory(demand=first.demand, proposed=True)]
    calls = [partial(choose_answer, answer, actor=None, on=DAY) for answer in answers]
    assert [type(error) for error in refused(run_together(*calls))] == [TransitionRefused]
    assert sorted(Answer.objects.values_list("status", flat=True)) == ["chosen", "proposed"]


def test_an_answer_is_proposed_while_it_is_chosen() -> None:
    """Neither waits for the other for ever, whichever step wins."""
    for _round in range(8):
        first, second = read_twice(AnswerFactory())
        results = run_together(
            partial(propose_answer, first, actor=None, on=DAY), partial(choose_answer, second, actor=None, on=DAY)
        )
        assert {type(error) for error in refused(results)} <= {StaleVersion, TransitionRefused}
        assert Answer.objects.get(pk=first.pk).status in {"proposed", "chosen"}


def test_a_demand_is_agreed_while_it_is_closed() -> None:
    first, second = read_twice(DemandFactory(asked=True, deadline_on=DAY))
    results = run_together(
        partial(agree_with_project, first, actor=None, on=DAY, title=""),
        partial(close_demand, second, actor=None, on=DAY, reason="Nobody works in this field"),
    )
    assert len(refused(results)) == 1
    is_agreed = Demand.objects.get().status == "agreed"
    assert (Activity.objects.count(), DemandOutcome.objects.count()) == (is_agreed, is_agreed)


def test_two_names_added_at_once_are_both_found() -> None:
    organization = OrganizationFactory(name="Zhongyi Machinery")
    calls = [OrganizationName(organization=Organization.objects.get(), name=name).save for name in ("Alpha", "Omega")]
    assert refused(run_together(*calls)) == []
    found = [list(Organization.objects.search(name)) for name in ("Alpha", "Omega")]
    assert found == [[organization], [organization]]


def test_a_form_sent_twice_registers_one_agreement() -> None:
    unit, kind = UnitFactory(), AgreementTypeFactory()
    actor = UserFactory(coordinator_in=unit)
    drafts = [Agreement(unit=unit, type=kind, title="Joint training centre") for _ in range(2)]

    results = run_together(*(partial(register_agreement, draft, actor=actor, today=DAY) for draft in drafts))

    assert [error.field for error in refused(results)] == ["is_another"]
    assert Agreement.objects.count() == 1


def test_a_form_of_another_one_sent_twice_registers_one_more() -> None:
    there = AgreementFactory(title="Joint training centre")
    drafts = [Agreement(unit=there.unit, type=there.type, title=there.title) for _ in range(2)]

    more = {"actor": there.coordinator, "today": DAY, "confirmed_different": [there.pk]}
    calls = [partial(register_agreement, draft, **more) for draft in drafts]

    assert [error.field for error in refused(run_together(*calls))] == ["is_another"]
    assert Agreement.objects.count() == 2


@pytest.mark.parametrize("is_held", [True, False])
def test_a_form_sent_twice_adds_one_organization(is_held: bool) -> None:
    unit = UnitFactory() if is_held else None
    actor = UserFactory(coordinator_in=unit) if unit else UserFactory(staff=True)
    there = OrganizationFactory(kind="enterprise", name="Harbor Works")
    rows = [Organization(kind="enterprise", name="Harbor Works") for _ in range(2)]

    calls = [
        partial(register_organization, row, actor=actor, today=DAY, unit=unit, confirmed_different=[there.pk])
        for row in rows
    ]

    assert [error.field for error in refused(run_together(*calls))] == ["is_another"]
    assert (Organization.objects.count(), OrganizationUnit.objects.count()) == (2, is_held)


def test_a_form_sent_twice_adds_one_person() -> None:
    unit = UnitFactory()
    organization, actor = OrganizationFactory(held_by=unit), UserFactory(coordinator_in=unit)
    people = [Contact(organization=organization, name="Zhou Min") for _ in range(2)]

    run_together(*(partial(register_contact, person, actor=actor, today=DAY) for person in people))

    assert organization.contacts.count() == 1


def add_action_point(target: Agreement | Activity | Event, owner: User) -> Milestone:
    milestone = new_action_point(target, title="Call them", due_on=DAY, owner=owner)
    return register_milestone(milestone, actor=owner, today=DAY)


def test_a_form_sent_twice_adds_one_action_point() -> None:
    agreement = AgreementFactory(signed=True)
    for target in (agreement, ActivityFactory(agreement=agreement), EventFactory(unit=agreement.unit)):
        calls = [partial(add_action_point, row, agreement.coordinator) for row in read_twice(target)]

        assert [error.field for error in refused(run_together(*calls))] == ["title"]

        assert target.milestones.pending().filter(title="Call them").count() == 1
        target.milestones.update(title="Called")


def test_what_is_added_while_the_agreement_ends_does_not_outlive_it() -> None:
    for _round in range(4):
        agreement = AgreementFactory(signed=True)
        target = ActivityFactory(agreement=agreement) if _round % 2 else Agreement.objects.get(pk=agreement.pk)
        run_together(
            partial(add_action_point, target, agreement.coordinator),
            partial(terminate_agreement, agreement, actor=None, on=DAY, reason="Insolvent"),
        )
        assert agreement.milestones.pending().count() == 0


@pytest.mark.parametrize("done", [{}, {"no_next_step_reason": "None"}])
@pytest.mark.parametrize("is_under_an_agreement", [True, False])
def test_a_form_sent_twice_enters_one_follow_up(done: dict[str, str], is_under_an_agreement: bool) -> None:
    agreement = AgreementFactory(signed=True)
    verb = partial(record_activity if done else plan_activity, actor=agreement.coordinator, on=DAY, **done)
    what = {"unit": agreement.unit, "kind": "visit", "title": "Visit them", "starts_on": DAY}
    rows = read_twice(agreement) if is_under_an_agreement else [None, None]

    results = run_together(*(partial(verb, agreement=row, **what) for row in rows))

    assert [error.field for error in refused(results)] == ["title"]
    assert Activity.objects.count() == 1


def test_a_follow_up_is_entered_by_whoever_may_as_the_agreement_is_now() -> None:
    agreement = AgreementFactory(ready=True)
    as_read, actor = Agreement.objects.get(), agreement.coordinator
    Agreement.objects.update(unit=UnitFactory())

    with pytest.raises(NotAllowed):
        plan_activity(actor=actor, on=DAY, unit=as_read.unit, kind="visit", title="Visit them", agreement=as_read)


def test_two_organizations_do_not_become_part_of_each_other() -> None:
    one, other = OrganizationFactory(), OrganizationFactory()

    def put_below(row: Any, above: Any) -> None:
        edit_organization(row, actor=None, today=DAY, changes={"part_of": above})

    errors = refused(run_together(partial(put_below, one, other), partial(put_below, other, one)))

    assert [type(error) for error in errors] == [InvalidInput]
    assert Organization.objects.filter(part_of=None).count() == 1


def is_waited_for() -> bool:
    """Whether another transaction waits for ours; on SQLite any other one does."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("is_renamed_first", [True, False])
@pytest.mark.parametrize("is_above_the_whole", [True, False])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_part_that_comes_while_its_whole_is_renamed_is_found_by_the_new_name(
    is_renamed_first: bool, is_above_the_whole: bool, is_new: bool
) -> None:
    group = EnterpriseFactory(name="Harbor Group")
    whole = EnterpriseFactory(name="Forge", part_of=group)
    part = Organization(kind="enterprise", name="Valves", part_of=whole) if is_new else EnterpriseFactory(name="Valves")

    def rename() -> None:
        renamed = group if is_above_the_whole else whole
        edit_organization(renamed, actor=None, today=DAY, changes={"name": "Dockside"})

    def join() -> None:
        if is_new:
            register_organization(part, actor=None, today=DAY)
        else:
            edit_organization(part, actor=None, today=DAY, changes={"part_of": whole})

    def second() -> None:
        try:
            (join if is_renamed_first else rename)()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            (rename if is_renamed_first else join)()
            other = pool.submit(second)
            eventually(lambda: other.done() or is_waited_for())
        other.result(PATIENCE)

    assert list(Organization.objects.search("dockside valves").values_list("name", flat=True)) == ["Valves"]
