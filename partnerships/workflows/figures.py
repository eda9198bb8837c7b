"""Reported figures: somebody answers for a figure and for what is recorded against it, and both are frozen."""

import datetime as dt

from django.db import transaction

from partnerships.models import FigureConfirmation, ReportedFigure, User
from partnerships.models.counting_rules import recorded
from partnerships.permissions import require
from partnerships.workflows.transitions import lock_as_read


def confirm_figure(figure: ReportedFigure, *, actor: User, now: dt.datetime, note: str = "") -> FigureConfirmation:
    """Keep the figure, and which records are counted against it now, under the name of ``actor``."""
    with transaction.atomic():
        current = lock_as_read(figure)
        require(actor, "figure.confirm", current)
        counted = recorded(current)
        ids = None if counted is None else sorted(counted.values_list("pk", flat=True))
        return FigureConfirmation.objects.create(
            figure=current,
            by=actor,
            at=now,
            reported=current.value,
            recorded=None if ids is None else len(ids),
            counted=ids or [],
            note=note,
        )
