"""What a list is, whoever shows it: the page, an export made by the worker, a number that opens it."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import F, Model, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property

from partnerships.filtersets import BESIDE_FILTERS, ListFilterSet


@dataclass(frozen=True)
class Column:
    """``name`` stands in addresses and never changes; ``value`` is what a row has there, as data: text, number or day.

    ``order`` names the field it is sorted by, empty when it cannot be. What ``is_personal`` leaves the system only with
    those who work with it, never with viewers.
    """

    name: str
    label: Any
    value: Callable[[Any], Any]
    order: str = ""
    is_personal: bool = False


class RowList:
    """The rows of one address, inside what one person may see, on one day.

    Ids come first: the columns are read for the rows that are shown, and the count has no joins.
    """

    key: ClassVar[str]  # the name of the list's address
    model: ClassVar[type[Model]]
    filterset_class: ClassVar[type[ListFilterSet]]
    columns: ClassVar[Sequence[Column]]
    default_sort: ClassVar[str]

    def __init__(self, data: QueryDict, *, user: Any, today: dt.date) -> None:
        self.data, self.user, self.today = data, user, today

    @cached_property
    def filterset(self) -> ListFilterSet:
        return self.filterset_class(self.data, self.all_rows(), user=self.user, today=self.today)

    def all_rows(self) -> QuerySet:
        return self.model.objects.visible_to(self.user)  # type: ignore[attr-defined]

    def for_sorting(self, rows: QuerySet) -> QuerySet:
        """Adds what a column is sorted by, where that is not a field."""
        return rows

    def for_showing(self, rows: QuerySet) -> QuerySet:
        """Adds what the columns of the shown rows read."""
        return rows

    @property
    def is_known_sort(self) -> bool:
        asked = self.data.get("sort")
        return asked is None or asked.removeprefix("-") in {column.order for column in self.columns if column.order}

    @property
    def sort(self) -> str:
        return self.data.get("sort", self.default_sort) if self.is_known_sort else self.default_sort

    @property
    def unknown_columns(self) -> list[str]:
        names = {column.name for column in self.columns}
        return [name for name in self.data.getlist("columns") if name not in names]

    @property
    def beside_filters(self) -> list[tuple[str, str]]:
        """What the address says besides filters and the page: kept when the filters change."""
        names = sorted(BESIDE_FILTERS - {"page"})
        return [(name, value) for name in names for value in self.data.getlist(name)]

    @property
    def filters_in_address(self) -> list[tuple[str, str]]:
        """The filters as they stand in the address: kept when the columns change."""
        names = [name for name in self.data if name not in BESIDE_FILTERS]
        return [(name, value) for name in names for value in self.data.getlist(name)]

    @property
    def shown(self) -> list[Column]:
        """The columns asked for, in their usual order; the first, which names the row, is always there."""
        asked = set(self.data.getlist("columns")) - set(self.unknown_columns)
        if not asked:
            return list(self.columns)
        return [self.columns[0], *(column for column in self.columns[1:] if column.name in asked)]

    def ids(self) -> QuerySet:
        """In order; the id makes the order total, so that no row is shown on two pages or on none."""
        if self.sort.removeprefix("-") == "pk":  # with "nulls last" no database would walk its key
            return self.filterset.qs.order_by(self.sort).values_list("pk", flat=True)
        field, is_descending = F(self.sort.removeprefix("-")), self.sort.startswith("-")
        order = field.desc(nulls_last=True) if is_descending else field.asc(nulls_last=True)
        rows = self.for_sorting(self.filterset.qs).order_by(order, "-pk" if is_descending else "pk")
        return rows.values_list("pk", flat=True)

    def rows(self, ids: Iterable[int]) -> list[Any]:
        """The rows of ``ids`` in that order, in a number of queries that does not grow with them."""
        ids = list(ids)
        found = self.for_showing(self.model._default_manager.filter(pk__in=ids))
        by_id = {row.pk: row for row in found}
        return [by_id[pk] for pk in ids if pk in by_id]


def organizations_of(links: Iterable[Any]) -> str:
    """All of them by name, for a cell of a table."""
    return "; ".join(str(link.organization) for link in links)
