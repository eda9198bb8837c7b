"""The list page: any list, filtered inside the person's scope, sorted, counted and paged; all of it in the address.

The browser keeps how dense the rows stand and the columns of each list, see ``lists.memory``.
"""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.lists import LISTS, RecordList, memory
from partnerships.models import ColumnSet, SavedView
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.views.citations import citations_of

PAGE_SIZES = (25, 50, 100, 200)
USUAL_PAGE_SIZE = 50


@login_required
@require_safe
def list_page(request: UserRequest, key: str) -> HttpResponse:
    """Show one page of the list whose address is named ``key``."""
    if "density" in request.GET or "keep" in request.GET or any("" in values for _name, values in request.GET.lists()):
        return _at_clean_address(request, key)
    kept_columns = memory.kept_columns(request, key)
    listed = LISTS[key](request.GET, user=request.user, today=timezone.localdate(), kept_columns=kept_columns)
    asked = request.GET.get("page", "1")
    page = Paginator(listed.ids(), _page_size(request)).get_page(asked)
    rows = listed.rows(page.object_list)
    context = {
        "list": listed,
        "filterset": listed.filterset,
        "page": page,
        "missing_page": "" if asked == str(page.number) else asked,
        "page_sizes": PAGE_SIZES,
        "rows": rows,
        "table": listed.table(rows, citations_of(rows) if listed.has_sources else {}),
        "presets": listed.shown_presets(SavedView.objects.filter(user=request.user, list=key)),
        "all_count": _all_count(listed, page),
        "is_compact": memory.is_compact(request),
        "may_export": may(request.user, "export"),
        "shown_query": _shown_query(listed),
        "column_sets": ColumnSet.objects.visible_to(request.user).of_list(key),
    }
    response = render(request, "partnerships/list.html", context)
    memory.remember_address(request, response, key)
    return response


def _at_clean_address(request: UserRequest, key: str) -> HttpResponseRedirect:
    """Keep what the reader chose, and lead to the address without it and without empty parameters."""
    query = request.GET.copy()
    density, keep = query.pop("density", [""])[-1], query.pop("keep", [""])[-1]
    columns = query.pop("columns", []) if keep else []
    if query.get("size") == str(USUAL_PAGE_SIZE):
        query.pop("size")
    for name, values in list(query.lists()):
        query.setlist(name, [value for value in values if value])
    response = redirect(f"{request.path}?{query.urlencode()}" if any(query.values()) else request.path)
    memory.keep_density(response, density)
    if keep:
        memory.keep_columns(response, key, [one.name for one in LISTS[key].columns if one.name in columns])
    return response


def _all_count(listed: RecordList, page: Page) -> int:
    """Return how many rows there are without any filter."""
    is_narrowed = listed.is_narrowed_at_first or listed.filterset.active or listed.picked_count
    return listed.all_rows().count() if is_narrowed else page.paginator.count


def _shown_query(listed: RecordList) -> str:
    """Return the query of the address with the shown columns named, for what is saved or exported."""
    query = listed.data.copy()
    for gone in ("page", "filters"):
        query.pop(gone, None)
    query.setlist("columns", [column.name for column in listed.shown_columns])
    return query.urlencode()


def _page_size(request: UserRequest) -> int:
    asked = request.GET.get("size", "")
    return int(asked) if asked in {str(size) for size in PAGE_SIZES} else USUAL_PAGE_SIZE
