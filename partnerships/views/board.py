"""Activities by status, each card with the steps its reader may take: the same verbs, the same forms."""

from dataclasses import dataclass
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.db.models import Case, Count, F, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.forms.steps import step_offers
from partnerships.lists.activities import ActivityList
from partnerships.models import Activity
from partnerships.models.activities import ActivityQuerySet
from partnerships.requests import UserRequest
from partnerships.statuses import ActivityStatus
from partnerships.views.steps import DATE_ALONE

SHOWN = 50
OVER = (ActivityStatus.COMPLETED, ActivityStatus.CANCELLED)


@dataclass
class BoardColumn:
    """One status: its first cards, how many activities have it, and the address of the list of exactly these."""

    status: ActivityStatus
    cards: list[dict[str, object]]
    count: int
    url: str

    @property
    def more(self) -> int:
        return max(0, self.count - SHOWN)


@login_required
@require_safe
def activity_board(request: UserRequest) -> HttpResponse:
    listed = ActivityList(request.GET, user=request.user, today=timezone.localdate())
    columns = _columns(listed)
    context = {
        "list": listed,
        "filterset": listed.filterset,
        "columns": columns,
        "total": sum(column.count for column in columns),
        "today": listed.today,
        "board": quote(request.GET.urlencode()),
    }
    return render(request, "partnerships/activities/board.html", context)


def board_address(query: str, activity: Activity) -> str:
    """Return the address of the board as it was left, at the card of ``activity``."""
    return f"{reverse('activity_board')}?{QueryDict(query).urlencode()}#card-{activity.pk}"


def _columns(listed: ActivityList) -> list[BoardColumn]:
    """Return a column for each status."""
    found = list(_first_of_each_status(listed).values_list("pk", "status", "of_status"))
    counts = {status: count for _pk, status, count in found}
    rows = listed.rows((pk for pk, _status, _count in found), listed.columns)
    return [
        BoardColumn(
            status=status,
            cards=[_card(row, listed) for row in rows if row.status == status],
            count=counts.get(status, 0),
            url=_list_of(listed, status),
        )
        for status in ActivityStatus
    ]


def _first_of_each_status(listed: ActivityList) -> ActivityQuerySet:
    """Return the first activities of each status: the next to start first; of those that are over, the latest first."""
    still_to_be = Case(When(status__in=OVER, then=None), default=F("starts_on"))
    order = [still_to_be.asc(nulls_last=True), F("starts_on").desc(nulls_last=True), F("pk").asc()]
    nth = Window(RowNumber(), partition_by=F("status"), order_by=order)
    rows = listed.filterset.qs.annotate(nth=nth, of_status=Window(Count("pk"), partition_by=F("status")))
    return rows.filter(nth__lte=SHOWN).order_by("nth")


def _card(row: Activity, listed: ActivityList) -> dict[str, object]:
    """``steps``: what this person may do with it, each with whether its date alone, today, is enough."""
    offers = [offer.transition for offer in step_offers(row, listed.user) if offer.is_open]
    is_late = row.status not in OVER and row.planned_end is not None and row.planned_end < listed.today
    return {"row": row, "steps": [(step, step.name in DATE_ALONE) for step in offers], "is_late": is_late}


def _list_of(listed: ActivityList, status: str) -> str:
    query = listed.data.copy()
    query["status"] = status
    query.pop("page", None)
    return f"{reverse('activity_list')}?{query.urlencode()}"
