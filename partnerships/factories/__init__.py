"""Factories for every model; tests and the sample use them. Every name is importable from here."""

from partnerships.factories.activities import (
    ActivityCreditFactory,
    ActivityFactory,
    ActivityOrganizationFactory,
    ContactNoteFactory,
    ResearchProjectFactory,
    TrainingFactory,
    VisitFactory,
)
from partnerships.factories.agreements import (
    AgreementAreaFactory,
    AgreementFactory,
    AgreementPartyFactory,
    AgreementTermFactory,
    AgreementTypeFactory,
    AgreementUnitFactory,
    AmendmentFactory,
    ApprovalRecordFactory,
    ApprovalStepFactory,
    CooperationAreaFactory,
    CustodyStepFactory,
    PastSuspensionFactory,
    TypeMilestoneFactory,
)
from partnerships.factories.base import DAY, NOON
from partnerships.factories.ceremonies import CeremonyDraftFactory
from partnerships.factories.demands import AchievementFactory, AnswerFactory, DemandFactory, DemandOutcomeFactory
from partnerships.factories.documents import DocumentFactory, DocumentVersionFactory
from partnerships.factories.events import EventFactory, EventKindFactory, EventPersonFactory, ParticipationFactory
from partnerships.factories.facilities import FacilityFactory, FacilityPartnerFactory
from partnerships.factories.feeds import FeedTokenFactory
from partnerships.factories.figures import FigureConfirmationFactory, ReportedFigureFactory
from partnerships.factories.honours import HonourFactory, HonourSchemeFactory
from partnerships.factories.imports import ImportFactory, ImportRecipeFactory, ImportRowFactory
from partnerships.factories.lists import ColumnSetFactory, ExportFactory, SavedViewFactory
from partnerships.factories.merges import DifferentContactsFactory, DifferentOrganizationsFactory, MergeFactory
from partnerships.factories.milestones import MilestoneFactory, ReminderMarkFactory
from partnerships.factories.organizations import (
    AssociationFactory,
    AssociationMembershipFactory,
    ContactFactory,
    ContactPositionFactory,
    EnterpriseFactory,
    GovernmentBodyFactory,
    InstitutionFactory,
    OrganizationCodeFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    OrganizationUnitFactory,
    RegionFactory,
)
from partnerships.factories.payments import PaymentFactory, ReceiptFactory
from partnerships.factories.programmes import (
    ProgrammeFactory,
    ProgrammeItemFactory,
    ProgrammeOrganizerFactory,
    ProgrammeTargetFactory,
)
from partnerships.factories.reminders import (
    ComponentHeartbeatFactory,
    DeliveryEventFactory,
    DeliveryFactory,
    DeliveryNoticeFactory,
    MailHoldFactory,
    MailRelayFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
)
from partnerships.factories.reports import ReportFactory, ReportTextFactory
from partnerships.factories.sources import CitationFactory, SourceFactory, StatementFactory
from partnerships.factories.status_changes import StatusChangeFactory
from partnerships.factories.users import UnitFactory, UnitMembershipFactory, UserFactory
from partnerships.factories.work_calendars import CalendarDayFactory, WorkCalendarFactory

__all__ = [
    "DAY",
    "NOON",
    "AchievementFactory",
    "ActivityCreditFactory",
    "ActivityFactory",
    "ActivityOrganizationFactory",
    "AgreementAreaFactory",
    "AgreementFactory",
    "AgreementPartyFactory",
    "AgreementTermFactory",
    "AgreementTypeFactory",
    "AgreementUnitFactory",
    "AmendmentFactory",
    "AnswerFactory",
    "ApprovalRecordFactory",
    "ApprovalStepFactory",
    "AssociationFactory",
    "AssociationMembershipFactory",
    "CalendarDayFactory",
    "CeremonyDraftFactory",
    "CitationFactory",
    "ColumnSetFactory",
    "ComponentHeartbeatFactory",
    "ContactFactory",
    "ContactNoteFactory",
    "ContactPositionFactory",
    "CooperationAreaFactory",
    "CustodyStepFactory",
    "DeliveryEventFactory",
    "DeliveryFactory",
    "DeliveryNoticeFactory",
    "DemandFactory",
    "DemandOutcomeFactory",
    "DifferentContactsFactory",
    "DifferentOrganizationsFactory",
    "DocumentFactory",
    "DocumentVersionFactory",
    "EnterpriseFactory",
    "EventFactory",
    "EventKindFactory",
    "EventPersonFactory",
    "ExportFactory",
    "FacilityFactory",
    "FacilityPartnerFactory",
    "FeedTokenFactory",
    "FigureConfirmationFactory",
    "GovernmentBodyFactory",
    "HonourFactory",
    "HonourSchemeFactory",
    "ImportFactory",
    "ImportRecipeFactory",
    "ImportRowFactory",
    "InstitutionFactory",
    "MailHoldFactory",
    "MailRelayFactory",
    "MergeFactory",
    "MilestoneFactory",
    "OrganizationCodeFactory",
    "OrganizationFactory",
    "OrganizationNameFactory",
    "OrganizationUnitFactory",
    "ParticipationFactory",
    "PastSuspensionFactory",
    "PaymentFactory",
    "ProgrammeFactory",
    "ProgrammeItemFactory",
    "ProgrammeOrganizerFactory",
    "ProgrammeTargetFactory",
    "ReceiptFactory",
    "RegionFactory",
    "ReminderItemFactory",
    "ReminderMarkFactory",
    "ReminderPlanFactory",
    "ReminderRuleFactory",
    "ReportFactory",
    "ReportTextFactory",
    "ReportedFigureFactory",
    "ResearchProjectFactory",
    "SavedViewFactory",
    "SourceFactory",
    "StatementFactory",
    "StatusChangeFactory",
    "TrainingFactory",
    "TypeMilestoneFactory",
    "UnitFactory",
    "UnitMembershipFactory",
    "UserFactory",
    "VisitFactory",
    "WorkCalendarFactory",
]
