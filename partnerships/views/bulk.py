"""Acts on selected rows of a list: what to enter, a preview of each row, the act, and its undo."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Model, Prefetch
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.exceptions import DomainError
from partnerships.forms.bulk import BulkForm, bulk_form, picked_rows
from partnerships.lists import LISTS
from partnerships.lists.cells import partner_names
from partnerships.lists.filters import BESIDE_FILTERS
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    BulkAct,
    Export,
    Milestone,
    ProgrammeItem,
    hide_unseen,
)
from partnerships.requests import UserRequest
from partnerships.texts import LazyText
from partnerships.views.base import require_or_403
from partnerships.views.exports import export_file
from partnerships.workflows.bulk import (
    KINDS,
    MOST_ROWS,
    BulkKind,
    BulkOutcome,
    Picked,
    act_on_all,
    preview_all,
)
from partnerships.workflows.undo import MODELS, RowChange, changes_of, undo_act

MOST_REASONS = 10
EXPORT = "export"
PARTIES = AgreementParty.objects.select_related("organization")
RELATED: Mapping[str, tuple[str, ...]] = {
    "milestone": ("agreement__unit", "unit", "organization"),
    "activity": ("agreement__unit", "unit"),
    "facility": ("agreement__unit", "unit"),
    "demand": ("organization", "unit"),
    "agreement": ("unit",),
}
# The way to the parties of the agreement that a row is or belongs to.
WITH_PARTIES = {"agreement": "parties", **dict.fromkeys(("milestone", "activity", "facility"), "agreement__parties")}
# The columns of a change that are shown; the others follow from them.
SHOWN = (
    "owner",
    "coordinator",
    "due_on",
    "snoozed_until",
    "starts_on",
    "ends_on",
    "unit",
    "status",
    "current_ends_on",
    "programme",
    "area",
)
# Parts that an act adds, as the column that names them.
PARTS: Mapping[str, type[Model]] = {"programme": ProgrammeItem, "area": AgreementArea}


@dataclass(frozen=True)
class ChangeLine:
    """One column of a change: its name, and its value before and after in words."""

    label: LazyText
    before: object
    after: object


@dataclass(frozen=True)
class Selection:
    """The rows that a page sent, how many there were in all, and where to go back to."""

    picked: list[Picked]
    total: int
    query: str
    back: str
    is_all: bool = False

    @property
    def value(self) -> str:
        """Return the rows as one form value."""
        return " ".join(f"{one.pk}-{one.version}" if one.version else str(one.pk) for one in self.picked)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bulk(request: UserRequest, key: str) -> HttpResponseBase:
    """Ask what an act on selected rows needs, preview it, and with ``step=do`` do it.

    The rows are ``pick``, an id each; with ``all`` everything that the list finds by ``query``. A link may do the same as
    a form: nothing changes before ``step=do``, which is sent by POST alone.
    """
    data = request.POST if request.method == "POST" else request.GET
    chosen = _selection(request, key, data)
    name = data.get("act") or data.get("action", "")
    if not chosen.picked:
        messages.warning(request, _("Select rows first."))
        return redirect(chosen.back)
    if name == EXPORT and request.method == "POST":
        return _export(request, key, chosen, data)
    if name == EXPORT:
        return render(request, "partnerships/bulk/export.html", {"chosen": chosen, "kind": {"key": EXPORT}})
    kind = _kind(key, name)
    require_or_403(request.user, kind.permission)
    form = _form(request, kind, data)
    if form.is_bound and form.is_valid():
        given: dict[str, Any] = {"actor": request.user, "now": timezone.now(), "values": form.cleaned_data}
        if data is request.POST and data.get("step") == "do":
            outcome = act_on_all(kind, chosen.picked, **given)
            _say_what_was_done(request, kind, outcome, chosen.back)
            return redirect(chosen.back)
        outcome = preview_all(kind, chosen.picked, **given)
    else:
        outcome = None
    rows = _rows(request, str(kind.model._meta.model_name), [one.pk for one in chosen.picked])
    context = {
        "kind": kind,
        "form": form,
        "chosen": chosen,
        "rows": rows,
        "outcome": outcome,
        **(_in_words(outcome, rows) if outcome else {}),
        "most": MOST_ROWS,
        "undo_minutes": BulkAct.UNDO_MINUTES,
    }
    return render(request, "partnerships/bulk/act.html", context)


def _kind(key: str, name: str) -> BulkKind:
    found = (kind for kind in KINDS if kind.key == name and kind.model is LISTS[key].model)
    kind = next(found, None)
    if kind is None:
        raise Http404
    return kind


def _selection(request: UserRequest, key: str, data: QueryDict) -> Selection:
    if key not in LISTS:
        raise Http404
    query = QueryDict(data.get("query", "").replace("\0", ""), mutable=True)
    query.pop("page", None)
    if data.get("all"):
        ids = LISTS[key](query, user=request.user, today=timezone.localdate()).ids()
        total = ids.count()
        picked = [Picked(pk) for pk in ids[:MOST_ROWS]]
    else:
        # The admin's lists call theirs by Django's name.
        picked = picked_rows(
            [*data.getlist("pick"), *data.getlist("_selected_action"), *data.get("chosen", "").split()]
        )
        total = len(picked)
    back = _way_back(request, data, f"{reverse(key)}?{query.urlencode()}" if query else reverse(key))
    return Selection(picked[:MOST_ROWS], total, query.urlencode(), back, is_all=bool(data.get("all")))


def _way_back(request: UserRequest, data: QueryDict, otherwise: str) -> str:
    """Return the address on this site that ``next`` names, or else ``otherwise``."""
    asked = data.get("next", "")
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=hosts, require_https=request.is_secure())
    return asked if is_ours and asked.startswith("/") else otherwise


def _form(request: UserRequest, kind: BulkKind, data: QueryDict) -> BulkForm:
    """Return the form as it was sent, or as it is shown first: filled in already where nothing has to be entered."""
    form_class, user, today = bulk_form(kind), request.user, timezone.localdate()
    if data.get("step"):
        return form_class(data, user=user, today=today)
    empty = form_class(user=user, today=today)
    initial = empty.initial_values()
    return empty if initial is None else form_class(initial, user=user, today=today)


def _in_words(outcome: BulkOutcome, rows: Mapping[int, Any]) -> dict[str, object]:
    """Return what a preview found, for the page."""
    changed = changed_rows(outcome.changes, rows)
    # With the versions of the preview: a row that somebody changes meanwhile is refused.
    versions = " ".join(f"{item['row'].pk}-{item['row'].version}" for item in changed if item["row"] is not None)
    refused = [(rows.get(row.pk, row), reason) for row, reason in outcome.refused]
    return {"changed": changed, "refused": refused, "versions": versions}


def _rows(request: UserRequest, model: str, ids: Iterable[int]) -> dict[int, Any]:
    """Return the rows that the user sees among ``ids``, in that order."""
    ids = list(ids)
    seen = MODELS[model].objects.visible_to(request.user).filter(pk__in=ids)
    related = seen.select_related(*RELATED[model]).order_by()
    if model in WITH_PARTIES:
        related = related.prefetch_related(Prefetch(WITH_PARTIES[model], PARTIES))
    found = {row.pk: row for row in related}
    hide_unseen(list(found.values()), request.user)
    for row in found.values():
        row.about = _about(row)
    return {pk: found[pk] for pk in ids if pk in found}


def _about(row: Any) -> str:
    """Return whom the row is about: the partners of its agreement with the title of it, an organization, or its unit."""
    agreement = row if isinstance(row, Agreement) else getattr(row, "agreement", None)
    names = partner_names(agreement) or str(getattr(row, "organization", None) or "")
    title = str(agreement) if agreement and agreement is not row else ""
    return " · ".join(filter(None, (names, title))) or str(row.unit)


def changed_rows(changes: Sequence[RowChange], rows: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Return each change with its row, None where it is gone, and what changes in words."""
    lines = shown_changes(changes)
    return [{"row": rows.get(change.pk), "lines": lines[n], "change": change} for n, change in enumerate(changes)]


def shown_changes(changes: Iterable[RowChange]) -> list[list[ChangeLine]]:
    """Return what each change says in words; one query for each table that the values refer to."""
    changes = list(changes)
    referred: dict[type[Model], set[int]] = {}
    for change in changes:
        for name in _names(change):
            related = _column(change, name).related_model
            if related:
                values = (state.get(name) for state in (change.before, change.after))
                referred.setdefault(related, set()).update(value for value in values if value)
    found = {model: model._default_manager.in_bulk(ids) for model, ids in referred.items()}
    return [[_line(change, name, found) for name in _names(change)] for change in changes]


def _names(change: RowChange) -> list[str]:
    return [name for name in SHOWN if change.before.get(name) != change.after.get(name)]


def _column(change: RowChange, name: str) -> Any:
    return PARTS.get(name, MODELS[change.model])._meta.get_field(name)


def _line(change: RowChange, name: str, found: Mapping[type[Model], Mapping[int, Model]]) -> ChangeLine:
    column = _column(change, name)

    def shown(value: Any) -> object:
        if value in (None, ""):
            return ""
        if column.related_model:
            return found[column.related_model].get(value, "")
        if column.choices:
            return dict(column.flatchoices).get(value, value)
        return date_format(column.to_python(value)) if name.endswith("_on") or name == "snoozed_until" else value

    return ChangeLine(column.verbose_name, shown(change.before.get(name)), shown(change.after.get(name)))


def _export(request: UserRequest, key: str, chosen: Selection, data: QueryDict) -> HttpResponseBase:
    """Export the selected rows, in the order and with the columns of the list; its filters found them already."""
    form = data.get("format") or Export.Format.XLSX
    if chosen.is_all:  # an export has no limit of rows
        return export_file(request, key, chosen.query, form)
    asked, query = QueryDict(chosen.query), QueryDict(mutable=True)
    for name in BESIDE_FILTERS & asked.keys():
        query.setlist(name, asked.getlist(name))
    if LISTS[key].model is Milestone:
        query["status"] = "all"  # without it the list leaves out what is done
    seen = LISTS[key].model.objects.visible_to(request.user)
    found = set(seen.filter(pk__in=[one.pk for one in chosen.picked]).values_list("pk", flat=True))
    query["picked"] = ".".join(str(one.pk) for one in chosen.picked if one.pk in found)
    return export_file(request, key, query.urlencode(), form)


def _say_what_was_done(request: UserRequest, kind: BulkKind, outcome: BulkOutcome, back: str) -> None:
    count = len(outcome.changes)
    if outcome.act is not None:
        words = ngettext("%(act)s: %(count)s item.", "%(act)s: %(count)s items.", count)
        say_with_undo(request, words % {"act": kind.past, "count": count}, outcome.act, back)
    _say_refused(request, outcome.refused)
    if outcome.gone:
        words = ngettext(
            "%(count)s item is no longer there, or not visible to you.",
            "%(count)s items are no longer there, or not visible to you.",
            outcome.gone,
        )
        messages.warning(request, words % {"count": outcome.gone})


def say_with_undo(request: UserRequest, words: str, act: BulkAct, back: str) -> None:
    """Say what an act did, with the button that undoes it."""
    context = {"words": words, "act": act, "back": back, "can_be_undone": act.can_be_undone(timezone.now())}
    messages.success(request, render_to_string("partnerships/bulk/_done.html", context, request))


def _say_refused(request: UserRequest, refused: Iterable[tuple[Model | None, str]]) -> None:
    refused = list(refused)
    for row, reason in refused[:MOST_REASONS]:
        words = _("“%(item)s” was not changed: %(reason)s") % {"item": row, "reason": reason} if row else reason
        messages.warning(request, words)
    rest = len(refused) - MOST_REASONS
    if rest > 0:
        words = ngettext("%(count)s more item was not changed.", "%(count)s more items were not changed.", rest)
        messages.warning(request, words % {"count": rest})


@login_required
@require_safe
def bulk_act(request: UserRequest, pk: int) -> HttpResponse:
    """Show what an act of the user changed, with its undo while there is time for it."""
    act = get_object_or_404(BulkAct.objects.of(request.user), pk=pk)
    changed: list[dict[str, Any]] = []
    for model in MODELS:
        changes = [change for change in changes_of(act) if change.model == model]
        if changes:
            changed += changed_rows(changes, _rows(request, model, [change.pk for change in changes]))
    context = {
        "act": act,
        "title": act_title(act),
        "can_be_undone": act.can_be_undone(timezone.now()),
        "changed": changed,
    }
    return render(request, "partnerships/bulk/done.html", context)


def act_title(act: BulkAct) -> LazyText:
    """Return the name of an act in the past tense."""
    return next((kind.past for kind in KINDS if kind.key == act.key), _("Handed over"))


@login_required
@require_POST
def bulk_undo(request: UserRequest, pk: int) -> HttpResponse:
    """Undo an act of the user; rows that were changed meanwhile stay, with a message each."""
    act = get_object_or_404(BulkAct.objects.of(request.user), pk=pk)
    back = _way_back(request, request.POST, act.get_absolute_url())
    try:
        result = undo_act(act, actor=request.user, now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(back)
    if result.restored:
        count = len(result.restored)
        words = ngettext("Undone: %(count)s item is restored.", "Undone: %(count)s items are restored.", count)
        messages.success(request, words % {"count": count})
    _say_refused(request, result.left)
    return redirect(back)
