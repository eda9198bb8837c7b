"""State and its invariants. One module per aggregate; every name is importable from here."""

from partnerships.models.activities import (
    Activity,
    ActivityCredit,
    ActivityKind,
    ActivityOrganization,
    ContactNote,
    ResearchProject,
    Training,
    Visit,
    quiet_agreements,
)
from partnerships.models.agreement_types import AgreementType, ApprovalStep, CooperationArea, TypeMilestone
from partnerships.models.agreements import Agreement
from partnerships.models.approvals import ApprovalRecord
from partnerships.models.base import SearchEntry
from partnerships.models.bulk_acts import BulkAct
from partnerships.models.ceremonies import CeremonyDraft
from partnerships.models.deliveries import Delivery, DeliveryEvent, DeliveryNotice, MailRelay
from partnerships.models.demands import Achievement, Answer, Demand, DemandOutcome
from partnerships.models.documents import Document, DocumentVersion
from partnerships.models.erasures import Erasure
from partnerships.models.events import Event, EventKind, EventPerson, Participation
from partnerships.models.facilities import Facility, FacilityKind, FacilityPartner
from partnerships.models.feeds import FeedToken
from partnerships.models.figures import CountingRule, FigureConfirmation, ReportedFigure
from partnerships.models.heartbeats import ComponentHeartbeat
from partnerships.models.hidden_records import HiddenRecord, hide_unseen, shown_to
from partnerships.models.history_permits import HistoryPermit
from partnerships.models.honours import Honour, HonourScheme
from partnerships.models.imports import Import, ImportKind, ImportRecipe, ImportRow, RowOutcome, RowUndo
from partnerships.models.lists import ColumnSet, Export, SavedView
from partnerships.models.mail_holds import MailHold
from partnerships.models.merges import DifferentContacts, DifferentOrganizations, Merge
from partnerships.models.milestones import Milestone, MilestoneKind, ReminderMark
from partnerships.models.organizations import (
    Association,
    AssociationMembership,
    Contact,
    ContactPosition,
    Enterprise,
    GovernmentBody,
    Institution,
    NameKey,
    Organization,
    OrganizationCode,
    OrganizationKind,
    OrganizationName,
    OrganizationUnit,
    Region,
)
from partnerships.models.papers import CustodyStep
from partnerships.models.parties import AgreementArea, AgreementParty, AgreementUnit
from partnerships.models.payments import Payment, Receipt
from partnerships.models.programmes import (
    Programme,
    ProgrammeItem,
    ProgrammeMeasure,
    ProgrammeOrganizer,
    ProgrammeTarget,
)
from partnerships.models.reasons import Reason
from partnerships.models.reminders import ReminderItem, ReminderPlan, ReminderRule
from partnerships.models.reports import Report, ReportText
from partnerships.models.security_events import SecurityEvent
from partnerships.models.sources import Citation, Source, Statement
from partnerships.models.status_changes import StatusChange
from partnerships.models.suspensions import PastSuspension
from partnerships.models.sweeps import Sweep
from partnerships.models.terms import AgreementTerm, Amendment, DecisionDate
from partnerships.models.user_sessions import UserSession
from partnerships.models.users import PasswordRequest, Role, Scope, Unit, UnitMembership, User
from partnerships.models.work_calendars import CalendarDay, WorkCalendar, workday_test, workday_tests

__all__ = [
    "Achievement",
    "Activity",
    "ActivityCredit",
    "ActivityKind",
    "ActivityOrganization",
    "Agreement",
    "AgreementArea",
    "AgreementParty",
    "AgreementTerm",
    "AgreementType",
    "AgreementUnit",
    "Amendment",
    "Answer",
    "ApprovalRecord",
    "ApprovalStep",
    "Association",
    "AssociationMembership",
    "BulkAct",
    "CalendarDay",
    "CeremonyDraft",
    "Citation",
    "ColumnSet",
    "ComponentHeartbeat",
    "Contact",
    "ContactNote",
    "ContactPosition",
    "CooperationArea",
    "CountingRule",
    "CustodyStep",
    "DecisionDate",
    "Delivery",
    "DeliveryEvent",
    "DeliveryNotice",
    "Demand",
    "DemandOutcome",
    "DifferentContacts",
    "DifferentOrganizations",
    "Document",
    "DocumentVersion",
    "Enterprise",
    "Erasure",
    "Event",
    "EventKind",
    "EventPerson",
    "Export",
    "Facility",
    "FacilityKind",
    "FacilityPartner",
    "FeedToken",
    "FigureConfirmation",
    "GovernmentBody",
    "HiddenRecord",
    "HistoryPermit",
    "Honour",
    "HonourScheme",
    "Import",
    "ImportKind",
    "ImportRecipe",
    "ImportRow",
    "Institution",
    "MailHold",
    "MailRelay",
    "Merge",
    "Milestone",
    "MilestoneKind",
    "NameKey",
    "Organization",
    "OrganizationCode",
    "OrganizationKind",
    "OrganizationName",
    "OrganizationUnit",
    "Participation",
    "PasswordRequest",
    "PastSuspension",
    "Payment",
    "Programme",
    "ProgrammeItem",
    "ProgrammeMeasure",
    "ProgrammeOrganizer",
    "ProgrammeTarget",
    "Reason",
    "Receipt",
    "Region",
    "ReminderItem",
    "ReminderMark",
    "ReminderPlan",
    "ReminderRule",
    "Report",
    "ReportText",
    "ReportedFigure",
    "ResearchProject",
    "Role",
    "RowOutcome",
    "RowUndo",
    "SavedView",
    "Scope",
    "SearchEntry",
    "SecurityEvent",
    "Source",
    "Statement",
    "StatusChange",
    "Sweep",
    "Training",
    "TypeMilestone",
    "Unit",
    "UnitMembership",
    "User",
    "UserSession",
    "Visit",
    "WorkCalendar",
    "hide_unseen",
    "quiet_agreements",
    "shown_to",
    "workday_test",
    "workday_tests",
]
