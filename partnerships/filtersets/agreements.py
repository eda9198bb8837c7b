import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import CountedFilterSet, SwitchFilter, TendedFilterSet, opened_by
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    CooperationArea,
    Milestone,
    Organization,
    Unit,
    User,
)
from partnerships.statuses import AgreementStatus


class AgreementFilterSet(TendedFilterSet, CountedFilterSet):
    status = django_filters.ChoiceFilter(label=_("Status"), choices=AgreementStatus.choices, empty_label=_("Any"))
    type = django_filters.ModelChoiceFilter(label=_("Type"), queryset=AgreementType.objects.all(), empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    coordinator = django_filters.ModelChoiceFilter(
        label=_("Coordinator"), queryset=User.objects.none(), empty_label=_("Any")
    )
    area = django_filters.ModelChoiceFilter(
        label=_("Area promised"),
        queryset=CooperationArea.objects.all(),
        empty_label=_("Any"),
        method="filter_area",
    )
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    expiring = django_filters.ChoiceFilter(
        label=_("Expiring within"),
        choices=[("30", _("30 days")), ("90", _("90 days")), ("180", _("180 days")), ("365", _("a year"))],
        empty_label=_("Any time"),
        method="filter_expiring",
    )
    in_force = SwitchFilter(label=_("In force today"), method="filter_in_force")
    quiet = SwitchFilter(label=_("Quiet"), method="filter_quiet")
    overdue = SwitchFilter(label=_("Something is overdue"), method="filter_overdue")
    organization = opened_by(_("With"), "filter_organization")
    under = opened_by(_("Under the framework"), "filter_under")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "organization": Organization.objects.visible_to(self.user),
            "under": Agreement.objects.visible_to(self.user),
            "unit": Unit.objects.visible_to(self.user),
            "coordinator": self._people(Agreement.objects.visible_to(self.user).values("coordinator")),
        }

    def filter_area(self, queryset: Any, name: str, value: CooperationArea) -> Any:
        return queryset.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("pk"), area=value)))

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=AgreementParty.objects.filter(organization__in=found).values("agreement"))

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(AgreementParty.objects.filter(agreement=OuterRef("pk"), organization=value)))

    def filter_under(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(parent=value)

    def filter_expiring(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.expiring(self.today, until=self.today + dt.timedelta(days=int(value)))

    def filter_in_force(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.in_force(self.today)

    def filter_quiet(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.quiet(self.today)

    def filter_overdue(self, queryset: Any, name: str, value: str) -> Any:
        late = Milestone.objects.overdue(self.today).filter(agreement=OuterRef("pk"))
        return queryset.filter(Exists(late))
