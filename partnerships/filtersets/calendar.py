from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ListFilterSet, unit_filter
from partnerships.filtersets.fields import PersonFilter, SwitchFilter
from partnerships.models import Activity, Event, Milestone, User


class CalendarFilterSet(ListFilterSet):
    """One set of filters over milestones, activities and events. Events are nobody's: a person's calendar has none."""

    kind = django_filters.ChoiceFilter(
        label=_("What"),
        choices=[("milestone", _("Milestones")), ("activity", _("Follow-ups")), ("event", _("Events"))],
        empty_label=_("Everything"),
        method="filter_kind",
    )
    unit = unit_filter()
    owner = PersonFilter(label=_("Person"), empty_label=_("Anybody"), method="filter_owner")
    mine = SwitchFilter(label=_("Mine alone"), method="filter_mine")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        owned = (model.objects.visible_to(self.user).order_by() for model in (Milestone, Activity))
        milestones, activities = (Exists(rows.filter(owner=OuterRef("pk"))) for rows in owned)
        owners = User.objects.filter(Q(milestones) | Q(activities)).order_by("name", "pk")
        return {**super().choices_in_scope(), "owner": owners}

    @property
    def unknown(self) -> list[str]:
        return [name for name in super().unknown if name not in {"month", "day"}]

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset if queryset.model._meta.model_name == value else queryset.none()

    def filter_owner(self, queryset: Any, name: str, value: list[User]) -> Any:
        return queryset.none() if queryset.model is Event else queryset.filter(owner__in=value)

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return self.filter_owner(queryset, name, [self.user])
