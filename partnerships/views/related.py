"""Related records that several pages show: figures, documents, milestones, demands."""

from collections.abc import Iterable

from django.db.models import Prefetch

from partnerships.lists.facilities import SIDES
from partnerships.lists.figures import SUBJECTS
from partnerships.models import (
    Demand,
    DemandOutcome,
    Document,
    DocumentVersion,
    Facility,
    Honour,
    Milestone,
    ReportedFigure,
    User,
)
from partnerships.models.figures import ReportedFigureQuerySet
from partnerships.permissions import may
from partnerships.reports.figures import with_recorded

VERSIONS = Prefetch("versions", DocumentVersion.objects.select_related("uploaded_by"))


def figures_about(user: User, **subject: object) -> list[ReportedFigure]:
    """Return the figures reported about something, each with how many records count against it."""
    return list(with_records(ReportedFigure.objects.visible_to(user).filter(**subject)))


def with_records(figures: ReportedFigureQuerySet) -> ReportedFigureQuerySet:
    return with_recorded(figures.select_related(*SUBJECTS))


def documents_of(user: User, **target: object) -> list[Document]:
    """Return the documents of ``target`` that the user may read; seeing a shared record is not enough."""
    seen = Document.objects.visible_to(user).filter(**target).select_related("milestone").prefetch_related(VERSIONS)
    rows = list(seen)
    for row in rows:
        for name, record in target.items():
            setattr(row, name, record)  # whoever may read a document is asked of its record
    return [row for row in rows if may(user, "document.view", row)]


def milestones_of(row: Facility | Demand | Honour, user: User) -> list[Milestone]:
    """Return the milestones of ``row`` that the user may see; a unit that was asked does not see those of a demand."""
    return list(row.milestones.visible_to(user).select_related("owner"))


def next_pending(milestones: Iterable[Milestone]) -> Milestone | None:
    """Return the milestone that is due next."""
    return min((row for row in milestones if row.is_pending), key=lambda row: (row.due_on, row.pk), default=None)


def facilities_among(user: User, **condition: object) -> list[Facility]:
    return list(Facility.objects.visible_to(user).filter(**condition).prefetch_related(SIDES))


def demands_among(user: User, **condition: object) -> list[Demand]:
    return list(Demand.objects.visible_to(user).filter(**condition).select_related("organization"))


def demands_behind(user: User, **outcome: object) -> list[Demand]:
    """Return the demands that an agreement or a project came of."""
    outcomes = DemandOutcome.objects.filter(**outcome)
    return demands_among(user, pk__in=outcomes.values("demand"))
