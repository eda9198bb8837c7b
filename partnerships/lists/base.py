"""The declaration of a list: its filters, columns, order and links, once for the page, the export and the numbers."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from django.db.models import Count, Model, Prefetch, Q, QuerySet
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


# The least width of a column in pixels; lists.css has a class for each. What is cut where it does not fit may be of any
# length; days, numbers and statuses always fit.
WIDTHS = {
    "title": 160,  # takes all the room that the others leave
    "name": 212,
    "text": 148,
    "short": 104,
    "person": 104,
    "status": 152,
    "day": 116,
    "due": 112,
    "ago": 104,
    "num": 80,
    "money": 144,
    "meter": 80,
    "moment": 152,
}
Width = Literal[
    "title", "name", "text", "short", "person", "status", "day", "due", "ago", "num", "money", "meter", "moment"
]  # the keys of ``WIDTHS``
NEVER_CUT = frozenset({"status", "day", "due", "ago", "num", "money", "meter", "moment"})
PICK_WIDTH = 40
ROOM = 1160  # of the page's content, at most
LEAST_STEP, MOST_LEAST = 100, 3000  # of the classes for the least width of a table


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of a list: its heading, its value as data, how it is shown, by what it sorts, and what it reads.

    ``name`` is part of addresses and never changes. ``value`` is what an export writes: text, a number, a day.
    ``sort`` is the field to sort by, empty when the column cannot be sorted.
    """

    name: str
    heading: Text
    value: Callable[[Row], object]
    sort: str = ""
    _: KW_ONLY
    # The HTML of the cell on a given day. Without one the value is shown as its type suggests.
    cell: Callable[[Row, dt.date], str] | None = None
    width: Width = "text"
    # Links to the page of the row and names it; one column of each list.
    is_row_title: bool = False
    # Shown whatever the reader chose.
    is_fixed: bool = False
    is_bold: bool = False
    # Fields whose citations stand beside the value; "" stands for the row as such.
    cites: tuple[str, ...] = ()
    # Left out of exports unless the user is coordinator, lead or office.
    is_personal: bool = False
    # Place on a phone, where each row is a card of three lines: "name due", "title", "status end". Empty: left out.
    phone: Literal["", "name", "due", "title", "status", "end"] = ""
    # The least width of a window that shows it, unless the reader chose the columns.
    from_width: Literal[0, 1024, 1400] = 0
    # Columns that are not shown at first can be chosen in the menu.
    is_shown_at_first: bool = True
    # Related rows that the value needs; a hidden column loads none of them.
    select: tuple[str, ...] = ()
    prefetch: tuple[str | Prefetch, ...] = ()
    add: Callable[[Any, User, dt.date], Any] | None = None

    @property
    def is_number(self) -> bool:
        return self.width in {"day", "ago", "num", "money", "moment"}


# The column of the intermediary, in the lists of agreements, activities and demands.
THROUGH: Column[Any] = Column(
    "through",
    pgettext_lazy("an intermediary", "Through"),
    lambda row: row.through,
    "through__name",
    is_shown_at_first=False,
    select=("through",),
)


class TableCell(NamedTuple):
    """One cell of the page: its column's heading, its HTML, its CSS classes, and its whole text where it may be cut."""

    heading: str
    html: SafeString
    css_class: str
    whole: str
    is_row_header: bool


class TableRow(NamedTuple):
    """One row of the page: its id, its name and its cells."""

    pk: int
    name: str
    cells: list[TableCell]


class Heading(NamedTuple):
    """The head of a column: the sort its link asks for, and the direction it is sorted in now."""

    label: Text
    sort: str
    direction: str
    css_class: str


class Preset(NamedTuple):
    """A view of a list that everybody has: its name, the query of its address, and whether its rows are counted."""

    label: Text
    query: str = ""
    is_counted: bool = False


class ShownPreset(NamedTuple):
    """A preset or saved view as the page shows it; ``pk`` is that of the saved view. ``number`` is None if not counted."""

    label: str
    query: str
    is_current: bool
    number: int | None = None
    pk: int | None = None


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
    # The views above the list; the first is the list as it opens.
    presets: ClassVar[Sequence[Preset]] = ()
    # The list leaves rows out before anybody sets a filter, so that all rows are counted beside those found.
    is_narrowed_at_first: ClassVar[bool] = False

    def __init__(self, data: QueryDict, *, user: User, today: dt.date, kept_columns: Collection[str] = ()) -> None:
        """``kept_columns`` are shown where the address names none."""
        self.data, self.user, self.today, self.kept_columns = data, user, today, kept_columns

    @cached_property
    def filterset(self) -> ListFilterSet[Any]:
        rows = self.all_rows()
        if picked := self.data.get("picked"):  # ids with dots between: the rows that were selected
            rows = rows.filter(
                pk__in=[int(pk) for pk in picked.split(".") if pk.isdecimal() and len(pk) < 19][:MOST_ROWS]
            )
        return self.filterset_class(self.data, rows, user=self.user, today=self.today)

    @property
    def picked_count(self) -> int:
        """Return how many rows were selected, of which the list shows no others; 0 where it shows all that are found."""
        return len(self.data.get("picked", "").split(".")) if "picked" in self.data else 0

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

    def for_showing(self, rows: Any, columns: Iterable[Column[Row]]) -> QuerySet:
        """Add what ``columns`` read, in a number of queries that does not grow with the rows."""
        select: list[str] = []
        for column in columns:
            select += column.select
            rows = column.add(rows, self.user, self.today) if column.add else rows
        # The same relation may be named by several columns.
        prefetch = {
            getattr(one, "to_attr", None) or str(getattr(one, "prefetch_through", one)): one
            for column in columns
            for one in column.prefetch
        }
        rows = rows.select_related(*select) if select else rows
        return rows.prefetch_related(*prefetch.values())

    def links(self) -> list[PageLink]:
        """Return the buttons beside the title."""
        return []

    def empty_links(self) -> list[PageLink]:
        """Return first steps for somebody whose list is still empty."""
        return []

    def add_link(self, label: Text, action: str) -> list[PageLink]:
        """Return the link to the page that adds a row, for those who may take ``action``."""
        if not may(self.user, action):
            return []
        return [PageLink(label, reverse(f"{self.model._meta.model_name}_add"))]

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
        in_filters = filterset.form.errors or filterset.unknown or filterset.reversed_ranges
        return bool(in_filters or self.unknown_columns or not self.is_known_sort)

    @property
    def beside_filters(self) -> list[tuple[str, str]]:
        """Return the parameters to keep when the filters change: all others but the page and the open form."""
        names = sorted(BESIDE_FILTERS - {"page", "filters"})
        return [(name, value) for name in names for value in self.data.getlist(name)]

    @property
    def filters_in_address(self) -> list[tuple[str, str]]:
        """Return the parameters to keep when the columns change: the filters."""
        names = [name for name in self.data if name not in BESIDE_FILTERS]
        return [(name, value) for name in names for value in self.data.getlist(name)]

    @cached_property
    def chosen_columns(self) -> set[str]:
        """Return the names of columns that the address or else the reader's choice names, as far as this list has them."""
        names = {column.name for column in self.columns}
        return names & set(self.data.getlist("columns") or self.kept_columns)

    @cached_property
    def shown_columns(self) -> list[Column[Row]]:
        """Return the columns to show, in their usual order; those that name the row are always there."""
        chosen = self.chosen_columns
        return [
            column
            for column in self.columns
            if column.is_fixed or (column.name in chosen if chosen else column.is_shown_at_first)
        ]

    @property
    def has_sources(self) -> bool:
        """Whether sources may say something about what is shown."""
        return any(column.cites for column in self.shown_columns)

    @property
    def table_class(self) -> str:
        """Return the CSS classes of the table: how wide it is at least, and whether it is to be scrolled sideways."""
        least = sum(WIDTHS[column.width] for column in self.shown_columns) + (PICK_WIDTH if self.bulk_acts else 0)
        if not self.chosen_columns:
            return ""
        step = min(least // LEAST_STEP * LEAST_STEP, MOST_LEAST)
        return f"least-{step} {'scrolls' if least > ROOM else 'scrolls-narrow'}"

    def usual_order(self) -> Sequence[Any]:
        """Return what the list is ordered by as long as nobody sorts it, where one column is not enough."""
        return ()

    def ids(self) -> QuerySet:
        """Return the ids in order. The id makes the order total, so that no row is on two pages or on none."""
        if "sort" not in self.data and (usual := self.usual_order()):
            return self.for_sorting(self.filterset.qs).order_by(*usual, "pk").values_list("pk", flat=True)
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

    def rows(self, ids: Iterable[int], columns: Sequence[Column[Row]] | None = None) -> list[Row]:
        """Return the rows of ``ids`` in that order with what ``columns`` read, by default the shown ones."""
        ids = list(ids)
        rows = self.model._default_manager.filter(pk__in=ids)
        found = list(self.for_showing(rows, self.shown_columns if columns is None else columns))
        hide_unseen(found, self.user)
        by_id = {row.pk: row for row in found}
        return [by_id[pk] for pk in ids if pk in by_id]

    def summary(self) -> str:
        """Return a sum over all rows that the filters leave, for the line above the table; empty without one."""
        return ""

    def shown_presets(self, saved: Iterable[Any]) -> list[ShownPreset]:
        """Return the presets and the saved views, each with whether it is what the page shows now."""
        asked = _as_asked(self.data)
        own = [ShownPreset(str(one), one.query, _as_asked(QueryDict(one.query)) == asked, pk=one.pk) for one in saved]
        counts = self._preset_counts()
        given = [
            ShownPreset(str(one.label), one.query, _as_asked(QueryDict(one.query)) == asked, counts.get(one.query))
            for one in self.presets
        ]
        return [*given, *own]

    def _preset_counts(self) -> dict[str, int]:
        """Return the number of rows of the counted presets by their query, all in one query."""
        counted = [one.query for one in self.presets if one.is_counted]
        if not counted:
            return {}
        found = {
            f"of_{number}": Count("pk", filter=Q(pk__in=self._ids_of(query))) for number, query in enumerate(counted)
        }
        return dict(zip(counted, self.all_rows().order_by().aggregate(**found).values(), strict=True))

    def _ids_of(self, query: str) -> QuerySet:
        filterset = self.filterset_class(QueryDict(query), self.all_rows(), user=self.user, today=self.today)
        return filterset.qs.order_by().values("pk")

    @property
    def is_preset(self) -> bool:
        """Whether the page shows a preset or the list as it opens, which is not worth saving."""
        asked = _as_asked(self.data)
        return not asked or any(_as_asked(QueryDict(one.query)) == asked for one in self.presets)

    def headings(self) -> list[Heading]:
        return [self._heading(column) for column in self.shown_columns]

    def table(self, rows: Iterable[Row], cited: Cited) -> list[TableRow]:
        """Return the cells of each row. ``cited`` holds the citations of the rows."""
        columns = [(column, str(column.heading), self._css_class(column)) for column in self.shown_columns]
        return [TableRow(row.pk, str(row), [self._cell(row, *column, cited) for column in columns]) for row in rows]

    def _heading(self, column: Column[Row]) -> Heading:
        is_current = bool(column.sort) and self.sort.removeprefix("-") == column.sort
        direction = ("descending" if self.sort.startswith("-") else "ascending") if is_current else ""
        following = f"-{column.sort}" if direction == "ascending" else column.sort
        return Heading(column.heading, following, direction, self._css_class(column))

    def _css_class(self, column: Column[Row]) -> str:
        classes = [
            f"w-{column.width}",
            "num" if column.is_number else "",
            "cut" if column.width not in NEVER_CUT else "",
            "bold" if column.is_bold else "",
            f"phone-{column.phone or 'none'}",
            f"from-{column.from_width}" if column.from_width and not self.chosen_columns else "",
        ]
        return " ".join(filter(None, classes))

    def _cell(self, row: Row, column: Column[Row], heading: str, css_class: str, cited: Cited) -> TableCell:
        value = self._value(row, column)
        beside = cells.citations(cited, row, column.cites) if column.cites else cells.EMPTY
        html = cells.joined([value or cells.DASH, beside]) if beside else value
        whole = "" if column.width in NEVER_CUT else _text(column.value(row))
        if not html:
            return TableCell(heading, cells.DASH, f"{css_class} blank", "", is_row_header=False)
        return TableCell(heading, html, css_class, whole, column.is_row_title)

    def _value(self, row: Row, column: Column[Row]) -> SafeString:
        if column.cell is not None:
            return cells.show(column.cell(row, self.today))
        if column.is_row_title:
            return cells.row_title(row, column.value(row))  # type: ignore[arg-type]  # rows of lists have pages
        return cells.show(column.value(row))


def _as_asked(data: QueryDict) -> list[tuple[str, list[str]]]:
    """Return what an address asks for, whatever the page, the columns and the size: filters and order."""
    return sorted((name, values) for name, values in data.lists() if name == "sort" or name not in BESIDE_FILTERS)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def organizations_of(links: Iterable[Any]) -> str:
    """Return all organizations by name, for a cell of an export."""
    return "; ".join(str(link.organization) for link in links)
