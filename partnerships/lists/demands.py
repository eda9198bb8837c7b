from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import DemandFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Answer, Demand


class DemandRows(RowList):
    key = "demand_list"
    model = Demand
    filterset_class = DemandFilterSet
    default_sort = "-released_on"
    columns = (
        Column("demand", _("Demand"), str, "title"),
        Column("organization", _("Asked by"), lambda row: row.organization, "organization__name"),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status"),
        Column("released", _("Released on"), lambda row: row.released_on, "released_on"),
        Column("deadline", _("Deadline"), lambda row: row.deadline_on, "deadline_on"),
        Column("answers", _("Answers"), lambda row: row.answer_count),
        Column("owner", _("Owner"), lambda row: row.owner, "owner__name"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        seen = Answer.objects.visible_to(self.user).order_by().values("pk")
        answered = rows.annotate(answer_count=Count("answers", filter=Q(answers__in=seen)))
        return answered.select_related("organization", "owner", "unit")
