import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ProgrammeCountedFilterSet, region_filter, regions_with, unit_filter
from partnerships.filtersets.fields import DayFilter, opened_by
from partnerships.models import Event, EventKind, Organization, Participation, Unit


class EventFilterSet(ProgrammeCountedFilterSet):
    FRONT = ("kind", "region", "on_from", "on_until")

    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=EventKind.Kind.choices, empty_label=_("Any"), method="filter_kind"
    )
    region = region_filter(_("Region, with those below"))
    on_from = DayFilter(label=_("Taking place from"), method="filter_on_from")
    on_until = DayFilter(label=_("Taking place until"), field_name="starts_on", lookup_expr="lte")
    unit = unit_filter()
    party = django_filters.CharFilter(label=_("Took part"), method="filter_party", max_length=200)
    organization = opened_by(_("With"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        events = Event.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "region": regions_with(events),
            "unit": Unit.objects.filter(pk__in=events.order_by().values("unit")),
        }

    def filter_on_from(self, queryset: Any, name: str, value: dt.date) -> Any:
        return queryset.filter(Q(ends_on__gte=value) | Q(ends_on__isnull=True, starts_on__gte=value))

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        named = Q(organization__in=found) | Q(name_as_printed__icontains=value)
        return queryset.filter(pk__in=Participation.objects.filter(named).values("event"))

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(Participation.objects.filter(event=OuterRef("pk"), organization=value)))

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(Exists(EventKind.objects.filter(event=OuterRef("pk"), kind=value)))
