from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ProgrammeCountedFilterSet, opened_by
from partnerships.models import EventKind, Organization, Participation


class EventFilterSet(ProgrammeCountedFilterSet):
    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=EventKind.Kind.choices, empty_label=_("Any"), method="filter_kind"
    )

    organization = opened_by(_("With"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {**super().choices_in_scope(), "organization": Organization.objects.visible_to(self.user)}

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(Participation.objects.filter(event=OuterRef("pk"), organization=value)))

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(Exists(EventKind.objects.filter(event=OuterRef("pk"), kind=value)))
