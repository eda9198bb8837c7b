import django_filters
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.filters import ListFilterSet, containing, unit_filter
from partnerships.models import Report
from partnerships.models.users import ScopedQuerySet
from partnerships.statuses import ReportStatus


class ReportFilterSet(ListFilterSet[ScopedQuerySet]):
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Report.Kind.choices)
    year = django_filters.NumberFilter(label=pgettext_lazy("of a report", "Year"))
    unit = unit_filter()
    status = django_filters.ChoiceFilter(label=_("Status"), choices=ReportStatus.choices)

    def filter_words(self, queryset: ScopedQuerySet, name: str, value: str) -> ScopedQuerySet:
        names = ("unit__name", "unit__name_zh", "programme__name", "programme__name_zh", "texts__text")
        return containing(queryset, value, *names).distinct()


class ReportList(RecordList[Report]):
    key = "report_list"
    title = _("Reports")
    caption = _("Annual reports and reports on programs")
    model = Report
    filterset_class = ReportFilterSet
    default_sort = "-year"
    presets = (Preset(_("Most recent")),)
    columns = (
        Column(
            "report",
            _("Report"),
            lambda row: row.title,
            "kind",
            width="title",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            select=("programme",),
            phone="name",
        ),
        Column("year", pgettext_lazy("of a report", "Year"), lambda row: row.period_name, "year", width="day"),
        Column(
            "unit",
            _("Unit"),
            lambda row: row.unit,
            "unit__name",
            cell=lambda row, today: str(row.unit) if row.unit else cells.quiet(_("all units")),
            width="name",
            select=("unit",),
            phone="title",
        ),
        Column("edition", _("Edition"), lambda row: row.edition, "edition", width="num"),
        Column(
            "status",
            _("Status"),
            lambda row: row.get_status_display(),
            "status",
            cell=lambda row, today: cells.status(row),
            width="status",
            phone="status",
        ),
        Column(
            "confirmed_by",
            _("Confirmed by"),
            lambda row: row.confirmed_by,
            "confirmed_by__name",
            width="name",
            select=("confirmed_by",),
        ),
        Column(
            "confirmed_at",
            _("Confirmed at"),
            lambda row: row.confirmed_at,
            "confirmed_at",
            cell=lambda row, today: cells.moment(row.confirmed_at) if row.confirmed_at else "",
            width="moment",
            phone="end",
        ),
    )

    def links(self) -> list[PageLink]:
        return self.add_link(_("Write a report"), "report.edit")
