"""The choices of a field while a user types in it, and a new row for what it does not find."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import reswap, retarget

from partnerships.forms.lines import LOOK, is_shown_again
from partnerships.forms.organizations import ContactInPlaceForm, OrganizationInPlaceForm
from partnerships.forms.picks import PICKS, PickField, may_add, offered, options_for
from partnerships.models import Contact, Organization
from partnerships.requests import UserRequest
from partnerships.texts import LazyText

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
    context = options_for(kind, rows, words=words, chosen=chosen, adds=field.adds and "adds" in request.GET)
    context |= {"name": name, "id": _into(request, name), "is_required": request.GET.get("required") == "yes"}
    return render(request, "partnerships/_pick_options.html", context)


def _into(request: UserRequest, name: str) -> str:
    """Return the id of the field that gets the choice; it is part of a selector, so nothing else is taken."""
    into = request.GET.get("into", "")
    return into if _NAME.fullmatch(into) else name


class Addition(NamedTuple):
    """The form that adds a row of one kind from a field, and its title."""

    form: type[OrganizationInPlaceForm] | type[ContactInPlaceForm]
    title: LazyText


ADDITIONS: Mapping[str, Addition] = {
    "organization": Addition(OrganizationInPlaceForm, gettext_lazy("Add an organization")),
    "contact": Addition(ContactInPlaceForm, gettext_lazy("Add a person")),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pick_add(request: UserRequest, kind: str) -> HttpResponse:
    """Add what the field ``?field=`` did not find, named ``?name=``, and choose it there.

    A script shows this in a dialog. Without one, the form that has the field is sent here and travels along in ``held``
    until the row is added; then it is sent back to where it came from, with the new row chosen.
    """
    name = request.GET.get("field", "")
    if kind not in ADDITIONS or not _NAME.fullmatch(name):
        raise Http404(f"nothing to add to a choice of {kind}")
    if not may_add(kind, request.user):
        raise PermissionDenied
    is_sent = request.method == "POST" and "adding" in request.POST
    form = _form(request, kind, request.POST if is_sent else None)
    if is_sent and is_shown_again(request.POST):
        form.hide_errors()
    elif is_sent and form.is_valid():
        with transaction.atomic():
            added = form.apply(request.user)
        if added is not None:
            return _choose(request, kind, name, added)
    context = {
        "form": form,
        "title": ADDITIONS[kind].title,
        "address": request.get_full_path(),
        "held": _held(request, is_sent=is_sent),
        "page": _page(request, is_sent=is_sent),
        "has_files": bool(request.FILES),
    }
    return render(request, f"partnerships/picks/{'_add' if request.htmx else 'add'}.html", context)


def _form(request: UserRequest, kind: str, data: QueryDict | None) -> OrganizationInPlaceForm | ContactInPlaceForm:
    name = request.GET.get("name", "")[:200]
    column = "name" if kind == "contact" or name.isascii() else "name_zh"
    return ADDITIONS[kind].form(data, user=request.user, initial={column: name}, auto_id="added_%s")


def _held(request: UserRequest, *, is_sent: bool) -> str:
    """Return the fields of the form that waits, as one text."""
    if is_sent:
        return str(request.POST.get("held", ""))
    waiting = request.POST.copy()
    for name in ("csrfmiddlewaretoken", LOOK):
        waiting.pop(name, None)
    return waiting.urlencode()


def _page(request: UserRequest, *, is_sent: bool) -> str:
    """Return the address of the page whose form waits; empty if the browser did not say where it came from."""
    if is_sent:
        return str(request.POST.get("page", ""))
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    parts = urlsplit(came_from)
    return parts._replace(scheme="", netloc="", fragment="").geturl() if came_from and is_ours else ""


def _choose(request: UserRequest, kind: str, name: str, added: Organization | Contact) -> HttpResponse:
    """Show the field with the new row chosen; without a script, the form that waits, to be sent back."""
    if request.htmx:
        rows, words = offered(kind, request.user), request.GET.get("name", "")
        chosen = rows.filter(pk=added.pk).first() or added
        context = options_for(kind, rows, words=words, chosen=chosen)
        into = _into(request, name)
        context |= {"name": name, "id": into, "is_required": request.GET.get("required") == "yes"}
        answer = render(request, "partnerships/_pick_options.html", context)
        return reswap(retarget(answer, f"#{into}_choices"), "innerHTML")
    page = request.POST.get("page", "")
    if not url_has_allowed_host_and_scheme(page, None) or not page.startswith("/"):
        messages.success(request, _("Saved."))
        return redirect(added.get_absolute_url())
    waiting = QueryDict(request.POST.get("held", ""), mutable=True)
    waiting[name] = str(added.pk)
    fields = [(key, value) for key, values in waiting.lists() for value in values]
    return render(request, "partnerships/picks/added.html", {"added": added, "page": page, "fields": fields})
