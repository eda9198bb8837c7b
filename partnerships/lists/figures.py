import datetime as dt
from collections.abc import Callable
from operator import attrgetter

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.figure_words import as_of, missing, recorded_url, reported
from partnerships.lists.filter_fields import SwitchFilter
from partnerships.lists.filters import ListFilterSet, containing
from partnerships.models import ReportedFigure, Source, User
from partnerships.models.figures import ReportedFigureQuerySet
from partnerships.permissions import may
from partnerships.reports.figures import to_register, with_recorded, with_some_to_register


class FigureFilterSet(ListFilterSet[ReportedFigureQuerySet]):
    source = django_filters.ModelChoiceFilter(label=_("Source"), queryset=Source.objects.none())
    measure = django_filters.ChoiceFilter(label=_("Measure"), choices=ReportedFigure.Measure.choices)
    compared = SwitchFilter(label=_("Compared with records"), method="filter_compared")
    to_register = SwitchFilter(label=_("Something is to be registered"), method="filter_to_register")

    def filter_words(self, queryset: ReportedFigureQuerySet, name: str, value: str) -> ReportedFigureQuerySet:
        return containing(queryset, value, "name", "name_zh", "printed")

    def filter_compared(self, queryset: ReportedFigureQuerySet, name: str, value: str) -> ReportedFigureQuerySet:
        return queryset.comparable()

    def filter_to_register(self, queryset: ReportedFigureQuerySet, name: str, value: str) -> ReportedFigureQuerySet:
        return with_some_to_register(queryset)


SUBJECTS = ("source", "organization", "region", "event", "programme", "scheme")


# A column that the list's query adds; None where a figure is only quoted.
_recorded_count: Callable[[ReportedFigure], int | None] = attrgetter("recorded_count")


def _recorded(row: ReportedFigure, today: dt.date) -> str:
    count = _recorded_count(row)
    if count is None:
        return cells.quiet(_("press figure only"))
    return format_html(
        '<a class="counted" href="{}"><b>{}</b><span class="visually-hidden"> {}</span></a>',
        recorded_url(row),
        count,
        _("recorded: show them"),
    )


def _missing(row: ReportedFigure, today: dt.date) -> str:
    more = to_register(row)
    if more is None:
        return ""
    return format_html('<span class="missing"><b>{}</b></span>', missing(row)) if more > 0 else cells.quiet("0")


def _with_recorded(rows: ReportedFigureQuerySet, user: User, today: dt.date) -> QuerySet:
    # Two columns show it, and the count is added once.
    return rows if "recorded_count" in rows.query.annotations else with_recorded(rows)


class FigureList(RecordList[ReportedFigure]):
    key = "figure_list"
    title = _("Press figures vs. records")
    caption = _("Figures that sources report, with what is on record")
    intro = _(
        "The number a source reports, what the records of all units hold of it, and what is missing in records. Only "
        "counts are compared; shares, ranks and ratios are press figures only, and a rounded number has no difference."
    )
    model = ReportedFigure
    filterset_class = FigureFilterSet
    default_sort = "source__title"
    presets = (
        Preset(_("By source")),
        Preset(_("Something is to be registered"), "to_register=yes"),
        Preset(_("Compared with records"), "compared=yes"),
    )
    columns = (
        Column(
            "figure",
            _("What is counted"),
            str,
            "name",
            width="title",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            phone="name",
        ),
        Column("subject", _("About"), lambda row: row.subject, width="name", phone="title", select=SUBJECTS),
        Column(
            "reported",
            _("Reported"),
            lambda row: row.value,
            "value",
            cell=lambda row, today: format_html('<span class="quoted"><b>{}</b></span>', reported(row)),
            width="day",
            cites=("", "value", "qualifier"),
            phone="due",
        ),
        Column(
            "recorded", _("Recorded"), _recorded_count, cell=_recorded, width="day", phone="status", add=_with_recorded
        ),
        Column(
            "missing", _("To register"), to_register, cell=_missing, width="num", from_width=1024, add=_with_recorded
        ),
        Column(
            "as_of",
            _("As of"),
            lambda row: row.as_of,
            "as_of",
            cell=lambda row, today: as_of(row),
            width="day",
            cites=("as_of",),
            from_width=1400,
            phone="end",
        ),
        Column(
            "rule",
            _("Compared with"),
            lambda row: row.get_counting_rule_display(),
            cites=("counting_rule", "scheme"),
            from_width=1400,
        ),
        Column("source", _("Source"), lambda row: row.source, "source__title", from_width=1024, select=("source",)),
    )

    def links(self) -> list[PageLink]:
        return [PageLink(_("Add a press figure"), reverse("figure_add"))] if may(self.user, "figure.edit") else []
