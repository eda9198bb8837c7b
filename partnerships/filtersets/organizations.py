from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import CountedFilterSet, region_filter, regions_with
from partnerships.filtersets.fields import PersonFilter, SwitchFilter, people_of
from partnerships.filtersets.honours import HonouredFilterSet
from partnerships.models import (
    Agreement,
    AssociationMembership,
    Organization,
    OrganizationKind,
    OrganizationUnit,
    Participation,
    Programme,
    ProgrammeOrganizer,
    Unit,
    User,
)
from partnerships.models.users import read_tree


class OrganizationFilterSet(CountedFilterSet, HonouredFilterSet):
    """Without ``archived`` it lists those that are not; a number that opens it counted both."""

    FRONT = ("kind", "region", "unit", "honour")

    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=OrganizationKind.choices, empty_label=_("Any"))
    region = region_filter(_("Region, with those below"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Held by the unit, with those below"),
        queryset=Unit.objects.none(),
        empty_label=_("Any"),
        method="filter_unit",
    )
    coordinator = PersonFilter(label=_("Looked after by"), method="filter_coordinator")
    institution_type = django_filters.ChoiceFilter(
        label=_("Type of institution"), choices=Organization.InstitutionType.choices, empty_label=_("Any")
    )
    member_of = django_filters.CharFilter(
        label=_("Member of the association"), method="filter_member_of", max_length=200
    )
    in_force = SwitchFilter(label=_("Has an agreement in force"), method="filter_in_force")
    mine = SwitchFilter(label=_("Held by my units"), method="filter_mine")
    archived = SwitchFilter(label=_("Archived too"), method="filter_archived")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        held = OrganizationUnit.objects.filter(unit=OuterRef("pk"))
        in_sight = OrganizationUnit.objects.filter(unit__in=Unit.objects.visible_to(self.user).values("pk"))
        return {
            **super().choices_in_scope(),
            "region": regions_with(Organization.objects.visible_to(self.user)),
            "unit": Unit.objects.filter(Exists(held)),
            "coordinator": people_of(in_sight, "coordinator"),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        shows_archived = any(self.form.cleaned_data.get(name) for name in ("archived", "figure", "programme"))
        return filtered if shows_archived else filtered.not_archived()

    def filter_unit(self, queryset: Any, name: str, value: Unit) -> Any:
        return queryset.filter(Exists(_held(unit__in=read_tree(Unit).with_descendants([value.pk]))))

    def filter_coordinator(self, queryset: Any, name: str, value: list[User]) -> Any:
        units = Unit.objects.visible_to(self.user).values("pk")
        return queryset.filter(Exists(_held(coordinator__in=value, unit__in=units)))

    def filter_member_of(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        now = Q(since__isnull=True) | Q(since__lte=self.today), Q(until__isnull=True) | Q(until__gte=self.today)
        rows = AssociationMembership.objects.filter(*now, member=OuterRef("pk"), association__in=found)
        return queryset.filter(Exists(rows))

    def filter_in_force(self, queryset: Any, name: str, value: str) -> Any:
        agreements = Agreement.objects.visible_to(self.user).in_force(self.today).order_by()
        return queryset.filter(Exists(agreements.filter(parties__organization=OuterRef("pk"))))

    def filter_holders(self, queryset: Any, honours: QuerySet) -> Any:
        return queryset.filter(Exists(honours.order_by().filter(organization=OuterRef("pk"))))

    def filter_of_programme(self, queryset: Any, name: str, value: Programme) -> Any:
        """Its organizers, and whoever took part in one of its events."""
        organizers = ProgrammeOrganizer.objects.filter(programme=value, organization=OuterRef("pk"))
        took_part = Participation.objects.filter(event__programme_items__programme=value, organization=OuterRef("pk"))
        return queryset.filter(Q(Exists(organizers)) | Q(Exists(took_part)))

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.held_by_scope_of(self.user)

    def filter_archived(self, queryset: Any, name: str, value: str) -> Any:
        return queryset


def _held(**by: Any) -> QuerySet:
    return OrganizationUnit.objects.filter(organization=OuterRef("pk"), **by)
