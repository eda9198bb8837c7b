from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import TendedFilterSet, opened_by
from partnerships.models import (
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    CooperationArea,
    Organization,
    Unit,
    User,
)
from partnerships.reports.families import ids_below
from partnerships.statuses import ActivityStatus


class ActivityFilterSet(TendedFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("unfinished", _("Not finished")), *ActivityStatus.choices],
        empty_label=_("Any"),
        method="filter_status",
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=ActivityKind.choices, empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
    area = django_filters.ModelChoiceFilter(
        label=_("Counts for the area"),
        queryset=CooperationArea.objects.all(),
        empty_label=_("Any"),
        method="filter_later",
    )
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    agreement = opened_by(_("Agreement"), "filter_agreement")
    framework = opened_by(_("Agreement, with those under it"), "filter_framework")
    credited = opened_by(_("Counts for"), "filter_later")
    organization = opened_by(_("With"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        agreements = Agreement.objects.visible_to(self.user)
        organizations = Organization.objects.visible_to(self.user)
        return {
            "agreement": agreements,
            "framework": agreements,
            "credited": organizations,
            "organization": organizations,
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Activity.objects.visible_to(self.user).values("owner")),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        """One credit has both the area and the organization: two of them would not show a delivery to this party."""
        asked = {"area": "area", "credited": "organization"}
        values = self.form.cleaned_data
        credit = {field: values[name] for name, field in asked.items() if values.get(name)}
        filtered = super().filter_queryset(queryset)
        return filtered.credited(**credit) if credit else filtered

    def filter_later(self, queryset: Any, name: str, value: Any) -> Any:
        return queryset

    def filter_agreement(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement=value)

    def filter_framework(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement__in=[value.pk, *ids_below(value.pk)])

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(ActivityOrganization.objects.filter(activity=OuterRef("pk"), organization=value)))

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.unfinished() if value == "unfinished" else queryset.filter(status=value)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=ActivityOrganization.objects.filter(organization__in=found).values("activity"))
