"""Figures of reports with invented numbers, and the documents made of them."""

from typing import Any

from django.utils.translation import override

from partnerships.models import Report
from partnerships.reports.canvas import paper
from partnerships.reports.overview import Overview
from partnerships.reports.report_document import ReportDocument, report_document
from partnerships.reports.report_figures import FrozenRows, ReportFigures, UnitYear
from tests.reports.overviews import make_overview


def make_figures(overview: Overview | None = None) -> ReportFigures:
    """Return the figures of a report about an overview, with lists of a few rows where it has any agreements."""
    overview = overview or make_overview()
    units = [
        UnitYear(
            one.unit,
            at_start=one.in_force.value - 3,
            signed=7,
            ended=4,
            at_end=one.in_force.value,
            unconfirmed=number % 3,
            promised=sum(cell.promised for cell in one.promised),
            delivered=sum(cell.delivered.value for cell in one.promised),
        )
        for number, one in enumerate(overview.units)
    ]
    if not overview.in_force.value:
        return ReportFigures(overview, units, 0, 0, [])
    agreement = ("Joint college", "Zhongyi Machinery", "Mechanical", "Strategic agreement")
    lists = [
        FrozenRows("signed", ("signed_on", "agreement", "partners", "unit", "type"), [("2026-03-02", *agreement)], 12),
        FrozenRows("ended", ("ended_on", "agreement", "partners", "unit", "type"), [("2026-05-31", *agreement)]),
        FrozenRows("activities", ("kind", "count"), [("Training", 170), ("Visit", 98)]),
        FrozenRows("partners", ("organization", "region", "count"), [("Zhongyi Machinery", "Keqiao", 3)]),
    ]
    return ReportFigures(overview, units, 436, 369, lists)


def document_of(report: Report, figures: ReportFigures, changes: Any = ()) -> ReportDocument:
    with override(report.language):
        return report_document(report, figures, paper(680), changes)
