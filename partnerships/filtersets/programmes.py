import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ListFilterSet, unit_filter
from partnerships.filtersets.fields import DayFilter
from partnerships.models import Organization, Programme, ProgrammeOrganizer, Unit


class ProgrammeFilterSet(ListFilterSet):
    unit = unit_filter()
    party = django_filters.CharFilter(label=_("Organizer"), method="filter_party", max_length=200)
    on_from = DayFilter(label=_("Running from"), method="filter_on_from")
    on_until = DayFilter(label=_("Running until"), method="filter_on_until")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        running = Programme.objects.visible_to(self.user).order_by().values("unit")
        return {"unit": Unit.objects.filter(pk__in=running)}

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        organizers = ProgrammeOrganizer.objects.filter(programme=OuterRef("pk"), organization__in=found)
        return queryset.filter(Exists(organizers))

    def filter_on_from(self, queryset: Any, name: str, value: dt.date) -> Any:
        return queryset.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=value))

    def filter_on_until(self, queryset: Any, name: str, value: dt.date) -> Any:
        return queryset.filter(Q(starts_on__isnull=True) | Q(starts_on__lte=value))
