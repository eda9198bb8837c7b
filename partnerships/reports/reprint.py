"""A report as it stands: frozen figures with what changed since, or those of the day."""

import datetime as dt

from django.utils.translation import override

from partnerships.models import Report, User
from partnerships.permissions import may
from partnerships.reports.frozen import from_json
from partnerships.reports.report_document import changes_since
from partnerships.reports.report_figures import ReportFigures, report_figures


def figures_shown(report: Report, user: User, *, today: dt.date) -> tuple[ReportFigures, list[str] | None]:
    """Return the figures of a report with what changed since they were frozen.

    Those of a draft are as ``user`` sees the records now. What changed since the confirmation is told from the records as
    the person sees them who confirmed the report: None where they may not see all of its unit any more.
    """
    if not report.is_confirmed:
        return report_figures(report, user, today=today), []
    frozen, person = from_json(ReportFigures, report.figures), report.confirmed_by
    if person is None or not may(person, "report.view", report):
        return frozen, None
    current = report_figures(report, person, today=today, day=frozen.overview.day)
    with override(report.language):
        return frozen, changes_since(frozen, current)
