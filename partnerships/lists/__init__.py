"""The lists of the product: which rows, in which order, with which columns. Pages show them, exports write them."""

from partnerships.lists.achievements import AchievementRows
from partnerships.lists.activities import ActivityRows
from partnerships.lists.agreements import AgreementRows
from partnerships.lists.base import RowList
from partnerships.lists.demands import DemandRows
from partnerships.lists.events import EventRows
from partnerships.lists.facilities import FacilityRows
from partnerships.lists.figures import FigureRows
from partnerships.lists.honours import HonourRows, HonourSchemeRows
from partnerships.lists.mails import MailRows
from partnerships.lists.milestones import MilestoneRows
from partnerships.lists.organizations import OrganizationRows
from partnerships.lists.programmes import ProgrammeRows
from partnerships.lists.sources import SourceRows

LISTS: dict[str, type[RowList]] = {
    one.key: one
    for one in (
        AchievementRows,
        ActivityRows,
        AgreementRows,
        DemandRows,
        EventRows,
        FacilityRows,
        FigureRows,
        HonourRows,
        HonourSchemeRows,
        MailRows,
        MilestoneRows,
        OrganizationRows,
        ProgrammeRows,
        SourceRows,
    )
}

__all__ = [
    "LISTS",
    "AchievementRows",
    "ActivityRows",
    "AgreementRows",
    "DemandRows",
    "EventRows",
    "FacilityRows",
    "FigureRows",
    "HonourRows",
    "HonourSchemeRows",
    "MailRows",
    "MilestoneRows",
    "OrganizationRows",
    "ProgrammeRows",
    "RowList",
    "SourceRows",
]
