from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ListFilterSet, SwitchFilter
from partnerships.models import Activity, Event, Milestone, Unit, User


class CalendarFilterSet(ListFilterSet):
    """One set of filters over milestones, activities and events. Events are nobody's: a person's calendar has none."""

    kind = django_filters.ChoiceFilter(
        label=_("What"),
        choices=[("milestone", _("Milestones")), ("activity", _("Follow-ups")), ("event", _("Events"))],
        empty_label=_("Everything"),
        method="filter_kind",
    )
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(
        label=_("Person"), queryset=User.objects.none(), empty_label=_("Anybody"), method="filter_owner"
    )
    mine = SwitchFilter(label=_("Mine alone"), method="filter_mine")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        owners = Q(pk__in=Milestone.objects.visible_to(self.user).values("owner"))
        owners |= Q(pk__in=Activity.objects.visible_to(self.user).values("owner"))
        return {"unit": Unit.objects.visible_to(self.user), "owner": User.objects.filter(owners)}

    @property
    def unknown(self) -> list[str]:
        return [name for name in super().unknown if name not in {"month", "day"}]

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset if queryset.model._meta.model_name == value else queryset.none()

    def filter_owner(self, queryset: Any, name: str, value: User) -> Any:
        return queryset.none() if queryset.model is Event else queryset.filter(owner=value)

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return self.filter_owner(queryset, name, self.user)
