"""Saved views: the address of a list under a name."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from partnerships.forms.lists import SavedViewForm
from partnerships.lists import LISTS
from partnerships.models import SavedView
from partnerships.requests import UserRequest

AT_MOST = 30


def list_asked_for(request: UserRequest) -> tuple[str, str]:
    """Return the list that a form was sent from and its query string, without the page."""
    key = request.POST.get("list", "")
    if key not in LISTS:
        raise Http404
    query = QueryDict(request.POST.get("query", "").replace("\0", ""), mutable=True)
    query.pop("page", None)
    return key, query.urlencode()


def _view_asked_for(request: UserRequest) -> tuple[str, str]:
    """Return the list, of the pages or of the admin, that a form was sent from and its query string."""
    key = request.POST.get("list", "")
    if not (key.startswith("admin:partnerships_") and key.endswith("_changelist")):
        return list_asked_for(request)
    try:
        reverse(key)
    except NoReverseMatch as error:
        raise Http404 from error
    return key, request.POST.get("query", "").replace("\0", "")


@login_required
@require_POST
def saved_view_add(request: UserRequest) -> HttpResponse:
    """Save the address of a list; a name that exists already gets the new address."""
    key, query = _view_asked_for(request)
    back = redirect(f"{reverse(key)}?{query}")
    form = SavedViewForm({"name": request.POST.get("name", ""), "query": query})
    own = SavedView.objects.filter(user=request.user, list=key)
    if not form.is_valid():
        messages.error(request, " ".join(str(message) for errors in form.errors.values() for message in errors))
    elif own.exclude(name=form.cleaned_data["name"]).count() >= AT_MOST:
        messages.error(request, _("Thirty saved views are enough for one list; delete one first."))
    else:
        name = form.cleaned_data["name"]
        SavedView.objects.update_or_create(user=request.user, list=key, name=name, defaults={"query": query})
        messages.success(request, _("Saved as “%(name)s”.") % {"name": name})
    return back


@login_required
@require_POST
def saved_view_delete(request: UserRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=pk, user=request.user)
    view.delete()
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view})
    return redirect(view.list)
