from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import SourceFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Source


class SourceRows(RowList):
    key = "source_list"
    model = Source
    filterset_class = SourceFilterSet
    default_sort = "title"
    columns = (
        Column("source", _("Source"), str, "title"),
        Column("published", _("Published on"), lambda row: row.published_on, "published_on"),
        Column("quotations", _("Quotations"), lambda row: row.citation_count),
        Column("figures", _("Figures"), lambda row: row.figure_count),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        quoted = Count("citations", distinct=True)
        return rows.annotate(citation_count=quoted, figure_count=Count("reported_figures", distinct=True))
