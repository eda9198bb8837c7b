from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ListFilterSet, SwitchFilter
from partnerships.models import Achievement, Unit


class AchievementFilterSet(ListFilterSet):
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    on_offer = SwitchFilter(label=_("On offer"), method="filter_on_offer")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        offering = Achievement.objects.visible_to(self.user).values("unit")
        return {"unit": Unit.objects.filter(pk__in=offering)}

    def filter_on_offer(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(is_on_offer=True)
