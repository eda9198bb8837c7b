"""The one list page: filtered inside the person's scope, sorted, counted, paged; all of it in the address."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from partnerships.lists import RowList
from partnerships.lists.base import Column
from partnerships.models import SavedView
from partnerships.permissions import may
from partnerships.views.citations import citations_of

PAGE_SIZES = (25, 50, 100, 200)


class ListPage(LoginRequiredMixin, View):
    http_method_names = ["get", "head", "options"]
    rows_class: type[RowList]
    template_name: str
    page_size = 50

    def get(self, request: HttpRequest) -> HttpResponse:
        listed = self.rows_class(request.GET, user=request.user, today=timezone.localdate())
        page = Paginator(listed.ids(), self._page_size()).get_page(request.GET.get("page"))
        rows = listed.rows(page.object_list)
        context = {
            "list": listed,
            "filterset": listed.filterset,
            "headings": [_heading(column, listed.sort) for column in listed.columns],
            "hidden": _hidden(listed),
            "page": page,
            "page_sizes": PAGE_SIZES,
            "rows": rows,
            "today": listed.today,
            "cited": citations_of(rows),
            "saved_views": SavedView.objects.filter(user=request.user, list=listed.key),
            "may_export": may(request.user, "export"),
        }
        context |= self.context_beside(listed)
        return render(request, self.template_name, context)

    def context_beside(self, listed: RowList) -> dict[str, Any]:
        """What one list has beside its rows."""
        return {}

    def _page_size(self) -> int:
        asked = self.request.GET.get("size", "")
        return int(asked) if asked in {str(size) for size in PAGE_SIZES} else self.page_size


def _heading(column: Column, sort: str) -> dict[str, Any]:
    """Label, the sort its link asks for, and the direction it is sorted in now."""
    is_current = bool(column.order) and sort.removeprefix("-") == column.order
    direction = ("descending" if sort.startswith("-") else "ascending") if is_current else ""
    following = f"-{column.order}" if direction == "ascending" else column.order
    return {"label": column.label, "sort": following, "direction": direction}


def _hidden(listed: RowList) -> str:
    """Classes of the table: the numbers of the columns that are not shown."""
    shown = set(listed.shown)
    return " ".join(f"without-{number}" for number, column in enumerate(listed.columns, 1) if column not in shown)
