from typing import Any

import django_filters
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ListFilterSet, containing
from partnerships.filtersets.fields import SwitchFilter
from partnerships.models import ReportedFigure, Source
from partnerships.reports.figures import with_recorded


class FigureFilterSet(ListFilterSet):
    source = django_filters.ModelChoiceFilter(label=_("Source"), queryset=Source.objects.none(), empty_label=_("Any"))
    measure = django_filters.ChoiceFilter(
        label=_("Measure"), choices=ReportedFigure.Measure.choices, empty_label=_("Any")
    )
    compared = SwitchFilter(label=_("Compared with records"), method="filter_compared")
    to_register = SwitchFilter(label=_("Something is to be registered"), method="filter_to_register")

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return containing(queryset, value, "name", "name_zh", "printed")

    def filter_compared(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.comparable()

    def filter_to_register(self, queryset: Any, name: str, value: str) -> Any:
        return with_recorded(queryset, self.user).filter(recorded_count__lt=F("value"))
