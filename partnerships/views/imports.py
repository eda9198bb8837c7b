"""Imports of spreadsheets: choose a file, see what would come of it, mend it, import it, undo it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.exceptions import DomainError
from partnerships.forms.imports import CHOSEN, ImportForm
from partnerships.imports import acts
from partnerships.imports.kinds import KINDS
from partnerships.imports.preview import (
    ADDED,
    added_by_rows,
    added_facets,
    columns_shown,
    decisions_from,
    default_fields,
    field_options,
    may_see_results,
    problem_groups,
    requested_choices,
    row_shown,
    rows_with_problem,
    values_shown,
    without_results,
)
from partnerships.imports.rejected import write_rejected
from partnerships.imports.templates import write_template
from partnerships.imports.undo import expected_undo
from partnerships.models import Import, ImportKind, ImportRecipe, ImportRow, RowOutcome, RowUndo
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.statuses import ImportStatus
from partnerships.views.base import keep_private, require_or_403, visible_or_404

IMPORTS_A_PAGE = 50
ROWS_A_PAGE = 50
LONGEST_RECIPE_NAME = ImportRecipe._meta.get_field("name").max_length
SECTIONS = {
    "rows": pgettext_lazy("import", "Rows"),
    "columns": pgettext_lazy("import", "Columns"),
    "values": gettext_lazy("Values"),
    "rules": gettext_lazy("Rules"),
}
OPEN = acts.OPEN
ACTS: Mapping[str, Callable[..., Import]] = {
    "check": acts.ask_for_check,
    "commit": acts.ask_for_commit,
    "undo": acts.ask_for_undo,
    "again": acts.start_again,
}


@login_required
@require_safe
def import_list(request: UserRequest) -> HttpResponse:
    require_or_403(request.user, "import.run")
    found = Import.objects.visible_to(request.user).select_related("unit", "created_by")
    page = Paginator(found, IMPORTS_A_PAGE).get_page(request.GET.get("page"))
    recipes = ImportRecipe.objects.visible_to(request.user).select_related("owner")
    context = {"page": page, "recipes": recipes, "requests": requested_choices(request.user)}
    return render(request, "partnerships/imports/list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_add(request: UserRequest) -> HttpResponse:
    """Choose a file. It is checked at once; nothing is imported by that."""
    require_or_403(request.user, "import.run")
    initial = {"kind": request.GET.get("kind", "register")}
    form = ImportForm(request.POST or None, request.FILES or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        imported = form.apply(request.user)
        if imported:
            acts.start_run(imported)
            return redirect(imported)
    kinds = [(kind.value, kind.label) for kind in ImportKind]
    context = {"form": form, "title": _("Import a spreadsheet"), "back": reverse("import_list"), "kinds": kinds}
    return render(request, "partnerships/imports/add.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def import_template(request: UserRequest, kind: str) -> FileResponse:
    """Download an empty spreadsheet for rows of a kind, with its columns explained."""
    require_or_403(request.user, "import.run")
    if kind not in ImportKind.values:
        raise Http404
    file = BytesIO()
    write_template(kind, file, reader=request.user)
    file.seek(0)
    name = _("%(kind)s (template)") % {"kind": KINDS[kind].label}
    return _download(file, f"{name}.xlsx")


@login_required
@require_safe
def import_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show how far an import is, what would come of each row, and what can be chosen. ``?section=`` is one of SECTIONS."""
    imported = visible_or_404(Import.objects.select_related("unit", "created_by", "asked_by"), request, pk)
    now = timezone.now()
    context: dict[str, Any] = {"imported": imported, "is_silent": imported.is_silent(now)}
    if request.htmx and not request.htmx.boosted:
        response = render(request, "partnerships/imports/_progress.html", context)
        if not imported.is_under_way:
            response["HX-Refresh"] = "true"
        return response
    section = request.GET.get("section", "rows")
    if section not in SECTIONS:
        raise Http404
    is_open = imported.status in OPEN
    context |= {
        "section": section,
        "sections": SECTIONS if is_open and imported.layout else {},
        "is_open": is_open,
        "may_run": may(request.user, "import.run", imported),
        "may_undo": imported.status == ImportStatus.COMMITTED and may(request.user, "import.undo", imported),
    }
    if context["may_undo"] and request.GET.get("ask") == "undo":
        context["expected"] = expected_undo(imported)
    if not imported.is_under_way and imported.layout:
        context |= READ[section if is_open else "rows"](request, imported)
    return render(request, "partnerships/imports/detail.html", context)


def _rows(request: UserRequest, imported: Import) -> dict[str, Any]:
    """Return a page of rows, as the facets of the address ask: ``outcome``, ``problem``, ``adds`` and, after an undo, ``undo``."""
    rows = imported.rows.order_by("pk").prefetch_related("record")
    outcome, undo = request.GET.get("outcome", ""), request.GET.get("undo", "")
    problem, adds = request.GET.get("problem", ""), request.GET.get("adds", "")
    if outcome in RowOutcome.values:
        rows = rows.filter(outcome=outcome)
    if undo in RowUndo.values:
        rows = rows.filter(undo=undo)
    if problem and may_see_results(imported, request.user):
        rows = rows.filter(pk__in=rows_with_problem(imported, problem))
    added = added_by_rows(imported, adds) if adds in ADDED else []
    if adds:
        rows = rows.filter(pk__in={one.row for one in added})
    shows_results = may_see_results(imported, request.user)
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    labels = [*RowOutcome.choices, *(RowUndo.choices if imported.status == ImportStatus.UNDONE else ())]
    facets = [
        ("undo" if value in RowUndo.values else "outcome", value, label, imported.counts[value])
        for value, label in labels
        if imported.counts.get(value)
    ]
    return {
        "page": page,
        "rows": [row_shown(imported, row if shows_results else without_results(row)) for row in page],
        "shows_results": shows_results,
        "facets": facets,
        "chosen": (outcome, undo, problem, adds),
        "adds": added_facets(imported),
        "added": added,
        "problems": problem_groups(imported) if shows_results else [],
    }


def _columns(_request: UserRequest, imported: Import) -> dict[str, Any]:
    return {"columns": columns_shown(imported), "fields": field_options(imported.kind)}


def _values(request: UserRequest, imported: Import) -> dict[str, Any]:
    return {"values": values_shown(imported, request.user)}


def _rules(request: UserRequest, imported: Import) -> dict[str, Any]:
    return {"defaults": default_fields(imported, request.user), "recipe": imported.recipe}


READ: Mapping[str, Callable[[UserRequest, Import], dict[str, Any]]] = {
    "rows": _rows,
    "columns": _columns,
    "values": _values,
    "rules": _rules,
}


@login_required
@require_POST
def import_choose(request: UserRequest, pk: int, section: str) -> HttpResponse:
    """Keep what was chosen for columns, values or all rows, and check the rows anew."""
    imported = visible_or_404(Import.objects.all(), request, pk)
    if section not in CHOSEN:
        raise Http404
    with _refusals(request), transaction.atomic():
        acts.choose(imported, CHOSEN[section](request.POST, imported), actor=request.user)
        _start(acts.ask_for_check, imported, request)
    return redirect(imported)


@login_required
@require_POST
def import_act(request: UserRequest, pk: int, act: str) -> HttpResponse:
    """Ask for the check, the import, its undo, or for a run that stopped to be started again."""
    imported = visible_or_404(Import.objects.all(), request, pk)
    if act not in ACTS:
        raise Http404
    with _refusals(request), transaction.atomic():
        _start(ACTS[act], imported, request)
    return redirect(imported)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_row(request: UserRequest, pk: int, row: int) -> HttpResponse:
    """Correct the cells of a row, or decide about it. The file stays as it is."""
    imported = visible_or_404(Import.objects.all(), request, pk)
    found = get_object_or_404(imported.rows, pk=row)
    require_or_403(request.user, "import.run", imported)
    if not may_see_results(imported, request.user):
        without_results(found)
    if request.method == "POST":
        with _refusals(request), transaction.atomic():
            _change_row(request, imported, found)
        if not request.htmx:
            return redirect(f"{imported.get_absolute_url()}?outcome={found.outcome}#row-{found.pk}")
        found.refresh_from_db()
        if not may_see_results(imported, request.user):
            without_results(found)
    is_edited = request.method != "POST"
    context = {"imported": imported, "shown": row_shown(imported, found), "is_open": imported.status in OPEN}
    if request.htmx:
        return render(request, f"partnerships/imports/{'_row_form' if is_edited else '_row_changed'}.html", context)
    return render(request, "partnerships/imports/row.html", context)


def _change_row(request: UserRequest, imported: Import, row: ImportRow) -> None:
    answer = request.POST.get("answer")
    if answer is not None:
        acts.decide(row, decisions_from(row, answer), actor=request.user)
        return
    for cell in row_shown(imported, row).cells:
        text = request.POST.get(f"cell-{cell.number}")
        if text is not None and text.strip() != cell.text:
            acts.correct(row, cell.number, text.strip(), actor=request.user)


def _start(ask: Callable[..., Import], imported: Import, request: UserRequest) -> None:
    acts.start_run(ask(imported, actor=request.user, now=timezone.now()))


@contextmanager
def _refusals(request: UserRequest) -> Iterator[None]:
    """Show the refusal of a verb above the page that follows."""
    try:
        yield
    except DomainError as error:
        messages.error(request, str(error))


@login_required
@require_POST
def import_keep(request: UserRequest, pk: int) -> HttpResponse:
    """Keep what was chosen under a name, for the next file."""
    imported = visible_or_404(Import.objects.all(), request, pk)
    name = request.POST.get("name", "").strip() or imported.name[:LONGEST_RECIPE_NAME]
    with _refusals(request), transaction.atomic():
        kept = acts.keep_recipe(imported, name=name, is_shared="is_shared" in request.POST, actor=request.user)
        messages.success(request, _("Recipe “%(name)s” saved.") % {"name": kept.name})
    return redirect(imported)


@login_required
@require_POST
def import_recipe_delete(request: UserRequest, pk: int) -> HttpResponse:
    recipe = visible_or_404(ImportRecipe.objects.all(), request, pk)
    require_or_403(request.user, "import_recipe.edit", recipe)
    recipe.delete()
    messages.success(request, _("Recipe “%(name)s” deleted.") % {"name": recipe.name})
    return redirect("import_list")


@login_required
@require_safe
def import_rejected(request: UserRequest, pk: int) -> FileResponse:
    """Download the rows that stay out, in the columns of the file, with the reason."""
    imported = visible_or_404(Import.objects.all(), request, pk)
    if not imported.rows.left_out().exists():
        raise Http404
    acts.note_download(imported, actor=request.user, what=_("rows left out"))
    name = f"{imported.name.rpartition('.')[0] or imported.name}-{_('left out')}.xlsx"
    file = BytesIO()
    write_rejected(imported, file, has_reasons=may_see_results(imported, request.user))
    file.seek(0)
    return _download(file, name)


@login_required
@require_safe
def import_recipe(request: UserRequest, pk: int) -> FileResponse:
    """Download what was chosen for an import, for the command line or another site."""
    imported = visible_or_404(Import.objects.all(), request, pk)
    text = json.dumps(imported.recipe, ensure_ascii=False, indent=2)
    return _download(BytesIO(text.encode()), f"{imported.kind}-recipe.json")


def _download(file: BytesIO, name: str) -> FileResponse:
    response = FileResponse(file, as_attachment=True, filename=name)
    keep_private(response)
    return response
