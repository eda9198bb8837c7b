from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import CountedFilterSet, TendedFilterSet, region_filter, regions_with, unit_filter
from partnerships.filtersets.fields import DayFilter, PersonFilter, opened_by, people_of
from partnerships.models import Agreement, Facility, FacilityKind, FacilityPartner, Organization
from partnerships.statuses import FacilityStatus


class FacilityFilterSet(TendedFilterSet, CountedFilterSet):
    FRONT = ("status", "kind", "unit", "owner")

    status = django_filters.ChoiceFilter(label=_("Status"), choices=FacilityStatus.choices, empty_label=_("Any"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=FacilityKind.choices, empty_label=_("Any"))
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    region = region_filter(_("Region, with those below"))
    opened_from = DayFilter(label=_("Opened from"), field_name="opened_on", lookup_expr="gte")
    opened_until = DayFilter(label=_("Opened until"), field_name="opened_on", lookup_expr="lte")
    ends_from = DayFilter(label=_("Term ends from"), field_name="ends_on", lookup_expr="gte")
    ends_until = DayFilter(label=_("Term ends until"), field_name="ends_on", lookup_expr="lte")
    agreement = opened_by(_("Agreement"), Agreement, field_name="agreement")
    organization = opened_by(_("With"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        facilities = Facility.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "owner": people_of(facilities, "owner"),
            "region": regions_with(facilities),
        }

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=FacilityPartner.objects.filter(organization__in=found).values("facility"))

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(FacilityPartner.objects.filter(facility=OuterRef("pk"), organization=value)))
