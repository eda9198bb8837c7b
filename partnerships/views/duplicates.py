"""Possible duplicates: pairs to compare, to merge or to call different, and the merges with their undo."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.exceptions import DomainError, NotAllowed
from partnerships.forms.merges import MergeForm, OtherOrganizationForm
from partnerships.forms.office_day import office_today
from partnerships.models import Contact, DifferentContacts, DifferentOrganizations, Merge, Organization, Role, User
from partnerships.models.merges import MergeQuerySet
from partnerships.operations.security_log import note_contacts_viewed
from partnerships.permissions import may
from partnerships.reports.duplicates import contact_pairs, organization_pairs, with_contacts, with_organizations
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.workflows.merges import forget_difference, last_state, mark_as_different, require_both, undo_merge

View = Callable[[UserRequest, int], HttpResponse]

PAIRS_A_PAGE = 25
KINDS = {
    "organizations": gettext_lazy("Organizations"),
    "contacts": gettext_lazy("Contacts"),
    "different": gettext_lazy("Known to be different"),
    "merged": gettext_lazy("Merged"),
}
MODELS: Mapping[str, type[Organization] | type[Contact]] = {"organizations": Organization, "contacts": Contact}


@login_required
@require_safe
def duplicates(request: UserRequest) -> HttpResponse:
    """``?kind=`` is one of KINDS."""
    require_or_403(request.user, "organization.edit")
    kind = request.GET.get("kind", "organizations")
    if kind not in KINDS:
        raise Http404
    page = Paginator(_rows(request.user, kind), PAIRS_A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "kind": kind,
        "kinds": KINDS,
        "page": page,
        "may_merge": may(request.user, "organization.merge"),
    }
    pairs: list[Any] = []
    if kind == "organizations":
        pairs = with_organizations(list(page))
    elif kind == "contacts":
        pairs = with_contacts(list(page))
    elif kind == "different":
        pairs = _different(list(page))
    context["pairs"] = [(pair, all(_is_own(one, request.user) for one in pair.rows)) for pair in pairs]
    return render(request, "partnerships/duplicates/list.html", context)


def _rows(user: User, kind: str) -> Any:
    """Return what the list is paged by: pairs, the model and id of a pair known to be different, or merges."""
    if kind == "organizations":
        return organization_pairs(user)
    if kind == "contacts":
        return contact_pairs(user)
    if kind == "merged":
        rows = _merges_shown_to(user).select_related("by", "content_type")
        return rows.defer("moved", "removed", "added", "left")
    contacts = Contact.objects.visible_to(user).order_by().values("pk")
    organizations = DifferentOrganizations.objects.order_by("-pk").values_list("pk", flat=True)
    people = DifferentContacts.objects.filter(first__in=contacts, second__in=contacts).order_by("-pk")
    return [
        *((DifferentOrganizations, pk) for pk in organizations),
        *((DifferentContacts, pk) for pk in people.values_list("pk", flat=True)),
    ]


def _different(keys: list[tuple[type[DifferentOrganizations] | type[DifferentContacts], int]]) -> list[Any]:
    """Return the pairs with their two records."""
    organizations = DifferentOrganizations.objects.prefetch_related("first__holders", "second__holders")
    people = DifferentContacts.objects.select_related("first__organization", "second__organization")
    found: dict[Any, Any] = {}
    for rows in (organizations.select_related("by"), people.select_related("by")):
        ids = [pk for model, pk in keys if model is rows.model]
        found |= {(rows.model, pk): row for pk, row in rows.in_bulk(ids).items()}
    for pair in found.values():
        pair.rows = (pair.first, pair.second)
        pair.kind = "organizations" if isinstance(pair, DifferentOrganizations) else "contacts"
    return [found[key] for key in keys if key in found]


def _is_own(row: Organization | Contact, user: User) -> bool:
    """Whether to offer a decision about the record to the user; the verb asks again."""
    if user.sees_all_units:
        return True
    units = user.scope.unit_ids_as(Role.COORDINATOR)
    if isinstance(row, Contact):
        return row.unit_id is None or row.unit_id in units
    return any(holder.unit_id in units for holder in row.holders.all())


@login_required
@require_POST
def duplicate_mark(request: UserRequest, kind: str, first: int, second: int) -> HttpResponse:
    """Remember that two records are different, or forget it with ``again``."""
    model = MODELS.get(kind)
    if model is None:
        raise Http404(f"no duplicates of {kind}")
    one, other = (visible_or_404(model.objects.all(), request, pk) for pk in (first, second))
    is_again = "again" in request.POST
    try:
        (forget_difference if is_again else mark_as_different)(one, other, actor=request.user)
    except DomainError as error:
        raise PermissionDenied(str(error)) from error
    said = _("They are shown as possible duplicates again.") if is_again else _("Noted: these are different.")
    messages.success(request, said)
    return redirect(f"{reverse('duplicates')}?kind={'different' if is_again else kind}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organization_merge(request: UserRequest, pk: int) -> HttpResponse:
    """Ask with which other organization this one is the same, and lead to the page that compares the two."""
    organization = visible_or_404(Organization.objects.all(), request, pk)
    require_or_403(request.user, "organization.merge", organization)
    form = OtherOrganizationForm(request.POST or None, organization=organization, user=request.user)
    if request.method == "POST" and form.is_valid():
        return redirect("organization_compare", pk, form.cleaned_data["other"].pk)
    context = {"form": form, "row": organization, "back": organization.get_absolute_url()}
    return render(request, "partnerships/duplicates/choose.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contact_compare(request: UserRequest, pk: int, other: int) -> HttpResponse:
    """Show two contacts side by side, and merge the second into the first."""
    rows = Contact.objects.select_related("organization", "unit")
    kept, merged = (visible_or_404(rows, request, key) for key in (pk, other))
    for one in (kept, merged):
        require_or_403(request.user, "contact.edit", one)
        require_or_403(request.user, "contact.view_personal", one)
    note_contacts_viewed(request.user, [kept, merged], now=timezone.now())
    form = MergeForm(request.POST or None, kept=kept, merged=merged)
    if request.method == "POST" and (answer := merged_answer(request, form)):
        return answer
    context = {
        "both": [kept, merged],
        "form": form,
        "facts": form.facts(),
        "swap": reverse("contact_compare", args=[other, pk]),
        "kind": "contacts",
    }
    return render(request, "partnerships/duplicates/contacts.html", context, status=409 if form.errors else 200)


def merged_answer(request: UserRequest, form: MergeForm) -> HttpResponse | None:
    """Merge, and lead to what was merged; None if the form has errors now."""
    if not form.is_valid() or (merge := form.apply(request.user)) is None:
        return None
    messages.success(
        request, _("Merged. %(name)s leads here from now on; the merge can be undone.") % {"name": merge.name}
    )
    return redirect(merge)


@login_required
@require_safe
def merge_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show what was merged, what became of it, and the undo."""
    merge = _visible(request, pk)
    kept = merge.model.objects.filter(pk=merge.kept_id).first()
    context = {
        "merge": merge,
        "kept": kept,
        "moved": _by_table(label for label, _pk, _values in merge.moved),
        "removed": _by_table(label for label, _pk, _last in merge.removed[1:]),
        # The names of rows are those of all units.
        "left": merge.left if request.user.sees_all_units else sorted({one.partition(": ")[0] for one in merge.left}),
        "may_undo": kept is not None and merge.undone_at is None and _may_undo(request.user, merge, kept),
    }
    return render(request, "partnerships/duplicates/merge.html", context)


@login_required
@require_POST
def merge_undo(request: UserRequest, pk: int) -> HttpResponse:
    merge = _visible(request, pk)
    kept: Any = get_object_or_404(merge.model, pk=merge.kept_id)
    if merge.undone_at is None and not _may_undo(request.user, merge, kept):
        raise PermissionDenied(_("Only those who may merge the two take them apart again."))
    try:
        undo_merge(merge, actor=request.user, today=office_today(), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Undone: there are two records again."))
    return redirect(merge)


def _visible(request: UserRequest, pk: int) -> Merge:
    rows = _merges_shown_to(request.user).select_related("by", "undone_by", "content_type")
    return get_object_or_404(rows, pk=pk)


def _merges_shown_to(user: User) -> MergeQuerySet:
    """Return all merges to the office; to others those of contacts whose numbers they may read."""
    rows: MergeQuerySet = Merge.objects.all()
    if user.sees_all_units:
        return rows
    contacts = Contact.objects.with_personal_data_for(user).order_by()
    return rows.of(Contact).filter(kept_id__in=contacts.values("pk"))


def _may_undo(user: User, merge: Merge, kept: Organization | Contact) -> bool:
    merged = last_state(merge)
    if merged is None:
        return False
    try:
        require_both(user, [kept, merged])
    except NotAllowed:
        return False
    return True


def _by_table(labels: Any) -> list[tuple[str, int]]:
    """Return how many rows of each kind there are, as (kind, number)."""
    counts = Counter(labels)
    return [(str(apps.get_model(label)._meta.verbose_name_plural), number) for label, number in sorted(counts.items())]


def leads_to_kept(model: type[Organization] | type[Contact]) -> Callable[[View], View]:
    """Redirect the address of a merged record to the page of the kept one, for people who may see that."""

    def decorate(view: View) -> View:
        @wraps(view)
        def shown(request: UserRequest, pk: int) -> HttpResponse:
            try:
                return view(request, pk)
            except Http404:
                kept = Merge.objects.kept_instead_of(model, pk)
                row = model.objects.visible_to(request.user).filter(pk=kept).first() if kept else None
                if row is None or request.method == "POST":
                    raise
                return redirect(row)

        return shown

    return decorate
