"""The files of a report, all made of the same document."""

from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import override

from partnerships.models import Report
from partnerships.reports.canvas import PAGE
from partnerships.reports.report_document import report_document
from partnerships.reports.report_docx import docx_of
from partnerships.reports.report_figures import ReportFigures
from partnerships.reports.report_pdf import pdf_canvas, pdf_of
from partnerships.reports.report_xlsx import xlsx_of

FILE_FORMATS = ("pdf", "docx", "xlsx")


def file_of(
    report: Report,
    figures: ReportFigures,
    changes: Sequence[str] | None,
    file_format: str,
    *,
    template: Path | None = None,
) -> bytes:
    """Return the bytes of a file in the language of the report. ``template`` is that of a Word document.

    Raises ``MissingFont`` for a PDF and ``UnusableTemplate`` for a Word document.
    """
    with override(report.language):
        canvas = pdf_canvas() if file_format == "pdf" else PAGE
        document = report_document(report, figures, canvas, changes)
        if file_format == "docx":
            return docx_of(document, template=template)
        return pdf_of(document) if file_format == "pdf" else xlsx_of(document)
