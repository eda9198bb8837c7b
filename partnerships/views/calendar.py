"""The calendar: milestones, activities and events on their days, by month, as an agenda or by quarter; one day in full."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, F, Model, Q, QuerySet, Window, prefetch_related_objects
from django.db.models.functions import Coalesce, RowNumber
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from partnerships.dates import EARLIEST_DAY, LATEST_DAY, add_months, is_weekday
from partnerships.lists.calendar import CalendarFilterSet
from partnerships.lists.cells import partner_names
from partnerships.lists.milestones import HONOURED
from partnerships.models import Activity, Event, Milestone, MilestoneKind, Unit, User, WorkCalendar, hide_unseen
from partnerships.models.milestones import MILESTONE_TARGETS
from partnerships.reports.people_to_contact import PersonToContact
from partnerships.requests import UserRequest
from partnerships.statuses import ActivityStatus, MilestoneStatus
from partnerships.views.people_to_contact import people_to_call

# Entries shown on a day of the month; the day's own page has all of them.
SHOWN = 4
PAGE_SIZE = 50
VIEWS = ("month", "agenda", "quarter")
MONTHS_OF_QUARTER = 3
OFF = (MilestoneStatus.WAIVED, MilestoneStatus.CANCELLED)
OF_AN_ACTIVITY = (MilestoneKind.STARTING_ACTIVITY, MilestoneKind.UNFINISHED_ACTIVITY)
ON = (ActivityStatus.PLANNED, ActivityStatus.IN_PROGRESS, ActivityStatus.COMPLETED)


@dataclass(frozen=True)
class CalendarEntry:
    """A row on a day. ``kind``: "event", "activity" or "milestone"."""

    kind: str
    row: Milestone | Activity | Event
    is_late: bool = False
    is_done: bool = False
    people: Sequence[PersonToContact] = ()

    @property
    def partner(self) -> str:
        return "" if isinstance(self.row, Event) else partner_names(self.row.agreement)

    @property
    def kind_label(self) -> str:
        return {"event": _("Event"), "activity": _("Activity"), "milestone": _("Milestone")}[self.kind]


@dataclass
class Day:
    date: dt.date
    is_today: bool
    is_beside: bool  # of the month before or after
    is_off: bool = False
    holiday: str = ""
    is_worked_weekend: bool = False
    entries: list[CalendarEntry] = field(default_factory=list)
    total: int = 0

    @property
    def css_class(self) -> str:
        is_free = not self.total and not self.is_today and not self.holiday
        classes = {"beside": self.is_beside, "off": self.is_off, "is-today": self.is_today, "free": is_free}
        return " ".join(name for name, is_set in classes.items() if is_set)

    @property
    def more(self) -> int:
        return self.total - len(self.entries)


class Calendar:
    """The rows one person may see, inside the filters of an address.

    It stands in for a list where the filters are shown: what the address says besides filters is the month or the day.
    """

    is_known_sort = True
    unknown_columns: ClassVar[list[str]] = []

    def __init__(self, data: QueryDict, *, user: User, today: dt.date) -> None:
        self.data, self.user, self.today = data, user, today

    @cached_property
    def filterset(self) -> CalendarFilterSet:
        return self._filtered(Milestone)

    @property
    def has_problems(self) -> bool:
        return bool(self.filterset.form.errors or self.filterset.unknown or self.filterset.reversed_ranges)

    @property
    def beside_filters(self) -> list[tuple[str, str]]:
        asked = ((name, self.data.get(name, "")) for name in ("month", "day", "view"))
        return [(name, str(value)) for name, value in asked if value]

    def events(self, first: dt.date, last: dt.date) -> QuerySet:
        """Return events between ``first`` and ``last``; an event of three days stands on each of them."""
        rows = self._filtered(Event).qs.recorded().annotate(last_day=Coalesce("ends_on", "starts_on"))
        return rows.filter(starts_on__lte=last, last_day__gte=first).order_by("starts_on", "pk")

    def activities(self, first: dt.date, last: dt.date) -> QuerySet:
        """Return activities by the day they start."""
        rows = self._filtered(Activity).qs.filter(status__in=ON, starts_on__range=(first, last))
        return rows.annotate(on=F("starts_on")).order_by("starts_on", "pk")

    def milestones(self, first: dt.date, last: dt.date) -> QuerySet:
        """Return milestones by due day, except those to start or complete an activity that stands on the same day."""
        rows = self.filterset.qs.filter(due_on__range=(first, last)).exclude(status__in=OFF)
        rows = rows.exclude(Q(kind__in=OF_AN_ACTIVITY) & Q(activity__starts_on=F("due_on")))
        return rows.annotate(on=F("due_on")).order_by("due_on", "pk")

    def entry(self, row: Milestone | Activity | Event) -> CalendarEntry:
        if isinstance(row, Event):
            return CalendarEntry("event", row)
        if isinstance(row, Activity):
            is_done = row.status == ActivityStatus.COMPLETED
            is_late = not is_done and row.planned_end is not None and row.planned_end < self.today
            return CalendarEntry("activity", row, is_late=is_late, is_done=is_done)
        return CalendarEntry("milestone", row, is_late=row.is_overdue(self.today), is_done=not row.is_pending)

    def _filtered(self, model: type[Milestone] | type[Activity] | type[Event]) -> CalendarFilterSet:
        rows = model.objects.visible_to(self.user)
        return CalendarFilterSet(self.data, rows, user=self.user, today=self.today)


@login_required
@require_safe
def calendar(request: UserRequest) -> HttpResponse:
    """Show the month or day in the address; for anything else show the current month and say so."""
    today = timezone.localdate()
    shown = Calendar(request.GET, user=request.user, today=today)
    day, month = asked_day(request.GET.get("day", "")), asked_month(request.GET.get("month", ""))
    context = {
        "calendar": shown,
        "filterset": shown.filterset,
        "today": today,
        "is_unknown": bool((request.GET.get("day") and not day) or (request.GET.get("month") and not month)),
    }
    if day:
        return render(request, "partnerships/calendar/day.html", context | _day(request, shown, day))
    first = month or today.replace(day=1)
    view = context["view"] = request.GET.get("view", "") if request.GET.get("view") in VIEWS else "month"
    if view == "month":
        return render(request, "partnerships/calendar/month.html", context | _month(shown, first))
    months = MONTHS_OF_QUARTER if view == "quarter" else 1
    return render(request, "partnerships/calendar/agenda.html", context | _agenda(shown, first, months, view))


def asked_month(text: str) -> dt.date | None:
    """Return the first day of "2026-03"; None for what is no month people plan in."""
    return asked_day(f"{text}-01") if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text) else None


def asked_day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST_DAY <= day <= LATEST_DAY else None


def _month(shown: Calendar, first: dt.date) -> dict[str, object]:
    last = add_months(first, 1) - dt.timedelta(days=1)
    monday = first - dt.timedelta(days=first.weekday())
    sunday = last + dt.timedelta(days=6 - last.weekday())
    dates = [monday + dt.timedelta(days=number) for number in range((sunday - monday).days + 1)]
    days = {date: Day(date, is_today=date == shown.today, is_beside=date.month != first.month) for date in dates}
    _place(days, shown)
    _read_partners(days.values(), shown)
    work_calendar = _work_calendar(shown)
    _mark_days_off(days, work_calendar)
    return {
        "month": first,
        "weekdays": [(WEEKDAYS_ABBR[number], WEEKDAYS[number]) for number in range(7)],
        "weeks": [[days[date] for date in dates[start : start + 7]] for start in range(0, len(dates), 7)],
        "total": sum(day.total for day in days.values() if not day.is_beside),
        "previous": asked_month(f"{add_months(first, -1):%Y-%m}"),
        "next": asked_month(f"{add_months(first, 1):%Y-%m}"),
        "guessed_after": work_calendar.covered_until if work_calendar and work_calendar.covered_until < last else None,
    }


def _agenda(shown: Calendar, first: dt.date, months: int, view: str) -> dict[str, object]:
    """Return the days of some months on which there is something, each month for itself.

    An agenda of one month names the partners, and whom to call where it is time to get in touch.
    """
    end = add_months(first, months)
    dates = _days_between(first, end - dt.timedelta(days=1))
    days = {date: Day(date, is_today=date == shown.today, is_beside=False) for date in dates}
    _place(days, shown)
    _mark_days_off(days, _work_calendar(shown))
    if view == "agenda":
        _add_partners_and_people(list(days.values()), shown)
    found: dict[dt.date, list[Day]] = {add_months(first, number): [] for number in range(months)}
    for day in days.values():
        if day.total:
            found[day.date.replace(day=1)].append(day)
    return {
        "month": first,
        "last_month": add_months(first, months - 1),
        "months": list(found.items()),
        "total": sum(day.total for day in days.values()),
        "previous": asked_month(f"{add_months(first, -months):%Y-%m}"),
        "next": asked_month(f"{end:%Y-%m}"),
    }


def _read_partners(days: Iterable[Day], shown: Calendar) -> list[Model]:
    """Read the partners of what stands on the days, and return its rows without events."""
    rows: list[Model] = [entry.row for day in days for entry in day.entries if not isinstance(entry.row, Event)]
    prefetch_related_objects(rows, "agreement__unit", "agreement__parties__organization", "unit")
    hide_unseen(rows, shown.user)
    return rows


def _add_partners_and_people(days: Sequence[Day], shown: Calendar) -> None:
    people = people_to_call(_read_partners(days, shown), shown.user, shown.today)
    for day in days:
        day.entries = [
            replace(entry, people=people.get(entry.row.pk, ())) if entry.kind == "milestone" else entry
            for entry in day.entries
        ]


def _place(days: dict[dt.date, Day], shown: Calendar) -> None:
    """Put the first entries on each day, events before activities before milestones, and count all."""
    first, last = min(days), max(days)
    found: dict[dt.date, list[Milestone | Activity | Event]] = defaultdict(list)
    for event in shown.events(first, last):
        for date in _days_between(max(first, event.starts_on), min(last, event.last_day)):
            found[date].append(event)
            days[date].total += 1
    for rows in (shown.activities(first, last), shown.milestones(first, last)):
        counted: dict[dt.date, int] = {}
        for row in _first_of_each_day(rows):
            found[row.on].append(row)
            counted[row.on] = row.of_the_day
        for date, count in counted.items():
            days[date].total += count
    for date, rows_of_day in found.items():
        days[date].entries = [shown.entry(row) for row in rows_of_day[:SHOWN]]


def _first_of_each_day(rows: QuerySet) -> QuerySet:
    """Return at most as many rows of each day as are shown, with the number of all; a month can have thousands."""
    nth = Window(RowNumber(), order_by="pk", partition_by=F("on"))
    of_the_day = Window(Count("pk"), partition_by=F("on"))
    return rows.annotate(nth=nth, of_the_day=of_the_day).filter(nth__lte=SHOWN)


def _days_between(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    return (first + dt.timedelta(days=number) for number in range((last - first).days + 1))


def _mark_days_off(days: dict[dt.date, Day], work_calendar: WorkCalendar | None) -> None:
    for day in days.values():
        day.is_off = not is_weekday(day.date)
    if work_calendar is None:
        return
    for known in work_calendar.days.filter(day__range=(min(days), max(days))):
        day = days[known.day]
        day.is_worked_weekend = known.is_workday and day.is_off
        day.is_off = not known.is_workday
        day.holiday = "" if known.is_workday else known.display_name or _("Holiday")


def _work_calendar(shown: Calendar) -> WorkCalendar | None:
    """Return the working days of the unit in the filter, or of the user's unit; the office, without one, gets the first."""
    unit = shown.filterset.form.cleaned_data.get("unit")  # the rows were read: the form has looked at its data
    unit = unit or Unit.objects.filter(memberships__user=shown.user).select_related("work_calendar").first()
    return unit.effective_calendar if unit else WorkCalendar.objects.first()


def _day(request: UserRequest, shown: Calendar, day: dt.date) -> dict[str, object]:
    """Return one page of the entries of ``day``. Ids are read first, and rows only for the page."""
    rows = {
        "event": shown.events(day, day),
        "activity": shown.activities(day, day).select_related("agreement", "owner", "unit"),
        "milestone": shown.milestones(day, day).select_related(
            "agreement", "owner", "unit", *MILESTONE_TARGETS, *HONOURED
        ),
    }
    keys = [(kind, pk) for kind, found in rows.items() for pk in found.values_list("pk", flat=True)]
    page = Paginator(keys, PAGE_SIZE).get_page(request.GET.get("page"))
    entries: list[CalendarEntry] = []
    for kind, found in rows.items():
        of_page = [pk for one, pk in page.object_list if one == kind]
        entries += [shown.entry(row) for row in found.filter(pk__in=of_page)] if of_page else []
    hide_unseen([entry.row for entry in entries], shown.user)
    one = dt.timedelta(days=1)
    return {
        "day": day,
        "page": page,
        "entries": entries,
        "previous": asked_day((day - one).isoformat()),
        "next": asked_day((day + one).isoformat()),
    }
