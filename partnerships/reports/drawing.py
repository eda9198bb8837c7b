"""The charts of the overview and of the reports, drawn from the figures of ``reports.overview``.

Nothing is told by color alone: what ended or is late is hatched, decisions are diamonds and ends are squares, and what
is under 60% has bold numbers. Each mark on a page opens its list.
"""

import datetime as dt
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import floor, log10
from typing import NamedTuple

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from partnerships.dates import add_months
from partnerships.reports.canvas import HATCHED, HATCHED_LATE, PAGE, Canvas, Drawing, element, lines_between
from partnerships.reports.overview_figures import (
    CONTACT_DAYS,
    ComingDate,
    MonthFigures,
    PersonLoad,
    RegionFigures,
    ReportPeriod,
    RowName,
    UnitFigures,
)

# Activities of a month are drawn in this order, from the base line up.
ACTIVITY_GROUPS: Mapping[str, Promise] = {
    "training": gettext_lazy("Training"),
    "project": gettext_lazy("Projects"),
    "visit": gettext_lazy("Visits"),
    "other": pgettext_lazy("activities", "Others"),
}
# From this number on numbers on bars give way to an axis. Where there is little room, they always do.
AXIS_FROM = 100
ROW = 30
HEAD = 20
# Delivered of promised in per cent: below the number, the color is so strong. Below the last one numbers are bold.
HEAT = ((60, 0.4), (75, 0.22), (90, 0.1))
# The contact counts as recent up to so many days.
RECENT_DAYS = 180
# Signs of a number in a cell of the heat map.
LONGEST_CELL = 8
# Room of names in a file, in pixels.
NAMES = 104
RANK_NAMES = 120
# The least share of the next twelve months that has room for a month's name.
LEAST_MONTH = 0.055


class Box(NamedTuple):
    """The place of a mark: shares of the width, and pixels from the top."""

    first: float
    last: float
    top: float


class Axis(NamedTuple):
    """A vertical axis from ``base`` up: pixels for each, the highest number, and the number of steps to it."""

    base: float
    each: float
    top: int
    steps: int
    css_class: str | None = None


def grouped(value: int) -> str:
    """Return a number with a comma from 1,000 on, and a true minus."""
    return f"{value:,}".replace("-", "−")


def month_name(first: dt.date) -> str:
    return date_format(first, pgettext("month of a chart", "M"))


def month_and_year(first: dt.date) -> str:
    return date_format(first, pgettext("month of a chart", "M Y"))


def chart_day(day: dt.date, today: dt.date) -> str:
    """Return a day as charts and lists beside them show it, with the year where it is another one."""
    form = pgettext("date", "M j") if day.year == today.year else pgettext("date", "M j, Y")
    return date_format(day, form)


def period_name(period: ReportPeriod) -> str:
    """Return "2026", or "2025/26" for an academic year."""
    return f"{period.year}/{(period.year + 1) % 100:02d}" if period.is_academic else str(period.year)


def nice_top(highest: int, steps: int) -> int:
    """Return the top of an axis with ``steps`` steps, each 1, 2 or 5 with zeros."""
    least = max(highest, 1) / steps
    size = 10 ** max(floor(log10(least)), 0)
    return next(int(size * factor) for factor in (1, 2, 5, 10) if size * factor >= least) * steps


def cut(words: str, room: int) -> str:
    """Return words that fit into ``room`` pixels of a file's small print, cut with an ellipsis."""
    width = 0.0
    for place, letter in enumerate(words):
        width += 11 if unicodedata.east_asian_width(letter) in "WF" else 6
        if width > room:
            return f"{words[: max(place - 1, 1)].rstrip()}…"
    return words


# By month


def draw_months(months: Sequence[MonthFigures], period: ReportPeriod, canvas: Canvas = PAGE) -> SafeString:
    """Draw agreements signed (up) and ended (down, hatched), and activities by group, month by month."""
    drawing = Drawing(canvas, height=268, left=58, right=84)
    _draw_signed_and_ended(drawing, months)
    top_of_activities = _draw_activities(drawing, months)
    _draw_month_names(drawing, months, period)
    _draw_totals(drawing, months, period, top_of_activities)
    return drawing.done("chart-months", _("Agreements signed and ended, and activities, by month"))


MONTHS_BASE, MONTHS_UP, MONTHS_DOWN = 64, 50, 42
ACTIVITIES_BASE, ACTIVITIES_HEIGHT = 234, 92


def _draw_signed_and_ended(drawing: Drawing, months: Sequence[MonthFigures]) -> None:
    colors, count = drawing.colors, len(months)
    most_signed = max((month.signed.value for month in months), default=0)
    most_ended = max((month.ended.value for month in months), default=0)
    most = max(most_signed, most_ended)
    has_axis = most >= AXIS_FROM
    top = nice_top(most_signed, 2) if has_axis else max(most_signed, 1)
    each = min(14, MONTHS_UP / top, MONTHS_DOWN / max(most_ended, 1))
    axis = Axis(MONTHS_BASE, each, top, 2) if has_axis else Axis(MONTHS_BASE, each, top, 1, "narrow")
    _draw_axis(drawing, axis)
    drawing.add(drawing.line(0, 1, MONTHS_BASE, MONTHS_BASE, colors.line_strong))
    for place, month in enumerate(months):
        first, last, middle = place / count, (place + 1) / count, (place + 0.5) / count
        bar = (first + 0.17 / count, last - 0.17 / count)
        name = month_and_year(month.first)
        for listed, is_ended in ((month.signed, False), (month.ended, True)):
            if not listed.value:
                continue
            height = max(each * listed.value, 1.5)
            if is_ended:
                words = _("%(month)s: %(count)s ended") % {"month": name, "count": grouped(listed.value)}
                fill = drawing.hatched(HATCHED)
                shape = drawing.rect(*bar, MONTHS_BASE + 1, height, fill, stroke=colors.ink_3, class_="m")
                tip = MONTHS_BASE + height + 11
                hit = drawing.hit(first, last, MONTHS_BASE, MONTHS_DOWN + 12)
            else:
                words = _("%(month)s: %(count)s signed") % {"month": name, "count": grouped(listed.value)}
                shape = drawing.rect(*bar, MONTHS_BASE - height, height, colors.c1, class_="m")
                tip = MONTHS_BASE - height - 3
                hit = drawing.hit(first, last, 2, MONTHS_BASE - 2)
            look = {"text_anchor": "middle", "font_size": 10, "class_": "wide"}
            shown = [] if has_axis else [drawing.text(grouped(listed.value), middle, tip, **look)]
            drawing.add(drawing.mark(listed.address, words, hit, shape, *shown))


def _draw_activities(drawing: Drawing, months: Sequence[MonthFigures]) -> int:
    """Draw the activities of each month, stacked by group, and return the top of their axis."""
    colors, count = drawing.colors, len(months)
    highest = max((sum(one.value for one in month.activities.values()) for month in months), default=0)
    top = nice_top(highest, 3)
    each = ACTIVITIES_HEIGHT / top
    _draw_axis(drawing, Axis(ACTIVITIES_BASE, each, top, 3))
    fills = {
        "training": (colors.c1, None),
        "project": (colors.c2, None),
        "visit": (colors.c3, colors.c2),
        "other": (colors.surface, colors.c2),
    }
    for place, month in enumerate(months):
        first, last = place / count, (place + 1) / count
        base = float(ACTIVITIES_BASE)
        for group, label in ACTIVITY_GROUPS.items():
            listed = month.activities.get(group)
            if listed is None or not listed.value:
                continue
            height = each * listed.value
            words = _("%(month)s: %(group)s, %(count)s") % {
                "month": month_and_year(month.first),
                "group": label,
                "count": grouped(listed.value),
            }
            bar = (first + 0.17 / count, last - 0.17 / count)
            fill, edge = fills[group]
            shape = drawing.rect(
                *bar, base - height, max(height - 0.8, 0.8), fill, stroke=edge, stroke_width=0.8, class_="m"
            )
            hit = drawing.hit(first, last, base - height, height)
            drawing.add(drawing.mark(listed.address, words, hit, shape))
            base -= height
    return top


def _draw_axis(drawing: Drawing, axis: Axis) -> None:
    for step in range(axis.steps + 1):
        value = axis.top // axis.steps * step
        y = axis.base - axis.each * value
        stroke = drawing.colors.grid if step else drawing.colors.line_strong
        if step or axis.css_class is None:
            drawing.add(drawing.line(0, 1, y, y, stroke, class_=axis.css_class))
        look = {"text_anchor": "end", "class_": axis.css_class}
        drawing.add(element("text", grouped(value), x=-8, y=y + 4, fill=drawing.colors.ink_2, **look))


def _draw_month_names(drawing: Drawing, months: Sequence[MonthFigures], period: ReportPeriod) -> None:
    colors, count = drawing.colors, len(months)
    start = period.starts_on.month
    for place, month in enumerate(months):
        if (month.first.month - start) % 3:
            continue
        middle = (place + 0.5) / count
        drawing.add(drawing.text(month_name(month.first), middle, 249, text_anchor="middle"))
        if month.first.month != start:
            continue
        name = period_name(ReportPeriod(month.first.year, period.is_academic))
        look = {"text_anchor": "middle", "font_weight": 600, "fill": colors.ink}
        drawing.add(drawing.text(name, middle, 263, **look))
        if place:
            edge = place / count
            drawing.add(drawing.line(edge, edge, 2, ACTIVITIES_BASE, colors.line_strong, stroke_dasharray="2 3"))


def _draw_totals(drawing: Drawing, months: Sequence[MonthFigures], period: ReportPeriod, top: int) -> None:
    """Write the names of the rows at the left, and at the right the totals of the period."""
    colors = drawing.colors
    has_axis = any(max(month.signed.value, month.ended.value) >= AXIS_FROM for month in months)
    look = {"fill": colors.ink, "font_weight": 600}
    drawing.add(
        # With an axis, between its numbers.
        element("text", pgettext("agreements", "Signed"), x=-58, y=31 if has_axis else 44, **look),
        element("text", pgettext("agreements", "Ended"), x=-58, y=86, **look),
        element("text", _("Activities"), x=-58, y=130, **look),
    )
    within = [month for month in months if period.starts_on <= month.first <= period.ends_on]
    if not within:
        return
    signed, ended = sum(month.signed.value for month in within), sum(month.ended.value for month in within)
    drawing.add(
        drawing.at(
            1, element("text", _("in %(period)s") % {"period": period_name(period)}, x=8, y=10, fill=colors.ink_3)
        ),
        drawing.at(1, _total(drawing, _("total"), signed, 44)),
        drawing.at(1, _total(drawing, _("total"), ended, 86)),
    )
    # The labels stand at their part of the last bar, at least a line apart.
    last, base, lowest = months[-1], float(ACTIVITIES_BASE), float(ACTIVITIES_BASE)
    labels = []
    for group, label in ACTIVITY_GROUPS.items():
        number = sum(month.activities[group].value for month in within if group in month.activities)
        height = ACTIVITIES_HEIGHT / top * (last.activities[group].value if group in last.activities else 0)
        if number:
            lowest = min(base - height / 2 + 4, lowest)
            labels.append(drawing.at(1, _total(drawing, label, number, lowest)))
            lowest -= 15
        base -= height
    drawing.add(*labels)


def _total(drawing: Drawing, label: object, number: int, y: float) -> SafeString:
    strong = element("tspan", grouped(number), font_weight=600, fill=drawing.colors.ink)
    return element("text", f"{label} ", strong, x=8, y=y, fill=drawing.colors.ink_2)


# Trends


def draw_trend(trend: Sequence[int | None], canvas: Canvas = PAGE, height: int = 26) -> SafeString:
    """Draw a small line on its own scale: a hollow dot a year ago, a full dot now. Nothing without two points."""
    known = [value for value in trend if value is not None]
    if len(known) < 2:
        return SafeString("")
    drawing = Drawing(canvas, height=height, left=4, right=6)
    colors, low, high = drawing.colors, min(known), max(known)
    each = (height - 8) / (high - low) if high > low else 0

    def y(value: int) -> float:
        return height - 4 - each * (value - low) if each else height / 2

    last = len(trend) - 1
    points = [None if value is None else (place / last, y(value)) for place, value in enumerate(trend)]
    drawing.add(*lines_between(drawing, points, stroke=colors.ink_3, stroke_width=1.4, stroke_linecap="round"))
    year_ago = points[-13] if len(points) > 12 else None
    if year_ago:
        look = {"fill": colors.surface, "stroke": colors.ink_3, "stroke_width": 1.4}
        drawing.add(element("circle", cx=drawing.x(year_ago[0]), cy=year_ago[1], r=2.6, **look))
    if points[-1]:
        drawing.add(element("circle", cx=drawing.x(1), cy=points[-1][1], r=3.2, fill=colors.c1))
    return drawing.done("trend")


# By unit: three drawings of the same rows


def draw_contact(units: Sequence[UnitFigures], canvas: Canvas = PAGE) -> SafeString:
    """Draw the age of the last contact of agreements in force, on the left of a line those of the last 180 days."""
    drawing = _of_units(canvas, units)
    colors = drawing.colors
    within = [_recent(unit) for unit in units]
    over = [sum(one.value for one in unit.contact) - recent for unit, recent in zip(units, within, strict=True)]
    most_within, most_over = max(within, default=0), max(over, default=0)
    line = min(max(0.09 + 0.84 * most_within / max(most_within + most_over, 1), 0.5), 0.76)
    each = min((line - 0.09) / max(most_within, 1), (0.92 - line) / max(most_over, 1))
    words = {"font_size": 11, "fill": colors.ink_3}
    drawing.add(
        drawing.text(_("← within 180 days"), line - 0.01, 14, text_anchor="end", **words),
        drawing.text(_("longer →"), line + 0.015, 14, **words),
    )
    for place, unit in enumerate(units):
        top = HEAD + ROW * place
        left, right = line, line + 0.009
        recent_places = [number for number, days in enumerate(CONTACT_DAYS) if days <= RECENT_DAYS]
        for number in (*reversed(recent_places), *range(len(recent_places), len(unit.contact))):
            listed = unit.contact[number]
            if not listed.value:
                continue
            width = each * listed.value
            first, last = (left - width, left) if number in recent_places else (right, right + width)
            drawing.add(_contact_bar(drawing, unit, number, Box(first, last, top)))
            left, right = (first, right) if number in recent_places else (left, last)
        look = {"font_weight": 600}
        if within[place]:
            drawing.add(
                drawing.text(grouped(within[place]), left - 0.015, top + 19, text_anchor="end", fill=colors.ink, **look)
            )
        if over[place]:
            drawing.add(drawing.text(grouped(over[place]), right + 0.015, top + 19, fill=colors.warning, **look))
    bottom = HEAD + ROW * len(units)
    drawing.add(drawing.line(line + 0.0045, line + 0.0045, HEAD - 2, bottom, colors.ink, stroke_width=1.4))
    return drawing.done("chart-contact", _("Age of the last contact by unit"))


def _recent(unit: UnitFigures) -> int:
    return sum(listed.value for listed, days in zip(unit.contact, CONTACT_DAYS, strict=False) if days <= RECENT_DAYS)


def contact_age(number: int) -> str:
    """Return the words of one of the ages of the last contact, as a sentence has them."""
    if number == len(CONTACT_DAYS):
        return _("more than a year ago, or never")
    if number == 0:
        return _("up to %(days)s days") % {"days": CONTACT_DAYS[0]}
    return _("%(first)s–%(last)s days") % {"first": CONTACT_DAYS[number - 1] + 1, "last": CONTACT_DAYS[number]}


def _contact_bar(drawing: Drawing, unit: UnitFigures, number: int, box: Box) -> SafeString:
    listed, (first, last, top) = unit.contact[number], box
    colors = drawing.colors
    looks = (
        (colors.c1, colors.surface, colors.on1),
        (colors.c2, colors.surface, colors.on2),
        (colors.c3, colors.c2, colors.on3),
        (drawing.hatched(HATCHED_LATE), colors.warning, ""),
        (colors.warning, colors.warning, ""),
    )
    fill, stroke, ink = looks[number]
    title = _("%(name)s: %(age)s, %(count)s") % {
        "name": unit.unit,
        "age": contact_age(number),
        "count": grouped(listed.value),
    }
    shapes = [drawing.rect(first, last, top + 6, 18, fill, stroke=stroke, stroke_width=1, class_="m")]
    if ink and last - first > 0.03 + 0.022 * len(str(listed.value)):
        shapes.append(drawing.text(grouped(listed.value), (first + last) / 2, top + 19, text_anchor="middle", fill=ink))
    return drawing.mark(listed.address, title, drawing.hit(first, last, top + 1, ROW - 2), *shapes)


def draw_promised(units: Sequence[UnitFigures], areas: Sequence[RowName], canvas: Canvas = PAGE) -> SafeString:
    """Draw promised (outline) and delivered (fill) of each unit in each area, warmer where less is delivered."""
    drawing = _of_units(canvas, units)
    most = max((one.promised for unit in units for one in unit.promised), default=0)
    count = max(len(areas), 1)
    if canvas.is_fixed:  # a page has the names as text that is cut where it does not fit
        for column, area in enumerate(areas):
            name = cut(str(area), drawing.inner_width // count - 6)
            drawing.add(drawing.text(name, (column + 0.07) / count, 14))
    for place, unit in enumerate(units):
        for column, area in enumerate(areas):
            box = Box(column / count, (column + 1) / count, HEAD + ROW * place)
            drawing.add(_promised_cell(drawing, unit, area, most, box))
    return drawing.done("chart-promised", _("Promised and delivered by unit and area"))


def _promised_cell(drawing: Drawing, unit: UnitFigures, area: RowName, most: int, box: Box) -> SafeString:
    found = next((one for one in unit.promised if one.area.id == area.id), None)
    colors, (first, last, top) = drawing.colors, box
    width = last - first
    start = first + 0.07 * width
    if found is None or not found.promised:
        return drawing.text("–", start, top + 15, fill=colors.ink_3)
    delivered, promised = found.delivered.value, found.promised
    percent = round(100 * delivered / promised)
    strength = next((strong for below, strong in HEAT if percent < below), 0.0)
    is_low = percent < HEAT[0][0]
    names = {"unit": unit.unit, "area": area, "delivered": grouped(delivered), "promised": grouped(promised)}
    title = _("%(unit)s, %(area)s: %(delivered)s of %(promised)s delivered") % names
    words = f"{grouped(delivered)}/{grouped(promised)}"
    number_look = {"font_weight": 600, "fill": colors.ink} if is_low else {"fill": colors.ink}
    long = max(0.86 * width * promised / max(most, 1), 0.06 * width)
    done = long * min(delivered / promised, 1)
    ground = {"fill_opacity": strength, "stroke": colors.surface, "stroke_width": 1.5, "class_": "hit ground"}
    return drawing.mark(
        found.delivered.address,
        title,
        drawing.rect(first, last, top + 1, ROW - 1, colors.heat, **ground),
        # Long numbers do not fit into a cell; the title has them.
        drawing.text(words if len(words) <= LONGEST_CELL else f"{percent}%", start, top + 14, **number_look),
        drawing.rect(
            start, start + long, top + 18, 6, colors.surface, stroke=colors.ink_3, stroke_width=0.9, class_="m"
        ),
        drawing.rect(start, start + done, top + 18, 6, colors.c1, class_="m"),
    )


def draw_coming(units: Sequence[UnitFigures], day: dt.date, decide_until: dt.date, canvas: Canvas = PAGE) -> SafeString:
    """Draw the next twelve months: decision dates as diamonds, full where the proposal is there, and ends as squares."""
    drawing = _of_units(canvas, units)
    colors = drawing.colors
    end = add_months(day, 12)
    bottom = HEAD + ROW * len(units)

    def share(of: dt.date) -> float:
        return min(max((of - day).days / (end - day).days, 0), 1)

    until = decide_until + dt.timedelta(days=1)
    drawing.add(drawing.rect(share(day), share(until), HEAD, bottom - HEAD, colors.accent_soft, class_="band"))
    drawing.add(drawing.line(share(until), share(until), HEAD, bottom, colors.ink_3, stroke_dasharray="2 3"))
    for month in (add_months(day.replace(day=1), number) for number in range(13)):
        is_new_year, at = month.month == 1, share(month)
        if month > day:
            stroke = colors.line_strong if is_new_year else colors.grid
            drawing.add(drawing.line(at, at, HEAD, bottom, stroke))
        # The name of a month stands at its beginning, where there is room for it.
        if share(add_months(month, 1)) - at > LEAST_MONTH:
            look = {"fill": colors.ink, "font_weight": 600} if is_new_year else {}
            css_class = "odd" if month.month % 2 == 0 else None
            drawing.add(drawing.text(month_name(month), at + 0.004, 14, class_=css_class, **look))
    for place, unit in enumerate(units):
        for dates in _by_week(unit.coming, day):
            middle = (share(dates[0].on), HEAD + ROW * place + ROW / 2)
            drawing.add(_coming_mark(drawing, unit, dates, middle, day))
    return drawing.done("chart-coming", _("Decisions and ends of the next twelve months by unit"))


def _by_week(coming: Iterable[ComingDate], day: dt.date) -> list[list[ComingDate]]:
    """Return the dates of one kind and week together, ends first, so that decisions lie above them."""
    weeks: dict[tuple[bool, int, str], list[ComingDate]] = defaultdict(list)
    for one in sorted(coming, key=lambda one: one.on):
        weeks[one.kind != "ends", (one.on - day).days // 7, one.kind].append(one)
    return [weeks[key] for key in sorted(weeks)]


COMING_KINDS: Mapping[str, Promise] = {
    "decide": gettext_lazy("decide by"),
    "proposed": gettext_lazy("proposal ready"),
    "ends": gettext_lazy("ends, decided"),
}


def coming_address(dates: Sequence[ComingDate]) -> str:
    """Return the page of the agreement, or the list of all of them."""
    if len(dates) == 1:
        return reverse("agreement_detail", args=[dates[0].agreement])
    picked = ".".join(dict.fromkeys(str(one.agreement) for one in dates))
    return f"{reverse('agreement_list')}?picked={picked}"


def _coming_mark(
    drawing: Drawing, unit: UnitFigures, dates: Sequence[ComingDate], place: tuple[float, float], day: dt.date
) -> SafeString:
    colors, kind, is_one = drawing.colors, dates[0].kind, len(dates) == 1
    about: dict[str, object] = {"on": chart_day(dates[0].on, day), "kind": COMING_KINDS[kind], "unit": unit.unit}
    if is_one:
        title = _("%(on)s, %(kind)s: %(partners)s, %(title)s") % {
            **about,
            "partners": dates[0].partners,
            "title": dates[0].title,
        }
    else:
        agreements = ngettext("%(count)s agreement", "%(count)s agreements", len(dates)) % {"count": len(dates)}
        title = _("Week of %(on)s, %(kind)s: %(agreements)s of %(unit)s") % {**about, "agreements": agreements}
    size = 5.5 if is_one else 8.5
    hollow = {"fill": colors.surface, "stroke": colors.c1, "stroke_width": 1.6}
    look = {
        "decide": hollow,
        "proposed": {"fill": colors.c1, "stroke": colors.c1, "stroke_width": 1.6},
        "ends": {"fill": colors.ink_3, "stroke": colors.surface, "stroke_width": 1},
    }[kind]
    if kind == "ends":
        side = 4 if is_one else 6.5
        shape = element("rect", x=-side, y=-side, width=2 * side, height=2 * side, class_="m", **look)
    else:
        path = f"M0 {-size}L{size} 0 0 {size} {-size} 0Z"
        shape = element("path", d=path, class_="m", **look)
    # A circle is as wide as a finger's tip at least, without covering the neighbors' shapes.
    parts = [element("circle", r=11, fill="transparent", class_="hit"), shape]
    if not is_one:
        ink = {"decide": colors.ink, "proposed": colors.on1, "ends": colors.surface}[kind]
        parts.append(element("text", len(dates), y=3.5, text_anchor="middle", font_size=10, font_weight=600, fill=ink))
    if drawing.canvas.is_fixed:
        parts = parts[1:]
    return drawing.at(place[0], drawing.mark(coming_address(dates), title, *parts), y=place[1])


def _of_units(canvas: Canvas, units: Sequence[UnitFigures]) -> Drawing:
    """Begin a drawing with one row for each unit; in a file the names stand at its left."""
    drawing = Drawing(canvas, height=HEAD + ROW * len(units), left=NAMES)
    for place, unit in enumerate(units):
        y = HEAD + ROW * place + 0.5
        drawing.add(drawing.line(0, 1, y, y, drawing.colors.grid))
        if canvas.is_fixed:
            name = cut(str(unit.unit), NAMES - 8)
            drawing.add(element("text", name, x=-NAMES, y=y + 18, fill=drawing.colors.ink))
    return drawing


# Keys: the meaning of the marks, beside the drawings


class Key(NamedTuple):
    """A small sample of a mark, and its meaning."""

    sample: SafeString
    label: str


def _sample(canvas: Canvas, width: int, *shapes: SafeString) -> SafeString:
    name = "g" if canvas.is_fixed else "svg"
    return element(name, *shapes, width=width, height=11, class_="sample", aria_hidden="true")


def contact_key(canvas: Canvas = PAGE) -> list[Key]:
    colors = canvas.palette
    labels = (
        _("≤ %(days)s days") % {"days": CONTACT_DAYS[0]},
        *(f"{first + 1}–{last}" for first, last in pairwise(CONTACT_DAYS)),
        _("over a year"),
    )
    fills = (colors.c1, colors.c2, colors.c3, f"url(#{HATCHED_LATE})", colors.warning)
    edges = (None, None, colors.c2, colors.warning, None)
    return [
        Key(_sample(canvas, 11, element("rect", x=0.5, y=0.5, width=10, height=10, fill=fill, stroke=edge)), label)
        for label, fill, edge in zip(labels, fills, edges, strict=True)
    ]


def promised_key(canvas: Canvas = PAGE) -> list[Key]:
    colors = canvas.palette
    outline = element("rect", x=0.5, y=2, width=27, height=7, fill=colors.surface, stroke=colors.ink_3)
    bar = _sample(canvas, 28, outline, element("rect", x=0.5, y=2, width=16, height=7, fill=colors.c1))
    below, strengths = zip(*reversed(HEAT), strict=True)
    squares = (
        element(
            "rect", x=14 * n + 0.5, y=0.5, width=11, height=10, fill=colors.heat, fill_opacity=one, stroke=colors.grid
        )
        for n, one in enumerate(strengths)
    )
    numbers = {"first": below[0], "second": below[1], "third": below[2]}
    return [
        Key(bar, _("outline promised, fill delivered")),
        Key(_sample(canvas, 40, *squares), _("under %(first)s, %(second)s, %(third)s%%") % numbers),
    ]


def coming_key(canvas: Canvas = PAGE) -> list[Key]:
    colors = canvas.palette
    diamond = {"d": "M5.5 1 10 5.5 5.5 10 1 5.5Z", "stroke": colors.c1, "stroke_width": 1.6}
    samples = {
        "decide": element("path", fill=colors.surface, **diamond),
        "proposed": element("path", fill=colors.c1, **diamond),
        "ends": element("rect", x=1.5, y=1.5, width=8, height=8, fill=colors.ink_3),
    }
    return [Key(_sample(canvas, 11, samples[kind]), str(label)) for kind, label in COMING_KINDS.items()]


# Ranked bars


def draw_load(person: PersonLoad, most: int, canvas: Canvas = PAGE) -> SafeString:
    """Draw the bar of one person's pending milestones, those overdue hatched."""
    drawing = Drawing(canvas, height=23)
    drawing.add(*_load_bar(drawing, person, most, 0))
    return drawing.done("bar")


def _load_bar(drawing: Drawing, person: PersonLoad, most: int, top: float) -> Iterable[SafeString]:
    colors, scale = drawing.colors, max(most, 1)
    yield drawing.rect(0, person.pending.value / scale, top + 5, 13, colors.c2, class_="m")
    if person.overdue.value:
        look = {"stroke": colors.warning, "stroke_width": 1, "class_": "m"}
        yield drawing.rect(0, person.overdue.value / scale, top + 5, 13, drawing.hatched(HATCHED_LATE), **look)


def draw_region(region: RegionFigures, most: int, canvas: Canvas = PAGE) -> SafeString:
    """Draw the bar of one region's agreements in force, with a line at the number of a year ago."""
    drawing = Drawing(canvas, height=23)
    drawing.add(*_region_bar(drawing, region, most, 0))
    return drawing.done("bar")


def _region_bar(drawing: Drawing, region: RegionFigures, most: int, top: float) -> Iterable[SafeString]:
    colors, scale = drawing.colors, max(most, 1)
    yield drawing.rect(0, region.in_force.value / scale, top + 5, 13, colors.c2, class_="m")
    if region.year_ago is not None:
        at = region.year_ago / scale
        yield drawing.line(at, at, top + 2, top + 21, colors.ink, stroke_width=1.4)


def most_pending(people: Iterable[PersonLoad]) -> int:
    return max((person.pending.value for person in people), default=0)


def most_in_force(regions: Iterable[RegionFigures]) -> int:
    return max((max(one.in_force.value, one.year_ago or 0) for one in regions), default=0)


def draw_loads(people: Sequence[PersonLoad], canvas: Canvas) -> SafeString:
    """Draw all people's bars with their names and numbers, for a file."""
    most = most_pending(people)
    rows = [(str(one.person), f"{grouped(one.overdue.value)} / {grouped(one.pending.value)}") for one in people]

    def bar(drawing: Drawing, place: int, top: float) -> Iterable[SafeString]:
        return _load_bar(drawing, people[place], most, top)

    return _draw_ranks(rows, bar, canvas, _("Pending tasks by person, those overdue hatched"))


def draw_regions(regions: Sequence[RegionFigures], canvas: Canvas) -> SafeString:
    """Draw all regions' bars with their names and numbers, for a file."""
    most = most_in_force(regions)
    rows = [(str(one.region), grouped(one.in_force.value)) for one in regions]

    def bar(drawing: Drawing, place: int, top: float) -> Iterable[SafeString]:
        return _region_bar(drawing, regions[place], most, top)

    return _draw_ranks(rows, bar, canvas, _("Agreements in force by region, with a line at the number of a year ago"))


def _draw_ranks(
    rows: Sequence[tuple[str, str]],
    bar: Callable[[Drawing, int, float], Iterable[SafeString]],
    canvas: Canvas,
    label: str,
) -> SafeString:
    drawing = Drawing(canvas, height=23 * len(rows), left=RANK_NAMES, right=56)
    for place, (name, number) in enumerate(rows):
        top = 23 * place
        look = {"text_anchor": "end", "font_weight": 600, "fill": drawing.colors.ink}
        drawing.add(
            element("text", cut(name, RANK_NAMES - 8), x=-RANK_NAMES, y=top + 16, fill=drawing.colors.ink),
            *bar(drawing, place, top),
            drawing.at(1, element("text", number, x=54, y=top + 16, **look)),
        )
    return drawing.done("chart-ranks", label)
