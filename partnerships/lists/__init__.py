"""The lists of the product, each declared once: filters, columns, order, links. Pages show them, exports write them."""

from partnerships.lists.achievements import AchievementList
from partnerships.lists.activities import ActivityList
from partnerships.lists.agreements import AgreementList
from partnerships.lists.base import RecordList
from partnerships.lists.demands import DemandList
from partnerships.lists.events import EventList
from partnerships.lists.facilities import FacilityList
from partnerships.lists.figures import FigureList
from partnerships.lists.honours import HonourList, HonourSchemeList
from partnerships.lists.mails import MailList
from partnerships.lists.milestones import MilestoneList
from partnerships.lists.organizations import OrganizationList
from partnerships.lists.payments import PaymentList
from partnerships.lists.programmes import ProgrammeList
from partnerships.lists.reports import ReportList
from partnerships.lists.security_events import SecurityEventList
from partnerships.lists.sources import SourceList

LISTS: dict[str, type[RecordList]] = {
    one.key: one
    for one in (
        AchievementList,
        ActivityList,
        AgreementList,
        DemandList,
        EventList,
        FacilityList,
        FigureList,
        HonourList,
        HonourSchemeList,
        MailList,
        MilestoneList,
        OrganizationList,
        PaymentList,
        ProgrammeList,
        ReportList,
        SecurityEventList,
        SourceList,
    )
}

__all__ = ["LISTS", "RecordList"]
