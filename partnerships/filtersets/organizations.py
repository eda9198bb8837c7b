from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import CountedFilterSet, SwitchFilter
from partnerships.models import Organization, OrganizationKind, Region
from partnerships.models.users import read_tree


class OrganizationFilterSet(CountedFilterSet):
    """Without ``archived`` it lists those that are not; a number that opens it counted both."""

    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=OrganizationKind.choices, empty_label=_("Any"))
    region = django_filters.ModelChoiceFilter(
        label=_("Region, with those below"),
        queryset=Region.objects.none(),
        empty_label=_("Any"),
        method="filter_region",
    )
    mine = SwitchFilter(label=_("Held by my units"), method="filter_mine")
    archived = SwitchFilter(label=_("Archived too"), method="filter_archived")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        in_use = Organization.objects.values("region")
        regions = Region.objects.filter(Q(pk__in=in_use) | Q(children__in=in_use)).distinct()
        return {**super().choices_in_scope(), "region": regions}

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        shows_archived = any(self.form.cleaned_data.get(name) for name in ("archived", "figure", "programme"))
        return filtered if shows_archived else filtered.not_archived()

    def filter_region(self, queryset: Any, name: str, value: Region) -> Any:
        return queryset.filter(region__in=read_tree(Region).with_descendants([value.pk]))

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.held_by_scope_of(self.user)

    def filter_archived(self, queryset: Any, name: str, value: str) -> Any:
        return queryset
