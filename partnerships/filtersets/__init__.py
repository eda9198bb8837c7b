"""The filters of the list pages. Each works inside what the person may see and keeps to one address parameter."""

from partnerships.filtersets.achievements import AchievementFilterSet
from partnerships.filtersets.activities import ActivityFilterSet
from partnerships.filtersets.agreements import AgreementFilterSet
from partnerships.filtersets.base import BESIDE_FILTERS, ListFilterSet
from partnerships.filtersets.calendar import CalendarFilterSet
from partnerships.filtersets.demands import DemandFilterSet
from partnerships.filtersets.events import EventFilterSet
from partnerships.filtersets.facilities import FacilityFilterSet
from partnerships.filtersets.figures import FigureFilterSet
from partnerships.filtersets.honours import HonourFilterSet, HonourSchemeFilterSet, half_year_end
from partnerships.filtersets.mails import MailFilterSet
from partnerships.filtersets.milestones import MilestoneFilterSet
from partnerships.filtersets.organizations import OrganizationFilterSet
from partnerships.filtersets.programmes import ProgrammeFilterSet
from partnerships.filtersets.sources import SourceFilterSet

__all__ = [
    "BESIDE_FILTERS",
    "AchievementFilterSet",
    "ActivityFilterSet",
    "AgreementFilterSet",
    "CalendarFilterSet",
    "DemandFilterSet",
    "EventFilterSet",
    "FacilityFilterSet",
    "FigureFilterSet",
    "HonourFilterSet",
    "HonourSchemeFilterSet",
    "ListFilterSet",
    "MailFilterSet",
    "MilestoneFilterSet",
    "OrganizationFilterSet",
    "ProgrammeFilterSet",
    "SourceFilterSet",
    "half_year_end",
]
