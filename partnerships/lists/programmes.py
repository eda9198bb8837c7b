from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import ProgrammeFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Programme


class ProgrammeRows(RowList):
    key = "programme_list"
    model = Programme
    filterset_class = ProgrammeFilterSet
    default_sort = "name"
    columns = (
        Column("programme", _("Programme"), str, "name"),
        Column("starts", _("Starts on"), lambda row: row.starts_on, "starts_on"),
        Column("ends", _("Ends on"), lambda row: row.ends_on, "ends_on"),
        Column("events", _("Events"), lambda row: row.event_count),
        Column("unit", _("Unit"), lambda row: row.unit, "unit__name"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(event_count=Count("items__event")).select_related("unit")
