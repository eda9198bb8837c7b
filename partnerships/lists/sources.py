import datetime as dt
from operator import attrgetter

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.filters import ListFilterSet, containing
from partnerships.models import Source, User
from partnerships.models.sources import SourceQuerySet


class SourceFilterSet(ListFilterSet[SourceQuerySet]):
    def filter_words(self, queryset: SourceQuerySet, name: str, value: str) -> SourceQuerySet:
        return containing(queryset, value, "title", "authors", "publisher", "note")


def _with_quotations(rows: SourceQuerySet, user: User, today: dt.date) -> QuerySet:
    return rows.annotate(citation_count=Count("citations", distinct=True))


def _with_figures(rows: SourceQuerySet, user: User, today: dt.date) -> QuerySet:
    return rows.annotate(figure_count=Count("reported_figures", distinct=True))


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
    presets = (Preset(_("By title")), Preset(_("Most recent"), "sort=-published_on"))
    columns = (
        Column(
            "source",
            _("Source"),
            str,
            "title",
            width="title",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            phone="name",
        ),
        Column("authors", _("Authors"), lambda row: row.authors, "authors", phone="title"),
        Column("publisher", _("Publisher"), lambda row: row.publisher, "publisher", phone="status"),
        Column(
            "published",
            _("Published on"),
            lambda row: row.published_on,
            "published_on",
            cell=lambda row, today: cells.show(row.published_on) or cells.quiet(_("not printed")),
            width="day",
            phone="end",
        ),
        Column("quotations", _("Quotations"), attrgetter("citation_count"), width="num", add=_with_quotations),
        Column("figures", _("Figures"), attrgetter("figure_count"), width="num", add=_with_figures),
    )

    def links(self) -> list[PageLink]:
        return self.add_link(_("Add a source"), "source.add")
