import datetime as dt
from collections.abc import Callable
from operator import attrgetter

import django_filters
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter, SwitchFilter, linked_filter
from partnerships.lists.filters import ProgrammeCountedFilterSet, region_filter, regions_with, unit_filter
from partnerships.models import Event, EventKind, Organization, Participation, Unit
from partnerships.models.events import EventQuerySet
from partnerships.permissions import may
from partnerships.statuses import EventStatus
from partnerships.texts import name_all


class EventFilterSet(ProgrammeCountedFilterSet[EventQuerySet]):
    FRONT = ("kind", "region", "on_from", "on_until")

    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=EventKind.Kind.choices, method="filter_kind")
    region = region_filter(_("Region (incl. sub-regions)"))
    on_from = DayFilter(label=_("Taking place from"), method="filter_on_from")
    on_until = DayFilter(label=_("Taking place until"), field_name="starts_on", lookup_expr="lte")
    unit = unit_filter()
    party = django_filters.CharFilter(label=_("Took part"), method="filter_party", max_length=200)
    withdrawn = SwitchFilter(label=_("Recorded in error, withdrawn"), method="filter_withdrawn")
    organization = linked_filter(_("With (incl. its parts)"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        events = Event.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "region": regions_with(events),
            "unit": Unit.objects.filter(pk__in=events.order_by().values("unit")),
        }

    def filter_queryset(self, queryset: EventQuerySet) -> EventQuerySet:
        """Leave out withdrawn events unless they are asked for."""
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("withdrawn") else found.recorded()

    def filter_withdrawn(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return queryset.filter(status=EventStatus.WITHDRAWN)

    def filter_on_from(self, queryset: EventQuerySet, name: str, value: dt.date) -> EventQuerySet:
        return queryset.filter(Q(ends_on__gte=value) | Q(ends_on__isnull=True, starts_on__gte=value))

    def filter_party(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        found = Organization.objects.search(value).values("pk")
        named = Q(organization__in=found) | Q(name_as_printed__icontains=value)
        return queryset.filter(pk__in=Participation.objects.filter(named).values("event"))

    def filter_kind(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return queryset.filter(Exists(EventKind.objects.filter(event=OuterRef("pk"), kind=value)))


# A column that the list's query adds.
_participant_count: Callable[[Event], int] = attrgetter("participant_count")


def _participants(row: Event, today: dt.date) -> str:
    return f"{_participant_count(row)}{'' if row.is_participant_list_complete else '+'}"


class EventList(RecordList[Event]):
    key = "event_list"
    title = _("Events")
    caption = _("Events, readable by everybody")
    model = Event
    filterset_class = EventFilterSet
    default_sort = "-starts_on"
    presets = (
        Preset(_("Most recent")),
        Preset(_("Signing ceremonies"), "kind=signing_ceremony"),
        Preset(_("Recorded in error, withdrawn"), "withdrawn=yes"),
    )
    columns = (
        Column(
            "event",
            _("Event"),
            str,
            "name",
            cell=lambda row, today: cells.joined(
                [cells.row_title(row, row), cells.status(row) if row.status == EventStatus.WITHDRAWN else cells.EMPTY]
            ),
            width="title",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            phone="name",
        ),
        Column(
            "date", _("Date"), lambda row: row.starts_on, "starts_on", width="day", cites=("starts_on",), phone="due"
        ),
        Column(
            "kinds",
            _("What it was"),
            lambda row: "; ".join(str(kind) for kind in row.kinds.all()),
            cell=lambda row, today: name_all(row.kinds.all()),
            width="name",
            phone="title",
            prefetch=("kinds",),
        ),
        Column("place", _("Place"), lambda row: row.place, "place", width="name", from_width=1024, phone="status"),
        Column("region", _("Region"), lambda row: row.region, "region__name", from_width=1400, select=("region",)),
        Column(
            "participants",
            _("Took part"),
            _participant_count,
            cell=_participants,
            width="num",
            add=lambda rows, user, today: rows.annotate(participant_count=Count("participations")),
        ),
        Column("unit", _("Unit"), lambda row: row.unit, "unit__name", is_shown_at_first=False, select=("unit",)),
    )

    def links(self) -> list[PageLink]:
        if not may(self.user, "event.add"):
            return []
        ceremony = PageLink(_("Record a signing event"), reverse("event_ceremony"), is_main=True)
        return [ceremony, *self.add_link(_("Add an event"), "event.add")]
