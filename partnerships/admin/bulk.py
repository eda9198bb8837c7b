"""Actions of the admin's lists: the acts on many rows that the pages have, on the same page with its preview."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from partnerships.lists import LISTS
from partnerships.permissions import may
from partnerships.requests import user_of
from partnerships.workflows.bulk import bulk_kinds

if TYPE_CHECKING:
    from partnerships.admin.base import PageBase
else:
    PageBase = object

# The rows travel in the address of the page, which servers cut at 4,000 characters.
MOST_ROWS = 300


class BulkActionsMixin(PageBase):
    """The list's actions: each leads to the page that previews it, and from there back to the list."""

    @property
    def bulk_list(self) -> str | None:
        """Return the list of the pages with the same records, which acts on them and exports them; None if there is none."""
        records = self.model._meta.concrete_model
        return next((key for key, shown in LISTS.items() if shown.model is records), None)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if IS_POPUP_VAR in request.GET or self.bulk_list is None:
            return {}
        user = user_of(request)
        offered = {kind.key: kind.label for kind in bulk_kinds(user, self.model)}
        if may(user, "export"):
            offered["export"] = _("Export")
        return {name: (_open_page, name, label) for name, label in offered.items()}


def _open_page(admin: BulkActionsMixin, request: HttpRequest, rows: QuerySet) -> HttpResponse:
    ids = list(rows.values_list("pk", flat=True)[: MOST_ROWS + 1])
    back = request.get_full_path()
    if len(ids) > MOST_ROWS:
        messages.error(request, _("At most %(count)s rows at once.") % {"count": MOST_ROWS})
        return HttpResponseRedirect(back)
    query = {"act": request.POST["action"], "chosen": " ".join(map(str, ids)), "next": back}
    return HttpResponseRedirect(f"{reverse('bulk', args=[admin.bulk_list])}?{urlencode(query)}")
