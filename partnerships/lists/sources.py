from operator import attrgetter

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.lists import cells
from partnerships.lists.base import Column, RecordList
from partnerships.lists.filters import ListFilterSet, containing
from partnerships.models import Source
from partnerships.models.sources import SourceQuerySet


class SourceFilterSet(ListFilterSet[SourceQuerySet]):
    def filter_words(self, queryset: SourceQuerySet, name: str, value: str) -> SourceQuerySet:
        return containing(queryset, value, "title", "authors", "publisher", "note")


class SourceList(RecordList[Source]):
    key = "source_list"
    title = _("Sources")
    caption = _("Sources, readable by everybody")
    intro = _(
        "Articles and papers that facts were taken from. Each page puts what was printed beside what the records hold."
    )
    model = Source
    filterset_class = SourceFilterSet
    default_sort = "title"
    columns = (
        Column(
            "source",
            _("Source"),
            str,
            "title",
            below=lambda row: " · ".join(filter(None, [row.authors, row.publisher])),
        ),
        Column(
            "published",
            _("Published on"),
            lambda row: row.published_on,
            "published_on",
            cell=lambda row, today: cells.show(row.published_on) or cells.quiet(_("not printed")),
        ),
        Column("quotations", _("Quotations"), attrgetter("citation_count"), css_class="num"),
        Column("figures", _("Figures"), attrgetter("figure_count"), css_class="num"),
    )

    def for_showing(self, rows: SourceQuerySet) -> QuerySet:
        quoted = Count("citations", distinct=True)
        return rows.annotate(citation_count=quoted, figure_count=Count("reported_figures", distinct=True))
