"""The choices of a field while a user types in it: the same rows as on the page."""

import re

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.forms.picks import PICKS, PickField, options_for
from partnerships.requests import UserRequest

_NAME = re.compile(r"[a-z_0-9-]{1,60}", re.ASCII)


@login_required
@require_safe
def pick(request: UserRequest, kind: str) -> HttpResponse:
    """Return the options of the field ``?field=``; its words and choice are in the address as in its form."""
    name = request.GET.get("field", "")
    if kind not in PICKS or not _NAME.fullmatch(name):
        raise Http404(f"no choice of {kind}")
    field = PickField(kind)
    field.offer_to(request.user)
    rows = field.queryset
    assert rows is not None  # offer_to() has just set it
    words, chosen = request.GET.get(f"{name}-words", ""), field.row_or_none(request.GET.get(name, ""))
    context = options_for(kind, rows, words=words, chosen=chosen)
    context |= {"name": name, "is_required": request.GET.get("required") == "yes"}
    return render(request, "partnerships/_pick_options.html", context)
