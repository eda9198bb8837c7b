import datetime as dt
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.filtersets.base import TendedFilterSet, opened_by
from partnerships.models import Agreement, Milestone, MilestoneKind, Unit, User
from partnerships.statuses import MilestoneStatus

DUE_WITHIN_DAYS = {"week": 7, "month": 30, "quarter": 90}


class MilestoneFilterSet(TendedFilterSet):
    """Without a status it lists what is still to be done."""

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("all", pgettext_lazy("milestones", "All")), *MilestoneStatus.choices],
        empty_label=_("Still to be done"),
        method="filter_status",
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=MilestoneKind.choices, empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
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
    agreement = opened_by(_("Agreement"), "filter_agreement")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            "agreement": Agreement.objects.visible_to(self.user),
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Milestone.objects.visible_to(self.user).values("owner")),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data.get("status") else filtered.pending()

    def filter_agreement(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement=value)

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset if value == "all" else queryset.filter(status=value)

    def filter_due(self, queryset: Any, name: str, value: str) -> Any:
        if value == "overdue":
            return queryset.overdue(self.today)
        return queryset.due_between(self.today, self.today + dt.timedelta(days=DUE_WITHIN_DAYS[value]))
