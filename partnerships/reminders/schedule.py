"""When a rule speaks about a due date: pure arithmetic, no clock and no database."""

import datetime as dt
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from partnerships.dates import IsWorkday, add_months, add_workdays, shift_to_workday
from partnerships.models import ReminderRule

# A reminder this long after its time still helps; also the least time a reminder about the past is worth sending.
USEFUL_FOR = dt.timedelta(days=7)


@dataclass(frozen=True)
class WorkingDays:
    """``is_workday`` is a guess after ``covered_until``; None: Monday to Friday by definition, so never a guess."""

    is_workday: IsWorkday
    covered_until: dt.date | None = None

    def guesses(self, day: dt.date) -> bool:
        return self.covered_until is not None and day > self.covered_until


@dataclass(frozen=True)
class Unanswered:
    """The reminder a rule waits for an answer to: since when, the id of the person it is for, and how it stands.

    ``status`` is the delivery's: sent, kept to the feed (skipped), held, or one of those that did not get through.
    """

    at: dt.datetime
    person: int
    status: str


@dataclass(frozen=True)
class Moment:
    """``send_at`` and ``expires_at`` in UTC; ``is_provisional``: working days of that time are not known yet."""

    send_at: dt.datetime
    expires_at: dt.datetime
    is_provisional: bool
    unanswered: Unanswered | None = None


def day_of(rule: ReminderRule, due_on: dt.date) -> dt.date:
    """The day the rule names, before any shift; months are counted from ``due_on`` and clamped to the month's end."""
    count = rule.offset if rule.direction == ReminderRule.Direction.AFTER else -rule.offset
    if rule.offset_unit == ReminderRule.OffsetUnit.MONTHS:
        return add_months(due_on, count)
    days = count * 7 if rule.offset_unit == ReminderRule.OffsetUnit.WEEKS else count
    return due_on + dt.timedelta(days=days)


def moment(rule: ReminderRule, due_on: dt.date, zone: ZoneInfo, working: WorkingDays) -> Moment | None:
    """When to send, in ``zone``; None when that lies outside the calendar (years 1 to 9999).

    A local time inside a DST gap moves forward by the gap; of the two in a fold it is the first.
    """
    try:
        day, is_guess = _shifted(rule, day_of(rule, due_on), working)
        return moment_on(day, rule.send_time, due_on, zone, is_guess=is_guess)
    except OverflowError:
        return None


def moment_unanswered(
    rule: ReminderRule, due_on: dt.date, unanswered: Unanswered, zone: ZoneInfo, working: WorkingDays
) -> Moment | None:
    """When ``rule``, which waits for an answer, speaks: its working days after the reminder, counted in ``zone``."""
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
    except ValueError:  # as in _shifted
        return sent_on + dt.timedelta(days=rule.offset), True
    return day, working.guesses(day)


def _shifted(rule: ReminderRule, day: dt.date, working: WorkingDays) -> tuple[dt.date, bool]:
    """The day to send on, and whether that is a guess."""
    if rule.shift == ReminderRule.Shift.NONE:
        return day, False
    step = -1 if rule.shift == ReminderRule.Shift.PREVIOUS else 1
    try:
        shifted = shift_to_workday(day, working.is_workday, step=step)
    except ValueError:  # a calendar that knows no working day for a month: better on a day off than not at all
        return day, True
    return shifted, working.guesses(max(day, shifted))


def utc(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """The moment of a local time; one inside a DST gap moves forward by the gap, of the two in a fold it is the first."""
    # fold=0 is the rule for both: the first of two, and in a gap the offset before it, which lands after the gap.
    return dt.datetime.combine(day, time.replace(fold=0), tzinfo=zone).astimezone(dt.UTC)
