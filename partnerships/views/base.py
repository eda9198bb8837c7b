"""Helpers of all pages: visible rows or 404, and permission or 403 with the reason."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from partnerships.models import User
from partnerships.models.users import ScopedQuerySet
from partnerships.operations.security_log import note_hidden
from partnerships.permissions import refusal
from partnerships.requests import UserRequest


def visible_or_404(rows: ScopedQuerySet, request: UserRequest, pk: int) -> Any:
    """Return the row ``pk`` of ``rows``; 404 if it lies outside the person's scope."""
    try:
        return get_object_or_404(rows.visible_to(request.user), pk=pk)
    except Http404:
        note_hidden(rows.model, pk)
        raise


def require_or_403(user: User, action: str, row: Any = None) -> None:
    reason = refusal(user, action, row)
    if reason is not None:
        raise PermissionDenied(str(reason))


def keep_private(response: HttpResponseBase) -> None:
    """Forbid caches to keep a file that holds what this one person may see, and browsers to guess its type."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"


def has_a_place(user: User) -> bool:
    """Whether the person has a role anywhere, so that pages have something to show them."""
    return user.sees_all_units or bool(user.scope.roles)
