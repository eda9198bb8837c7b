"""Filters that several lists share."""

import datetime as dt
from functools import reduce
from operator import or_
from typing import ClassVar, Generic, NamedTuple, TypeVar

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.choices import flatten_choices
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from partnerships.lists.cells import Text
from partnerships.lists.filter_fields import DayFilter, SwitchFilter, SwitchInput, linked_filter
from partnerships.models import Organization, Programme, ProgrammeItem, Region, ReportedFigure, Unit, User
from partnerships.models.activities import ActivityQuerySet
from partnerships.models.agreements import AgreementQuerySet
from partnerships.models.counting_rules import recorded
from partnerships.models.demands import DemandQuerySet
from partnerships.models.facilities import FacilityQuerySet
from partnerships.models.hidden_records import search_as
from partnerships.models.milestones import MilestoneQuerySet
from partnerships.models.organizations import regions_below, with_parts
from partnerships.models.users import ScopedQuerySet, read_tree
from partnerships.reports.figures import hidden_count, measure_counting, measured, rules_counting
from partnerships.texts import name_a_few

# Parameters of a list's address that are not filters.
BESIDE_FILTERS = frozenset({"page", "size", "sort", "columns", "filters", "picked"})
# Parameters that another search leaves behind.
BESIDE_SEARCH = frozenset({"q", "page", "filters"})

Rows = TypeVar("Rows", bound=ScopedQuerySet)


class ActiveFilter(NamedTuple):
    """A filter that is set: its label, its value in words, and the address of the list without it."""

    label: str
    value: str
    without: str


class ListFilterSet(django_filters.FilterSet, Generic[Rows]):
    """The filters of one list for one person on one day.

    A wrong value puts a message beside its field, and the other filters still apply. A parameter that is no filter is
    named in ``unknown``. Neither ends in an error page.
    """

    # The filters most people need; the others are under "More filters". Empty: all are in front.
    FRONT: ClassVar[tuple[str, ...]] = ()

    q = django_filters.CharFilter(label=_("Search"), method="filter_words", max_length=200, strip=True)

    def __init__(self, data: QueryDict, queryset: QuerySet, *, user: User, today: dt.date) -> None:
        super().__init__(data, queryset)
        self.user = user
        self.today = today
        for name, choices in self.choices_in_scope().items():
            self.filters[name].queryset = choices

    def choices_in_scope(self) -> dict[str, QuerySet]:
        """Return the rows each drop-down offers, by the name of its filter: visible rows, for some lists fewer."""
        offered = ((name, getattr(one, "queryset", None)) for name, one in self.filters.items())
        return {
            name: rows.model._default_manager.visible_to(self.user)
            for name, rows in offered
            if isinstance(rows, ScopedQuerySet)
        }

    def filter_words(self, queryset: Rows, name: str, value: str) -> Rows:
        return search_as(self.user, queryset, value)  # lists without search entries override this

    def filter_unit(self, queryset: Rows, name: str, value: Unit) -> Rows:
        return queryset.filter(unit__in=read_tree(Unit).with_descendants([value.pk]))

    def filter_region(self, queryset: Rows, name: str, value: Region) -> Rows:
        return queryset.in_regions(regions_below(value))

    def filter_party(self, queryset: Rows, name: str, value: str) -> Rows:
        return queryset.filter(**{f"{name}__in": Organization.objects.search(value).values("pk")})

    def filter_organization(self, queryset: Rows, name: str, value: Organization) -> Rows:
        return queryset.of_organizations(with_parts(value))

    def filter_later(self, queryset: Rows, name: str, value: object) -> Rows:
        """Change nothing: ``filter_queryset`` applies this filter together with another one."""
        return queryset

    @property
    def hidden(self) -> int:
        """Return how many rows are counted in the number that led here, but are not the user's to see."""
        return 0

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

    @property
    def is_open(self) -> bool:
        """Whether the page shows the form of all filters: when asked to, or where something in it is wrong."""
        return "filters" in self.data or bool(self.form.errors)

    @property
    def beside_search(self) -> list[tuple[str, str]]:
        """Return the parameters to keep when other words are searched."""
        return [(name, value) for name, values in self.data.lists() for value in values if name not in BESIDE_SEARCH]

    @property
    def reversed_ranges(self) -> list[tuple[str, str]]:
        """Return the labels of ranges whose first day is after their last, which no row lies in."""
        values = self.form.cleaned_data if self.is_valid() or self.form.is_bound else {}
        pairs = [(name, f"{name.removesuffix('from')}until") for name in self.filters if name.endswith("_from")]
        pairs.append(("since", "until"))
        return [
            (str(self.form.fields[first].label), str(self.form.fields[last].label))
            for first, last in pairs
            if values.get(first) and values.get(last) and values[first] > values[last]
        ]

    def _fields(self) -> list[forms.BoundField]:
        return [field for field in self.form.visible_fields() if field.name != "q"]

    @property
    def active(self) -> list[ActiveFilter]:
        values = self.form.cleaned_data
        fields = {name: self.form.fields[name] for name in self.filters if values.get(name) not in (None, "", [])}
        return [
            ActiveFilter(str(field.label), _in_words(field, values[name]), self._address_without(name))
            for name, field in fields.items()
        ]

    def _address_without(self, name: str) -> str:
        rest = self.data.copy()
        for gone in (name, "page", "filters"):
            rest.pop(gone, None)
        return f"?{rest.urlencode()}" if rest else "."


def _in_words(field: forms.Field, value: object) -> str:
    if isinstance(field.widget, SwitchInput):
        return ""
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, list):
        return name_a_few([str(person) for person in value])
    if isinstance(field.widget, forms.Select) and isinstance(value, str):
        return str(dict(flatten_choices(iter(field.widget.choices))).get(value, value))
    return str(value)


class DatedFilterSet(ListFilterSet[Rows]):
    """Filters of a list that can show a state in the past: what the other filters say of today, they say of that day."""

    as_of = DayFilter(label=_("As of"), widget=forms.HiddenInput, method="filter_later")

    def filter_queryset(self, queryset: Rows) -> Rows:
        self.today = self.form.cleaned_data.get("as_of") or self.today
        return super().filter_queryset(queryset)


def unit_filter() -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(
        label=_("Unit (incl. sub-units)"), queryset=Unit.objects.none(), method="filter_unit"
    )


def region_filter(label: Text) -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(label=label, queryset=Region.objects.none(), method="filter_region")


def regions_with(rows: QuerySet, region: str = "region") -> QuerySet:
    """Return the regions that hold one of ``rows``, also in a part of them. Regions are four levels deep at most."""
    levels = (region, *(f"{region}__{'__'.join(['parent'] * up)}" for up in (1, 2, 3)))
    found = (Exists(rows.order_by().filter(**{level: OuterRef("pk")})) for level in levels)
    return Region.objects.filter(reduce(or_, map(Q, found)))


Owned = TypeVar("Owned", ActivityQuerySet, AgreementQuerySet, DemandQuerySet, FacilityQuerySet, MilestoneQuerySet)


class OwnedFilterSet(ListFilterSet[Owned]):
    """Filters of a list whose rows have an owner."""

    OWNER: ClassVar[str] = "owner"

    mine = SwitchFilter(label=_("Only mine"), method="filter_mine")
    orphaned = SwitchFilter(label=_("Unassigned"), method="filter_orphaned")
    away = SwitchFilter(label=_("Owner away without a deputy"), method="filter_away")

    def filter_mine(self, queryset: Owned, name: str, value: str) -> Owned:
        return queryset.filter(**{self.OWNER: self.user})

    def filter_orphaned(self, queryset: Owned, name: str, value: str) -> Owned:
        return queryset.orphaned()

    def filter_away(self, queryset: Owned, name: str, value: str) -> Owned:
        return queryset.owner_away(self.today)


class ArrangedFilterSet(ListFilterSet[Rows]):
    """Filters of a list whose rows may name the organization that brought the parties together."""

    through = django_filters.CharFilter(label=_("Through (incl. its parts)"), method="filter_through", max_length=200)
    arranged_by = linked_filter(_("Through (incl. its parts)"), Organization, method="filter_arranged_by")

    def filter_through(self, queryset: Rows, name: str, value: str) -> Rows:
        return queryset.filter(through__in=Organization.objects.search(value).values("pk"))

    def filter_arranged_by(self, queryset: Rows, name: str, value: Organization) -> Rows:
        return queryset.filter(through__in=with_parts(value))


class ProgrammeCountedFilterSet(ListFilterSet[Rows]):
    """Filters of a list whose rows belong to programmes.

    ``of_programme`` finds all rows with its label. ``programme`` is set by a number of its progress, and finds exactly
    the rows counted there.
    """

    of_programme = django_filters.ModelChoiceFilter(
        label=_("Program"), queryset=Programme.objects.none(), method="filter_of_programme"
    )
    programme = django_filters.ModelChoiceFilter(
        label=_("Counted for the program"),
        queryset=Programme.objects.none(),
        widget=forms.HiddenInput,
        method="filter_programme",
    )

    def filter_of_programme(self, queryset: Rows, name: str, value: Programme) -> Rows:
        labelled = ProgrammeItem.objects.filter(programme=value)
        return queryset.filter(Exists(labelled.filter(**{queryset.model._meta.model_name: OuterRef("pk")})))

    def filter_programme(self, queryset: Rows, name: str, value: Programme) -> Rows:
        return queryset.filter(pk__in=self._counted_for(value).values("pk"))

    def _counted_for(self, programme: Programme) -> ScopedQuerySet:
        return measured(programme, measure_counting(self.queryset.model))

    def counted(self) -> ScopedQuerySet | None:
        """Return the rows of all units behind the number that led here, if one did."""
        programme = self.form.cleaned_data.get("programme")
        return self._counted_for(programme) if programme else None

    @property
    def hidden(self) -> int:
        counted = self.counted()
        return 0 if counted is None else hidden_count(counted, self.user)


class CountedFilterSet(ProgrammeCountedFilterSet[Rows]):
    """Filters of a list that the recorded number of a reported figure links to, too."""

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

    def filter_figure(self, queryset: Rows, name: str, value: ReportedFigure) -> Rows:
        counted = recorded(value)
        return queryset.none() if counted is None else queryset.filter(pk__in=counted.values("pk"))

    def counted(self) -> ScopedQuerySet | None:
        figure = self.form.cleaned_data.get("figure")
        return recorded(figure) if figure else super().counted()


def containing(queryset: Rows, words: str, *fields: str) -> Rows:
    """Return the rows with every word in one of ``fields``; for short catalogs, which have no search entries."""
    for word in words.split():
        queryset = queryset.filter(reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields)))
    return queryset
