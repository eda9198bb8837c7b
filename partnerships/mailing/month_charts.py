"""The charts of the month by mail, as images: mail programs show no SVG."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from partnerships.fonts import font_paths
from partnerships.reports.canvas import paper
from partnerships.reports.drawing import draw_coming, draw_contact, draw_months
from partnerships.reports.overview_figures import Overview

# Somewhat narrower than the column of a mail, so that a phone shrinks the text less; of the two years the last one fits.
WIDTH = 440
MONTHS_SHOWN = 12
# Twice the width on screen, so that small text is sharp on phones.
PIXELS_PER_INCH = 144
FONT = "Inter, Noto Sans CJK SC, Noto Sans, sans-serif"
# Typst only sets the size of the page: the drawing comes as data.
PAGE = b"""#let drawing = json("drawing.json")
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#image(bytes(drawing.svg), width: drawing.width * 1pt)
"""


@dataclass(frozen=True)
class MonthChart:
    """A chart in a mail: the name under which the HTML shows it, its heading, its words for those who see no image."""

    name: str
    heading: str
    words: str
    png: bytes


def month_charts(found: Overview) -> list[MonthChart]:
    """Return three charts in the active language; those of units only where there are agreements."""
    canvas = paper(WIDTH, FONT)
    months = found.months[-MONTHS_SHOWN:]
    signed, ended = sum(one.signed.value for one in months), sum(one.ended.value for one in months)
    activities = sum(count.value for one in months for count in one.activities.values())
    totals = {"signed": signed, "ended": ended, "activities": activities}
    charts = [
        MonthChart(
            "months",
            _("The last twelve months"),
            _("Agreements signed: %(signed)s, ended: %(ended)s; activities completed: %(activities)s.") % totals,
            _png(draw_months(months, found.period, canvas)),
        )
    ]
    if found.in_force.value:
        contact = {"recent": found.in_contact.value, "older": found.without_contact.value}
        coming = {"count": sum(len(unit.coming) for unit in found.units)}
        charts += [
            MonthChart(
                "contact",
                _("Last contact by unit"),
                _("Agreements with contact in the last 180 days: %(recent)s, without: %(older)s.") % contact,
                _png(draw_contact(found.units, canvas)),
            ),
            MonthChart(
                "coming",
                _("The next twelve months"),
                _("Decisions and ends in the next twelve months: %(count)s.") % coming,
                _png(draw_coming(found.units, found.day, found.decide_until, canvas)),
            ),
        ]
    return charts


def _png(svg: str) -> bytes:
    # Loaded when the first chart is made: the compiler takes 40 MB, and most processes never need it.
    import typst

    files: Any = {"main.typ": PAGE, "drawing.json": json.dumps({"svg": svg, "width": WIDTH}).encode()}
    fonts = [str(path) for path in font_paths()]
    made = typst.compile(files, font_paths=fonts, format="png", ppi=PIXELS_PER_INCH)
    assert isinstance(made, bytes)  # one page
    return made
