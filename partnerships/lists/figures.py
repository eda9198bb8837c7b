from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import FigureFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import ReportedFigure
from partnerships.reports.figures import to_register, with_recorded

SUBJECTS = ("source", "organization", "region", "event", "programme", "scheme")


class FigureRows(RowList):
    key = "figure_list"
    model = ReportedFigure
    filterset_class = FigureFilterSet
    default_sort = "source__title"
    columns = (
        Column("figure", _("What is counted"), str, "name"),
        Column("reported", _("Reported"), lambda row: row.value, "value"),
        Column("recorded", _("Recorded"), lambda row: row.recorded_count),
        Column("missing", _("To register"), to_register),
        Column("as_of", _("As of"), lambda row: row.as_of, "as_of"),
        Column("rule", _("Compared with"), lambda row: row.get_counting_rule_display()),
        Column("source", _("Source"), lambda row: row.source, "source__title"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return with_recorded(rows.select_related(*SUBJECTS), self.user)
