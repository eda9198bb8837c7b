"""Quiet agreements: in force, and nobody has heard from the partners for a while; with the next step in one click."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, DateField, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.office_day import office_today
from partnerships.forms.quiet import QuietForm
from partnerships.forms.steps import ContactNoteForm
from partnerships.lists.agreements import PARTIES
from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementUnit,
    ContactNote,
    CooperationArea,
    Organization,
    Role,
    Unit,
    User,
    quiet_agreements,
)
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404

PAGE_SIZE = 50
# Choices shown under one heading; the others appear once one of these is chosen.
MOST_IN_A_GROUP = 12
UNDONE = Prefetch(
    "activities", Activity.objects.unfinished().order_by(F("starts_on").asc(nulls_last=True), "pk"), "planned"
)


@login_required
@require_safe
def quiet(request: UserRequest) -> HttpResponse:
    today = timezone.localdate()
    form = QuietForm(request.GET, user=request.user)
    form.is_valid()
    rows = _narrowed(_quiet(request.user, today, form.days_asked), form.chosen)
    page = Paginator(rows.values_list("pk", flat=True), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = _shown(page.object_list, today)
    context = {
        "form": form,
        "days": form.days_asked,
        "chosen": _chosen(form),
        "groups": _groups(rows, form),
        "page": page,
        "rows": shown,
        "workable": _workable(request.user, [row for row, _days in shown]),
        "today": today,
    }
    return render(request, "partnerships/quiet/quiet.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def quiet_log(request: UserRequest, pk: int) -> HttpResponse:
    """Log a call about one agreement; in place where scripts run, else on a page of its own and back to the list."""
    agreement = visible_or_404(Agreement.objects.select_related("unit").prefetch_related(PARTIES), request, pk)
    require_or_403(request.user, "contact_note.add", agreement)
    form = ContactNoteForm(request.POST or None, today=office_today(agreement), auto_id=f"log{pk}_%s")
    form.fields["summary"].widget.attrs["autofocus"] = True
    context = {"form": form, "agreement": agreement}
    if request.method == "POST" and form.is_valid() and form.apply(request.user, about=agreement) is not None:
        if request.htmx:
            return render(request, "partnerships/quiet/_logged.html", context)
        messages.success(request, _("Logged."))
        return redirect(f"{reverse('quiet')}?{request.GET.urlencode()}")
    in_place = request.htmx
    return render(request, f"partnerships/quiet/{'_log' if in_place else 'log'}.html", context)


def _quiet(user: User, today: dt.date, days: int) -> QuerySet:
    """Return quiet agreements with ``heard_on``, the day of the last contact, longest ago first."""
    rows = quiet_agreements(Agreement.objects.visible_to(user), today, since=today - dt.timedelta(days=days))
    done = Activity.objects.completed().filter(agreement=OuterRef("pk")).order_by("-completed_on")
    notes = ContactNote.objects.filter(agreement=OuterRef("pk")).order_by("-happened_on")
    return _with_last_word(rows, done, notes).order_by("heard_on", "pk")


def _with_last_word(rows: QuerySet, done: QuerySet, notes: QuerySet) -> QuerySet:
    signed = Coalesce("signed_at_latest", "signed_on")
    completed = Coalesce(Subquery(done.values("completed_on")[:1]), signed, output_field=DateField())
    noted = Coalesce(Subquery(notes.values("happened_on")[:1]), signed, output_field=DateField())
    return rows.annotate(heard_on=Greatest(signed, completed, noted))


def _narrowed(rows: QuerySet, chosen: dict[str, Any]) -> QuerySet:
    for name, value in chosen.items():
        rows = rows.filter(_condition(name, value))
    return rows


def _condition(name: str, value: Any) -> Q:
    if name == "party":
        return Q(Exists(AgreementParty.objects.filter(agreement=OuterRef("pk"), organization=value)))
    if name == "area":
        return Q(Exists(AgreementArea.objects.filter(agreement=OuterRef("pk"), area=value)))
    return Q(**{name: value})


def _shown(ids: Iterable[int], today: dt.date) -> list[tuple[Agreement, int]]:
    """Return the agreements with the number of days since the last word."""
    done = Activity.objects.completed().filter(agreement=OuterRef("pk")).order_by("-completed_on")
    notes = ContactNote.objects.filter(agreement=OuterRef("pk")).order_by("-happened_on")
    rows = _with_last_word(Agreement.objects.filter(pk__in=list(ids)), done, notes).order_by("heard_on", "pk")
    found = rows.select_related("unit", "coordinator").prefetch_related(PARTIES, UNDONE)
    return [(row, (today - row.heard_on).days) for row in found]


def _workable(user: User, rows: list[Agreement]) -> set[int]:
    """Return the ids of agreements the user may follow up, in one query; the verb checks again."""
    if user.sees_all_units:
        return {row.pk for row in rows}
    units = set(user.scope.unit_ids_as(Role.COORDINATOR))
    shared = AgreementUnit.objects.filter(agreement__in=[row.pk for row in rows], unit__in=units)
    return {row.pk for row in rows if row.unit_id in units} | set(shared.values_list("agreement", flat=True))


def _groups(rows: QuerySet, form: QuietForm) -> list[dict[str, object]]:
    """Return counts of the rows by unit, person, partner and area; each links to what it counts."""
    ids = rows.order_by().values("pk")
    own = AgreementParty.objects.filter(agreement__in=ids).exclude(organization=F("agreement__unit__organization"))
    counted: tuple[tuple[str, str, QuerySet, str, Any], ...] = (
        ("unit", _("By unit"), Agreement.objects.filter(pk__in=ids), "unit", Unit),
        ("coordinator", _("By coordinator"), Agreement.objects.filter(pk__in=ids), "coordinator", User),
        ("party", _("By partner"), own, "organization", Organization),
        ("area", _("By area promised"), AgreementArea.objects.filter(agreement__in=ids), "area", CooperationArea),
    )
    return [
        _group(name, label, found, column=column, model=model, form=form)
        for name, label, found, column, model in counted
    ]


def _group(
    name: str,
    label: str,
    found: QuerySet,
    *,
    column: str,
    model: type[Unit] | type[User] | type[Organization] | type[CooperationArea],
    form: QuietForm,
) -> dict[str, object]:
    key = "pk" if found.model is Agreement else "agreement"
    counts = found.filter(**{f"{column}__isnull": False}).order_by().values(column)
    counts = counts.annotate(count=Count(key, distinct=True)).order_by("-count", column).values_list(column, "count")
    first = list(counts[: MOST_IN_A_GROUP + 1])
    names = model.objects.in_bulk([pk for pk, _count in first])
    items = [
        {"name": names[pk], "count": count, "url": _address(form, **{name: pk})}
        for pk, count in first[:MOST_IN_A_GROUP]
    ]
    return {"label": label, "key": name, "items": items, "has_more": len(first) > MOST_IN_A_GROUP}


def _address(form: QuietForm, **changed: int | None) -> str:
    """Return the address of this page with one value changed, or without it if it is None."""
    values = {"days": form.cleaned_data.get("days"), **{name: row.pk for name, row in form.chosen.items()}, **changed}
    return f"{reverse('quiet')}?{urlencode({name: value for name, value in values.items() if value is not None})}"


def _chosen(form: QuietForm) -> list[dict[str, object]]:
    return [
        {
            "label": form.fields[name].label,
            "value": row,
            "name": name,
            "pk": row.pk,
            "without": _address(form, **{name: None}),
        }
        for name, row in form.chosen.items()
    ]
