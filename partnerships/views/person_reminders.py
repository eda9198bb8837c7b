"""The page of a colleague's reminders in a month: those that came, that will come, and that did not come and why."""

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import npgettext
from django.views.decorators.http import require_safe

from partnerships.dates import add_months
from partnerships.mailing.person_month import MOST_ROWS, PersonMonth, PersonReminder, ReminderState, person_month
from partnerships.models import User
from partnerships.models.office_day import zone_named
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.calendar import asked_month


@login_required
@require_safe
def person_reminders(request: UserRequest, pk: int) -> HttpResponse:
    """Show a month of the person's own time zone, which its times are in as well, whoever reads the page."""
    person = visible_or_404(User.objects.select_related("deputy"), request, pk)
    require_or_403(request.user, "user.view_reminders", person)
    with timezone.override(zone_named(person.time_zone)):
        now, asked = timezone.now(), request.GET.get("month", "")
        today = timezone.localdate(now)
        first = asked_month(asked) or today.replace(day=1)
        found = person_month(person, viewer=request.user, first=first, end=add_months(first, 1), now=now)
        chosen = _chosen(request.GET.get("state", ""))
        context = {
            "person": person,
            "is_own": person == request.user,
            "is_away": bool(
                person.absent_from and person.absent_until and person.absent_from <= today <= person.absent_until
            ),
            "today": today,
            "now": now,
            "month": first,
            "is_unknown": bool(asked) and asked_month(asked) is None,
            "previous": asked_month(f"{add_months(first, -1):%Y-%m}"),
            "next": asked_month(f"{add_months(first, 1):%Y-%m}"),
            "total": len(found.rows),
            "states": [(state, found.counts[state]) for state in ReminderState if found.counts[state]],
            "chosen": chosen,
            "days": _by_day(row for row in found.rows if chosen in {None, row.state}),
            "sums": _sums(found),
            "is_cut": found.is_cut,
            "most": MOST_ROWS,
        }
        return render(request, "partnerships/people/reminders.html", context)


def _chosen(text: str) -> ReminderState | None:
    return ReminderState(text) if text in ReminderState.values else None


def _sums(found: PersonMonth) -> list[str]:
    """Return the numbers of reminders that came, will come and did not come; zeros are left out."""
    delivered, coming = found.counts[ReminderState.DELIVERED], found.counts[ReminderState.COMING]
    missing = len(found.rows) - delivered - coming
    numbers = (
        (delivered, npgettext("reminders", "%(count)s sent", "%(count)s sent", delivered)),
        (coming, npgettext("reminders", "%(count)s scheduled", "%(count)s scheduled", coming)),
        (missing, npgettext("reminders", "%(count)s not sent by mail", "%(count)s not sent by mail", missing)),
    )
    return [words % {"count": count} for count, words in numbers if count]


def _by_day(rows: Iterable[PersonReminder]) -> list[tuple[dt.date, list[PersonReminder]]]:
    days: dict[dt.date, list[PersonReminder]] = {}
    for row in rows:
        days.setdefault(timezone.localdate(row.at), []).append(row)
    return list(days.items())
