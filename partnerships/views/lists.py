"""The one list page: filtered inside the person's scope, sorted, counted, paged; all of it in the address."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from partnerships.filtersets import ListFilterSet
from partnerships.views.citations import citations_of


@dataclass(frozen=True)
class Column:
    """A column's heading; ``order`` names the field it is sorted by, empty when it cannot be."""

    label: Any
    order: str = ""


class ListPage(LoginRequiredMixin, View):
    """Pages by ids first: the rows' columns are read for one page only, and the count has no joins."""

    http_method_names = ["get", "head", "options"]
    filterset_class: type[ListFilterSet]
    template_name: str
    columns: Sequence[Column]
    default_sort: str
    page_size = 50

    def get(self, request: HttpRequest) -> HttpResponse:
        today = timezone.localdate()
        filterset = self.filterset_class(request.GET, self.all_rows(), user=request.user, today=today)
        sort, is_known_sort = self._sort()
        ids = self._ordered(filterset.qs, sort).values_list("pk", flat=True)
        page = Paginator(ids, self.page_size).get_page(request.GET.get("page"))
        rows = self._in_order(list(page.object_list), today)
        context = {
            "filterset": filterset,
            "headings": self._headings(sort),
            "is_known_sort": is_known_sort,
            "page": page,
            "rows": rows,
            "today": today,
            "cited": citations_of(rows),
        }
        return render(request, self.template_name, context)

    def all_rows(self) -> QuerySet:
        model = self.filterset_model()
        return model.objects.visible_to(self.request.user)

    def filterset_model(self) -> Any:
        raise NotImplementedError

    def for_sorting(self, rows: QuerySet) -> QuerySet:
        """Adds what a column is sorted by, where that is not a field."""
        return rows

    def for_showing(self, rows: QuerySet, today: dt.date) -> QuerySet:
        """Adds what the rows of one page show."""
        return rows

    def _sort(self) -> tuple[str, bool]:
        asked = self.request.GET.get("sort", self.default_sort)
        if asked.removeprefix("-") in {column.order for column in self.columns if column.order}:
            return asked, True
        return self.default_sort, False

    def _ordered(self, rows: QuerySet, sort: str) -> QuerySet:
        field = F(sort.removeprefix("-"))
        is_descending = sort.startswith("-")
        order = field.desc(nulls_last=True) if is_descending else field.asc(nulls_last=True)
        # The id makes the order total: no row is shown on two pages or on none.
        return self.for_sorting(rows).order_by(order, "-pk" if is_descending else "pk")

    def _in_order(self, ids: list[int], today: dt.date) -> list[Any]:
        rows = self.for_showing(self.filterset_model().objects.filter(pk__in=ids), today)
        by_id = {row.pk: row for row in rows}
        return [by_id[pk] for pk in ids if pk in by_id]

    def _headings(self, sort: str) -> list[dict[str, Any]]:
        return [_heading(column, sort) for column in self.columns]


def _heading(column: Column, sort: str) -> dict[str, Any]:
    """Label, the sort its link asks for, and the direction it is sorted in now."""
    is_current = bool(column.order) and sort.removeprefix("-") == column.order
    direction = ("descending" if sort.startswith("-") else "ascending") if is_current else ""
    following = f"-{column.order}" if direction == "ascending" else column.order
    return {"label": column.label, "sort": following, "direction": direction}
