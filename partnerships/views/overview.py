"""The overview: how cooperation goes, on one page, and the figures of its charts as a file."""

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partnerships.lists import LISTS
from partnerships.lists.spreadsheets import TableSheet, write_workbook
from partnerships.models import SavedView, User
from partnerships.permissions import may
from partnerships.reports.chart_tables import chart_tables, key_figure_name
from partnerships.reports.definitions import DEFINITIONS
from partnerships.reports.drawing import grouped, month_and_year, period_name
from partnerships.reports.headline import headline
from partnerships.reports.overview import overview as figures_of
from partnerships.reports.overview_figures import MONTHS, KeyFigure, Overview
from partnerships.requests import UserRequest
from partnerships.views.base import has_a_place, keep_private, require_or_403
from partnerships.views.overview_decisions import pending_decisions
from partnerships.views.overview_scope import asked_overview

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_TILES = 8


@dataclass(frozen=True)
class ShownFigure:
    """A key figure as the page shows it: its name, number, that of a year ago, and the change in words."""

    name: str
    number: str
    year_ago: str
    change: str
    is_worse: bool
    figure: KeyFigure


@dataclass(frozen=True)
class Tile:
    """A saved view on the overview, with the number of its rows; None where its list is one of the administration."""

    view: SavedView
    list_title: str
    address: str
    count: int | None


@login_required
@require_safe
def overview(request: UserRequest) -> HttpResponse:
    user, today = request.user, timezone.localdate()
    if not has_a_place(user):
        return render(request, "partnerships/no_role.html")
    asked = asked_overview(request.GET, user, today)
    found = figures_of(user, asked.scope, asked.period, today=today)
    shows_all = request.GET.get("decisions") == "all"
    views = list(SavedView.objects.filter(user=user))
    context = {
        "asked": asked,
        "overview": found,
        "today": today,
        "now": timezone.localtime(),
        "headline": headline(found, today),
        "figures": [shown_figure(one, found) for one in found.key_figures],
        "tables": chart_tables(found),
        "months_until": month_and_year(found.day),
        "months_count": MONTHS,
        "period_name": period_name(found.period),
        "definitions": DEFINITIONS.values(),
        "delivered": next((one for one in found.key_figures if one.is_share), None),
        "has_months": _has_months(found),
        "decisions": pending_decisions(
            user, asked.scope_query, today, decide_until=found.decide_until, shows_all=shows_all
        ),
        "shows_all_decisions": shows_all,
        "tiles": _tiles([view for view in views if view.is_on_overview], user, today),
        "views_to_add": [view for view in views if not view.is_on_overview],
        "may_register": may(user, "agreement.add"),
        "may_reassign": may(user, "team.view"),
    }
    return render(request, "partnerships/overview/overview.html", context)


def _has_months(found: Overview) -> bool:
    """Whether there is anything to draw in the months."""
    return any(
        month.signed.value or month.ended.value or any(one.value for one in month.activities.values())
        for month in found.months
    )


def shown_figure(figure: KeyFigure, found: Overview) -> ShownFigure:
    """Return a key figure in words; "–" where nothing was promised."""
    unit = "%" if figure.is_share else ""
    number = "–" if figure.shown is None else f"{grouped(figure.shown)}{unit}"
    year_ago = ""
    if figure.year_ago is not None:
        year_ago = _("%(count)s a year ago") % {"count": f"{grouped(figure.year_ago)}{unit}"}
    change, is_worse = _change(figure)
    return ShownFigure(key_figure_name(figure.key, found), number, year_ago, change, is_worse, figure)


def _change(figure: KeyFigure) -> tuple[str, bool]:
    change = figure.change
    if change is None:
        return "", False
    signed = f"+{grouped(change)}" if change > 0 else grouped(change) if change else "±0"
    if figure.is_share:
        return _("%(change)s pts") % {"change": signed}, False
    if figure.is_worse_higher and change > 0:
        return _("%(change)s worse") % {"change": signed}, True
    return signed, False


def _tiles(views: Sequence[SavedView], user: User, today: dt.date) -> list[Tile]:
    """Return the saved views that their person put on the overview, all counted in one query."""
    counted = {
        view.pk: LISTS[view.list](QueryDict(view.query), user=user, today=today) for view in views if view.list in LISTS
    }
    counts = _counts({pk: listed.filterset.qs for pk, listed in counted.items()})
    return [
        Tile(
            view,
            str(counted[view.pk].title) if view.pk in counted else _("Administration"),
            f"{reverse(view.list)}?{view.query}",
            counts.get(view.pk),
        )
        for view in views
    ]


def _counts(found: Mapping[int, QuerySet]) -> dict[int, int]:
    """Return how many rows each of the queries finds, in one query."""
    if not found:
        return {}
    columns = [Coalesce(Subquery(_number_of(rows)), 0) for rows in found.values()]
    [counts] = SavedView.objects.filter(pk=next(iter(found))).order_by().values_list(*columns)
    return dict(zip(found, counts, strict=True))


def _number_of(rows: QuerySet) -> QuerySet:
    alike = rows.model._base_manager.filter(pk__in=rows.order_by().values("pk")).order_by()
    return alike.annotate(one=Value(1)).values("one").annotate(number=Count("pk")).values("number")


@login_required
@require_safe
def overview_tables(request: UserRequest) -> HttpResponse:
    """Download the figures of all charts, each on a sheet of its own."""
    user, today = request.user, timezone.localdate()
    require_or_403(user, "export")
    asked = asked_overview(request.GET, user, today)
    found = figures_of(user, asked.scope, asked.period, today=today)
    sheets = [
        TableSheet(table.title, table.headings, [[cell.value for cell in row] for row in table.rows])
        for table in chart_tables(found).values()
    ]
    out = io.BytesIO()
    write_workbook(out, sheets)
    response = HttpResponse(out.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="overview-{found.day.isoformat()}.xlsx"'
    keep_private(response)
    return response


@login_required
@require_POST
def overview_tile(request: UserRequest, pk: int) -> HttpResponse:
    """Put a saved view of one's own on the overview, or take it off."""
    view = get_object_or_404(SavedView, pk=pk, user=request.user)
    is_added = "remove" not in request.POST
    others = SavedView.objects.filter(user=request.user, is_on_overview=True).exclude(pk=pk)
    if is_added and others.count() >= MOST_TILES:
        messages.error(request, _("Eight saved views are enough for the overview; take one off first."))
    else:
        view.is_on_overview = is_added
        view.save(update_fields=["is_on_overview"])
    return redirect(f"{reverse('overview')}#views")
