import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import (
    CountedFilterSet,
    TendedFilterSet,
    region_filter,
    regions_below,
    regions_with,
    unit_filter,
)
from partnerships.filtersets.fields import DayFilter, DaysFilter, PersonFilter, SwitchFilter, opened_by, people_of
from partnerships.filtersets.honours import HonouredFilterSet
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    CooperationArea,
    Milestone,
    Organization,
    OrganizationKind,
    Region,
    quiet_agreements,
)
from partnerships.statuses import AgreementStatus


class AgreementFilterSet(TendedFilterSet, CountedFilterSet, HonouredFilterSet):
    FRONT = ("status", "party", "unit", "coordinator")

    status = django_filters.ChoiceFilter(label=_("Status"), choices=AgreementStatus.choices, empty_label=_("Any"))
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    unit = unit_filter()
    coordinator = PersonFilter(label=_("Coordinator"), field_name="coordinator")
    type = django_filters.ModelChoiceFilter(label=_("Type"), queryset=AgreementType.objects.all(), empty_label=_("Any"))
    area = django_filters.ModelChoiceFilter(
        label=_("Area promised"),
        queryset=CooperationArea.objects.all(),
        empty_label=_("Any"),
        method="filter_area",
    )
    kind = django_filters.ChoiceFilter(
        label=_("Kind of partner"), choices=OrganizationKind.choices, empty_label=_("Any"), method="filter_kind"
    )
    region = region_filter(_("Region of a partner, with those below"))
    signed_from = DayFilter(label=_("Signed from"), field_name="signed_on", lookup_expr="gte")
    signed_until = DayFilter(label=_("Signed until"), field_name="signed_on", lookup_expr="lte")
    in_force_on = DayFilter(label=_("In force on"), method="filter_in_force_on")
    ends_from = DayFilter(label=_("Term ends from"), method="filter_later")
    ends_until = DayFilter(label=_("Term ends until"), method="filter_later")
    expiring = DaysFilter(label=_("Expires within (days)"), method="filter_expiring")
    quiet_days = DaysFilter(label=_("Quiet for (days)"), method="filter_quiet_days")
    quiet_since = DayFilter(label=_("Quiet since"), method="filter_quiet_since")
    in_force = SwitchFilter(label=_("In force today"), method="filter_in_force")
    quiet = SwitchFilter(label=_("Quiet"), method="filter_quiet")
    overdue = SwitchFilter(label=_("Something is overdue"), method="filter_overdue")
    organization = opened_by(_("With"), Organization, method="filter_organization")
    under = opened_by(_("Under the framework"), Agreement, field_name="parent")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "coordinator": people_of(Agreement.objects.visible_to(self.user), "coordinator"),
            "region": regions_with(Organization.objects.visible_to(self.user)),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        """One term ends between the two days: asked one by one, no index would hold both."""
        asked = {"ends_from": "ends_on__gte", "ends_until": "ends_on__lte"}
        values = self.form.cleaned_data
        ends = {lookup: values[name] for name, lookup in asked.items() if values.get(name)}
        filtered = super().filter_queryset(queryset)
        return filtered.last_term(**ends) if ends else filtered

    def filter_area(self, queryset: Any, name: str, value: CooperationArea) -> Any:
        return queryset.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("pk"), area=value)))

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=AgreementParty.objects.filter(organization__in=found).values("agreement"))

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(Exists(partners().filter(organization__kind=value)))

    def filter_region(self, queryset: Any, name: str, value: Region) -> Any:
        return queryset.filter(Exists(partners().filter(organization__region__in=regions_below(value))))

    def filter_holders(self, queryset: Any, honours: QuerySet) -> Any:
        return queryset.filter(Exists(partners().filter(organization__in=honours.order_by().values("organization"))))

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(AgreementParty.objects.filter(agreement=OuterRef("pk"), organization=value)))

    def filter_expiring(self, queryset: Any, name: str, value: int) -> Any:
        return queryset.expiring(self.today, until=self.today + dt.timedelta(days=value))

    def filter_in_force(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.in_force(self.today)

    def filter_in_force_on(self, queryset: Any, name: str, value: dt.date) -> Any:
        return queryset.in_force(value)

    def filter_quiet(self, queryset: Any, name: str, value: str) -> Any:
        return quiet_agreements(queryset, self.today)

    def filter_quiet_days(self, queryset: Any, name: str, value: int) -> Any:
        return quiet_agreements(queryset, self.today, since=self.today - dt.timedelta(days=value))

    def filter_quiet_since(self, queryset: Any, name: str, value: dt.date) -> Any:
        return quiet_agreements(queryset, self.today, since=value)

    def filter_overdue(self, queryset: Any, name: str, value: str) -> Any:
        late = Milestone.objects.overdue(self.today).filter(agreement=OuterRef("pk"))
        return queryset.filter(Exists(late))


def partners() -> QuerySet:
    """The other sides of an outer query's agreement; our own organization is a party of each, and tells nothing."""
    parties = AgreementParty.objects.filter(agreement=OuterRef("pk"))
    return parties.exclude(organization=Coalesce(OuterRef("unit__organization"), 0))
