import datetime as dt
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import (
    ListFilterSet,
    containing,
    region_filter,
    regions_with,
    unit_filter,
)
from partnerships.filtersets.fields import DayFilter, SwitchFilter, opened_by
from partnerships.models import Honour, HonourScheme, Organization, Unit
from partnerships.statuses import HonourStatus


def half_year_end(today: dt.date) -> dt.date:
    """June 30 or December 31, whichever closes the half-year of ``today``."""
    return dt.date(today.year, 6, 30) if today.month <= 6 else dt.date(today.year, 12, 31)


class HonouredFilterSet(ListFilterSet):
    """A list of organizations that hold honours, or of what they take part in."""

    honour = django_filters.ModelChoiceFilter(
        label=_("Honour held"), queryset=HonourScheme.objects.all(), empty_label=_("Any"), method="filter_later"
    )
    honoured = django_filters.ChoiceFilter(
        label=_("The honour is"),
        choices=[("valid", _("Valid today")), ("lapsing", _("Lapsing this half-year"))],
        empty_label=_("Any"),
        method="filter_later",
    )

    def filter_queryset(self, queryset: Any) -> Any:
        """One honour is of the scheme and in that state: two of them would not show a title that lapses."""
        values = self.form.cleaned_data
        scheme, state = values.get("honour"), values.get("honoured")
        filtered = super().filter_queryset(queryset)
        if not scheme and not state:
            return filtered
        honours = self._in_state(state).filter(**({"scheme": scheme} if scheme else {}))
        return self.filter_holders(filtered, honours)

    def _in_state(self, state: str) -> Any:
        if state == "valid":
            return Honour.objects.valid(self.today)
        if state == "lapsing":
            return Honour.objects.lapsing(self.today, until=half_year_end(self.today))
        return Honour.objects.recorded()

    def filter_holders(self, queryset: Any, honours: QuerySet) -> Any:
        raise NotImplementedError


class HonourFilterSet(ListFilterSet):
    FRONT = ("scheme", "level", "party", "region")

    scheme = django_filters.ModelChoiceFilter(
        label=_("Honour"), queryset=HonourScheme.objects.all(), empty_label=_("Any")
    )
    level = django_filters.ChoiceFilter(
        label=_("Level"), field_name="scheme__level", choices=HonourScheme.Level.choices, empty_label=_("Any")
    )
    party = django_filters.CharFilter(
        label=_("Held by"), field_name="organization", method="filter_party", max_length=200
    )
    region = region_filter(_("Region of the holder, with those below"), "organization__region")
    unit = unit_filter()
    granted_from = DayFilter(label=_("Granted from"), field_name="granted_on", lookup_expr="gte")
    granted_until = DayFilter(label=_("Granted until"), field_name="granted_on", lookup_expr="lte")
    lapses_from = DayFilter(label=_("Lapses from"), field_name="valid_until", lookup_expr="gte")
    lapses_until = DayFilter(label=_("Lapses until"), field_name="valid_until", lookup_expr="lte")
    valid = SwitchFilter(label=_("Valid today"), method="filter_valid")
    lapsing = SwitchFilter(label=_("Lapses this half-year"), method="filter_lapsing")
    could_rise = SwitchFilter(label=_("Could apply for the next level"), method="filter_could_rise")
    withdrawn = SwitchFilter(label=_("Recorded in error, withdrawn"), method="filter_withdrawn")
    organization = opened_by(_("Held by"), Organization, field_name="organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        honours = Honour.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "region": regions_with(honours, "organization__region"),
            "unit": Unit.objects.filter(pk__in=honours.order_by().values("unit")),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        """What was withdrawn is listed only when it is asked for."""
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("withdrawn") else found.recorded()

    def filter_withdrawn(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(status=HonourStatus.WITHDRAWN)

    def filter_valid(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.valid(self.today)

    def filter_lapsing(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.lapsing(self.today, until=half_year_end(self.today))

    def filter_could_rise(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.could_rise(self.today)


class HonourSchemeFilterSet(ListFilterSet):
    level = django_filters.ChoiceFilter(label=_("Level"), choices=HonourScheme.Level.choices, empty_label=_("Any"))

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return containing(queryset, value, "name", "name_zh", "issuer")
