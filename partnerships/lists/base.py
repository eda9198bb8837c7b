"""The declaration of a list: its filters, columns, order and links, once for the page, the export and the numbers."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.cells import Cited, Text
from partnerships.lists.filters import BESIDE_FILTERS, ListFilterSet
from partnerships.models import User, hide_unseen
from partnerships.models.sort_keys import ByName, order_by_column
from partnerships.permissions import may, may_enter_admin
from partnerships.workflows.bulk import MOST_ROWS, BulkKind, bulk_kinds

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of a list: its heading, its value as data, how it is shown and by what it sorts.

    ``name`` is part of addresses and never changes. ``value`` is what an export writes: text, a number, a day.
    ``sort`` is the field to sort by, empty when the column cannot be sorted.
    """

    name: str
    heading: Text
    value: Callable[[Row], object]
    sort: str = ""
    _: KW_ONLY
    # The HTML of the cell on a given day. Without one the value is shown as its type suggests; the first column links.
    cell: Callable[[Row, dt.date], str] | None = None
    # A second line in small print; nothing is added where it is empty.
    below: Callable[[Row], object] | None = None
    # Fields whose citations stand beside the value; "" stands for the row as such.
    cites: tuple[str, ...] = ()
    css_class: str = ""
    # Left out of exports unless the user is coordinator, lead or office.
    is_personal: bool = False
    # Phones show one card per row and leave these columns out, unless the reader chose the columns.
    is_on_phone: bool = True
    # Columns that are not shown at first can be chosen in the menu; exports write them always.
    is_shown_at_first: bool = True


# The column of the intermediary, in the lists of agreements, activities and demands.
THROUGH: Column[Any] = Column(
    "through",
    pgettext_lazy("an intermediary", "Through"),
    lambda row: row.through,
    "through__name",
    is_shown_at_first=False,
)


class TableCell(NamedTuple):
    """One cell of the page: its column's heading, its HTML and its CSS classes."""

    heading: str
    html: SafeString
    css_class: str


class Heading(NamedTuple):
    """The head of a column: the sort its link asks for, and the direction it is sorted in now."""

    label: Text
    sort: str
    direction: str
    css_class: str


class PageLink(NamedTuple):
    """A link beside a list."""

    label: Text
    url: str
    is_main: bool = False


class RecordList(Generic[Row]):
    """The rows of one address that one person may see on one day.

    Ids are selected first, without joins. What the columns read is then fetched for the shown rows alone.
    """

    key: ClassVar[str]  # the name of the list's address
    title: ClassVar[Text]
    caption: ClassVar[Text]  # says to screen readers what the table holds
    intro: ClassVar[Text] = ""
    empty: ClassVar[Text] = _("There is nothing here yet.")
    model: type[Row]
    filterset_class: ClassVar[type[ListFilterSet[Any]]]
    columns: Sequence[Column[Row]]
    default_sort: ClassVar[str]

    def __init__(self, data: QueryDict, *, user: User, today: dt.date) -> None:
        self.data, self.user, self.today = data, user, today

    @cached_property
    def filterset(self) -> ListFilterSet[Any]:
        rows = self.all_rows()
        if picked := self.data.get("picked"):  # ids with dots between: the rows that were selected
            rows = rows.filter(
                pk__in=[int(pk) for pk in picked.split(".") if pk.isdecimal() and len(pk) < 19][:MOST_ROWS]
            )
        return self.filterset_class(self.data, rows, user=self.user, today=self.today)

    @cached_property
    def bulk_acts(self) -> list[BulkKind]:
        """Return what the user may do with selected rows; empty where the rows have no boxes."""
        return bulk_kinds(self.user, self.model)

    def all_rows(self) -> QuerySet:
        return self.model.objects.visible_to(self.user)  # type: ignore[attr-defined]

    @property
    def is_of_all_units(self) -> bool:
        """Whether the user sees the rows of every unit in it."""
        rows: Any = self.model._default_manager.all()
        return self.user.sees_all_units or rows.in_scope(self.user) == Q()

    def for_sorting(self, rows: Any) -> QuerySet:
        """Add what a column is sorted by, where that is not a field."""
        return rows

    def for_showing(self, rows: Any) -> QuerySet:
        """Add what the columns read, in a fixed number of queries."""
        return rows

    def intro_links(self) -> list[PageLink]:
        """Return links that end the introduction."""
        return []

    def links(self) -> list[PageLink]:
        """Return the buttons beside the title."""
        return []

    def empty_links(self) -> list[PageLink]:
        """Return first steps for somebody whose list is still empty."""
        return []

    def admin_link(self, label: Text, action: str) -> list[PageLink]:
        """Return the link to the admin's form for a new row, for those who enter the admin and may take ``action``."""
        if not may_enter_admin(self.user) or not may(self.user, action):
            return []
        return [PageLink(label, reverse(f"admin:partnerships_{self.model._meta.model_name}_add"))]

    @property
    def is_known_sort(self) -> bool:
        asked = self.data.get("sort")
        return asked is None or asked.removeprefix("-") in {column.sort for column in self.columns if column.sort}

    @property
    def sort(self) -> str:
        return self.data.get("sort", self.default_sort) if self.is_known_sort else self.default_sort

    @property
    def unknown_columns(self) -> list[str]:
        names = {column.name for column in self.columns}
        return [name for name in self.data.getlist("columns") if name not in names]

    @property
    def has_problems(self) -> bool:
        """Whether something in the address could not be applied."""
        filterset = self.filterset
        return bool(filterset.form.errors or filterset.unknown or self.unknown_columns or not self.is_known_sort)

    @property
    def beside_filters(self) -> list[tuple[str, str]]:
        """Return the parameters to keep when the filters change: all others but the page."""
        names = sorted(BESIDE_FILTERS - {"page"})
        return [(name, value) for name in names for value in self.data.getlist(name)]

    @property
    def filters_in_address(self) -> list[tuple[str, str]]:
        """Return the parameters to keep when the columns change: the filters."""
        names = [name for name in self.data if name not in BESIDE_FILTERS]
        return [(name, value) for name in names for value in self.data.getlist(name)]

    @cached_property
    def chosen_columns(self) -> set[str]:
        """Return the names of columns in the address, as far as this list has them."""
        return set(self.data.getlist("columns")) - set(self.unknown_columns)

    @cached_property
    def shown_columns(self) -> list[Column[Row]]:
        """Return the columns to show, in their usual order; the first one names the row and is always there."""
        first, *others = self.columns
        chosen = self.chosen_columns
        return [
            first,
            *(column for column in others if (column.name in chosen if chosen else column.is_shown_at_first)),
        ]

    def ids(self) -> QuerySet:
        """Return the ids in order. The id makes the order total, so that no row is on two pages or on none."""
        # With NULLS LAST the database would sort all rows instead of reading the index of the primary key.
        if self.sort.removeprefix("-") == "pk":
            return self.filterset.qs.order_by(self.sort).values_list("pk", flat=True)
        column, is_descending = order_by_column(self.model, self.sort.removeprefix("-")), self.sort.startswith("-")
        # Nor with it for the rows' own names, which are never null.
        is_own_name = isinstance(column, ByName) and not column.path
        nulls = {} if is_own_name else {"nulls_last": True}
        order = column.desc(**nulls) if is_descending else column.asc(**nulls)
        rows = self.for_sorting(self.filterset.qs).order_by(order, "-pk" if is_descending else "pk")
        return rows.values_list("pk", flat=True)

    def rows(self, ids: Iterable[int]) -> list[Row]:
        """Return the rows of ``ids`` in that order, in a number of queries that does not grow with them."""
        ids = list(ids)
        found = list(self.for_showing(self.model._default_manager.filter(pk__in=ids)))
        hide_unseen(found, self.user)
        by_id = {row.pk: row for row in found}
        return [by_id[pk] for pk in ids if pk in by_id]

    def summary(self) -> str:
        """Return a sum over all rows that the filters leave, for the line above the table; empty without one."""
        return ""

    def headings(self) -> list[Heading]:
        return [self._heading(column) for column in self.shown_columns]

    def table(self, rows: Iterable[Row], cited: Cited) -> list[list[TableCell]]:
        """Return the cells of each row. ``cited`` holds the citations of the rows."""
        columns = [(column, str(column.heading), self._css_class(column)) for column in self.shown_columns]
        return [[self._cell(row, *column, cited) for column in columns] for row in rows]

    def _heading(self, column: Column[Row]) -> Heading:
        is_current = bool(column.sort) and self.sort.removeprefix("-") == column.sort
        direction = ("descending" if self.sort.startswith("-") else "ascending") if is_current else ""
        following = f"-{column.sort}" if direction == "ascending" else column.sort
        return Heading(column.heading, following, direction, column.css_class)

    def _css_class(self, column: Column[Row]) -> str:
        leaves_phone = not column.is_on_phone and not self.chosen_columns
        return f"{column.css_class} not-on-phone".strip() if leaves_phone else column.css_class

    def _cell(self, row: Row, column: Column[Row], heading: str, css_class: str, cited: Cited) -> TableCell:
        is_first = column is self.columns[0]
        value = self._value(row, column, is_first=is_first)
        beside = [cells.sample(row)] if is_first else []
        if column.cites:
            beside.append(cells.citations(cited, row, column.cites))
        html = cells.joined([value or cells.DASH, *beside]) if any(beside) else value
        if column.below and (line := column.below(row)):
            html = cells.joined([html, cells.small_line(line)], "")
        return (
            TableCell(heading, html, css_class)
            if html
            else TableCell(heading, cells.DASH, f"{css_class} blank".strip())
        )

    def _value(self, row: Row, column: Column[Row], *, is_first: bool) -> SafeString:
        if column.cell is not None:
            return cells.show(column.cell(row, self.today))
        if is_first:
            return cells.row_title(row, column.value(row))  # type: ignore[arg-type]  # rows of lists have pages
        return cells.show(column.value(row))


def organizations_of(links: Iterable[Any]) -> str:
    """Return all organizations by name, for a cell of an export."""
    return "; ".join(str(link.organization) for link in links)
