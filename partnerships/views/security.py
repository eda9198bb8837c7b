"""The security log of system administrators and auditors."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403
from partnerships.views.lists import list_page


@login_required
@require_safe
def security_event_list(request: UserRequest) -> HttpResponse:
    require_or_403(request.user, "security.view")
    return list_page(request, "security_event_list")
