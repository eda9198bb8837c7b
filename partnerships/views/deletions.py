"""The page that deletes what was entered by mistake, or says what still refers to it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partnerships.forms.deletions import DeletionForm, references_shown
from partnerships.forms.office_day import office_today
from partnerships.lists import LISTS
from partnerships.models import Contact, Payment
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.workflows.deletions import deletion_action


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_delete(request: UserRequest, pk: int, kind: str) -> HttpResponse:
    """``kind`` is ``contact``, or the beginning of a list's key, as in ``event_list``."""
    model: Any = Contact if kind == "contact" else LISTS[f"{kind}_list"].model
    row = visible_or_404(model.objects.all(), request, pk)
    return delete_page(request, row, back=row.get_absolute_url(), then=_after_deletion(row) or f"{kind}_list")


def delete_page(request: UserRequest, row: Any, *, back: str, then: str) -> HttpResponse:
    """Delete ``row`` and go on to ``then``; ``back`` is the address that the page is left to."""
    require_or_403(request.user, deletion_action(type(row)) or "", row)
    name, pk, is_stale = str(row), row.pk, False
    form = DeletionForm(request.POST or None, row=row, today=office_today(row))
    if request.method == "POST":
        if form.is_valid() and form.apply(request.user):
            messages.success(request, _("“%(name)s” is deleted.") % {"name": name})
            return redirect(then)
        row = get_object_or_404(type(row)._base_manager, pk=pk)
        is_stale = request.POST.get("version") not in (None, str(row.version))
    if is_stale:
        form.send_version_of(row)
    context = {"row": row, "name": name, "form": form, "back": back, "references": references_shown(row, request.user)}
    context["is_contact"] = isinstance(row, Contact)
    return render(request, "partnerships/delete.html", context, status=409 if is_stale else 200)


def _after_deletion(row: Any) -> str:
    """Return the page of what the deleted row belonged to; empty where it had a page of its own."""
    whole = row.organization if isinstance(row, Contact) else row.agreement if isinstance(row, Payment) else None
    return str(whole.get_absolute_url()) if whole else ""
