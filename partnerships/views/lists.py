"""The list page: any list, filtered inside the person's scope, sorted, counted and paged; all of it in the address.

Two choices are kept in cookies of the browser: how dense the rows stand, and the columns of each list.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.lists import LISTS, RecordList
from partnerships.models import SavedView
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.views.citations import citations_of

PAGE_SIZES = (25, 50, 100, 200)
USUAL_PAGE_SIZE = 50
DENSITIES = ("comfortable", "compact")
YEAR = 365 * 24 * 60 * 60
# Longer addresses are not remembered: a cookie has a limit.
LONGEST_QUERY = 2000


@login_required
@require_safe
def list_page(request: UserRequest, key: str) -> HttpResponse:
    """Show one page of the list whose address is named ``key``."""
    if "density" in request.GET or "keep" in request.GET or any("" in values for _name, values in request.GET.lists()):
        return _at_clean_address(request, key)
    kept_columns = request.COOKIES.get(f"columns-{key}", "").split(".")
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
        "is_compact": request.COOKIES.get("density") == "compact",
        "may_export": may(request.user, "export"),
        "shown_query": _shown_query(listed),
    }
    response = render(request, "partnerships/list.html", context)
    _remember(request, response, key)
    return response


def _at_clean_address(request: UserRequest, key: str) -> HttpResponseRedirect:
    """Keep what the reader chose, and lead to the address without it and without empty parameters."""
    query = request.GET.copy()
    density, keep = query.pop("density", [""])[-1], query.pop("keep", [""])[-1]
    columns = query.pop("columns", []) if keep else []
    for name, values in list(query.lists()):
        query.setlist(name, [value for value in values if value])
    response = redirect(f"{request.path}?{query.urlencode()}" if any(query.values()) else request.path)
    if density in DENSITIES:
        _set_cookie(response, "density", density, max_age=YEAR)
    if keep == "columns":
        known = [column.name for column in LISTS[key].columns if column.name in columns]
        _set_cookie(response, f"columns-{key}", ".".join(known), path=reverse(key), max_age=YEAR)
    elif keep == "usual":
        response.delete_cookie(f"columns-{key}", path=reverse(key), samesite="Lax")
    return response


def _remember(request: UserRequest, response: HttpResponse, key: str) -> None:
    """Let the pages of the records, which lie below the list's address, lead back to the list as it stands."""
    query = request.GET.copy()
    query.pop("filters", None)
    address = query.urlencode()
    if len(address) <= LONGEST_QUERY:
        _set_cookie(response, f"seen-{key}", f"{request.user.pk}.{address}", path=reverse(key))


def _set_cookie(response: HttpResponse, name: str, value: str, *, path: str = "/", max_age: int | None = None) -> None:
    is_secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(name, value, max_age=max_age, path=path, secure=is_secure, httponly=True, samesite="Lax")


def _all_count(listed: RecordList, page: Page) -> int:
    """Return how many rows there are without any filter."""
    is_narrowed = listed.is_narrowed_at_first or listed.filterset.active
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
