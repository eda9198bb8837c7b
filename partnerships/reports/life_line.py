"""Life lines: the dates of an agreement or another record on one line, with the labels placed side by side."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from partnerships.dates import whole_months
from partnerships.models import Agreement, AgreementTerm, Milestone, MilestoneKind
from partnerships.models.terms import DecisionDate, Period
from partnerships.partial_dates import PartialDate, Precision
from partnerships.statuses import ActivityStatus, AgreementStatus

# Labels are placed for the narrowest page that draws the line, in pixels; on a wider one they stand further apart.
NARROWEST = 840
LATIN_WIDTH, CHINESE_WIDTH = 6.2, 12.2
GAP = 8
LONGEST_LABEL = 28
CONTACTS_SHOWN = 60
REVIEWS_SHOWN = 2
# An open-ended line goes on for this share of what is drawn of it.
OPEN_END = 0.12


@dataclass(frozen=True)
class LifePoint:
    """One date on the line. ``x`` and ``anchor`` place it; ``row`` is empty where its label has no room."""

    name: str
    label: str
    day: dt.date
    words: str
    is_past: bool = False
    is_rough: bool = False
    x: str = ""
    anchor: str = "middle"
    row: str = ""

    @property
    def short_label(self) -> str:
        return self.label if len(self.label) <= LONGEST_LABEL else f"{self.label[: LONGEST_LABEL - 1].rstrip()}…"


@dataclass(frozen=True)
class LifeLine:
    """The points in the order of their dates; places on the line are percentages, as attributes of the picture."""

    points: Sequence[LifePoint]
    done: str  # up to today, or to the day on which it ended
    decision: tuple[str, str] | None  # from the day of the decision to the end
    pause: tuple[str, str] | None  # since it was suspended
    overdue: tuple[str, str] | None  # since its term ended without a renewal
    contacts: Sequence[str]
    is_open_ended: bool
    is_planned: bool


def life_line(
    agreement: Agreement,
    terms: Sequence[AgreementTerm],
    period: Period | None,
    decision: DecisionDate | None,
    today: dt.date,
) -> LifeLine | None:
    """Return the life line of an agreement; None where no date of it is known. Two queries for a signed one."""
    points = _points(agreement, terms, period, decision, today)
    dated = [point.day for point in points]
    if not dated:
        return None
    is_planned = agreement.signed_on is None
    closed_on = agreement.terminated_on or agreement.completed_on
    is_open_ended = period is None or period.ends_on is None
    first, last = min(dated), max(dated)
    if not is_planned and not closed_on:
        last = max(last, today)
        points.append(LifePoint("today", _("Today"), today, _how_far(first, period, today), is_past=True))
    if is_open_ended and not closed_on:
        last += dt.timedelta(days=max(int((last - first).days * OPEN_END), 30))
    scale = _Scale(first, last)
    over = closed_on or today
    ends_on = period.ends_on if period else None
    return LifeLine(
        points=sorted(_placed(points, scale), key=lambda point: (point.day, point.name == "end")),
        done="0%" if is_planned else scale.at(min(over, ends_on or over)),
        decision=(scale.at(decision.decide_on), scale.at(decision.ends_on)) if decision and not closed_on else None,
        pause=_pause(agreement, scale, today),
        overdue=(scale.at(ends_on), scale.at(today)) if ends_on and ends_on < today and not closed_on else None,
        contacts=[] if is_planned else [scale.at(day) for day in _contacts(agreement) if first <= day <= last],
        is_open_ended=is_open_ended and not closed_on,
        is_planned=is_planned,
    )


def life_of(points: Iterable[LifePoint | None], today: dt.date, *, over_on: dt.date | None = None) -> LifeLine | None:
    """Return the line of a record other than an agreement; None where fewer than two of its dates are known.

    ``over_on`` is the day on which it ended; a line that has not ended reaches until today at least.
    """
    known = [point for point in points if point]
    if len(known) < 2:
        return None
    if over_on is None:
        known.append(_of_day("today", _("Today"), today, today))
    days = [point.day for point in known]
    scale = _Scale(min(days), max(days))
    ordered = sorted(_placed(known, scale), key=lambda point: (point.day, point.name == "end"))
    return LifeLine(
        points=ordered,
        done=scale.at(over_on or today),
        decision=None,
        pause=None,
        overdue=None,
        contacts=[],
        is_open_ended=False,
        is_planned=False,
    )


def point_of(name: str, label: str, day: dt.date | None, today: dt.date) -> LifePoint | None:
    """Return the point of a day; None where it is not known."""
    return _of_day(name, label, day, today) if day else None


def _points(
    agreement: Agreement,
    terms: Sequence[AgreementTerm],
    period: Period | None,
    decision: DecisionDate | None,
    today: dt.date,
) -> list[LifePoint]:
    is_signed = agreement.signed_on is not None
    points: list[LifePoint | None] = []
    first = min(terms, key=lambda term: term.number, default=None)
    if is_signed:
        points.append(_known("signed", _("Signed"), agreement.signed, today))
    if first and (not is_signed or first.starts != agreement.signed):
        points.append(
            _known(
                "start",
                _("Starts") if first.starts_on > today else pgettext("date on a line", "Started"),
                first.starts,
                today,
            )
        )
    reviews = _reviews(agreement) if is_signed else []
    points += [_of_day("review", str(row), row.due_on, today) for row in reviews]
    if is_signed and period and period.number > 1:
        points.append(_renewed(period, today))
    if period and period.ends_on is None and period.term.review_on and not reviews:
        points.append(_of_day("review", pgettext("date on a line", "Review"), period.term.review_on, today))
    closed_on = agreement.terminated_on or agreement.completed_on
    if closed_on:
        points.append(
            _of_day("closed", _("Completed") if agreement.completed_on else _("Terminated"), closed_on, today)
        )
    elif agreement.status == AgreementStatus.SUSPENDED and agreement.suspended_on:
        points.append(_of_day("suspended", _("Suspended"), agreement.suspended_on, today))
    if decision and not closed_on:
        points.append(_of_day("decide", _("Decide by"), decision.decide_on, today))
        if decision.notice_by < decision.ends_on:
            points.append(_of_day("notice", _("Notice by"), decision.notice_by, today))
    if period and period.ends_on and not (closed_on and closed_on >= period.ends_on):
        rough = period.term.ends if period.is_recorded else PartialDate(period.ends_on)
        ended = not closed_on and period.ends_on < today and is_signed
        points.append(
            _known("end", _("Ended") if ended else pgettext("date on a line", "End"), rough, today, last=True)
        )
    return [point for point in points if point is not None]


def _renewed(period: Period, today: dt.date) -> LifePoint:
    if not period.is_recorded:
        return _of_day("renewed", _("Renewal to confirm"), period.starts_on, today)
    is_amended = period.term.basis == AgreementTerm.Basis.AMENDMENT
    return _of_day("renewed", _("Amended") if is_amended else _("Renewed"), period.starts_on, today)


def _reviews(agreement: Agreement) -> list[Milestone]:
    rows = agreement.milestones.pending().filter(kind=MilestoneKind.REVIEW)
    return list(rows.order_by("due_on", "pk")[:REVIEWS_SHOWN])


def _contacts(agreement: Agreement) -> list[dt.date]:
    """Return the days of the latest calls and completed activities."""
    notes = agreement.contact_notes.order_by().values_list("happened_on")
    done = agreement.activities.filter(status=ActivityStatus.COMPLETED, completed_on__isnull=False)
    days = notes.union(done.order_by().values_list("completed_on"))
    return sorted({day for (day,) in days.order_by("-happened_on")[:CONTACTS_SHOWN]})


def _of_day(name: str, label: str, day: dt.date, today: dt.date) -> LifePoint:
    return LifePoint(name, label, day, date_format(day, "DATE_FORMAT"), is_past=day <= today)


def _known(name: str, label: str, date: PartialDate | None, today: dt.date, *, last: bool = False) -> LifePoint | None:
    """Return the point of a date as far as it is known; None of one that is not known at all."""
    if date is None or date.precision == Precision.UNKNOWN:
        return None
    day = date.last if last else date.first
    return LifePoint(name, label, day, str(date), is_past=day <= today, is_rough=not date.is_complete)


def _how_far(first: dt.date, period: Period | None, today: dt.date) -> str:
    """Return the month of the agreement that today is in, of how many; its date once the term is over."""
    if period is None or first > today or period.has_ended(today):
        return date_format(today, "DATE_FORMAT")
    month = whole_months(first, today) + 1
    if period.ends_on is None:
        return _("month %(month)s") % {"month": month}
    months = whole_months(first, period.ends_on + dt.timedelta(days=1))
    if months < month:
        return date_format(today, "DATE_FORMAT")
    return _("month %(month)s of %(months)s") % {"month": month, "months": months}


def _pause(agreement: Agreement, scale: "_Scale", today: dt.date) -> tuple[str, str] | None:
    if agreement.status != AgreementStatus.SUSPENDED or not agreement.suspended_on:
        return None
    return scale.at(agreement.suspended_on), scale.at(today)


class _Scale:
    """Turns days into places between 0 and 100 %."""

    def __init__(self, first: dt.date, last: dt.date) -> None:
        self.first, self.days = first, max((last - first).days, 1)

    def share(self, day: dt.date) -> float:
        return min(max((day - self.first).days / self.days, 0.0), 1.0) * 100

    def at(self, day: dt.date) -> str:
        return f"{self.share(day):.2f}%"


# Labels get their places in this order: those that come late may have none left, and stand in a list below the line.
ORDER = ("today", "signed", "closed", "end", "decide", "start", "notice", "suspended", "renewed", "review")
LOWER_FIRST = frozenset({"today", "notice"})


def _placed(points: Iterable[LifePoint], scale: _Scale) -> list[LifePoint]:
    taken: dict[str, list[tuple[float, float]]] = {"above": [], "below": []}
    placed = []
    for point in sorted(points, key=lambda one: ORDER.index(one.name) if one.name in ORDER else len(ORDER)):
        x = scale.share(point.day)
        found: dict[str, Any] = {}
        rows = ("below", "above") if point.name in LOWER_FIRST else ("above", "below")
        for row in rows:
            width = _width(point, row) / NARROWEST * 100
            for anchor, left in (("middle", x - width / 2), ("start", x), ("end", x - width)):
                fits = left >= -1 and left + width <= 101
                if fits and all(left + width < other or left > end for other, end in taken[row]):
                    taken[row].append((left - GAP / NARROWEST * 100, left + width + GAP / NARROWEST * 100))
                    found = {"row": row, "anchor": anchor}
                    break
            if found:
                break
        placed.append(replace(point, x=f"{x:.2f}%", **found))
    return placed


def _width(point: LifePoint, row: str) -> float:
    """Return about how wide the label is in pixels: two lines above the line, one line below it."""
    label, words = _text_width(point.short_label) * 1.08, _text_width(point.words)
    return max(label, words) if row == "above" else label + words + LATIN_WIDTH


def _text_width(text: str) -> float:
    return sum(CHINESE_WIDTH if ord(letter) > 0x2E7F else LATIN_WIDTH for letter in text)
