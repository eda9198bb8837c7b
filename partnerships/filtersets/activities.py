import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import TendedFilterSet, region_filter, regions_below, regions_with, unit_filter
from partnerships.filtersets.fields import DayFilter, PersonFilter, opened_by, people_of
from partnerships.models import (
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    CooperationArea,
    Organization,
    Programme,
    ProgrammeItem,
    Region,
)
from partnerships.reports.families import ids_below
from partnerships.statuses import ActivityStatus


class ActivityFilterSet(TendedFilterSet):
    FRONT = ("status", "kind", "unit", "owner")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("unfinished", _("Not finished")), *ActivityStatus.choices],
        empty_label=_("Any"),
        method="filter_status",
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=ActivityKind.choices, empty_label=_("Any"))
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    region = region_filter(_("Region of a partner, with those below"))
    area = django_filters.ModelChoiceFilter(
        label=_("Counts for the area"),
        queryset=CooperationArea.objects.all(),
        empty_label=_("Any"),
        method="filter_later",
    )
    of_programme = django_filters.ModelChoiceFilter(
        label=_("Programme"), queryset=Programme.objects.none(), empty_label=_("Any"), method="filter_of_programme"
    )
    on_from = DayFilter(label=_("Taking place from"), method="filter_on_from")
    on_until = DayFilter(label=_("Taking place until"), field_name="starts_on", lookup_expr="lte")
    completed_from = DayFilter(label=_("Completed from"), field_name="completed_on", lookup_expr="gte")
    completed_until = DayFilter(label=_("Completed until"), field_name="completed_on", lookup_expr="lte")
    agreement = opened_by(_("Agreement"), Agreement, field_name="agreement")
    framework = opened_by(_("Agreement, with those under it"), Agreement, method="filter_framework")
    credited = opened_by(_("Counts for"), Organization, method="filter_later")
    organization = opened_by(_("With"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "owner": people_of(Activity.objects.visible_to(self.user), "owner"),
            "region": regions_with(Organization.objects.visible_to(self.user)),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        """One credit has both the area and the organization: two of them would not show a delivery to this party."""
        asked = {"area": "area", "credited": "organization"}
        values = self.form.cleaned_data
        credit = {field: values[name] for name, field in asked.items() if values.get(name)}
        filtered = super().filter_queryset(queryset)
        return filtered.credited(**credit) if credit else filtered

    def filter_framework(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement__in=[value.pk, *ids_below(value.pk)])

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(ActivityOrganization.objects.filter(activity=OuterRef("pk"), organization=value)))

    def filter_region(self, queryset: Any, name: str, value: Region) -> Any:
        partners = ActivityOrganization.objects.filter(activity=OuterRef("pk"))
        return queryset.filter(Exists(partners.filter(organization__region__in=regions_below(value))))

    def filter_of_programme(self, queryset: Any, name: str, value: Programme) -> Any:
        """Under an agreement that has its label, or arisen from an event that has."""
        labelled = ProgrammeItem.objects.filter(programme=value)
        of_agreement = labelled.filter(agreement=OuterRef("agreement"))
        return queryset.filter(Q(Exists(of_agreement)) | Q(Exists(labelled.filter(event=OuterRef("event")))))

    def filter_on_from(self, queryset: Any, name: str, value: dt.date) -> Any:
        return queryset.lasting_until(value)

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.unfinished() if value == "unfinished" else queryset.filter(status=value)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=ActivityOrganization.objects.filter(organization__in=found).values("activity"))
