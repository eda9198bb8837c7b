from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import CountedFilterSet, SwitchFilter, TendedFilterSet, opened_by
from partnerships.models import Demand, Organization, Unit, User
from partnerships.statuses import DemandStatus


class DemandFilterSet(TendedFilterSet, CountedFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("pending", _("Not closed")), *DemandStatus.choices],
        empty_label=_("Any"),
        method="filter_status",
    )
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
    party = django_filters.CharFilter(label=_("Asked by"), method="filter_party", max_length=200)
    unpublished = SwitchFilter(label=_("Content not published"), method="filter_unpublished")
    organization = opened_by(_("Asked by"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "organization": Organization.objects.visible_to(self.user),
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Demand.objects.visible_to(self.user).values("owner")),
        }

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.pending() if value == "pending" else queryset.filter(status=value)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(organization__in=Organization.objects.search(value).values("pk"))

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(organization=value)

    def filter_unpublished(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(is_content_published=False)
