"""A report as PDF, set by typst. The text of people is data of the template and is never part of its source."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from django.utils.translation import gettext as _

from partnerships.exceptions import DomainError
from partnerships.fonts import chinese_font, font_folder, font_paths
from partnerships.reports.canvas import Canvas, paper
from partnerships.reports.report_document import ReportDocument

TEMPLATE = Path(__file__).with_name("report.typ")
# Drawings are as wide as the text of an A4 page with margins of 20 mm, with small print of 8.2 pt.
WIDTH = 640


class MissingFont(DomainError):
    """No font with Chinese signs is installed, so a PDF would have boxes in their place."""


def required_font() -> str:
    found = chinese_font()
    if found is None:
        words = _(
            "No font with Chinese signs is installed. Install fonts-noto-cjk, or put a font file into %(folder)s."
        )
        raise MissingFont(words % {"folder": font_folder()})
    return found


def pdf_canvas() -> Canvas:
    """Return the canvas of the drawings. Raises ``MissingFont``."""
    return paper(WIDTH, required_font())


def pdf_of(
    document: ReportDocument, *, file_format: Literal["pdf", "png", "svg"] = "pdf", ppi: float | None = None
) -> Any:
    """Return the bytes of a PDF, or a list of those of each page for ``png``. Raises ``MissingFont``."""
    import typst  # as in ``fonts``

    data = asdict(document) | {"font": required_font()}
    for section, plain in zip(document.sections, data["sections"], strict=True):
        if section.table is not None:
            plain["table"] = {
                "headings": list(section.table.headings),
                "rows": section.table.shown,
                "numbers": sorted(section.table.numbers),
                "has_total": section.table.has_total,
            }
    return typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=[str(path) for path in font_paths()],
        format=file_format,
        ppi=ppi,
        sys_inputs={"report": json.dumps(data)},
    )
