import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.lists.filter_fields import PersonFilter, SwitchFilter
from partnerships.lists.filters import ListFilterSet, unit_filter
from partnerships.models import Activity, Event, Milestone, User
from partnerships.models.users import ScopedQuerySet


class CalendarFilterSet(ListFilterSet[ScopedQuerySet]):
    """Filters of the calendar: over milestones, activities and events. Events have no owner."""

    kind = django_filters.ChoiceFilter(
        label=_("What"),
        choices=[("milestone", _("Milestones")), ("activity", _("Activities")), ("event", _("Events"))],
        empty_label=_("Everything"),
        method="filter_kind",
    )
    unit = unit_filter()
    owner = PersonFilter(label=_("Person"), method="filter_owner")
    mine = SwitchFilter(label=_("Only mine"), method="filter_mine")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        owned = (model.objects.visible_to(self.user).order_by() for model in (Milestone, Activity))
        milestones, activities = (Exists(rows.filter(owner=OuterRef("pk"))) for rows in owned)
        owners = User.objects.filter(Q(milestones) | Q(activities))
        return {**super().choices_in_scope(), "owner": owners}

    @property
    def unknown(self) -> list[str]:
        return [name for name in super().unknown if name not in {"month", "day", "view"}]

    def filter_kind(self, queryset: ScopedQuerySet, name: str, value: str) -> ScopedQuerySet:
        return queryset if queryset.model._meta.model_name == value else queryset.none()

    def filter_owner(self, queryset: ScopedQuerySet, name: str, value: list[User]) -> ScopedQuerySet:
        return queryset.none() if queryset.model is Event else queryset.filter(owner__in=value)

    def filter_mine(self, queryset: ScopedQuerySet, name: str, value: str) -> ScopedQuerySet:
        return self.filter_owner(queryset, name, [self.user])
