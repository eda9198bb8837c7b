import datetime as dt
from operator import attrgetter

import django_filters
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter
from partnerships.lists.filters import ListFilterSet, unit_filter
from partnerships.models import Organization, Programme, ProgrammeOrganizer, Unit
from partnerships.models.programmes import ProgrammeQuerySet
from partnerships.statuses import EventStatus


class ProgrammeFilterSet(ListFilterSet[ProgrammeQuerySet]):
    unit = unit_filter()
    party = django_filters.CharFilter(label=_("Organizer"), method="filter_party", max_length=200)
    on_from = DayFilter(label=_("Running from"), method="filter_on_from")
    on_until = DayFilter(label=_("Running until"), method="filter_on_until")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        running = Programme.objects.visible_to(self.user).order_by().values("unit")
        return {"unit": Unit.objects.filter(pk__in=running)}

    def filter_party(self, queryset: ProgrammeQuerySet, name: str, value: str) -> ProgrammeQuerySet:
        found = Organization.objects.search(value).values("pk")
        organizers = ProgrammeOrganizer.objects.filter(programme=OuterRef("pk"), organization__in=found)
        return queryset.filter(Exists(organizers))

    def filter_on_from(self, queryset: ProgrammeQuerySet, name: str, value: dt.date) -> ProgrammeQuerySet:
        return queryset.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=value))

    def filter_on_until(self, queryset: ProgrammeQuerySet, name: str, value: dt.date) -> ProgrammeQuerySet:
        return queryset.filter(Q(starts_on__isnull=True) | Q(starts_on__lte=value))


class ProgrammeList(RecordList[Programme]):
    key = "programme_list"
    title = _("Programs")
    caption = _("Programs, readable by everybody")
    model = Programme
    filterset_class = ProgrammeFilterSet
    default_sort = "name"
    presets = (Preset(_("By name")), Preset(_("Most recent"), "sort=-starts_on"))
    columns = (
        Column(
            "programme",
            _("Program"),
            str,
            "name",
            width="title",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            cites=("", "name", "name_zh"),
            phone="name",
        ),
        Column(
            "starts",
            _("Starts on"),
            lambda row: row.starts_on,
            "starts_on",
            cell=lambda row, today: cells.show(row.starts_on) or cells.quiet(_("not known")),
            width="day",
            cites=("starts_on",),
            phone="status",
        ),
        Column(
            "ends",
            _("Ends on"),
            lambda row: row.ends_on,
            "ends_on",
            cell=lambda row, today: cells.show(row.ends_on) or cells.quiet(_("open-ended")),
            width="day",
            cites=("ends_on",),
            phone="end",
        ),
        Column(
            "events",
            _("Events"),
            attrgetter("event_count"),
            width="num",
            add=lambda rows, user, today: rows.annotate(
                event_count=Count("items__event", filter=Q(items__event__status=EventStatus.RECORDED))
            ),
        ),
        Column("unit", _("Unit"), lambda row: row.unit, "unit__name", width="name", phone="title", select=("unit",)),
    )

    def links(self) -> list[PageLink]:
        return self.add_link(_("Add a program"), "programme.edit")
