"""When a rule sends its reminder of a due date: pure arithmetic, without clock or database."""

import datetime as dt
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from partnerships.dates import IsWorkday, add_months, add_workdays, shift_to_workday
from partnerships.models import ReminderRule

# A reminder is still worth sending this long after its time, even when the due date is over.
USEFUL_FOR = dt.timedelta(days=7)


@dataclass(frozen=True)
class WorkingDays:
    """A calendar of working days; after ``covered_until`` it guesses. None: Monday to Friday, which is no guess."""

    is_workday: IsWorkday
    covered_until: dt.date | None = None

    def guesses(self, day: dt.date) -> bool:
        return self.covered_until is not None and day > self.covered_until


@dataclass(frozen=True)
class Unanswered:
    """The unanswered reminder: when it was sent, to whom, and its delivery status.

    For a delivery that was held or failed, ``at`` is when that was known.
    """

    at: dt.datetime
    person: int  # its id
    status: str


@dataclass(frozen=True)
class Moment:
    """When a reminder is sent and when it expires, in UTC; provisional where the working days are not known yet."""

    send_at: dt.datetime
    expires_at: dt.datetime
    is_provisional: bool
    unanswered: Unanswered | None = None


def day_of(rule: ReminderRule, due_on: dt.date) -> dt.date:
    """Return the rule's day before any shift; months are counted from ``due_on`` and clamped to the month's end."""
    count = rule.offset if rule.direction == ReminderRule.Direction.AFTER else -rule.offset
    if rule.offset_unit == ReminderRule.OffsetUnit.MONTHS:
        return add_months(due_on, count)
    days = count * 7 if rule.offset_unit == ReminderRule.OffsetUnit.WEEKS else count
    return due_on + dt.timedelta(days=days)


def moment(rule: ReminderRule, due_on: dt.date, zone: ZoneInfo, working: WorkingDays) -> Moment | None:
    """Return when to send, in ``zone``; None when that lies outside the years 1 to 9999."""
    try:
        day, is_guess = _shifted(rule, day_of(rule, due_on), working)
        return moment_on(day, rule.send_time, due_on, zone, is_guess=is_guess)
    except OverflowError:
        return None


def moment_unanswered(
    rule: ReminderRule, due_on: dt.date, unanswered: Unanswered, zone: ZoneInfo, working: WorkingDays
) -> Moment | None:
    """Return when ``rule`` sends: its working days after the unanswered reminder, counted in ``zone``."""
    sent_on = unanswered.at.astimezone(zone).date()
    try:
        day, is_guess = _waited(rule, sent_on, working)
        return replace(moment_on(day, rule.send_time, due_on, zone, is_guess=is_guess), unanswered=unanswered)
    except OverflowError:
        return None


def moment_on(day: dt.date, time: dt.time, due_on: dt.date, zone: ZoneInfo, *, is_guess: bool = False) -> Moment:
    send_at = utc(day, time, zone)
    day_is_over = utc(due_on + dt.timedelta(days=1), dt.time.min, zone)
    return Moment(send_at, max(day_is_over, send_at + USEFUL_FOR), is_guess)


def _waited(rule: ReminderRule, sent_on: dt.date, working: WorkingDays) -> tuple[dt.date, bool]:
    try:
        day = add_workdays(sent_on, rule.offset, working.is_workday)
    except ValueError:  # see _shifted
        return sent_on + dt.timedelta(days=rule.offset), True
    return day, working.guesses(day)


def _shifted(rule: ReminderRule, day: dt.date, working: WorkingDays) -> tuple[dt.date, bool]:
    """Return the day to send on, and whether that is a guess."""
    if rule.shift == ReminderRule.Shift.NONE:
        return day, False
    step = -1 if rule.shift == ReminderRule.Shift.PREVIOUS else 1
    try:
        shifted = shift_to_workday(day, working.is_workday, step=step)
    except ValueError:
        # The calendar has no working day for a month. A reminder on a day off is better than none.
        return day, True
    return shifted, working.guesses(max(day, shifted))


def utc(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Return a local time in UTC. A time in a DST gap moves forward by the gap; in a fold it is the first of two."""
    # fold=0 does both: in a gap it takes the offset before the change, which lands after the gap.
    return dt.datetime.combine(day, time.replace(fold=0), tzinfo=zone).astimezone(dt.UTC)
