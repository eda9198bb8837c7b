"""Column sets: the columns of files that somebody outside asks for, in their order and under their headings."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.forms.column_sets import ColumnSetForm
from partnerships.lists import LISTS
from partnerships.models import ColumnSet
from partnerships.models.lists import RUNNING_NUMBER
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.edits import edit_page
from partnerships.workflows.column_sets import delete_column_set

# The list that most ledgers are made of.
USUAL_LIST = "agreement_list"


@login_required
@require_safe
def column_set_list(request: UserRequest) -> HttpResponse:
    """Show the sets by their list; ``?list=`` those of one list alone."""
    require_or_403(request.user, "export")
    asked = request.GET.get("list", "")
    found = ColumnSet.objects.visible_to(request.user).select_related("unit")
    found = found.of_list(asked) if asked in LISTS else found
    sets = [(one, may(request.user, "column_set.edit", one)) for one in found if one.list in LISTS]
    context = {
        "groups": [
            (key, LISTS[key].title, [(one, may_edit) for one, may_edit in sets if one.list == key])
            for key in sorted({one.list for one, _may in sets}, key=list(LISTS).index)
        ],
        "lists": [(key, one.title) for key, one in LISTS.items()],
        "asked": asked if asked in LISTS else "",
        "usual": asked if asked in LISTS else USUAL_LIST,
        "may_add": may(request.user, "column_set.edit"),
    }
    return render(request, "partnerships/column_sets/list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def column_set_add(request: UserRequest) -> HttpResponse:
    """Make a set for ``?list=``, from its shown columns, those that ``columns=`` names, or another set, ``copy=``."""
    require_or_403(request.user, "column_set.edit")
    key = request.GET.get("list", USUAL_LIST)
    if key not in LISTS:
        raise Http404
    new = ColumnSet(list=key, columns=_first_columns(request, key))
    copied = request.GET.get("copy", "")
    if copied.isdecimal() and len(copied) < 19:
        whole = visible_or_404(ColumnSet.objects.of_list(key), request, int(copied))
        new.columns, new.language, new.day_form = whole.columns, whole.language, whole.day_form
        new.name = _("%(name)s (copy)") % {"name": whole.name[:80]}
    form = ColumnSetForm(request.POST or None, user=request.user, instance=new, offered=_offered(key))
    return _form_page(request, None, form, key, _("New column set"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def column_set_edit(request: UserRequest, pk: int) -> HttpResponse:
    row = visible_or_404(ColumnSet.objects.all(), request, pk)
    require_or_403(request.user, "column_set.edit", row)
    if row.list not in LISTS:
        raise Http404
    form = ColumnSetForm(request.POST or None, user=request.user, instance=row, offered=_offered(row.list))
    return _form_page(request, row, form, row.list, _("Edit the column set"))


@login_required
@require_POST
def column_set_delete(request: UserRequest, pk: int) -> HttpResponse:
    row = visible_or_404(ColumnSet.objects.all(), request, pk)
    require_or_403(request.user, "column_set.edit", row)
    delete_column_set(row, actor=request.user)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": row.name})
    return redirect("column_set_list")


def _form_page(request: UserRequest, row: ColumnSet | None, form: ColumnSetForm, key: str, title: str) -> HttpResponse:
    back = f"{reverse('column_set_list')}?list={key}"
    form.list_title = str(LISTS[key].title)
    return edit_page(request, row, form, title=title, template="column_sets/form", back=back, then=back)


def _offered(key: str) -> Mapping[str, str]:
    return {column.name: str(column.heading) for column in LISTS[key].columns}


def _first_columns(request: UserRequest, key: str) -> list[dict[str, str]]:
    """Return a running number and the columns that the address names, or else those shown at first."""
    asked = set(request.GET.getlist("columns"))
    named = [
        column.name
        for column in LISTS[key].columns
        if (column.name in asked if asked else column.is_shown_at_first) or column.is_fixed
    ]
    return [{"column": name, "heading": "", "text": ""} for name in (RUNNING_NUMBER, *named)]
