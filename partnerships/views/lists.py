"""The list page: any list, filtered inside the person's scope, sorted, counted and paged; all of it in the address."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.lists import LISTS
from partnerships.models import SavedView
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.views.citations import citations_of

PAGE_SIZES = (25, 50, 100, 200)
USUAL_PAGE_SIZE = 50


@login_required
@require_safe
def list_page(request: UserRequest, key: str) -> HttpResponse:
    """Show one page of the list whose address is named ``key``."""
    listed = LISTS[key](request.GET, user=request.user, today=timezone.localdate())
    page = Paginator(listed.ids(), _page_size(request)).get_page(request.GET.get("page"))
    rows = listed.rows(page.object_list)
    context = {
        "list": listed,
        "filterset": listed.filterset,
        "page": page,
        "page_sizes": PAGE_SIZES,
        "rows": rows,
        "table": listed.table(rows, citations_of(rows)),
        "saved_views": SavedView.objects.filter(user=request.user, list=key),
        "may_export": may(request.user, "export"),
    }
    return render(request, "partnerships/list.html", context)


def _page_size(request: UserRequest) -> int:
    asked = request.GET.get("size", "")
    return int(asked) if asked in {str(size) for size in PAGE_SIZES} else USUAL_PAGE_SIZE
