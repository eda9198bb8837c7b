from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import ActivityFilterSet
from partnerships.lists.base import Column, RowList, organizations_of
from partnerships.models import Activity


class ActivityRows(RowList):
    key = "activity_list"
    model = Activity
    filterset_class = ActivityFilterSet
    default_sort = "-starts_on"
    columns = (
        Column("title", _("Follow-up"), lambda row: row.title, "title"),
        Column("kind", _("Kind"), lambda row: row.get_kind_display(), "kind"),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status"),
        Column("starts", _("Starts on"), lambda row: row.starts_on, "starts_on"),
        Column("partners", _("With"), lambda row: organizations_of(row.partners.all())),
        Column("agreement", _("Agreement"), lambda row: row.agreement, "agreement__title"),
        Column("owner", _("Owner"), lambda row: row.owner, "owner__name"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("agreement", "owner").prefetch_related("partners__organization")
