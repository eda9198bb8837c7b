from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import CountedFilterSet, TendedFilterSet, opened_by
from partnerships.models import Agreement, Facility, FacilityKind, FacilityPartner, Organization, Unit, User
from partnerships.statuses import FacilityStatus


class FacilityFilterSet(TendedFilterSet, CountedFilterSet):
    status = django_filters.ChoiceFilter(label=_("Status"), choices=FacilityStatus.choices, empty_label=_("Any"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=FacilityKind.choices, empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    agreement = opened_by(_("Agreement"), "filter_agreement")
    organization = opened_by(_("With"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "unit": Unit.objects.visible_to(self.user),
            "organization": Organization.objects.visible_to(self.user),
            "agreement": Agreement.objects.visible_to(self.user),
            "owner": self._people(Facility.objects.visible_to(self.user).values("owner")),
        }

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=FacilityPartner.objects.filter(organization__in=found).values("facility"))

    def filter_agreement(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement=value)

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(FacilityPartner.objects.filter(facility=OuterRef("pk"), organization=value)))
