"""What the filters of every list share."""

import datetime as dt
from functools import reduce
from operator import or_
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from partnerships.filtersets.fields import SwitchFilter, SwitchInput
from partnerships.models import Organization, Programme, ProgrammeItem, Region, ReportedFigure, Unit
from partnerships.models.users import read_tree
from partnerships.reports.figures import measure_counting, measured, recorded, rules_counting

# Parameters of a list's address that are not filters.
BESIDE_FILTERS = frozenset({"page", "size", "sort", "columns"})
# People by name in a chip; the others are counted.
MOST_NAMES = 2


class ListFilterSet(django_filters.FilterSet):
    """Filters of one list for one person on one day.

    A value that does not fit leaves a message beside its field and the other filters in force; a parameter that is no
    filter is named in ``unknown``. Neither is an error page, and neither passes in silence.
    """

    # What most people ask for; the others are under "More filters". Empty: all stand in front.
    FRONT: ClassVar[tuple[str, ...]] = ()

    q = django_filters.CharFilter(label=_("Words"), method="filter_words", max_length=200, strip=True)

    def __init__(self, data: QueryDict, queryset: Any, *, user: Any, today: dt.date) -> None:
        super().__init__(data, queryset)
        self.user = user
        self.today = today
        for name, choices in self.choices_in_scope().items():
            self.filters[name].queryset = choices

    def choices_in_scope(self) -> dict[str, QuerySet]:
        """The rows each drop-down offers, by the name of its filter: what the person sees, and for some lists less."""
        choices = ((name, getattr(one, "queryset", None)) for name, one in self.filters.items())
        return {
            name: rows.model._default_manager.visible_to(self.user)
            for name, rows in choices
            if hasattr(rows, "visible_to")
        }

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.search(value)

    def filter_unit(self, queryset: Any, name: str, value: Unit) -> Any:
        return queryset.filter(unit__in=read_tree(Unit).with_descendants([value.pk]))

    def filter_region(self, queryset: Any, name: str, value: Region) -> Any:
        return queryset.filter(**{f"{name}__in": regions_below(value)})

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(**{f"{name}__in": Organization.objects.search(value).values("pk")})

    def filter_later(self, queryset: Any, name: str, value: Any) -> Any:
        """For what is asked together with another filter, in ``filter_queryset``."""
        return queryset

    @property
    def unknown(self) -> list[str]:
        return sorted(name for name in self.data if name not in self.filters and name not in BESIDE_FILTERS)

    @property
    def in_front(self) -> list[forms.BoundField]:
        return [self.form[name] for name in self.FRONT] or self._fields()

    @property
    def in_more(self) -> list[forms.BoundField]:
        return [field for field in self._fields() if self.FRONT and field.name not in self.FRONT]

    @property
    def is_more_open(self) -> bool:
        return any(field.errors or field.value() for field in self.in_more)

    def _fields(self) -> list[forms.BoundField]:
        return [field for field in self.form.visible_fields() if field.name != "q"]

    @property
    def chosen(self) -> list[dict[str, str]]:
        """What is filtered by: label, value in words, and the address of the list without it."""
        values = self.form.cleaned_data
        names = [name for name in self.filters if values.get(name) not in (None, "", [])]
        return [
            {
                "label": str(self.form.fields[name].label),
                "value": _in_words(self.form.fields[name], values[name]),
                "without": self._address_without(name),
            }
            for name in names
        ]

    def _address_without(self, name: str) -> str:
        rest = self.data.copy()
        for gone in (name, "page"):
            rest.pop(gone, None)
        return f"?{rest.urlencode()}"


def _in_words(field: forms.Field, value: Any) -> str:
    if isinstance(field.widget, SwitchInput):
        return ""
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, list):
        return _names(value)
    if isinstance(field, forms.ChoiceField) and isinstance(value, str):
        return str(next((label for choice, label in field.choices if choice == value), value))
    return str(value)


def _names(people: list[Any]) -> str:
    names, more = " · ".join(str(person) for person in people[:MOST_NAMES]), len(people) - MOST_NAMES
    if more <= 0:
        return names
    return ngettext("%(names)s and %(more)s more", "%(names)s and %(more)s more", more) % {"names": names, "more": more}


def unit_filter() -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )


def region_filter(label: Any, field_name: str = "region") -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(
        label=label,
        queryset=Region.objects.none(),
        empty_label=_("Any"),
        field_name=field_name,
        method="filter_region",
    )


def regions_with(rows: QuerySet, region: str = "region") -> QuerySet:
    """Regions in which, or in a part of which, ``rows`` lie. They are four levels deep at most."""
    levels = (region, *(f"{region}__{'__'.join(['parent'] * up)}" for up in (1, 2, 3)))
    found = (Exists(rows.order_by().filter(**{level: OuterRef("pk")})) for level in levels)
    return Region.objects.filter(reduce(or_, map(Q, found)))


def regions_below(region: Region) -> set[int]:
    return read_tree(Region).with_descendants([region.pk])


class TendedFilterSet(ListFilterSet):
    """A list of rows that somebody looks after."""

    orphaned = SwitchFilter(label=_("Nobody looks after it"), method="filter_orphaned")
    away = SwitchFilter(label=_("Owner away without a deputy"), method="filter_away")

    def filter_orphaned(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.orphaned()

    def filter_away(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.owner_away(self.today)


class ProgrammeCountedFilterSet(ListFilterSet):
    """A list of what programmes are made of.

    ``of_programme`` finds all that has its label; ``programme`` is opened by a number of its progress, and keeps to
    exactly the rows counted there.
    """

    of_programme = django_filters.ModelChoiceFilter(
        label=_("Programme"), queryset=Programme.objects.none(), empty_label=_("Any"), method="filter_of_programme"
    )
    programme = django_filters.ModelChoiceFilter(
        label=_("Counted for the programme"),
        queryset=Programme.objects.none(),
        widget=forms.HiddenInput,
        method="filter_programme",
    )

    def filter_of_programme(self, queryset: Any, name: str, value: Programme) -> Any:
        labelled = ProgrammeItem.objects.filter(programme=value)
        return queryset.filter(Exists(labelled.filter(**{queryset.model._meta.model_name: OuterRef("pk")})))

    def filter_programme(self, queryset: Any, name: str, value: Programme) -> Any:
        counted = measured(value, measure_counting(queryset.model), self.user)
        return queryset.filter(pk__in=counted.values("pk"))


class CountedFilterSet(ProgrammeCountedFilterSet):
    """A list that the recorded number of a reported figure opens, too."""

    figure = django_filters.ModelChoiceFilter(
        label=_("Recorded against"),
        queryset=ReportedFigure.objects.none(),
        widget=forms.HiddenInput,
        method="filter_figure",
    )

    def choices_in_scope(self) -> dict[str, QuerySet]:
        offered = super().choices_in_scope()
        compared = offered["figure"].filter(counting_rule__in=rules_counting(self.queryset.model))
        return {**offered, "figure": compared}

    def filter_figure(self, queryset: Any, name: str, value: ReportedFigure) -> Any:
        counted = recorded(value, self.user)
        return queryset.none() if counted is None else queryset.filter(pk__in=counted.values("pk"))


def containing(queryset: Any, words: str, *fields: str) -> Any:
    """Rows with every word in one of ``fields``; for catalogues of some dozens, which have no search entries."""
    for word in words.split():
        queryset = queryset.filter(reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields)))
    return queryset
