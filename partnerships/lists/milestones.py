from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import MilestoneFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import AgreementParty, Milestone
from partnerships.models.milestones import MILESTONE_TARGETS

# An honour is called after its scheme and holder.
HONOURED = ("honour__scheme", "honour__organization")
PARTIES = Prefetch("agreement__parties", AgreementParty.objects.select_related("organization"))


class MilestoneRows(RowList):
    key = "milestone_list"
    model = Milestone
    filterset_class = MilestoneFilterSet
    default_sort = "due_on"
    columns = (
        Column("title", _("Milestone"), lambda row: row.display_title, "title"),
        Column("due", _("Due"), lambda row: row.due_on, "due_on"),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status"),
        Column("agreement", _("Agreement"), lambda row: row.agreement or row.target, "agreement__title"),
        Column("owner", _("Owner"), lambda row: row.owner, "owner__name"),
        Column("unit", _("Unit"), lambda row: row.unit, "unit__name"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        related = rows.select_related("agreement__unit", *MILESTONE_TARGETS, *HONOURED, "owner", "unit")
        return related.prefetch_related(PARTIES)
