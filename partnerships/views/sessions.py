"""A person's own sessions: where they are logged in, and ending one or all others."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from partnerships.models import UserSession
from partnerships.requests import UserRequest
from partnerships.sessions import open_sessions
from partnerships.workflows.users import end_sessions


@login_required
@require_POST
def session_end(request: UserRequest, pk: str) -> HttpResponse:
    end_sessions([get_object_or_404(UserSession, user=request.user, pk=pk)], actor=request.user)
    messages.success(request, _("Ended. That browser has to log in again."))
    return _back()


@login_required
@require_POST
def session_end_others(request: UserRequest) -> HttpResponse:
    """End every session but the one of this browser."""
    found = open_sessions(request.user, current_key=request.session.session_key, now=timezone.now())
    others = [one.row for one in found if not one.is_current]
    end_sessions(others, actor=request.user)
    words = ngettext("%(count)d session ended.", "%(count)d sessions ended.", len(others))
    messages.success(request, words % {"count": len(others)})
    return _back()


def _back() -> HttpResponse:
    return redirect(reverse("me") + "#sessions")
