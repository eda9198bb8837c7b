import datetime as dt
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ListFilterSet, SwitchFilter, containing, opened_by
from partnerships.models import HonourScheme, Organization
from partnerships.statuses import HonourStatus


def half_year_end(today: dt.date) -> dt.date:
    """June 30 or December 31, whichever closes the half-year of ``today``."""
    return dt.date(today.year, 6, 30) if today.month <= 6 else dt.date(today.year, 12, 31)


class HonourFilterSet(ListFilterSet):
    scheme = django_filters.ModelChoiceFilter(
        label=_("Honour"), queryset=HonourScheme.objects.all(), empty_label=_("Any")
    )
    level = django_filters.ChoiceFilter(
        label=_("Level"), field_name="scheme__level", choices=HonourScheme.Level.choices, empty_label=_("Any")
    )
    party = django_filters.CharFilter(label=_("Held by"), method="filter_party", max_length=200)
    lapsing = SwitchFilter(label=_("Lapses this half-year"), method="filter_lapsing")
    could_rise = SwitchFilter(label=_("Could apply for the next level"), method="filter_could_rise")
    withdrawn = SwitchFilter(label=_("Recorded in error, withdrawn"), method="filter_withdrawn")
    organization = opened_by(_("Held by"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {"organization": Organization.objects.visible_to(self.user)}

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(organization=value)

    def filter_queryset(self, queryset: Any) -> Any:
        """What was withdrawn is listed only when it is asked for."""
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("withdrawn") else found.recorded()

    def filter_withdrawn(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(status=HonourStatus.WITHDRAWN)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(organization__in=Organization.objects.search(value).values("pk"))

    def filter_lapsing(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.lapsing(self.today, until=half_year_end(self.today))

    def filter_could_rise(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.could_rise(self.today)


class HonourSchemeFilterSet(ListFilterSet):
    level = django_filters.ChoiceFilter(label=_("Level"), choices=HonourScheme.Level.choices, empty_label=_("Any"))

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return containing(queryset, value, "name", "name_zh", "issuer")
