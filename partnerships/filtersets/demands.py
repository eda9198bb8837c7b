from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.filtersets.base import CountedFilterSet, TendedFilterSet, region_filter, regions_with, unit_filter
from partnerships.filtersets.fields import DayFilter, PersonFilter, SwitchFilter, opened_by, people_of
from partnerships.models import Answer, Demand, Organization
from partnerships.statuses import DemandStatus


class DemandFilterSet(TendedFilterSet, CountedFilterSet):
    FRONT = ("status", "party", "unit", "owner")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("pending", _("Not closed")), *DemandStatus.choices],
        empty_label=_("Any"),
        method="filter_status",
    )
    party = django_filters.CharFilter(
        label=_("Asked by"), field_name="organization", method="filter_party", max_length=200
    )
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    field = django_filters.CharFilter(
        label=pgettext_lazy("of knowledge", "Field"), field_name="field", lookup_expr="icontains", max_length=100
    )
    region = region_filter(_("Region of who asks, with those below"), "organization__region")
    deadline_from = DayFilter(label=_("Deadline from"), field_name="deadline_on", lookup_expr="gte")
    deadline_until = DayFilter(label=_("Deadline until"), field_name="deadline_on", lookup_expr="lte")
    released_from = DayFilter(label=_("Released from"), field_name="released_on", lookup_expr="gte")
    released_until = DayFilter(label=_("Released until"), field_name="released_on", lookup_expr="lte")
    unpublished = SwitchFilter(label=_("Content not published"), method="filter_unpublished")
    unanswered = SwitchFilter(label=_("Without an answer"), method="filter_unanswered")
    organization = opened_by(_("Asked by"), Organization, field_name="organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        demands = Demand.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "owner": people_of(demands, "owner"),
            "region": regions_with(demands, "organization__region"),
        }

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.pending() if value == "pending" else queryset.filter(status=value)

    def filter_unpublished(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(is_content_published=False)

    def filter_unanswered(self, queryset: Any, name: str, value: str) -> Any:
        seen = Answer.objects.visible_to(self.user).order_by().filter(demand=OuterRef("pk"))
        return queryset.filter(~Exists(seen))
