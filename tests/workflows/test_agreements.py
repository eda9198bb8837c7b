"""From draft to the end: who approves, what a signing writes, how a term is followed by the next."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from partnerships.exceptions import InvalidInput, NotAllowed, PossibleDuplicate, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AgreementPartyFactory,
    AgreementTypeFactory,
    AgreementUnitFactory,
    ApprovalRecordFactory,
    AssociationFactory,
    CalendarDayFactory,
    CitationFactory,
    DocumentFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationFactory,
    ProgrammeItemFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    TypeMilestoneFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import (
    Agreement,
    AgreementParty,
    AgreementTerm,
    Amendment,
    ApprovalRecord,
    Milestone,
    MilestoneKind,
    OrganizationUnit,
    ProgrammeItem,
    ReminderMark,
    StatusChange,
    User,
)
from partnerships.models.drafts import people_behind_draft
from partnerships.statuses import AgreementStatus, MilestoneStatus
from partnerships.workflows.agreements import (
    accede_party,
    approve_agreement,
    cancel_agreement,
    complete_agreement,
    delete_draft,
    edit_agreement,
    record_signed_agreement,
    register_agreement,
    reinstate_agreement,
    reopen_agreement,
    resume_agreement,
    return_agreement,
    sign_agreement,
    signing_warnings,
    submit_agreement,
    suspend_agreement,
    terminate_agreement,
    unsign_agreement,
    withdraw_party,
)
from partnerships.workflows.milestones import cancel_milestone
from partnerships.workflows.terms import amend_agreement, renew_agreement
from partnerships.workflows.transitions import save_as
from tests.workflows.steps import footprint

pytestmark = pytest.mark.django_db


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def dates(agreement: Agreement, **filters: Any) -> dict[str, tuple[str, str]]:
    """Derived milestones: key -> (status, due date)."""
    rows = agreement.milestones.exclude(derived_key="").filter(**filters)
    return {row.derived_key: (row.status, row.due_on.isoformat()) for row in rows}


# Who approves


def submitted(drafter: User, **more: Any) -> Agreement:
    draft = AgreementFactory(ready=True, unit=drafter.memberships.get().unit, created_by=drafter, **more)
    return submit_agreement(fresh(draft), actor=drafter, on=DAY)


@pytest.fixture
def drafter() -> User:
    return UserFactory(lead_in=UnitFactory())


@pytest.fixture
def other_lead(drafter: User) -> User:
    return UserFactory(lead_in=drafter.memberships.get().unit)


def test_another_lead_approves(drafter: User, other_lead: User) -> None:
    agreement = approve_agreement(submitted(drafter), actor=other_lead, on=DAY)
    assert (agreement.status, agreement.approved_on) == (AgreementStatus.APPROVED, DAY)


def test_the_creator_does_not_approve(drafter: User, other_lead: User) -> None:
    draft = AgreementFactory(ready=True, unit=drafter.memberships.get().unit, created_by=drafter)
    agreement = submit_agreement(fresh(draft), actor=other_lead, on=DAY)
    with pytest.raises(NotAllowed, match="Somebody else has to approve"):
        approve_agreement(agreement, actor=drafter, on=DAY)


def test_the_submitter_does_not_approve_even_after_a_return(drafter: User, other_lead: User) -> None:
    coordinator = UserFactory(coordinator_in=other_lead.memberships.get().unit)
    draft = AgreementFactory(ready=True, unit=other_lead.memberships.get().unit, created_by=coordinator)
    agreement = submit_agreement(fresh(draft), actor=drafter, on=DAY)
    agreement = return_agreement(agreement, actor=other_lead, on=DAY, reason="Names")
    agreement = submit_agreement(agreement, actor=coordinator, on=DAY)
    with pytest.raises(NotAllowed, match="Somebody else has to approve"):
        approve_agreement(agreement, actor=drafter, on=DAY)


@pytest.mark.parametrize("part", ["itself", "parties", "terms", "promised_areas", "participating_units"])
def test_an_editor_of_it_or_of_a_part_does_not_approve(drafter: User, other_lead: User, part: str) -> None:
    draft = AgreementFactory(ready=True, unit=drafter.memberships.get().unit, created_by=drafter)
    AgreementAreaFactory(agreement=draft)
    AgreementUnitFactory(agreement=draft)
    save_as(fresh(draft) if part == "itself" else getattr(draft, part).first(), other_lead)
    agreement = submit_agreement(fresh(draft), actor=drafter, on=DAY)
    with pytest.raises(NotAllowed, match="Somebody else has to approve"):
        approve_agreement(agreement, actor=other_lead, on=DAY)


def test_who_deleted_a_party_does_not_approve(drafter: User, other_lead: User) -> None:
    draft = AgreementFactory(ready=True, unit=drafter.memberships.get().unit, created_by=drafter)
    extra = AgreementPartyFactory(agreement=draft)
    extra._history_user = other_lead
    extra.delete()
    agreement = submit_agreement(fresh(draft), actor=drafter, on=DAY)
    with pytest.raises(NotAllowed, match="Somebody else has to approve"):
        approve_agreement(agreement, actor=other_lead, on=DAY)


def test_an_edit_before_the_last_return_does_not_count(drafter: User, other_lead: User) -> None:
    draft = AgreementFactory(ready=True, unit=drafter.memberships.get().unit, created_by=drafter)
    save_as(fresh(draft), other_lead)
    agreement = submit_agreement(fresh(draft), actor=drafter, on=DAY)
    third = UserFactory(lead_in=drafter.memberships.get().unit)
    agreement = return_agreement(agreement, actor=third, on=DAY, reason="Names")
    agreement = submit_agreement(agreement, actor=drafter, on=DAY)
    assert approve_agreement(agreement, actor=other_lead, on=DAY).status == AgreementStatus.APPROVED


def test_a_return_by_an_editor_opens_no_new_round(drafter: User, other_lead: User) -> None:
    draft = AgreementFactory(ready=True, unit=drafter.memberships.get().unit, created_by=drafter)
    save_as(fresh(draft), other_lead)
    agreement = submit_agreement(fresh(draft), actor=drafter, on=DAY)
    for _round in range(2):
        agreement = return_agreement(agreement, actor=other_lead, on=DAY, reason="Names")
        agreement = submit_agreement(agreement, actor=drafter, on=DAY)
    with pytest.raises(NotAllowed, match="Somebody else has to approve"):
        approve_agreement(agreement, actor=other_lead, on=DAY)


def change_document(draft: Agreement, person: User) -> None:
    DocumentVersionFactory(document=DocumentFactory(agreement=draft), uploaded_by=person, uploaded_at=timezone.now())


def rename_document(draft: Agreement, person: User) -> None:
    document = DocumentFactory(agreement=draft)
    document.title = "Annex 2"
    save_as(document, person)


def add_milestone(draft: Agreement, person: User) -> None:
    save_as(MilestoneFactory.build(agreement=draft, unit=draft.unit, owner=person), person)


def change_milestone(draft: Agreement, person: User) -> None:
    milestone = MilestoneFactory(agreement=draft)
    milestone.due_on += dt.timedelta(days=30)
    save_as(milestone, person)


def cancel_one(draft: Agreement, person: User) -> None:
    cancel_milestone(MilestoneFactory(agreement=draft), actor=person, on=DAY, reason="Not promised")


def assign_milestone_only(draft: Agreement, person: User) -> None:
    milestone = MilestoneFactory(agreement=draft)
    milestone.owner = person
    save_as(milestone, person)


def change_derived(draft: Agreement, person: User) -> None:
    save_as(MilestoneFactory.build(agreement=draft, unit=draft.unit, owner=person, derived_key="x"), person)


def change_of_an_activity(draft: Agreement, person: User) -> None:
    activity = ActivityFactory(agreement=draft, unit=draft.unit)
    save_as(MilestoneFactory.build(agreement=draft, activity=activity, unit=draft.unit, owner=person), person)


@pytest.mark.parametrize(
    ("edit", "is_edit"),
    [
        (change_document, True),
        (rename_document, True),
        (add_milestone, True),
        (change_milestone, True),
        (cancel_one, True),
        (assign_milestone_only, False),
        (change_derived, False),
        (change_of_an_activity, False),
    ],
)
@pytest.mark.parametrize("is_returned", [False, True])
def test_documents_and_milestones_of_a_draft_are_part_of_it(
    drafter: User, other_lead: User, edit: Any, is_edit: bool, is_returned: bool
) -> None:
    draft = AgreementFactory(ready=True, unit=drafter.memberships.get().unit, created_by=drafter)
    edit(draft, other_lead)
    agreement = submit_agreement(fresh(draft), actor=drafter, on=DAY)
    if is_returned:
        agreement = return_agreement(agreement, actor=other_lead, on=DAY, reason="Names")
        agreement = submit_agreement(agreement, actor=drafter, on=DAY)
    assert (other_lead.pk in people_behind_draft(agreement)) == is_edit


def test_what_was_added_to_a_signed_agreement_is_no_edit_of_the_draft(drafter: User, other_lead: User) -> None:
    agreement = approve_agreement(submitted(drafter), actor=other_lead, on=DAY)
    agreement = sign_agreement(agreement, actor=other_lead, on=DAY, today=DAY)
    change_document(agreement, other_lead)
    agreement = unsign_agreement(fresh(agreement), actor=other_lead, on=DAY, reason="Another agreement")
    assert people_behind_draft(agreement) == {drafter.pk}


def test_steps_are_no_edits(drafter: User, other_lead: User) -> None:
    agreement = cancel_agreement(submitted(drafter), actor=other_lead, on=DAY, reason="Too early")
    agreement = reopen_agreement(agreement, actor=other_lead, on=DAY, reason="It goes on")
    agreement = submit_agreement(agreement, actor=drafter, on=DAY)
    assert approve_agreement(agreement, actor=other_lead, on=DAY).status == AgreementStatus.APPROVED


def test_who_approved_and_signed_may_approve_again_after_the_signing_was_taken_back(
    drafter: User, other_lead: User
) -> None:
    agreement = approve_agreement(submitted(drafter), actor=other_lead, on=DAY)
    agreement = sign_agreement(agreement, actor=other_lead, on=DAY, today=DAY)
    agreement = unsign_agreement(agreement, actor=other_lead, on=DAY, reason="Another agreement")
    agreement = submit_agreement(agreement, actor=drafter, on=DAY)
    assert approve_agreement(agreement, actor=other_lead, on=DAY).status == AgreementStatus.APPROVED


def test_a_unit_with_one_lead_has_its_agreements_approved_by_the_parents_lead() -> None:
    college = UnitFactory()
    department = UnitFactory(parent=college)
    agreement = submitted(UserFactory(lead_in=department))
    approved = approve_agreement(agreement, actor=UserFactory(lead_in=college), on=DAY)
    assert approved.status == AgreementStatus.APPROVED


@pytest.mark.parametrize("trait", [{"staff": True}, {"system_admin": True}, {"staff": True, "system_admin": True}])
def test_neither_office_nor_administrator_approves(drafter: User, trait: dict[str, bool]) -> None:
    with pytest.raises(NotAllowed):
        approve_agreement(submitted(drafter), actor=UserFactory(**trait), on=DAY)


def test_an_agreement_needs_two_signatories() -> None:
    draft = AgreementFactory(parties=[InstitutionFactory()])
    AgreementPartyFactory(agreement=draft, role=AgreementParty.Role.WITNESS)
    before = footprint(draft)
    with pytest.raises(InvalidInput, match="two signatories"):
        submit_agreement(fresh(draft), actor=None, on=DAY)
    with pytest.raises(InvalidInput, match="two signatories"):
        record_signed_agreement(fresh(draft), actor=None, on=DAY, today=DAY)
    assert footprint(draft) == before


# Signing


def test_signing_keeps_the_names_as_they_were() -> None:
    college = InstitutionFactory(name="Zhejiang College", name_zh="浙江学院")
    agreement = AgreementFactory(approved=True, title="Framework", parties=[college, EnterpriseFactory(name="Zhongyi")])
    signed = sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    college.name_zh = "浙江大学"
    college.save()
    signed.title = "Framework, renamed"
    signed.save()
    assert [party.name_as_signed for party in signed.parties.all()] == ["浙江学院", "Zhongyi"]
    assert fresh(signed).title_as_signed == "Framework"


def test_names_typed_from_the_paper_stay() -> None:
    agreement = AgreementFactory(approved=True, title_as_signed="As on paper")
    agreement.parties.update(name_as_signed="Paper name")
    signed = sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    assert signed.title_as_signed == "As on paper"
    assert {party.name_as_signed for party in signed.parties.all()} == {"Paper name"}


def test_without_a_term_it_is_open_ended_and_reviewed_by_the_types_rule() -> None:
    kind = AgreementTypeFactory(review_months=6, lead_days=45)
    agreement = AgreementFactory(approved=True, type=kind, with_term=False)
    sign_agreement(fresh(agreement), actor=None, on=day("2025-08-31"), today=DAY)
    term = agreement.terms.get()
    assert (term.starts_on, term.ends_on, term.review_on, term.lead_days) == (
        day("2025-08-31"),
        None,
        day("2026-02-28"),
        45,
    )
    assert dates(agreement)["review:1"] == ("open", "2026-02-28")


def test_signing_makes_the_types_milestones_once_each() -> None:
    kind = AgreementTypeFactory()
    TypeMilestoneFactory(type=kind, title="First joint meeting", title_zh="首次会议", months_after_signing=1)
    TypeMilestoneFactory(type=kind, title="Annual report", kind="obligation", requires_acceptance=True)
    agreement = AgreementFactory(approved=True, type=kind)
    sign_agreement(fresh(agreement), actor=None, on=day("2026-01-31"), today=DAY)
    made = agreement.milestones.filter(derived_key="").order_by("due_on")
    assert [
        (row.title, row.title_zh, row.kind, row.due_on.isoformat(), row.requires_acceptance, row.owner) for row in made
    ] == [
        ("First joint meeting", "首次会议", "agreement", "2026-02-28", False, agreement.coordinator),
        ("Annual report", "", "obligation", "2026-07-31", True, agreement.coordinator),
    ]


def test_signing_derives_decision_date_and_next_contact_and_marks_them() -> None:
    agreement = AgreementFactory(approved=True, with_term__notice=3, with_term__ends_on=day("2029-03-01"))
    ReminderMark.objects.all().delete()
    sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    # 2029-03-01, three months before: 2028-12-01, thirty days before: 2028-11-01, a Wednesday.
    assert dates(agreement) == {"decision_date:1": ("open", "2028-11-01"), "next_contact": ("open", "2026-08-29")}
    assert ReminderMark.objects.count() == 2


def test_it_cannot_be_signed_tomorrow() -> None:
    agreement = AgreementFactory(approved=True)
    with pytest.raises(InvalidInput) as refusal:
        sign_agreement(fresh(agreement), actor=None, on=DAY + dt.timedelta(days=1), today=DAY)
    assert refusal.value.field == "on"


def test_an_agreement_registered_late_invents_nothing_past() -> None:
    kind = AgreementTypeFactory(review_months=12)
    TypeMilestoneFactory(type=kind, title="Past", months_after_signing=6)
    TypeMilestoneFactory(type=kind, title="To come", months_after_signing=60)
    draft = AgreementFactory(type=kind, parties=[InstitutionFactory(), EnterpriseFactory()])
    recorded = record_signed_agreement(fresh(draft), actor=None, on=day("2022-05-30"), today=DAY)
    assert (recorded.signed_on, recorded.recorded_on) == (day("2022-05-30"), DAY)
    assert (recorded.submitted_on, recorded.approved_on) == (None, None)
    assert dates(recorded) == {"review:1": ("open", "2026-05-30"), "next_contact": ("open", "2026-03-16")}
    assert [row.title for row in recorded.milestones.filter(derived_key="")] == ["To come"]
    assert [change.transition for change in StatusChange.objects.of(recorded)] == ["record_signed"]


def test_a_decision_date_that_passed_before_the_registration_is_not_asked_for() -> None:
    draft = AgreementFactory(ready=True, with_term__starts_on=day("2022-01-01"), with_term__ends_on=day("2026-03-31"))
    recorded = record_signed_agreement(fresh(draft), actor=None, on=day("2022-01-01"), today=day("2026-03-15"))
    assert dates(recorded) == {"next_contact": ("open", "2026-03-29")}


def test_a_decision_date_before_the_signing_is_the_day_of_signing() -> None:
    agreement = AgreementFactory(approved=True, with_term__ends_on=day("2026-03-20"))
    sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    assert dates(agreement)["decision_date:1"] == ("open", DAY.isoformat())


def test_warnings_name_what_is_missing_and_block_nothing() -> None:
    agreement = AgreementFactory(
        approved=True, coordinator=None, parties=[InstitutionFactory(name="A"), EnterpriseFactory(name="B")]
    )
    agreement.parties.filter(organization__name="A").update(signed_on=DAY)
    assert [warning.partition(":")[0] for warning in signing_warnings(agreement)] == [
        "Without a signing date of their own, these get the date below",
        "No cooperation area is promised",
        "It has no coordinator who can be reached",
    ]
    assert signing_warnings(agreement)[0] == "Without a signing date of their own, these get the date below: B."


def test_taken_back_and_signed_again_doubles_nothing() -> None:
    kind = AgreementTypeFactory()
    TypeMilestoneFactory(type=kind, title="First meeting", months_after_signing=1)
    agreement = AgreementFactory(approved=True, type=kind, with_term=False)
    signed = sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    draft = unsign_agreement(signed, actor=None, on=DAY, reason="Wrong day")
    assert set(draft.milestones.values_list("status", flat=True)) == {MilestoneStatus.CANCELLED}
    assert (draft.terms.count(), {party.name_as_signed for party in draft.parties.all()}) == (0, {""})
    later = DAY + dt.timedelta(days=10)
    again = record_signed_agreement(draft, actor=None, on=later, today=later)
    assert again.terms.get().starts_on == later
    assert sorted(again.milestones.values_list("title", "status", "due_on")) == [
        ("First meeting", "open", day("2026-04-12")),
        ("Get in touch with the partners", "open", day("2026-09-08")),
        ("Review the agreement", "open", day("2027-03-12")),
    ]


def test_the_title_as_signed_is_the_chinese_one_as_the_names_are() -> None:
    agreement = AgreementFactory(approved=True, title="Framework", title_zh="框架协议", title_as_signed="")
    signed = sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    assert signed.title_as_signed == "框架协议"
    assert unsign_agreement(signed, actor=None, on=DAY, reason="Wrong day").title_as_signed == ""


def test_taking_back_a_signing_keeps_what_people_typed() -> None:
    agreement = AgreementFactory(approved=True, title_as_signed="As on paper")
    agreement.parties.update(name_as_signed="Paper name")
    signed = sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    draft = unsign_agreement(signed, actor=None, on=DAY, reason="Wrong day")
    assert (draft.title_as_signed, draft.terms.count()) == ("As on paper", 1)
    assert {party.name_as_signed for party in draft.parties.all()} == {"Paper name"}


# Terms and decision dates


def signed_with(**term: Any) -> Agreement:
    agreement = AgreementFactory(approved=True, **{f"with_term__{name}": value for name, value in term.items()})
    return sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)


def renew(agreement: Agreement, ends_on: str, **more: Any) -> AgreementTerm:
    values = {"actor": None, "on": DAY, "ends_on": day(ends_on), **more}
    return renew_agreement(fresh(agreement), **values)


def test_after_a_renewal_the_decision_date_is_the_new_terms() -> None:
    agreement = signed_with(ends_on=day("2027-03-01"), notice=2, renewal="agreed")
    assert dates(agreement)["decision_date:1"] == ("open", "2026-12-02")
    term = renew(agreement, "2028-03-01")
    assert (term.number, term.starts_on, term.notice, term.renewal) == (2, day("2027-03-02"), 2, "agreed")
    derived = dates(agreement, kind=MilestoneKind.DECISION_DATE)
    assert derived == {"decision_date:1": ("met", "2026-12-02"), "decision_date:2": ("open", "2027-12-02")}


def test_fifty_renewals_have_fifty_decision_dates() -> None:
    agreements = [signed_with(ends_on=day("2027-03-01")) for _ in range(50)]
    for agreement in agreements:
        renew(agreement, "2028-03-01")
    renewed = Milestone.objects.filter(derived_key="decision_date:2", status="open", due_on=day("2028-01-31"))
    assert set(renewed.values_list("agreement", flat=True)) == {agreement.pk for agreement in agreements}


def test_one_agreement_renewed_fifty_times_has_one_open_decision_date() -> None:
    agreement = signed_with(ends_on=day("2027-03-01"))
    for year in range(2028, 2078):
        renew(agreement, f"{year}-03-01")
    decisions = agreement.milestones.filter(kind=MilestoneKind.DECISION_DATE)
    assert (decisions.filter(status="met").count(), decisions.get(status="open").derived_key) == (
        50,
        "decision_date:51",
    )


@pytest.mark.parametrize(
    ("ends_on", "notice", "unit", "lead", "expected"),
    [
        ("2027-03-31", 1, "months", 0, "2027-02-26"),  # 28 February is a Sunday
        ("2028-03-31", 1, "months", 0, "2028-02-29"),  # leap year, a Tuesday
        ("2027-03-31", 30, "days", 0, "2027-03-01"),
        ("2027-03-31", 0, "months", 0, "2027-03-31"),
        ("2027-05-31", 3, "months", 30, "2027-01-29"),  # 28 February, then 29 January: a Friday
        ("2027-10-08", 0, "days", 3, "2027-09-30"),  # 5 October lies in the holiday week
        ("2026-10-14", 0, "days", 4, "2026-10-10"),  # a Saturday that is worked
    ],
)
def test_the_decision_date_is_counted_back_to_a_working_day(
    ends_on: str, notice: int, unit: str, lead: int, expected: str
) -> None:
    calendar = WorkCalendarFactory()
    for number in range(1, 8):
        CalendarDayFactory(calendar=calendar, day=dt.date(2027, 10, number))
    CalendarDayFactory(calendar=calendar, day=day("2026-10-10"), is_workday=True)
    agreement = AgreementFactory(
        approved=True,
        unit=UnitFactory(work_calendar=calendar),
        with_term__ends_on=day(ends_on),
        with_term__notice=notice,
        with_term__notice_unit=unit,
        with_term__lead_days=lead,
    )
    sign_agreement(fresh(agreement), actor=None, on=DAY, today=DAY)
    assert dates(agreement)["decision_date:1"] == ("open", expected)


@pytest.mark.parametrize(
    ("term", "field"),
    [
        ({"ends_on": day("2029-03-01")}, "ends_on"),
        ({"ends_on": None}, "ends_on"),
        ({"ends_on": day("9999-12-31")}, "ends_on"),
        ({"ends_on": None, "review_on": day("9999-12-31")}, "review_on"),
        ({"starts_on": day("2029-03-01")}, "starts_on"),
        ({"starts_on": day("2029-03-03")}, "is_gap_meant"),
    ],
)
def test_a_renewal_that_cannot_be_is_refused(term: dict[str, Any], field: str) -> None:
    agreement = signed_with(ends_on=day("2029-03-01"))
    before = footprint(agreement)
    with pytest.raises(InvalidInput) as refusal:
        renew_agreement(agreement, **{"actor": None, "on": DAY, "ends_on": day("2030-03-01"), **term})
    assert refusal.value.field == field
    assert (footprint(agreement), agreement.terms.count()) == (before, 1)


def test_an_open_ended_agreement_is_not_renewed() -> None:
    agreement = signed_with(open_ended=True)
    with pytest.raises(InvalidInput, match="has no end from which"):
        renew(agreement, "2030-03-01")


def test_a_second_click_renews_nothing() -> None:
    agreement = signed_with(ends_on=day("2027-03-01"))
    values = {"actor": None, "on": DAY, "ends_on": day("2028-03-01")}
    renew_agreement(agreement, **values)
    with pytest.raises(StaleVersion):
        renew_agreement(agreement, **values)
    assert agreement.terms.count() == 2


def test_an_amendment_changes_the_term_from_its_day_on() -> None:
    agreement = signed_with(ends_on=day("2029-03-01"))
    amendment = amend_agreement(
        agreement,
        actor=None,
        signed_on=day("2026-06-01"),
        effective_on=day("2026-07-01"),
        today=day("2026-06-01"),
        summary="Two years longer",
        ends_on=day("2031-03-01"),
    )
    terms = agreement.terms.values_list("starts_on", "ends_on", "basis")
    assert list(terms) == [
        (day("2026-03-02"), day("2026-06-30"), "original"),
        (day("2026-07-01"), day("2031-03-01"), "amendment"),
    ]
    assert (amendment.number, amendment.term.number) == (1, 2)
    assert dates(agreement)["decision_date:2"] == ("open", "2031-01-30")
    assert fresh(agreement).version == agreement.version + 1


def test_an_amendment_of_words_alone_leaves_the_term() -> None:
    agreement = signed_with(ends_on=day("2029-03-01"))
    values = {"actor": None, "signed_on": DAY, "effective_on": DAY, "today": DAY, "summary": "A new contact"}
    numbers = [amend_agreement(fresh(agreement), **values).number for _ in range(2)]
    assert (numbers, agreement.terms.count()) == ([1, 2], 1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"summary": " "}, "summary"),
        ({"summary": "a\x00b"}, "summary"),
        ({"signed_on": day("2026-03-01")}, "signed_on"),
        ({"signed_on": day("2026-03-03")}, "signed_on"),
        ({"effective_on": day("0026-07-01")}, "effective_on"),
        ({"effective_on": DAY, "ends_on": day("2031-03-01")}, "effective_on"),
        ({"ends_on": day("2026-06-01")}, "ends_on"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused(values: dict[str, Any], field: str) -> None:
    agreement = signed_with(ends_on=day("2029-03-01"))
    given = {"signed_on": DAY, "effective_on": day("2026-07-01"), "summary": "Longer", **values}
    with pytest.raises(InvalidInput) as refusal:
        amend_agreement(agreement, actor=None, today=DAY, **given)
    assert refusal.value.field == field
    assert (agreement.terms.get().ends_on, agreement.amendments.count()) == (day("2029-03-01"), 0)


def test_only_leads_and_the_office_change_what_was_signed() -> None:
    agreement = signed_with(ends_on=day("2029-03-01"))
    for person in (agreement.coordinator, UserFactory(system_admin=True), UserFactory(lead_in=UnitFactory())):
        with pytest.raises(NotAllowed):
            renew(agreement, "2030-03-01", actor=person)
    assert renew(agreement, "2030-03-01", actor=UserFactory(staff=True)).number == 2


def test_a_draft_is_not_renewed_amended_or_joined() -> None:
    draft = AgreementFactory(ready=True)
    with pytest.raises(TransitionRefused):
        renew(draft, "2030-03-01")
    with pytest.raises(TransitionRefused):
        accede_party(fresh(draft), actor=None, on=DAY, today=DAY, organization=OrganizationFactory())


# Parties who come and go


def test_a_party_accedes_and_withdraws() -> None:
    agreement = signed_with()
    association = OrganizationFactory(name="Association", name_zh="协会")
    party = accede_party(agreement, actor=None, on=day("2026-05-01"), today=day("2026-09-01"), organization=association)
    assert (party.acceded_on, party.signed_on, party.name_as_signed) == (day("2026-05-01"), day("2026-05-01"), "协会")
    assert OrganizationUnit.objects.filter(unit=agreement.unit, organization=association).count() == 1
    left = withdraw_party(party, actor=None, on=day("2026-09-01"), today=day("2026-09-01"))
    assert (left.withdrew_on, agreement.parties.count()) == (day("2026-09-01"), 3)
    with pytest.raises(InvalidInput, match="withdrew already"):
        withdraw_party(
            AgreementParty.objects.get(pk=party.pk), actor=None, on=day("2026-09-01"), today=day("2026-09-01")
        )


@pytest.mark.parametrize("on", ["2026-03-01", "2026-03-03", "0026-05-01"])
def test_nobody_accedes_on_a_day_that_cannot_be(on: str) -> None:
    agreement = signed_with()
    with pytest.raises(InvalidInput) as refusal:
        accede_party(agreement, actor=None, on=day(on), today=DAY, organization=OrganizationFactory())
    assert (refusal.value.field, agreement.parties.count()) == ("on", 2)


def test_who_arranged_it_may_witness_and_not_sign() -> None:
    association = AssociationFactory()
    draft = AgreementFactory(ready=True, through=association)
    more: dict[str, Any] = {"actor": None, "today": DAY}

    with pytest.raises(InvalidInput) as refused:
        edit_agreement(fresh(draft), parts=[AgreementParty(organization=association)], **more)
    edit_agreement(fresh(draft), parts=[AgreementParty(organization=association, role="witness")], **more)
    signed = AgreementFactory(signed=True, through=association)
    with pytest.raises(InvalidInput) as acceding:
        accede_party(fresh(signed), on=DAY, organization=association, **more)
    party = accede_party(fresh(signed), on=DAY, organization=association, role="host", **more)

    assert (refused.value.field, acceding.value.field) == ("through", "organization")
    assert draft.parties.get(organization=association).role == "witness"
    assert party.role == "host"
    witness = draft.parties.get(organization=association)
    witness.role = "signatory"
    with pytest.raises(InvalidInput):
        edit_agreement(fresh(draft), parts=[witness], **more)


def test_a_party_does_not_accede_twice_nor_leave_before_it_came() -> None:
    agreement = signed_with()
    first = agreement.parties.first()
    with pytest.raises(InvalidInput) as refusal:
        accede_party(agreement, actor=None, on=DAY, today=DAY, organization=first.organization)
    assert refusal.value.field == "organization"
    with pytest.raises(InvalidInput) as refusal:
        withdraw_party(first, actor=None, on=DAY - dt.timedelta(days=1), today=DAY)
    assert refusal.value.field == "on"


def test_a_party_does_not_withdraw_in_advance() -> None:
    party = signed_with().parties.first()
    with pytest.raises(InvalidInput) as refusal:
        withdraw_party(party, actor=None, on=DAY + dt.timedelta(days=1), today=DAY)
    assert (refusal.value.field, fresh(party).withdrew_on) == ("on", None)


# Rest and end


def test_a_suspended_agreement_asks_for_no_contact_but_keeps_its_dates() -> None:
    agreement = suspend_agreement(signed_with(ends_on=day("2029-03-01")), actor=None, on=DAY, reason="Rebuilding")
    assert dates(agreement) == {
        "decision_date:1": ("open", "2029-01-30"),
        "next_contact": ("cancelled", "2026-08-29"),
    }
    resume_agreement(agreement, actor=None, on=DAY)
    assert dates(agreement)["next_contact"] == ("open", "2026-08-29")


def test_nothing_is_complete_while_a_promise_is_open() -> None:
    agreement = signed_with()
    promise = MilestoneFactory(agreement=agreement)
    before = footprint(agreement)
    with pytest.raises(TransitionRefused, match="1 milestone is still open"):
        complete_agreement(agreement, actor=None, on=DAY)
    assert footprint(agreement) == before
    assert set(dates(agreement).values()) & {("cancelled", "2026-08-29")} == set()
    promise.status, promise.met_on = MilestoneStatus.MET, DAY
    promise.save()
    assert complete_agreement(agreement, actor=None, on=DAY).status == AgreementStatus.COMPLETED
    assert agreement.milestones.pending().count() == 0


def test_termination_cancels_what_was_open_with_the_reason() -> None:
    agreement = signed_with()
    MilestoneFactory(agreement=agreement, met=True, title="Met before")
    MilestoneFactory(agreement=agreement, submitted=True)
    terminate_agreement(agreement, actor=None, on=DAY, reason="Insolvent")
    assert list(agreement.milestones.exclude(status="cancelled").values_list("title", flat=True)) == ["Met before"]
    changes = StatusChange.objects.filter(transition="cancel")
    assert set(changes.values_list("reason", flat=True)) == {"Insolvent"}


def in_force_on(*days: str) -> list[bool]:
    return [Agreement.objects.in_force(day(one)).exists() for one in days]


def test_an_agreement_suspended_twice_was_not_in_force_at_either_time() -> None:
    agreement = signed_with(ends_on=day("2029-03-01"))
    for since, until in (("2026-04-01", "2026-05-01"), ("2026-07-01", "2026-08-01"), ("2026-10-01", None)):
        agreement = suspend_agreement(agreement, actor=None, on=day(since), reason="Rebuilding")
        agreement = resume_agreement(agreement, actor=None, on=day(until)) if until else agreement

    assert in_force_on("2026-03-31", "2026-04-01", "2026-04-30", "2026-05-01") == [True, False, False, True]
    assert in_force_on("2026-06-30", "2026-07-01", "2026-07-31", "2026-08-01") == [True, False, False, True]
    assert in_force_on("2026-09-30", "2026-10-01") == [True, False]


@pytest.mark.parametrize(("resumed_on", "expected"), [("2026-05-01", True), (None, False)])
def test_a_reinstated_agreement_was_not_in_force_while_it_was_suspended(resumed_on: str | None, expected: bool) -> None:
    agreement = suspend_agreement(signed_with(), actor=None, on=day("2026-04-01"), reason="Rebuilding")
    if resumed_on:
        agreement = resume_agreement(agreement, actor=None, on=day(resumed_on))
    agreement = terminate_agreement(agreement, actor=None, on=day("2026-06-01"), reason="An error")
    reinstate_agreement(agreement, actor=None, on=day("2026-06-08"), reason="It was an error")

    assert in_force_on("2026-03-31", "2026-04-01", "2026-05-02", "2026-06-01") == [True, False, expected, True]


def test_a_signing_that_is_taken_back_takes_its_suspensions_along() -> None:
    agreement = signed_with()
    for since, until in (("2026-04-01", "2026-05-01"), ("2026-07-01", "2026-08-01")):
        agreement = suspend_agreement(agreement, actor=None, on=day(since), reason="Rebuilding")
        agreement = resume_agreement(agreement, actor=None, on=day(until))
    assert agreement.past_suspensions.count() == 1
    unsign_agreement(agreement, actor=None, on=day("2026-09-01"), reason="Signed by nobody")

    assert not agreement.past_suspensions.exists()


def test_a_reinstated_agreement_is_in_force_even_when_it_was_suspended() -> None:
    agreement = suspend_agreement(signed_with(), actor=None, on=DAY, reason="Rebuilding")
    agreement = terminate_agreement(agreement, actor=None, on=DAY, reason="Wrong row")
    agreement = reinstate_agreement(agreement, actor=None, on=DAY, reason="Wrong row")
    assert (agreement.status, agreement.suspended_on, agreement.terminated_on) == ("signed", None, None)
    assert list(Agreement.objects.in_force(DAY)) == [agreement]
    assert set(agreement.milestones.values_list("status", flat=True)) == {"open"}


# Deleting a draft


def test_a_draft_goes_with_its_parts_and_each_history_says_by_whom() -> None:
    draft = AgreementFactory(ready=True)
    AgreementAreaFactory(agreement=draft)
    milestone = MilestoneFactory(agreement=draft)
    ReminderPlanFactory(milestone=milestone)
    ApprovalRecordFactory(agreement=draft)
    ProgrammeItemFactory(agreement=draft)
    delete_draft(fresh(draft), actor=draft.coordinator, reason="Entered twice")
    assert (Agreement.objects.count(), Milestone.objects.count(), AgreementTerm.objects.count()) == (0, 0, 0)
    for model in (Agreement, Milestone, AgreementTerm, AgreementParty, ApprovalRecord, ProgrammeItem):
        deletions = model.history.filter(history_type="-").values_list("history_user", flat=True)
        assert set(deletions) == {draft.coordinator.pk}


def test_a_draft_that_was_used_stays_whole() -> None:
    activity = ActivityFactory(agreement=AgreementFactory(ready=True))
    framework = AgreementFactory(parent=AgreementFactory(ready=True)).parent
    mailed = ReminderItemFactory(plan__milestone__agreement=AgreementFactory(ready=True)).plan.milestone.agreement
    for draft in (activity.agreement, framework, mailed):
        with pytest.raises(TransitionRefused, match="cancel it instead"):
            delete_draft(fresh(draft), actor=None, reason="Entered twice")
        assert (draft.parties.count(), draft.terms.count()) == (2, 1)


def test_a_draft_or_part_that_is_cited_stays() -> None:
    draft = AgreementFactory(ready=True)
    party = draft.parties.first()
    CitationFactory(record=party)
    with pytest.raises(TransitionRefused, match="citations"):
        delete_draft(fresh(draft), actor=None, reason="Entered twice")
    with pytest.raises(TransitionRefused, match="citations"):
        edit_agreement(fresh(draft), actor=None, today=DAY, removed=[party])
    assert draft.parties.count() == 2


def test_a_submitted_agreement_is_not_deleted() -> None:
    agreement = AgreementFactory(in_review=True)
    with pytest.raises(NotAllowed, match="Only drafts"):
        delete_draft(fresh(agreement), actor=UserFactory(staff=True), reason="Entered twice")
    assert Agreement.objects.count() == 1


# Registered and edited


def parts_of_a_draft() -> list[Any]:
    return [AgreementParty(organization=EnterpriseFactory()), AgreementTerm(starts_on=DAY, review_on=DAY)]


def test_a_draft_is_kept_with_its_parts_and_its_author() -> None:
    unit = UnitFactory()
    actor = UserFactory(coordinator_in=unit)

    made = register_agreement(
        Agreement(unit=unit, type=AgreementTypeFactory(), title="New"),
        actor=actor,
        today=DAY,
        parts=parts_of_a_draft(),
    )

    assert (fresh(made).created_by, fresh(made).status) == (actor, AgreementStatus.DRAFT)
    parts = (made, made.parties.get(), made.terms.get())
    assert [row.history.get().history_user for row in parts] == [actor] * 3
    assert people_behind_draft(made) == {actor.pk}


def test_nobody_registers_for_a_unit_of_others() -> None:
    actor = UserFactory(coordinator_in=UnitFactory())

    with pytest.raises(NotAllowed):
        register_agreement(
            Agreement(unit=UnitFactory(), type=AgreementTypeFactory(), title="New"), actor=actor, today=DAY
        )

    assert Agreement.objects.count() == 0


def test_a_title_the_unit_has_is_asked_about_and_a_cancelled_one_is_not() -> None:
    there = AgreementFactory(title="Joint centre")
    actor = there.coordinator

    def again(**more: Any) -> Agreement:
        draft = Agreement(unit=there.unit, type=there.type, title="joint CENTRE")
        return register_agreement(draft, actor=actor, today=DAY, **more)

    with pytest.raises(InvalidInput) as asked:
        again()
    assert asked.value.field == "is_another"
    another = again(confirmed_different=[there.pk])
    with pytest.raises(InvalidInput):
        again(confirmed_different=[there.pk])  # a second click: of that one nothing was said
    assert again(confirmed_different=[there.pk, another.pk]).pk
    Agreement.objects.update(status=AgreementStatus.CANCELLED)
    assert again().pk


@pytest.mark.parametrize("change", ["title", "unit"])
def test_an_edit_asks_about_a_title_that_the_unit_has(change: str) -> None:
    there = AgreementFactory(title="Joint centre")
    other = {"title": "Another", "unit": there.unit} if change == "title" else {"title": there.title}
    agreement = AgreementFactory(coordinator=None, **other)
    changes = {change: getattr(there, change)}

    def edit(**more: Any) -> Agreement:
        return edit_agreement(agreement, actor=None, today=DAY, changes=changes, **more)

    with pytest.raises(PossibleDuplicate) as asked:
        edit()
    assert (asked.value.field, asked.value.found) == ("is_another", {there.pk})
    edited = edit(confirmed_different=[there.pk])
    assert getattr(edited, change) == getattr(there, change)
    # An edit of neither title nor unit does not ask again.
    assert edit_agreement(edited, actor=None, today=DAY, changes={"summary": "In short"}).summary == "In short"


@pytest.mark.parametrize("stage", ["in_review", "approved", "signed", "completed"])
def test_from_the_review_on_what_was_agreed_is_locked(stage: str) -> None:
    agreement = AgreementFactory(**{stage: True})
    before = footprint(agreement)

    for column, value in (("title", "Other"), ("amount", 5), ("unit", UnitFactory())):
        with pytest.raises((TransitionRefused, NotAllowed)):
            edit_agreement(fresh(agreement), actor=agreement.coordinator, today=DAY, changes={column: value})
    for part in (agreement.parties.first(), agreement.terms.first()):
        with pytest.raises(TransitionRefused):
            edit_agreement(fresh(agreement), actor=agreement.coordinator, today=DAY, removed=[part])

    assert footprint(agreement) == before
    more: dict[str, Any] = {"actor": agreement.coordinator, "today": DAY}
    assert edit_agreement(fresh(agreement), changes={"reference": "A-1"}, **more).reference == "A-1"
    assert edit_agreement(fresh(agreement), changes={"title_zh": "合作协议"}, **more).title_zh == "合作协议"
    for title_zh in ("战略合作协议", ""):
        with pytest.raises(TransitionRefused):
            edit_agreement(fresh(agreement), changes={"title_zh": title_zh}, **more)


def test_an_edit_of_an_earlier_version_is_refused_whole() -> None:
    agreement = AgreementFactory(ready=True)
    stale, party = fresh(agreement), agreement.parties.first()
    fresh(agreement).touch()

    with pytest.raises(StaleVersion):
        edit_agreement(stale, actor=agreement.coordinator, today=DAY, removed=[party])

    assert agreement.parties.count() == 2


def test_a_draft_takes_its_milestones_along_to_another_unit() -> None:
    agreement = AgreementFactory(ready=True)
    there, before = UnitFactory(), agreement.unit
    new_owner = UserFactory(coordinator_in=there)
    activity = ActivityFactory(agreement=agreement)
    open_, met = MilestoneFactory(agreement=agreement), MilestoneFactory(agreement=agreement, met=True)
    of_activity = MilestoneFactory(activity=activity, agreement=agreement)
    participants = MilestoneFactory(agreement=agreement, unit=UnitFactory())
    ReminderMark.objects.all().delete()

    edit_agreement(fresh(agreement), actor=None, today=DAY, changes={"unit": there, "coordinator": new_owner})

    kept = [fresh(row) for row in (open_, met, of_activity, participants)]
    assert [row.unit for row in kept] == [there, before, before, participants.unit]
    assert (kept[0].owner, kept[0].history.first().unit, kept[0].version > open_.version) == (new_owner, there, True)
    assert ReminderMark.objects.filter(milestone=open_).exists()


def test_an_edit_removes_no_part_of_another_agreement() -> None:
    mine, other = AgreementFactory(), AgreementFactory(signed=True)
    party = other.parties.first()
    posted = type(party).objects.get(pk=party.pk)
    posted.agreement = mine

    for part in (party, posted):
        with pytest.raises(InvalidInput, match="not there any more"):
            edit_agreement(fresh(mine), actor=mine.coordinator, today=DAY, removed=[part])
    assert other.parties.filter(pk=party.pk).exists()


def test_a_part_that_something_refers_to_is_not_removed() -> None:
    agreement = AgreementFactory(ready=True)
    party, term = agreement.parties.first(), agreement.terms.get()
    MilestoneFactory(agreement=agreement, party=party, kind="obligation")
    Amendment.objects.create(agreement=agreement, number=1, signed_on=DAY, effective_on=DAY, summary="New", term=term)
    before = footprint(agreement)

    for part, kinds in ((party, "milestones"), (term, "amendments")):
        with pytest.raises(TransitionRefused, match=f"cannot be removed: there are {kinds} that"):
            edit_agreement(fresh(agreement), actor=agreement.coordinator, today=DAY, removed=[part])

    assert footprint(agreement) == before
