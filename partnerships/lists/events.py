from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import EventFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Event


class EventRows(RowList):
    key = "event_list"
    model = Event
    filterset_class = EventFilterSet
    default_sort = "-starts_on"
    columns = (
        Column("event", _("Event"), str, "name"),
        Column("date", _("Date"), lambda row: row.starts_on, "starts_on"),
        Column("kinds", _("What it was"), lambda row: "; ".join(str(kind) for kind in row.kinds.all())),
        Column("region", _("Region"), lambda row: row.region, "region__name"),
        Column("participants", _("Took part"), lambda row: row.participant_count),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        counted = rows.annotate(participant_count=Count("participations"))
        return counted.select_related("region").prefetch_related("kinds")
