import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.filtersets.base import TendedFilterSet, unit_filter
from partnerships.filtersets.fields import DayFilter, PersonFilter, opened_by, people_of
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    CooperationArea,
    Milestone,
    MilestoneKind,
    Organization,
    Programme,
    ProgrammeItem,
)
from partnerships.statuses import MilestoneStatus

DUE_WITHIN_DAYS = {"week": 7, "month": 30, "quarter": 90}


class MilestoneFilterSet(TendedFilterSet):
    """Without a status it lists what is still to be done."""

    FRONT = ("status", "due", "unit", "owner")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("all", pgettext_lazy("milestones", "All")), *MilestoneStatus.choices],
        empty_label=_("Still to be done"),
        method="filter_status",
    )
    due = django_filters.ChoiceFilter(
        label=_("Due"),
        choices=[
            ("overdue", _("Overdue")),
            ("week", _("Within 7 days")),
            ("month", _("Within 30 days")),
            ("quarter", _("Within 90 days")),
        ],
        empty_label=_("Any time"),
        method="filter_due",
    )
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=MilestoneKind.choices, empty_label=_("Any"))
    due_from = DayFilter(label=_("Due from"), field_name="due_on", lookup_expr="gte")
    due_until = DayFilter(label=_("Due until"), field_name="due_on", lookup_expr="lte")
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    type = django_filters.ModelChoiceFilter(
        label=_("Type of agreement"),
        field_name="agreement__type",
        queryset=AgreementType.objects.all(),
        empty_label=_("Any"),
    )
    area = django_filters.ModelChoiceFilter(
        label=_("Area promised"), queryset=CooperationArea.objects.all(), empty_label=_("Any"), method="filter_area"
    )
    of_programme = django_filters.ModelChoiceFilter(
        label=_("Programme"), queryset=Programme.objects.none(), empty_label=_("Any"), method="filter_of_programme"
    )
    agreement = opened_by(_("Agreement"), Agreement, field_name="agreement")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        owners = people_of(Milestone.objects.visible_to(self.user), "owner")
        return {**super().choices_in_scope(), "owner": owners}

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data.get("status") else filtered.pending()

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = AgreementParty.objects.filter(organization__in=Organization.objects.search(value).values("pk"))
        return queryset.filter(agreement__in=found.values("agreement"))

    def filter_area(self, queryset: Any, name: str, value: CooperationArea) -> Any:
        return queryset.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("agreement"), area=value)))

    def filter_of_programme(self, queryset: Any, name: str, value: Programme) -> Any:
        labelled = ProgrammeItem.objects.filter(programme=value, agreement=OuterRef("agreement"))
        return queryset.filter(Exists(labelled))

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset if value == "all" else queryset.filter(status=value)

    def filter_due(self, queryset: Any, name: str, value: str) -> Any:
        if value == "overdue":
            return queryset.overdue(self.today)
        return queryset.due_between(self.today, self.today + dt.timedelta(days=DUE_WITHIN_DAYS[value]))
