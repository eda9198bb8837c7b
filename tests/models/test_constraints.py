"""Each named constraint, broken once: the database refuses, and a form would say why in the same words."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models.signals import pre_save

from partnerships.factories import (
    DAY,
    NOON,
    ActivityCreditFactory,
    ActivityFactory,
    ActivityOrganizationFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AgreementPartyFactory,
    AgreementTermFactory,
    AgreementUnitFactory,
    AmendmentFactory,
    AnswerFactory,
    ApprovalRecordFactory,
    ApprovalStepFactory,
    AssociationMembershipFactory,
    CalendarDayFactory,
    CeremonyDraftFactory,
    CitationFactory,
    ColumnSetFactory,
    ContactFactory,
    ContactNoteFactory,
    ContactPositionFactory,
    DeliveryEventFactory,
    DeliveryFactory,
    DeliveryNoticeFactory,
    DemandFactory,
    DemandOutcomeFactory,
    DifferentContactsFactory,
    DifferentOrganizationsFactory,
    DocumentFactory,
    DocumentVersionFactory,
    EventFactory,
    EventKindFactory,
    EventPersonFactory,
    ExportFactory,
    FacilityFactory,
    FacilityPartnerFactory,
    FeedTokenFactory,
    HonourFactory,
    HonourSchemeFactory,
    ImportFactory,
    ImportRecipeFactory,
    ImportRowFactory,
    MailHoldFactory,
    MergeFactory,
    MilestoneFactory,
    OrganizationCodeFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    OrganizationUnitFactory,
    ParticipationFactory,
    PastSuspensionFactory,
    PaymentFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    ProgrammeOrganizerFactory,
    ProgrammeTargetFactory,
    ReceiptFactory,
    RegionFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    ReportedFigureFactory,
    ReportFactory,
    ReportTextFactory,
    ResearchProjectFactory,
    SavedViewFactory,
    StatementFactory,
    TrainingFactory,
    TypeMilestoneFactory,
    UnitFactory,
    UnitMembershipFactory,
    UserFactory,
)
from partnerships.models import Erasure, HistoryPermit, NameKey, ReminderMark, SearchEntry

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

BEFORE = DAY - dt.timedelta(days=1)
NEVER = dt.date(9999, 12, 31)


def twice(factory: Any, *shared: str, **values: Any) -> None:
    """A second row that has ``shared`` from the first."""
    first = factory(**values)
    factory(**{**values, **{name: getattr(first, name) for name in shared}})


def swapped(factory: Any) -> None:
    row = factory()
    row.first, row.second = row.second, row.first
    row.save()


def itself(factory: Any, field: str) -> None:
    row = factory()
    setattr(row, field, row)
    row.save()


def again(row: models.Model) -> None:
    row.pk, row._state.adding = None, True
    row.save()


def derived_twice(**target: Any) -> None:
    for _ in range(2):
        MilestoneFactory(**target, unit=UnitFactory(), owner=None, derived_key="review:1")


BROKEN: dict[str, Callable[[], Any]] = {
    "activity_completed_has_date": lambda: ActivityFactory(status="completed"),
    "activity_credit_quantity_sane": lambda: ActivityCreditFactory(quantity=0),
    "activity_credit_unique": lambda: twice(ActivityCreditFactory, "activity", "area", "organization"),
    "activity_ends_after_start": lambda: ActivityFactory(starts_on=DAY, ends_on=BEFORE),
    "activity_kind_known": lambda: ActivityFactory(kind="picnic"),
    "activity_organization_unique": lambda: twice(ActivityOrganizationFactory, "activity", "organization"),
    "activity_status_known": lambda: ActivityFactory(status="lost"),
    "agreement_amount_not_negative": lambda: AgreementFactory(amount=-1),
    "agreement_area_per_known": lambda: AgreementAreaFactory(quantity=2, per="week"),
    "agreement_area_quantity_sane": lambda: AgreementAreaFactory(quantity=0),
    "agreement_area_unique": lambda: twice(AgreementAreaFactory, "agreement", "area"),
    "agreement_area_unit_has_quantity": lambda: AgreementAreaFactory(per="year"),
    "agreement_completed_has_date": lambda: AgreementFactory(signed=True, completed_on=DAY),
    "agreement_copies_sane": lambda: AgreementFactory(copies=0),
    "agreement_not_after_itself": lambda: itself(AgreementFactory, "predecessor"),
    "agreement_not_below_itself": lambda: itself(AgreementFactory, "parent"),
    "agreement_party_copies_sane": lambda: AgreementPartyFactory(copies=0),
    "agreement_party_leaves_after_joining": lambda: AgreementPartyFactory(acceded_on=DAY, withdrew_on=BEFORE),
    "agreement_party_role_known": lambda: AgreementPartyFactory(role="guest"),
    "agreement_party_seal_known": lambda: AgreementPartyFactory(seal="wax"),
    "agreement_party_signs_as_known": lambda: AgreementPartyFactory(signs_as="guest"),
    "agreement_party_signs_for_somebody": lambda: AgreementPartyFactory(is_for_itself=False),
    "agreement_party_unique": lambda: twice(AgreementPartyFactory, "agreement", "organization"),
    "past_suspension_resumed_after_start": lambda: PastSuspensionFactory(suspended_on=DAY, resumed_on=DAY),
    "agreement_reference_unique_in_unit": lambda: twice(AgreementFactory, "unit", reference="2026-7"),
    "agreement_confirmed_is_signed": lambda: AgreementFactory(is_signing_confirmed=True),
    "agreement_signed_has_date": lambda: AgreementFactory(status="signed"),
    "agreement_status_known": lambda: AgreementFactory(status="lost"),
    "agreement_suspended_has_date": lambda: AgreementFactory(suspended=True, suspended_on=None),
    "agreement_term_end_sane": lambda: AgreementTermFactory(ends_on=NEVER),
    "agreement_term_ends_after_start": lambda: AgreementTermFactory(starts_on=DAY, ends_on=BEFORE),
    "agreement_term_has_end_or_review": lambda: AgreementTermFactory(ends_on=None),
    "agreement_term_number_unique": lambda: twice(AgreementTermFactory, "agreement"),
    "agreement_term_periods_sane": lambda: AgreementTermFactory(notice=10_000),
    "agreement_term_renewal_known": lambda: AgreementTermFactory(renewal="sometimes"),
    "agreement_term_renewals_sane": lambda: AgreementTermFactory(renewal_months=0),
    "agreement_term_renewed_has_end": lambda: AgreementTermFactory(open_ended=True, renewal="automatic"),
    "agreement_term_review_after_start": lambda: AgreementTermFactory(starts_on=DAY, review_on=BEFORE),
    "agreement_term_start_sane": lambda: AgreementTermFactory(starts_on=dt.date(24, 3, 2)),
    "agreement_terminated_has_date": lambda: AgreementFactory(signed=True, terminated_on=DAY),
    "agreement_unit_unique": lambda: twice(AgreementUnitFactory, "agreement", "unit"),
    "approval_step_position_unique": lambda: twice(ApprovalStepFactory, "type", position=1),
    "approval_record_unique": lambda: twice(ApprovalRecordFactory, "agreement", "step"),
    "amendment_number_unique": lambda: twice(AmendmentFactory, "agreement", number=1),
    "answer_chosen_once": lambda: twice(AnswerFactory, "demand", chosen=True),
    "answer_status_known": lambda: AnswerFactory(status="lost"),
    "answer_unique": lambda: twice(AnswerFactory, "demand", "unit"),
    "different_contacts_in_order": lambda: swapped(DifferentContactsFactory),
    "different_contacts_once": lambda: twice(DifferentContactsFactory, "first", "second"),
    "different_organizations_in_order": lambda: swapped(DifferentOrganizationsFactory),
    "different_organizations_once": lambda: twice(DifferentOrganizationsFactory, "first", "second"),
    "merge_of_two_records": lambda: MergeFactory(kept_id=1, merged_id=1),
    "merge_once_at_a_time": lambda: twice(MergeFactory, "merged_id"),
    "association_membership_in_order": lambda: AssociationMembershipFactory(since=DAY, until=BEFORE),
    "association_membership_unique": lambda: twice(AssociationMembershipFactory, "association", "member"),
    "association_not_its_own_member": lambda: AssociationMembershipFactory(
        **dict.fromkeys(("association", "member"), OrganizationFactory(kind="association"))
    ),
    "calendar_day_unique": lambda: twice(CalendarDayFactory, "calendar", "day"),
    "ceremony_draft_key_unique": lambda: twice(CeremonyDraftFactory, "author", "key"),
    "citation_prints_or_assumes": lambda: CitationFactory(printed=""),
    "citation_unique": lambda: twice(CitationFactory, "source", "record"),
    "contact_of_holder_alone_not_shared": lambda: ContactFactory(permission="holder", is_shared=True),
    "contact_period_in_order": lambda: ContactFactory(is_active=False, since=DAY, until=BEFORE),
    "contact_permission_known": lambda: ContactFactory(permission="everybody"),
    "contact_position_in_order": lambda: ContactPositionFactory(since=DAY, until=BEFORE),
    "contact_position_unique": lambda: twice(ContactPositionFactory, "contact", "organization", "position"),
    "contact_there_until_has_left": lambda: ContactFactory(until=DAY),
    "contact_note_is_about_something": lambda: ContactNoteFactory(agreement=None, unit=UnitFactory()),
    "delivery_claimed_has_lease": lambda: DeliveryFactory(claimed=True, lease_until=None),
    "delivery_digest_has_day": lambda: DeliveryFactory(kind="digest"),
    "delivery_event_reason_known": lambda: DeliveryEventFactory(reason="because"),
    "delivery_has_one_reader": lambda: DeliveryFactory(contact=ContactFactory()),
    "delivery_month_has_day": lambda: DeliveryFactory(kind="month"),
    "delivery_notice_unique": lambda: twice(DeliveryNoticeFactory, "delivery", "person"),
    "delivery_one_digest_a_day": lambda: twice(DeliveryFactory, "person", kind="digest", digest_on=DAY),
    "delivery_one_mail_a_month": lambda: twice(DeliveryFactory, "person", kind="month", month_on=DAY),
    "delivery_reason_known": lambda: DeliveryFactory(reason="because"),
    "delivery_sent_has_time": lambda: DeliveryFactory(sent=True, sent_at=None),
    "delivery_status_known": lambda: DeliveryFactory(status="lost"),
    "demand_outcome_activity_unique": lambda: twice(
        DemandOutcomeFactory, "demand", agreement=None, activity=ActivityFactory()
    ),
    "demand_outcome_agreement_unique": lambda: twice(DemandOutcomeFactory, "demand", "agreement"),
    "demand_outcome_is_one_thing": lambda: DemandOutcomeFactory(activity=ActivityFactory()),
    "demand_published_has_wording": lambda: DemandFactory(original_wording=""),
    "demand_status_known": lambda: DemandFactory(status="lost"),
    "demand_not_through_asker": lambda: DemandFactory(
        **dict.fromkeys(("organization", "through"), OrganizationFactory())
    ),
    "demand_unpublished_has_no_wording": lambda: DemandFactory(is_content_published=False),
    "document_level_known": lambda: DocumentFactory(level="nobody"),
    "document_has_one_target": lambda: DocumentFactory(event=EventFactory(), organization=OrganizationFactory()),
    "document_version_not_empty": lambda: DocumentVersionFactory(content=b""),
    "document_version_number_unique": lambda: twice(DocumentVersionFactory, "document", "number"),
    "event_ends_after_start": lambda: EventFactory(starts_on=DAY, ends_on=BEFORE),
    "event_kind_unique": lambda: twice(EventKindFactory, "event"),
    "event_status_known": lambda: EventFactory(status="lost"),
    "event_withdrawn_has_date": lambda: EventFactory(status="withdrawn"),
    "export_running_has_lease": lambda: ExportFactory(status="running"),
    "export_status_known": lambda: ExportFactory(status="lost"),
    "facility_closed_has_date": lambda: FacilityFactory(opened=True, closed_on=DAY),
    "facility_ends_after_start": lambda: FacilityFactory(starts_on=DAY, ends_on=BEFORE),
    "facility_kind_known": lambda: FacilityFactory(kind="cafeteria"),
    "facility_opened_has_date": lambda: FacilityFactory(status="opened"),
    "facility_partner_unique": lambda: twice(FacilityPartnerFactory, "facility", "organization"),
    "facility_status_known": lambda: FacilityFactory(status="lost"),
    "feed_token_name_unique": lambda: twice(FeedTokenFactory, "user", "name"),
    "honour_lapses_after_grant": lambda: HonourFactory(valid_until=BEFORE),
    "honour_scheme_not_after_itself": lambda: itself(HonourSchemeFactory, "next_scheme"),
    "honour_status_known": lambda: HonourFactory(status="lost"),
    "honour_unique": lambda: twice(HonourFactory, "scheme", "organization"),
    "honour_withdrawn_has_date": lambda: HonourFactory(status="withdrawn"),
    "import_committed_has_time": lambda: ImportFactory(status="committed"),
    "import_kind_known": lambda: ImportFactory(kind="cats"),
    "column_set_day_form_known": lambda: ColumnSetFactory(day_form="roman"),
    "column_set_name_unique": lambda: twice(ColumnSetFactory, "list", "name", unit=UnitFactory()),
    "column_set_office_name_unique": lambda: twice(ColumnSetFactory, "list", "name"),
    "import_recipe_kind_known": lambda: ImportRecipeFactory(kind="cats"),
    "import_recipe_name_unique": lambda: twice(ImportRecipeFactory, "owner", "kind", "name"),
    "import_row_once": lambda: twice(ImportRowFactory, "imported", "sheet", "number"),
    "import_row_outcome_known": lambda: ImportRowFactory(outcome="lost"),
    "import_status_known": lambda: ImportFactory(status="lost"),
    "import_undone_has_time": lambda: ImportFactory(status="undone", committed_at=NOON),
    "mail_hold_ended_has_time": lambda: MailHoldFactory(lifted_at=None),
    "mail_hold_one_active": lambda: twice(MailHoldFactory, active=True),
    "mail_hold_restore_has_backup": lambda: MailHoldFactory(cause="restore"),
    "milestone_derived_once_per_activity": lambda: derived_twice(activity=ActivityFactory()),
    "milestone_derived_once_per_agreement": lambda: derived_twice(agreement=AgreementFactory(signed=True)),
    "milestone_derived_once_per_demand": lambda: derived_twice(demand=DemandFactory()),
    "milestone_derived_once_per_event": lambda: derived_twice(event=EventFactory()),
    "milestone_derived_once_per_facility": lambda: derived_twice(facility=FacilityFactory()),
    "milestone_derived_once_per_honour": lambda: derived_twice(honour=HonourFactory()),
    "milestone_derived_once_per_organization": lambda: derived_twice(organization=OrganizationFactory()),
    "milestone_due_on_sane": lambda: MilestoneFactory(due_on=NEVER),
    "milestone_has_one_target": lambda: MilestoneFactory(activity=ActivityFactory(), event=EventFactory()),
    "milestone_kind_known": lambda: MilestoneFactory(kind="wish"),
    "milestone_met_has_date": lambda: MilestoneFactory(status="met"),
    "milestone_override_has_reason": lambda: MilestoneFactory(overridden_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC)),
    "milestone_party_needs_agreement": lambda: MilestoneFactory(event=EventFactory(), party=AgreementPartyFactory()),
    "milestone_recurrence_sane": lambda: MilestoneFactory(recurs_every_months=121),
    "milestone_snooze_has_reason": lambda: MilestoneFactory(snoozed_until=DAY),
    "milestone_status_known": lambda: MilestoneFactory(status="lost"),
    "name_key_unique": lambda: again(NameKey.objects.get(organization=OrganizationFactory())),
    "organization_kind_known": lambda: OrganizationFactory(kind="club"),
    "organization_code_unique": lambda: twice(OrganizationCodeFactory, "organization", "code"),
    "organization_liaison_only_for_associations": lambda: OrganizationFactory(members_liaison=ContactFactory()),
    "organization_not_part_of_itself": lambda: itself(OrganizationFactory, "part_of"),
    "organization_name_period_in_order": lambda: OrganizationNameFactory(valid_from=DAY, valid_until=BEFORE),
    "organization_name_unique": lambda: twice(OrganizationNameFactory, "organization", "name"),
    "organization_type_only_for_institutions": lambda: OrganizationFactory(institution_type="university"),
    "organization_unit_unique": lambda: twice(OrganizationUnitFactory, "organization", "unit"),
    "organization_uscc_unique": lambda: twice(OrganizationFactory, uscc="91330000142918732X"),
    "erasure_of_one_person": lambda: Erasure.objects.create(reason="Nobody"),
    "history_permit_open_or_closed": lambda: HistoryPermit.objects.create(open_until_id=-2),
    "event_person_is_one": lambda: EventPersonFactory(user=None),
    "event_user_unique": lambda: twice(EventPersonFactory, "event", "user"),
    "event_contact_unique": lambda: twice(
        lambda **given: EventPersonFactory(user=None, **{"contact": ContactFactory(), **given}), "event", "contact"
    ),
    "participation_names_somebody": lambda: ParticipationFactory(organization=None),
    "participation_unique": lambda: twice(ParticipationFactory, "event", "organization"),
    "payment_amount_positive": lambda: PaymentFactory(amount=0),
    "programme_ends_after_start": lambda: ProgrammeFactory(starts_on=DAY, ends_on=BEFORE),
    "programme_item_agreement_unique": lambda: twice(ProgrammeItemFactory, "programme", agreement=AgreementFactory()),
    "programme_item_demand_unique": lambda: twice(ProgrammeItemFactory, "programme", demand=DemandFactory()),
    "programme_item_event_unique": lambda: twice(ProgrammeItemFactory, "programme", "event"),
    "programme_item_facility_unique": lambda: twice(ProgrammeItemFactory, "programme", facility=FacilityFactory()),
    "programme_item_is_one_thing": lambda: ProgrammeItemFactory(event=EventFactory(), demand=DemandFactory()),
    "programme_organizer_unique": lambda: twice(ProgrammeOrganizerFactory, "programme", "organization"),
    "report_confirmed_has_figures": lambda: ReportFactory(status="confirmed"),
    "report_edition_has_previous": lambda: ReportFactory(edition=2),
    "report_programme_fits_kind": lambda: ReportFactory(kind="programme"),
    "report_text_section_unique": lambda: twice(ReportTextFactory, "report"),
    "programme_target_unique": lambda: twice(ProgrammeTargetFactory, "programme"),
    "receipt_amount_positive": lambda: ReceiptFactory(amount=0),
    "region_not_below_itself": lambda: itself(RegionFactory, "parent"),
    "reminder_item_cancelled_has_reason": lambda: ReminderItemFactory(
        cancelled_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    ),
    "reminder_item_has_one_reader": lambda: ReminderItemFactory(contact=ContactFactory()),
    "reminder_item_reason_known": lambda: ReminderItemFactory(cancel_reason="because"),
    "reminder_item_unique": lambda: twice(ReminderItemFactory, "plan", "person"),
    "reminder_item_unique_for_contact": lambda: twice(
        ReminderItemFactory, "plan", "contact", person=None, contact=ContactFactory(), delivery=DeliveryFactory()
    ),
    "reminder_plan_reason_known": lambda: ReminderPlanFactory(reason="because"),
    "reminder_plan_status_known": lambda: ReminderPlanFactory(status="lost"),
    "reminder_plan_appears_once": lambda: twice(ReminderPlanFactory, "milestone", "rule", appearance=1, due_on=DAY),
    "reminder_plan_unique": lambda: twice(ReminderPlanFactory, "milestone", "rule"),
    "reminder_plan_wakes_once": lambda: twice(ReminderPlanFactory, "milestone", wakes_on=DAY),
    "reminder_rule_appears_at_once": lambda: ReminderRuleFactory(direction="appears", offset=1),
    "reminder_rule_has_one_scope": lambda: ReminderRuleFactory(agreement=AgreementFactory(), unit=UnitFactory()),
    "reminder_rule_names_person": lambda: ReminderRuleFactory(audience="named"),
    "reminder_rule_offset_sane": lambda: ReminderRuleFactory(offset=10_000),
    "reminder_rule_party_owes_it": lambda: ReminderRuleFactory(audience="party", milestone_kind="review"),
    "reminder_rule_silences_something": lambda: ReminderRuleFactory(audience="nobody"),
    "reminder_rule_unique": lambda: twice(ReminderRuleFactory, "offset"),
    "reminder_rule_waits_in_working_days": lambda: ReminderRuleFactory(direction="unanswered", offset=61),
    "reported_figure_has_one_subject": lambda: ReportedFigureFactory(
        event=EventFactory(), programme=ProgrammeFactory()
    ),
    "reported_figure_honour_rule_has_scheme": lambda: ReportedFigureFactory(of_members=True, scheme=None),
    "reported_figure_not_negative": lambda: ReportedFigureFactory(value=-1),
    "reported_figure_only_counts_compare": lambda: ReportedFigureFactory(compared=True, share=True),
    "research_project_budget_not_negative": lambda: ResearchProjectFactory(budget=-1),
    "saved_view_name_unique": lambda: twice(SavedViewFactory, "user", "name"),
    "search_entry_one_per_row": lambda: again(SearchEntry.objects.get(object_id=OrganizationFactory().pk)),
    "statement_number_from_one": lambda: StatementFactory(number=0),
    "statement_number_unique": lambda: twice(StatementFactory, "source", number=1),
    "training_hours_not_negative": lambda: TrainingFactory(hours=-1),
    "type_milestone_unique": lambda: twice(TypeMilestoneFactory, "type", "title"),
    "unit_membership_role_known": lambda: UnitMembershipFactory(role=15),
    "unit_membership_unique": lambda: twice(UnitMembershipFactory, "user", "unit"),
    "unit_name_unique_at_top": lambda: twice(UnitFactory, name="Office"),
    "unit_name_unique_below_parent": lambda: twice(UnitFactory, "parent", name="Office", parent=UnitFactory()),
    "unit_not_below_itself": lambda: itself(UnitFactory, "parent"),
    "user_absence_in_order": lambda: UserFactory(absent_from=DAY),
    "user_deputy_is_another": lambda: itself(UserFactory, "deputy"),
    "user_email_unique": lambda: [UserFactory(email=address) for address in ("li@example.org", "LI@example.org")],
    "user_decisions_come_by_mail": lambda: UserFactory(decision_mode="feed"),
    "user_reminder_hour_of_a_day": lambda: UserFactory(reminder_hour=24),
    "user_username_unique": lambda: [
        UserFactory(username=name, email=mail) for name, mail in (("li", "a@example.org"), ("LI", "b@example.org"))
    ],
}


def constraints() -> dict[str, tuple[type[models.Model], Any]]:
    rows = apps.get_app_config("partnerships").get_models()
    return {made.name: (model, made) for model in rows for made in model._meta.constraints}


@pytest.fixture
def said() -> Iterator[list[list[str]]]:
    """What a form would have said about each row that was about to be saved, the last one last."""
    messages: list[list[str]] = []

    def ask(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
        try:
            instance.validate_constraints()
        except ValidationError as error:
            messages.append(error.messages)

    pre_save.connect(ask)
    yield messages
    pre_save.disconnect(ask)


def test_every_constraint_is_broken_here() -> None:
    assert sorted(BROKEN) == sorted(constraints())


@pytest.mark.parametrize("name", BROKEN)
def test_the_database_refuses_and_a_form_says_why(name: str, said: list[list[str]]) -> None:
    _model, constraint = constraints()[name]
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        BROKEN[name]()
    if connection.vendor == "postgresql" or isinstance(constraint, models.CheckConstraint):
        assert name in str(refusal.value)
    else:
        assert "UNIQUE constraint failed" in str(refusal.value)
    if constraint.violation_error_message != constraint.default_violation_error_message:
        assert str(constraint.violation_error_message) in said[-1]


def test_the_milestone_that_a_refused_edit_would_have_marked_is_not_marked() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        MilestoneFactory(status="met")
    assert ReminderMark.objects.count() == 0
