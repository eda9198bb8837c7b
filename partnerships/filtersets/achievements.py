from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.filtersets.base import ListFilterSet, unit_filter
from partnerships.filtersets.fields import SwitchFilter
from partnerships.models import Achievement, Unit


class AchievementFilterSet(ListFilterSet):
    unit = unit_filter()
    party = django_filters.CharFilter(
        label=_("Offered by"), field_name="organization", method="filter_party", max_length=200
    )
    field = django_filters.CharFilter(
        label=pgettext_lazy("of knowledge", "Field"), field_name="field", lookup_expr="icontains", max_length=100
    )
    on_offer = SwitchFilter(label=_("On offer"), method="filter_on_offer")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        offering = Achievement.objects.visible_to(self.user).order_by().values("unit")
        return {"unit": Unit.objects.filter(pk__in=offering)}

    def filter_on_offer(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(is_on_offer=True)
