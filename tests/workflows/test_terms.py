"""Terms of signed agreements: renewed by the calendar, by agreement or not at all, and ended by notice."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, TransitionRefused
from partnerships.factories import ActivityFactory, AgreementAreaFactory, AgreementFactory, UnitFactory, UserFactory
from partnerships.models import Agreement, AgreementTerm, ContactNote, Milestone, MilestoneKind, quiet_agreements
from partnerships.workflows.activities import complete_activity, register_contact_note, reopen_activity
from partnerships.workflows.agreements import (
    complete_agreement,
    end_agreement_by_notice,
    record_signed_agreement,
    reinstate_agreement,
    resume_agreement,
    sign_agreement,
    suspend_agreement,
    terminate_agreement,
)
from partnerships.workflows.derived_sweep import sweep_derived
from partnerships.workflows.terms import (
    amend_agreement,
    confirm_renewal,
    give_notice,
    renew_agreement,
    state_quantities,
    take_back_notice,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SIGNED = dt.date(2025, 11, 1)
TODAY = dt.date(2026, 11, 29)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def signed(ends_on: str = "2026-11-20", **term: Any) -> Agreement:
    """An agreement of 1 November 2025, by default for a year with two months of notice, and renewed automatically."""
    values = {"starts_on": SIGNED, "ends_on": day(ends_on), "notice": 2, "renewal": "automatic", **term}
    agreement = AgreementFactory(approved=True, **{f"with_term__{name}": value for name, value in values.items()})
    return sign_agreement(fresh(agreement), actor=None, on=SIGNED, today=SIGNED)


def sweep(today: dt.date) -> None:
    sweep_derived(now=dt.datetime.combine(today, dt.time(12), dt.UTC))


def derived(agreement: Agreement) -> dict[str, tuple[str, str]]:
    rows = agreement.milestones.exclude(derived_key="").exclude(kind=MilestoneKind.NEXT_CONTACT)
    return {row.derived_key: (row.status, row.due_on.isoformat()) for row in rows}


def is_in_force(agreement: Agreement, on: str) -> bool:
    return Agreement.objects.in_force(day(on)).filter(pk=agreement.pk).exists()


def test_an_automatic_renewal_is_in_force_and_asks_to_be_confirmed() -> None:
    agreement = signed()
    assert derived(agreement) == {"decision_date:1": ("open", "2026-08-21")}

    sweep(TODAY)

    agreement.refresh_from_db()
    assert agreement.current_ends_on == day("2027-11-20")
    assert derived(agreement) == {
        "decision_date:1": ("cancelled", "2026-08-21"),
        "decision_date:2": ("open", "2027-08-20"),
        "confirm_renewal:2": ("open", "2026-11-27"),
    }
    asked = agreement.milestones.get(derived_key="confirm_renewal:2")
    assert (asked.waits_for, asked.owner) == ("leads", None)
    assert [is_in_force(agreement, on) for on in ("2025-10-31", "2026-11-21", "2030-01-01")] == [False, True, True]
    assert not Agreement.objects.expired(TODAY).exists()
    assert quiet_agreements(Agreement.objects.all(), TODAY).get() == agreement


def test_nothing_moves_when_the_sweep_comes_again() -> None:
    agreement = signed()
    sweep(TODAY)
    versions = dict(agreement.milestones.values_list("pk", "version"))
    sweep(TODAY + dt.timedelta(days=1))
    assert dict(agreement.milestones.values_list("pk", "version")) == versions


def test_an_accepted_decision_stays_met_after_the_renewal() -> None:
    agreement = signed()
    Milestone.objects.filter(derived_key="decision_date:1").update(status="met", met_on=day("2026-08-20"))
    sweep(TODAY)
    assert derived(agreement)["decision_date:1"] == ("met", "2026-08-21")
    assert derived(agreement)["confirm_renewal:2"][0] == "open"


def test_recording_late_adds_a_term_for_each_period() -> None:
    agreement = signed()
    sweep(day("2029-01-15"))
    asking = set(derived(agreement))

    assert confirm_renewal(fresh(agreement), actor=None, on=day("2029-01-15")).number == 4

    assert [(term.number, term.starts_on, term.ends_on, term.basis) for term in agreement.terms.all()[1:]] == [
        (2, day("2026-11-21"), day("2027-11-20"), "tacit"),
        (3, day("2027-11-21"), day("2028-11-20"), "tacit"),
        (4, day("2028-11-21"), day("2029-11-20"), "tacit"),
    ]
    assert asking == {"decision_date:1", "decision_date:4", "confirm_renewal:2"}
    assert {key: state for key, (state, _due) in derived(agreement).items()} == {
        "decision_date:1": "cancelled",
        "decision_date:4": "open",
        "confirm_renewal:2": "met",
    }
    with pytest.raises(TransitionRefused):
        confirm_renewal(fresh(agreement), actor=None, on=day("2029-01-15"))


def test_a_fixed_term_that_has_ended_asks_for_its_end() -> None:
    agreement = signed(renewal="none")
    sweep(TODAY)
    assert derived(agreement) == {
        "decision_date:1": ("cancelled", "2026-08-21"),
        "record_end:1": ("open", "2026-11-27"),
    }
    assert Agreement.objects.expired(TODAY).get() == agreement
    renew_agreement(fresh(agreement), actor=None, on=TODAY, ends_on=day("2028-11-20"))
    assert derived(agreement)["record_end:1"][0] == "met"
    assert derived(agreement)["decision_date:2"] == ("open", "2028-08-21")


@pytest.mark.parametrize("close", [complete_agreement, terminate_agreement])
def test_closing_it_answers_the_question(close: Any) -> None:
    agreement = signed(renewal="none")
    sweep(TODAY)
    more = {"reason": "It has ended"} if close is terminate_agreement else {}
    close(fresh(agreement), actor=None, on=TODAY, **more)
    assert derived(agreement)["record_end:1"][0] == "met"


def test_renewals_stop_after_the_last_one_agreed_on() -> None:
    agreement = signed(renewal_limit=1)
    assert [is_in_force(agreement, on) for on in ("2027-11-20", "2027-11-21")] == [True, False]
    assert [bool(Agreement.objects.expired(day(on))) for on in ("2027-11-20", "2027-11-21")] == [False, True]
    sweep(day("2027-12-01"))
    assert derived(agreement)["record_end:2"] == ("open", "2027-11-26")


def test_what_renews_itself_is_not_about_to_expire() -> None:
    renewing, ending = signed(), signed(renewal="agreed")
    found = Agreement.objects.expiring(day("2026-11-01"), until=day("2026-12-01"))
    assert (list(found), renewing in found) == ([ending], False)


def test_notice_ends_the_renewals() -> None:
    agreement = signed()
    give_notice(agreement, actor=None, on=day("2026-08-01"), today=day("2026-08-03"))
    assert derived(agreement) == {"decision_date:1": ("cancelled", "2026-08-21")}
    assert [is_in_force(agreement, on) for on in ("2026-11-20", "2026-11-21")] == [True, False]

    with pytest.raises(InvalidInput, match="runs until"):
        end_agreement_by_notice(fresh(agreement), actor=None, on=day("2026-11-20"))
    sweep(day("2026-11-21"))
    ended = end_agreement_by_notice(fresh(agreement), actor=None, on=day("2026-11-21"))
    assert (ended.status, ended.terminated_on) == ("terminated", day("2026-11-21"))
    assert derived(agreement)["record_end:1"][0] == "met"


def test_late_notice_lets_one_more_renewal_pass() -> None:
    agreement = signed()
    give_notice(agreement, actor=None, on=day("2026-10-01"), today=day("2026-10-01"))
    assert [is_in_force(agreement, on) for on in ("2026-11-21", "2027-11-20", "2027-11-21")] == [True, True, False]


def test_notice_taken_back_lets_it_renew_again() -> None:
    agreement = signed()
    give_notice(agreement, actor=None, on=day("2026-08-01"), today=day("2026-08-03"))
    take_back_notice(fresh(agreement), actor=None, on=day("2026-08-04"))
    assert is_in_force(agreement, "2027-01-01")
    assert derived(agreement)["decision_date:1"] == ("open", "2026-08-21")


def test_notice_in_a_renewal_records_what_renewed_before() -> None:
    agreement = signed()
    give_notice(agreement, actor=None, on=day("2028-01-10"), today=day("2028-01-10"))
    assert [term.number for term in agreement.terms.all()] == [1, 2, 3]
    assert fresh(agreement).current_ends_on == day("2028-11-20")


@pytest.mark.parametrize("renewal", ["none", "agreed"])
def test_no_notice_for_what_ends_anyway(renewal: str) -> None:
    with pytest.raises(TransitionRefused):
        give_notice(signed(renewal=renewal), actor=None, on=SIGNED, today=TODAY)


@pytest.mark.parametrize(("on", "today"), [("2026-12-01", "2026-11-29"), ("2025-10-31", "2026-11-29")])
def test_notice_has_a_possible_day(on: str, today: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        give_notice(signed(), actor=None, on=day(on), today=day(today))
    assert refusal.value.field == "on"


def test_an_amendment_changes_renewal_and_notice() -> None:
    agreement = signed(renewal="none", notice=0)
    amend_agreement(
        agreement,
        actor=None,
        signed_on=day("2026-05-01"),
        effective_on=day("2026-06-01"),
        today=day("2026-06-01"),
        summary="Goes on by itself, two years at a time",
        conditions={"renewal": "automatic", "renewal_months": 24, "notice": 3},
    )
    term = fresh(agreement).current_term
    assert (term.starts_on, term.ends_on, term.renewal_months, term.notice) == (
        day("2026-06-01"),
        day("2026-11-20"),
        24,
        3,
    )
    sweep(TODAY)
    assert fresh(agreement).current_ends_on == day("2028-11-20")


def test_an_amended_notice_keeps_the_length_of_the_renewals() -> None:
    agreement = signed()
    values = {"signed_on": day("2026-05-01"), "effective_on": day("2026-06-01"), "summary": "More notice"}
    amend_agreement(agreement, actor=None, today=day("2026-06-01"), conditions={"notice": 4}, **values)
    sweep(TODAY)
    assert fresh(agreement).current_ends_on == day("2027-11-20")


def test_an_amendment_in_an_unrecorded_renewal_records_it() -> None:
    agreement = signed()
    values = {"signed_on": TODAY, "effective_on": day("2026-12-01"), "summary": "Three years from now"}
    amend_agreement(agreement, actor=None, today=TODAY, ends_on=day("2029-11-30"), **values)
    assert list(agreement.terms.values_list("starts_on", "ends_on")) == [
        (SIGNED, day("2026-11-20")),
        (day("2026-11-21"), day("2026-11-30")),
        (day("2026-12-01"), day("2029-11-30")),
    ]


def test_an_earlier_amendment_recorded_late_leaves_the_running_period() -> None:
    agreement = signed()
    sweep(day("2028-01-10"))
    amend_agreement(
        fresh(agreement),
        actor=None,
        signed_on=day("2026-03-01"),
        effective_on=day("2026-03-01"),
        today=day("2028-01-10"),
        summary="Shorter notice",
        conditions={"notice": 1},
    )
    pending = {key: due_on for key, (status, due_on) in derived(agreement).items() if status == "open"}
    assert pending == {"decision_date:4": "2028-09-20", "confirm_renewal:3": "2026-11-27"}
    assert fresh(agreement).current_ends_on == day("2028-11-20")


def test_an_amendment_keeps_the_notice_that_was_given() -> None:
    agreement = signed()
    give_notice(agreement, actor=None, on=day("2026-08-01"), today=TODAY)
    values: dict[str, Any] = {"actor": None, "today": TODAY, "summary": "Changed"}
    values |= {"signed_on": day("2026-03-01"), "effective_on": day("2026-03-01")}
    for change in ({"ends_on": day("2027-11-20")}, {"conditions": {"renewal": "none"}}):
        with pytest.raises(TransitionRefused, match="Take it back"):
            amend_agreement(fresh(agreement), **change, **values)
    amend_agreement(fresh(agreement), conditions={"notice": 1, "renewal": "automatic"}, **values)
    assert fresh(agreement).current_term.notice_given_on == day("2026-08-01")
    assert end_agreement_by_notice(fresh(agreement), actor=None, on=TODAY).status == "terminated"


def test_a_renewal_by_agreement_follows_the_running_period() -> None:
    agreement = signed()
    renew_agreement(agreement, actor=None, on=day("2028-01-10"), ends_on=day("2031-11-20"))
    assert list(agreement.terms.values_list("starts_on", "basis")) == [
        (SIGNED, "original"),
        (day("2026-11-21"), "tacit"),
        (day("2027-11-21"), "tacit"),
        (day("2028-11-21"), "express"),
    ]


def test_a_gap_before_a_renewal_is_asked_about() -> None:
    agreement = signed(renewal="agreed")
    values = {"actor": None, "on": TODAY, "starts_on": day("2026-12-01"), "ends_on": day("2028-11-30")}
    with pytest.raises(InvalidInput) as question:
        renew_agreement(agreement, **values)
    assert question.value.field == "is_gap_meant"
    renew_agreement(fresh(agreement), is_gap_meant=True, **values)
    assert [is_in_force(agreement, on) for on in ("2026-11-25", "2026-12-01")] == [False, True]


@pytest.mark.parametrize(
    ("renewal", "runs_until", "asked"),
    [
        ("automatic", "2027-11-20", {"confirm_renewal:2": "2026-12-04", "decision_date:2": "2027-10-21"}),
        ("none", "2026-11-20", {"record_end:1": "2026-12-04"}),
    ],
)
def test_an_agreement_registered_late_asks_from_its_registration(
    renewal: str, runs_until: str, asked: dict[str, str]
) -> None:
    """The registration itself asks for it: what the daily sweep makes is announced to nobody."""
    agreement = AgreementFactory(
        ready=True, with_term__starts_on=SIGNED, with_term__ends_on=day("2026-11-20"), with_term__renewal=renewal
    )
    record_signed_agreement(fresh(agreement), actor=None, on=SIGNED, today=TODAY)
    assert derived(agreement) == {key: ("open", due_on) for key, due_on in asked.items()}
    assert fresh(agreement).current_ends_on == day(runs_until)


def test_an_earlier_call_logged_later_leaves_the_running_period() -> None:
    agreement = signed()
    sweep(TODAY)
    before = derived(agreement)
    note = ContactNote(
        agreement=fresh(agreement),
        unit=agreement.unit,
        channel="call",
        happened_on=day("2026-08-01"),
        summary="All well",
    )
    register_contact_note(note, actor=None, today=TODAY)
    assert (derived(agreement), fresh(agreement).current_ends_on) == (before, day("2027-11-20"))


def test_a_step_entered_late_leaves_the_running_period() -> None:
    agreement = signed()
    activity = ActivityFactory(agreement=agreement, unit=agreement.unit)
    sweep(TODAY)
    before = derived(agreement)
    late: dict[str, Any] = {"actor": None, "on": day("2026-11-01"), "today": TODAY}
    complete_activity(fresh(activity), summary="Done", no_next_step_reason="All done", **late)
    assert fresh(agreement).current_ends_on == day("2027-11-20")
    reopen_activity(fresh(activity), reason="By mistake", **late)
    suspend_agreement(fresh(agreement), reason="Rebuilding", **late)
    resume_agreement(fresh(agreement), **late)
    complete_agreement(fresh(agreement), actor=None, on=day("2026-11-01"))
    reinstate_agreement(fresh(agreement), reason="By mistake", **late)
    assert (derived(agreement), fresh(agreement).current_ends_on) == (before, day("2027-11-20"))


def test_only_leads_and_the_office_record_what_became_of_a_term() -> None:
    agreement = signed()
    for person in (agreement.coordinator, UserFactory(system_admin=True), UserFactory(lead_in=UnitFactory())):
        for verb in (confirm_renewal, take_back_notice):
            with pytest.raises(NotAllowed):
                verb(fresh(agreement), actor=person, on=TODAY)
        with pytest.raises(NotAllowed):
            give_notice(fresh(agreement), actor=person, on=SIGNED, today=TODAY)
        with pytest.raises(NotAllowed):
            end_agreement_by_notice(fresh(agreement), actor=person, on=TODAY)
    lead = UserFactory(lead_in=agreement.unit)
    assert confirm_renewal(fresh(agreement), actor=lead, on=TODAY).number == 2


def test_a_term_without_an_end_does_not_renew_itself() -> None:
    term = AgreementTerm(
        agreement=AgreementFactory(), starts_on=SIGNED, review_on=TODAY, renewal=AgreementTerm.Renewal.AUTOMATIC
    )
    with pytest.raises(Exception, match="Only a term with an end"):
        term.full_clean()


def test_quantities_are_stated_and_amended_with_history() -> None:
    agreement = signed()
    promise = AgreementAreaFactory(agreement=agreement)
    lead = UserFactory(lead_in=agreement.unit)
    read = fresh(agreement)
    promise.quantity, promise.counted, promise.per = 2, "courses", "year"

    with pytest.raises(NotAllowed):
        state_quantities(fresh(agreement), actor=UserFactory(coordinator_in=agreement.unit), promises=[promise])
    state_quantities(fresh(agreement), actor=lead, promises=[promise])

    kept = fresh(promise)
    assert (kept.quantity_words, kept.history.first().history_user) == ("2 courses a year", lead)
    assert fresh(agreement).version == read.version + 1
    state_quantities(fresh(agreement), actor=lead, promises=[kept])
    assert (fresh(agreement).version, kept.history.count()) == (read.version + 1, 2)

    kept.quantity = None
    with pytest.raises(InvalidInput, match="Say how much"):
        state_quantities(fresh(agreement), actor=lead, promises=[kept])
    kept.quantity = 3
    more = {"signed_on": TODAY, "effective_on": TODAY, "today": TODAY, "summary": "One more course"}
    amend_agreement(fresh(agreement), actor=lead, promises=[kept], **more)
    assert fresh(promise).quantity_words == "3 courses a year"
