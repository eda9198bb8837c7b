"""What the filters of every list share."""

import datetime as dt
from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from partnerships.models import Organization, Programme, ReportedFigure, Unit, User
from partnerships.models.users import read_tree
from partnerships.reports.figures import measure_counting, measured, recorded, rules_counting

# Parameters of a list's address that are not filters.
BESIDE_FILTERS = frozenset({"page", "size", "sort", "columns"})


class SwitchInput(forms.CheckboxInput):
    """A checkbox that is ``yes`` or absent in the address; anything else is a bad value, not an unchecked box."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, check_test=lambda value: value == "yes")

    def format_value(self, value: Any) -> str:
        return "yes"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name)


class SwitchFilter(django_filters.ChoiceFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("yes", _("Yes"))], widget=SwitchInput, **kwargs)


class ListFilterSet(django_filters.FilterSet):
    """Filters of one list for one person on one day.

    A value that does not fit leaves a message beside its field and the other filters in force; a parameter that is no
    filter is named in ``unknown``. Neither is an error page, and neither passes in silence.
    """

    q = django_filters.CharFilter(label=_("Words"), method="filter_words", max_length=200, strip=True)

    def __init__(self, data: QueryDict, queryset: Any, *, user: Any, today: dt.date) -> None:
        super().__init__(data, queryset)
        self.user = user
        self.today = today
        for name, choices in self.choices_in_scope().items():
            self.filters[name].queryset = choices

    def choices_in_scope(self) -> dict[str, QuerySet]:
        """The rows each drop-down offers, by the name of its filter."""
        return {}

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.search(value)

    def filter_unit(self, queryset: Any, name: str, value: Unit) -> Any:
        return queryset.filter(unit__in=read_tree(Unit).with_descendants([value.pk]))

    @property
    def unknown(self) -> list[str]:
        return sorted(name for name in self.data if name not in self.filters and name not in BESIDE_FILTERS)

    @property
    def chosen(self) -> list[dict[str, str]]:
        """What is filtered by: label, value in words, and the address of the list without it."""
        values = self.form.cleaned_data
        names = [name for name in self.filters if values.get(name) not in (None, "")]
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

    def _people(self, ids: QuerySet) -> QuerySet:
        return User.objects.filter(pk__in=ids)


def _in_words(field: forms.Field, value: Any) -> str:
    if isinstance(field.widget, SwitchInput):
        return ""
    if isinstance(field, forms.ChoiceField) and isinstance(value, str):
        return str(next((label for choice, label in field.choices if choice == value), value))
    return str(value)


class TendedFilterSet(ListFilterSet):
    """A list of rows that somebody looks after."""

    orphaned = SwitchFilter(label=_("Nobody looks after it"), method="filter_orphaned")
    away = SwitchFilter(label=_("Owner away without a deputy"), method="filter_away")

    def filter_orphaned(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.orphaned()

    def filter_away(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.owner_away(self.today)


class ProgrammeCountedFilterSet(ListFilterSet):
    """A list that a number of a programme's progress opens; it keeps to exactly the rows counted there."""

    programme = django_filters.ModelChoiceFilter(
        label=_("Counted for the programme"),
        queryset=Programme.objects.none(),
        widget=forms.HiddenInput,
        method="filter_programme",
    )

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {"programme": Programme.objects.visible_to(self.user)}

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
        figures = ReportedFigure.objects.visible_to(self.user)
        compared = figures.filter(counting_rule__in=rules_counting(self.queryset.model))
        return {**super().choices_in_scope(), "figure": compared}

    def filter_figure(self, queryset: Any, name: str, value: ReportedFigure) -> Any:
        counted = recorded(value, self.user)
        return queryset.none() if counted is None else queryset.filter(pk__in=counted.values("pk"))


def opened_by(label: Any, method: str) -> django_filters.ModelChoiceFilter:
    """A filter that a number on another page sets: no field of the form, and a chip once it is set."""
    return django_filters.ModelChoiceFilter(
        label=label, queryset=Organization.objects.none(), widget=forms.HiddenInput, method=method
    )


def containing(queryset: Any, words: str, *fields: str) -> Any:
    """Rows with every word in one of ``fields``; for catalogues of some dozens, which have no search entries."""
    for word in words.split():
        queryset = queryset.filter(reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields)))
    return queryset
